package resources

import (
	"fmt"
	"strconv"
	"strings"

	"troupe/messages/field"
	"troupe/messages/json"
	"troupe/messages/mesos"
	"troupe/messages/names"
)

// Parse reads the text form of resources,
//
//	cpus:24;gpus:2;mem:24576;disk(ads):1;ports:[21000-24000,30000-34000];set:{a,b}
//
// where a role in parentheses reserves the resource for that role; without one
// it goes to role, which is "*" for nobody. White space around signs is
// ignored, and so is an empty item. An error names the position, counted in
// bytes from 1, and the text there.
//
// A text that starts with '[' is an array of resources in JSON; role is then
// for those that are not reserved. An error names element and field.
func Parse(text, role string) (Resources, error) {
	list, err := ParseList(text, role)
	if err != nil {
		return Resources{}, err
	}
	return New(list...)
}

// ParseList is Parse before anything is summed up: one message for each that
// the text names, also for what there is nothing of. JSON is not validated.
func ParseList(text, role string) ([]*mesos.Resource, error) {
	if strings.HasPrefix(strings.TrimSpace(text), "[") {
		return parseJSON(text, role)
	}
	return parseText(text, role)
}

// MustParse is Parse for text known to be right, with role "*".
func MustParse(text string) Resources {
	r, err := Parse(text, names.AnyRole)
	if err != nil {
		panic(err)
	}
	return r
}

func parseJSON(text, role string) ([]*mesos.Resource, error) {
	list, err := json.UnmarshalArray[*mesos.Resource]([]byte(text))
	for _, r := range list {
		if r.Role == nil && len(r.Reservations) == 0 {
			r.Role = &role
		}
	}
	return list, err
}

func parseText(text, role string) ([]*mesos.Resource, error) {
	var list []*mesos.Resource
	for at, part := range items(text, ';') {
		r, err := parseItem(part, role)
		if err == nil {
			err = validate(r)
		}
		if err != nil {
			return nil, field.In(fmt.Sprintf("position %d", at+1), err)
		}
		list = append(list, r)
	}
	return list, nil
}

// items yields what stands between separators, trimmed, with its offset in
// text. It leaves out what is empty.
func items(text string, separator byte) func(yield func(int, string) bool) {
	return func(yield func(int, string) bool) {
		for at := 0; at <= len(text); {
			end := strings.IndexByte(text[at:], separator)
			if end < 0 {
				end = len(text) - at
			}
			part := text[at : at+end]
			lead := len(part) - len(strings.TrimLeft(part, " \t\r\n"))
			if part = strings.TrimSpace(part); part != "" && !yield(at+lead, part) {
				return
			}
			at += end + 1
		}
	}
}

// parseItem reads "name:value" or "name(role):value".
func parseItem(text, role string) (*mesos.Resource, error) {
	name, rest, ok := strings.Cut(text, ":")
	if !ok {
		return nil, field.Invalid("", text, "has no ':' between name and value")
	}
	if before, inside, ok := strings.Cut(name, "("); ok {
		inside, after, closed := strings.Cut(inside, ")")
		if !closed || strings.TrimSpace(after) != "" {
			return nil, field.Invalid("", name, "must have its role between '(' and ')'")
		}
		name, role = before, strings.TrimSpace(inside)
	}
	name = strings.TrimSpace(name)
	r := &mesos.Resource{Name: &name, Role: &role}
	return r, field.In(name, parseValue(strings.TrimSpace(rest), r))
}

// parseValue reads a scalar, ranges or a set into r.
func parseValue(text string, r *mesos.Resource) error {
	switch {
	case text == "":
		return field.Invalid("", text, "must not be empty")
	case text[0] == '[':
		ranges, err := parseRanges(text)
		r.Type, r.Ranges = mesos.Value_RANGES.Enum(), ranges
		return err
	case text[0] == '{':
		set, err := parseSet(text)
		r.Type, r.Set = mesos.Value_SET.Enum(), set
		return err
	}
	amount, err := parseScalar(text)
	r.Type, r.Scalar = mesos.Value_SCALAR.Enum(), &mesos.Value_Scalar{Value: &amount}
	return err
}

func parseScalar(text string) (float64, error) {
	amount, err := strconv.ParseFloat(text, 64)
	if err != nil || strings.Trim(text, "+-.0123456789eE") != "" {
		return 0, field.Invalid("", text, "is not a number, ranges in [] or a set in {}")
	}
	return amount, nil
}

func parseRanges(text string) (*mesos.Value_Ranges, error) {
	inside, err := inBrackets(text, ']')
	if err != nil {
		return nil, err
	}
	ranges := new(mesos.Value_Ranges)
	for _, part := range items(inside, ',') {
		begin, end, ok := strings.Cut(part, "-")
		if !ok {
			return nil, field.Invalid("", part, "is not a range, BEGIN-END")
		}
		var r mesos.Value_Range
		if r.Begin, err = parseWhole(begin); err != nil {
			return nil, err
		}
		if r.End, err = parseWhole(end); err != nil {
			return nil, err
		}
		if r.GetBegin() > r.GetEnd() {
			return nil, field.Invalid("", part, "ends before it begins")
		}
		ranges.Range = append(ranges.Range, &mesos.Value_Range{Begin: r.Begin, End: r.End})
	}
	return ranges, nil
}

func parseWhole(text string) (*uint64, error) {
	n, err := strconv.ParseUint(strings.TrimSpace(text), 10, 64)
	if err != nil {
		return nil, field.Invalid("", text, "is not a whole number below 2^64")
	}
	return &n, nil
}

func parseSet(text string) (*mesos.Value_Set, error) {
	inside, err := inBrackets(text, '}')
	if err != nil {
		return nil, err
	}
	set := new(mesos.Value_Set)
	for _, part := range items(inside, ',') {
		set.Item = append(set.Item, part)
	}
	return set, nil
}

// inBrackets returns what stands between text's first byte and closing, its
// last.
func inBrackets(text string, closing byte) (string, error) {
	if last := len(text) - 1; last > 0 && text[last] == closing {
		return text[1:last], nil
	}
	return "", field.Invalid("", text, "does not end with %q", closing)
}
