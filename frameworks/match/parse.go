package match

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"troupe/messages/field"
)

const (
	// maxConstraints bounds a list, maxLength each of its texts in bytes.
	maxConstraints = 128
	maxLength      = 1024
	// maxNumber is the largest that GROUP_BY and MAX_PER take.
	maxNumber = 1<<31 - 1
)

// Parse reads constraints of two or three texts each: field, operator, value.
// An error is a *field.Error that names the constraint, its part and the
// reason: "[1][2]: "x": MAX_PER requires …".
func Parse(list [][]string) (Constraints, error) {
	if len(list) > maxConstraints {
		return nil, field.Invalid("", len(list), "are more constraints than %d", maxConstraints)
	}
	var all Constraints
	for i, texts := range list {
		c, err := ParseOne(texts)
		if err != nil {
			return nil, field.At("", i, err)
		}
		if slices.ContainsFunc(all, func(o Constraint) bool { return slices.Equal(o.Strings(), c.Strings()) }) {
			return nil, field.At("", i, field.Invalid("", c.String(), "is there twice"))
		}
		all = append(all, c)
	}
	return all, nil
}

// ParseOne reads one constraint. An error is a *field.Error whose path is the
// part that is wrong, such as "[2]", or empty.
func ParseOne(texts []string) (Constraint, error) {
	if len(texts) < 2 || len(texts) > 3 {
		return Constraint{}, field.Invalid("", strings.Join(texts, " "), "must have 2 or 3 parts: field, operator and value")
	}
	for i, text := range texts {
		if len(text) > maxLength {
			return Constraint{}, field.At("", i, field.Invalid("", text, "is longer than %d bytes", maxLength))
		}
	}
	c := Constraint{field: texts[0], operator: Operator(strings.ToUpper(texts[1])), hasValue: len(texts) == 3}
	if c.hasValue {
		c.value = texts[2]
	}
	switch {
	case c.field == "":
		return Constraint{}, field.Invalid("[0]", nil, "the field must be named")
	case !slices.Contains(Operators, c.operator):
		return Constraint{}, field.Invalid("[1]", texts[1], "must be one of %s", operators())
	}
	if err := c.takeValue(); err != nil {
		return Constraint{}, field.At("", 2, err)
	}
	return c, nil
}

func operators() string {
	var names []string
	for _, o := range Operators {
		names = append(names, string(o))
	}
	return strings.Join(names, ", ")
}

// takeValue checks the value and makes of it what the operator needs.
func (c *Constraint) takeValue() (err error) {
	switch c.operator {
	case Unique:
		if c.hasValue {
			return field.Invalid("", c.value, "UNIQUE does not accept a value")
		}
	case GroupBy:
		if c.value != "" {
			c.number, err = c.integer(0)
		}
	case MaxPer:
		c.number, err = c.integer(1)
	case Like, Unlike:
		return c.compile()
	case Is:
		if c.value == "" || strings.ContainsFunc(c.value, notLiteral) {
			return field.Invalid("", c.value, "IS requires a text of letters, digits and _ / . - or a number")
		}
	}
	return err
}

func (c *Constraint) integer(least int) (int, error) {
	n, err := strconv.Atoi(c.value)
	if err != nil || n < least || n > maxNumber {
		return 0, field.Invalid("", c.value, "%s requires an integer from %d to %d", c.operator, least, maxNumber)
	}
	return n, nil
}

func (c *Constraint) compile() (err error) {
	if c.value == "" {
		return field.Invalid("", nil, "%s requires a regular expression", c.operator)
	}
	if c.pattern, err = regexp.Compile(c.value); err != nil {
		return field.Invalid("", c.value, "is not a valid regular expression (RE2, without look-around and back-references): %s", err)
	}
	c.pattern.Longest()
	return nil
}

func notLiteral(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("_/.-", r)
}
