package resources

import (
	"fmt"
	"strings"

	"troupe/messages/field"
	"troupe/messages/mesos"
	"troupe/messages/names"
)

// ParseAttributes reads the text form of an agent's attributes,
//
//	rack:abc;zone:west;level:10;keys:[1000-1500]
//
// whose values are scalars, ranges or sets where they can be read as such, and
// texts otherwise. A text may contain ':'. An error names the position,
// counted in bytes from 1, and the text there.
func ParseAttributes(text string) ([]*mesos.Attribute, error) {
	var list []*mesos.Attribute
	for at, part := range items(text, ';') {
		a, err := parseAttribute(part)
		if err != nil {
			return nil, field.In(fmt.Sprintf("position %d", at+1), err)
		}
		list = append(list, a)
	}
	return list, nil
}

func parseAttribute(text string) (*mesos.Attribute, error) {
	name, rest, ok := strings.Cut(text, ":")
	if !ok {
		return nil, field.Invalid("", text, "has no ':' between name and value")
	}
	name, rest = strings.TrimSpace(name), strings.TrimSpace(rest)
	if err := names.CheckResource("name", name); err != nil {
		return nil, err
	}
	if rest == "" {
		return nil, field.Invalid(name, rest, "must not be empty")
	}
	var r mesos.Resource
	if _, err := parseScalar(rest); err != nil && rest[0] != '[' && rest[0] != '{' {
		return &mesos.Attribute{Name: &name, Type: mesos.Value_TEXT.Enum(), Text: &mesos.Value_Text{Value: &rest}}, nil
	}
	if err := parseValue(rest, &r); err != nil {
		return nil, field.In(name, err)
	}
	return &mesos.Attribute{Name: &name, Type: r.Type, Scalar: r.Scalar, Ranges: r.Ranges, Set: r.Set}, nil
}

// AttributeText prints an attribute's value: a text as it is, a scalar with at
// most three decimals, "[1000-1500]" or "{a, b}".
func AttributeText(a *mesos.Attribute) string {
	switch a.GetType() {
	case mesos.Value_TEXT:
		return a.GetText().GetValue()
	case mesos.Value_RANGES:
		return rangesOf(a.GetRanges()).String()
	case mesos.Value_SET:
		return SetOf(a.GetSet().GetItem()...).String()
	}
	m, err := MilliOf(a.GetScalar().GetValue())
	if err != nil {
		return fmt.Sprint(a.GetScalar().GetValue())
	}
	return m.String()
}
