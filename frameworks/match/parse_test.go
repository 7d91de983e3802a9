package match

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"troupe/messages/field"
)

func TestParse(t *testing.T) {
	in := [][]string{
		{"hostname", "UNIQUE"},
		{"@zone", "cluster"},
		{"rack", "Cluster", "a b"},
		{"rack", "GROUP_BY"},
		{"rack", "group_by", "3"},
		{"@hostname", "LIKE", "web[0-9]+"},
		{"@hostname", "UNLIKE", "db.*"},
		{"rack", "MAX_PER", "2"},
		{"level", "is", "1.5"},
		{"rack", "GROUP_BY", ""},
	}
	rules, err := Parse(in)
	if err != nil {
		t.Fatal(err)
	}
	want := make([][]string, len(in))
	for i, c := range in {
		want[i] = append([]string{c[0], strings.ToUpper(c[1])}, c[2:]...)
	}
	if got := rules.Strings(); !reflect.DeepEqual(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if c := rules[7]; c.Field() != "rack" || c.Operator() != MaxPer || c.Value() != "2" || c.String() != "rack MAX_PER 2" {
		t.Errorf("%+v", c)
	}
	for name, want := range map[string]bool{"hostname": true, FieldHostname: true, FieldZone: true, FieldRegion: false, "rack": true} {
		if rules.Mentions(name) != want {
			t.Errorf("%s mentioned: %t", name, !want)
		}
	}
	if rules, err := Parse(nil); rules != nil || err != nil {
		t.Error(rules, err)
	}
}

func TestParseSaysWhatIsWrong(t *testing.T) {
	long := strings.Repeat("x", maxLength+1)
	for want, c := range map[string][]string{
		`[1]: "": must have 2 or 3 parts`:                                           nil,
		`[1]: "rack": must have 2 or 3 parts`:                                       {"rack"},
		`[1]: "rack IS a b": must have 2 or 3 parts`:                                {"rack", "IS", "a", "b"},
		`[1][0]: the field must be named`:                                           {"", "UNIQUE"},
		`[1][1]: "NEAR": must be one of UNIQUE, CLUSTER, GROUP_BY, LIKE, UNLIKE, M`: {"rack", "NEAR"},
		`[1][2]: "a": UNIQUE does not accept a value`:                               {"rack", "UNIQUE", "a"},
		`[1][2]: "": UNIQUE does not accept a value`:                                {"rack", "UNIQUE", ""},
		`[1][2]: "x": GROUP_BY requires an integer from 0 to 2147483647`:            {"rack", "GROUP_BY", "x"},
		`[1][2]: "-1": GROUP_BY requires an integer`:                                {"rack", "GROUP_BY", "-1"},
		`[1][2]: "": MAX_PER requires an integer from 1 to`:                         {"rack", "MAX_PER"},
		`[1][2]: "0": MAX_PER requires`:                                             {"rack", "MAX_PER", "0"},
		`[1][2]: "2147483648": MAX_PER requires`:                                    {"rack", "MAX_PER", "2147483648"},
		`[1][2]: LIKE requires a regular expression`:                                {"rack", "LIKE"},
		`[1][2]: "*": is not a valid regular expression`:                            {"rack", "LIKE", "*"},
		`[1][2]: "(?=a)": is not a valid regular expression (RE2, without look-ar`:  {"rack", "UNLIKE", "(?=a)"},
		`[1][2]: "a)|(b": is not a valid regular expression`:                        {"rack", "LIKE", "a)|(b"},
		`[1][2]: "[0-9]": IS requires a text of letters`:                            {"rack", "IS", "[0-9]"},
		`[1][2]: "": IS requires`:                                                   {"rack", "IS"},
		`[1]: "hostname UNIQUE": is there twice`:                                    {"hostname", "unique"},
		`is longer than 1024 bytes`:                                                 {"rack", "LIKE", long},
	} {
		_, err := Parse([][]string{{"hostname", "UNIQUE"}, c})
		var named *field.Error
		if err == nil || !strings.Contains(err.Error(), want) || !errors.As(err, &named) {
			t.Errorf("%q: error %v, want %q", c, err, want)
		}
	}
	if _, err := Parse(make([][]string, maxConstraints+1)); err == nil || !strings.Contains(err.Error(), "more constraints than 128") {
		t.Error(err)
	}
}

// What is read is written as it was read, and judges any host without a panic.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"hostname UNIQUE", "rack group_by 3", "@zone CLUSTER", "@hostname LIKE web[0-9]+", "rack UNLIKE a|b", "rack MAX_PER 7", "level IS 1.5",
		"rack LIKE (?=a)", "rack LIKE \\Qa", "x", "a LIKE (?m)^$", "rack LIKE a{1000}", "rack IS NaN", "level IS 1e999",
	} {
		f.Add(s, "web1")
	}
	f.Fuzz(func(t *testing.T, text, value string) {
		c, err := ParseOne(strings.SplitN(text, " ", 3))
		if err != nil {
			return
		}
		again, err := ParseOne(c.Strings())
		if err != nil || again.String() != c.String() {
			t.Fatalf("%q became %q: %v", text, c.Strings(), err)
		}
		h := Host{Hostname: value, Zone: value, Attributes: attributes("rack:a;level:1.5")}
		s := Constraints{c}.Spread(nil, []Host{h})
		for range 3 {
			if s.Check(h) == nil {
				s.Place(h)
			}
		}
		if c.operator == Unique && s.placed > 1 {
			t.Fatalf("%s: %d instances on one host", c, s.placed)
		}
	})
}
