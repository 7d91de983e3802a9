package constraints_test

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"

	"troupe/messages/constraints"
	"troupe/messages/mesos"
	"troupe/messages/mesos/scheduler"
)

func parse[M proto.Message](t testing.TB, text string, m M) M {
	t.Helper()
	if err := (prototext.UnmarshalOptions{AllowPartial: true}).Unmarshal([]byte(text), m); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return m
}

// role is constraints of the role "r" with one group of one condition.
func role(condition string) string {
	return `role_constraints { key: "r" value { groups { attribute_constraints { ` + condition + ` } } } }`
}

func TestConditions(t *testing.T) {
	agent := parse(t, `hostname: "h1.example" domain { fault_domain { region { name: "eu" } zone { name: "a" } } }
		attributes { name: "rack" type: TEXT text { value: "r1" } } attributes { name: "rack" type: TEXT text { value: "r2" } }
		attributes { name: "slots" type: SCALAR scalar { value: 4 } }`, new(mesos.AgentInfo))
	bare := parse(t, `hostname: "h2"`, new(mesos.AgentInfo))
	for _, c := range []struct {
		condition   string
		agent, bare bool
	}{
		{`selector { attribute_name: "rack" } predicate { exists {} }`, true, false},
		{`selector { attribute_name: "rack" } predicate { not_exists {} }`, false, true},
		{`selector { attribute_name: "rack" } predicate { text_equals { value: "r1" } }`, true, false},
		{`selector { attribute_name: "rack" } predicate { text_equals { value: "r2" } }`, false, false}, // the first counts
		{`selector { attribute_name: "rack" } predicate { text_not_equals { value: "r1" } }`, false, true},
		{`selector { attribute_name: "rack" } predicate { text_matches { regex: "r[0-9]" } }`, true, false},
		{`selector { attribute_name: "rack" } predicate { text_matches { regex: "r" } }`, false, false}, // as a whole
		{`selector { attribute_name: "rack" } predicate { text_matches { regex: "x|r1" } }`, true, false},
		{`selector { attribute_name: "rack" } predicate { text_not_matches { regex: "r.*" } }`, false, true},
		{`selector { attribute_name: "slots" } predicate { text_equals { value: "5" } }`, true, false},
		{`selector { attribute_name: "slots" } predicate { text_not_equals { value: "4" } }`, true, true},
		{`selector { pseudoattribute_type: HOSTNAME } predicate { text_matches { regex: ".*[.]example" } }`, true, false},
		{`selector { pseudoattribute_type: REGION } predicate { text_equals { value: "eu" } }`, true, false},
		{`selector { pseudoattribute_type: ZONE } predicate { text_not_equals { value: "a" } }`, false, true},
		{`selector { pseudoattribute_type: ZONE } predicate { not_exists {} }`, false, true},
	} {
		roles, err := constraints.Compile(parse(t, role(c.condition), new(scheduler.OfferConstraints)))
		if err != nil {
			t.Errorf("%s: %v", c.condition, err)
			continue
		}
		if got := roles["r"].Admits(constraints.AgentOf(agent)); got != c.agent {
			t.Errorf("%s: %v for the agent", c.condition, got)
		}
		if got := roles["r"].Admits(constraints.AgentOf(bare)); got != c.bare {
			t.Errorf("%s: %v for one without attributes", c.condition, got)
		}
		if !roles["other"].Admits(constraints.AgentOf(bare)) {
			t.Errorf("%s: a role without constraints has some", c.condition)
		}
	}
}

func TestGroups(t *testing.T) {
	is := func(name, value string) string {
		return `attribute_constraints { selector { attribute_name: "` + name + `" } predicate { text_equals { value: "` + value + `" } } }`
	}
	roles, err := constraints.Compile(parse(t, `role_constraints { key: "r" value {
		groups { `+is("a", "1")+is("b", "1")+` } groups { `+is("a", "2")+` } } }`, new(scheduler.OfferConstraints)))
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]bool{"a1b1": true, "a1b2": false, "a2b2": true, "b1": false, "": false} {
		a := new(mesos.AgentInfo)
		for ; text != ""; text = text[2:] {
			a.Attributes = append(a.Attributes, &mesos.Attribute{
				Name: proto.String(text[:1]), Type: mesos.Value_TEXT.Enum(), Text: &mesos.Value_Text{Value: proto.String(text[1:2])},
			})
		}
		if got := roles["r"].Admits(constraints.AgentOf(a)); got != want {
			t.Errorf("%v: %v", a, got)
		}
	}
}

func TestWhatCannotBe(t *testing.T) {
	const any = `predicate { exists {} }`
	for _, c := range []struct{ text, says string }{
		{`role_constraints { key: "r" value {} }`, `role_constraints[r].groups: must not be empty`},
		{`role_constraints { key: "r" value { groups {} } }`, `role_constraints[r].groups[0].attribute_constraints: must not be empty`},
		{role(any), `role_constraints[r].groups[0].attribute_constraints[0].selector: must be set`},
		{role(`selector { pseudoattribute_type: UNKNOWN } ` + any), `selector.pseudoattribute_type: "UNKNOWN": is not known`},
		{role(`selector { attribute_name: "a" } predicate {}`), `attribute_constraints[0].predicate: must be set`},
		{role(`selector { attribute_name: "a" } predicate { text_matches { regex: "(" } }`), `predicate.text_matches.regex`},
		{role(`selector { attribute_name: "a" } predicate { text_not_matches { regex: "a)|(b" } }`), `predicate.text_not_matches.regex`},
		{role(`selector { attribute_name: "a" } predicate { text_matches { regex: "(?:a{50}){50}" } }`), `predicate.text_matches.regex`},
	} {
		_, err := constraints.Compile(parse(t, c.text, new(scheduler.OfferConstraints)))
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v; want %q", c.text, err, c.says)
		}
	}
}

func FuzzCompile(f *testing.F) {
	for _, text := range []string{
		role(`selector { attribute_name: "a" } predicate { text_matches { regex: "(a|b)*c" } }`),
		role(`selector { pseudoattribute_type: ZONE } predicate { text_not_matches { regex: "^$" } }`),
	} {
		b, err := proto.Marshal(parse(f, text, new(scheduler.OfferConstraints)))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b, "ab")
	}
	f.Fuzz(func(t *testing.T, b []byte, text string) {
		c := new(scheduler.OfferConstraints)
		if (proto.UnmarshalOptions{AllowPartial: true}).Unmarshal(b, c) != nil {
			return
		}
		roles, err := constraints.Compile(c)
		if err != nil {
			return
		}
		a := &mesos.AgentInfo{Hostname: &text, Attributes: []*mesos.Attribute{{
			Name: proto.String("a"), Type: mesos.Value_TEXT.Enum(), Text: &mesos.Value_Text{Value: &text},
		}}}
		for _, r := range roles {
			r.Admits(constraints.AgentOf(a))
		}
	})
}
