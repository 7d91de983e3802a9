package resources

import (
	"strings"
	"testing"

	"troupe/messages/mesos"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]string{
		"": "",
		"cpus:24;gpus:2;mem:24576;disk(ads):1;ports:[21000-24000,30000-34000];set:{a,b}":   "cpus:24; disk(ads):1; gpus:2; mem:24576; ports:[21000-24000, 30000-34000]; set:{a, b}",
		" cpus : 0.5 ;; mem ( web ) : 1e3 ; ports : [ 1 - 2 , 3 - 4 ] ; set : { b , a } ;": "cpus:0.5; mem(web):1000; ports:[1-4]; set:{a, b}",
		"cpus:1;cpus:2":                  "cpus:3",
		"cpus(*):1":                      "cpus:1",
		"ports:[]":                       "",
		"set:{}":                         "",
		"cpus:0":                         "",
		"ports:[0-18446744073709551615]": "ports:[0-18446744073709551615]",
		"x(eng/web):+1.2345":             "x(eng/web):1.235",
	} {
		r, err := Parse(text, "*")
		if err != nil || r.String() != want {
			t.Errorf("%q is %s, %v; want %s", text, r, err, want)
		}
	}
}

func TestParseGivesTheDefaultRole(t *testing.T) {
	r, err := Parse("cpus:1;mem(*):2", "web")
	if err != nil || r.String() != "cpus(web):1; mem:2" {
		t.Errorf("got %s, %v", r, err)
	}
}

func TestParseJSON(t *testing.T) {
	r, err := Parse(` [{"name":"cpus","type":"SCALAR","scalar":{"value":4}},
		{"name":"mem","type":"SCALAR","scalar":{"value":512},"role":"*"},
		{"name":"disk","type":"SCALAR","scalar":{"value":10},"reservations":[{"type":"STATIC","role":"db"}],
		 "disk":{"source":{"type":"MOUNT","mount":{"root":"/mnt/1"}}}}]`, "web")
	if err != nil || r.String() != "cpus(web):4; disk(db)[MOUNT:/mnt/1]:10; mem:512" {
		t.Errorf("got %s, %v", r, err)
	}
	for text, want := range map[string]string{
		"[":                 "the document ends at byte 1: expected an object",
		`[{"name":"cpus"}]`: "[0].type: must be set",
		`[{"name":"cpus","type":"SCALAR","scalar":{"value":-1}}]`:  "[0].(cpus).scalar.value: -1: is negative",
		`[{"name":"cpus","type":"SCALAR","scalar":{"value":"x"}}]`: `[0].scalar.value: "x": must be a number`,
	} {
		if _, err := Parse(text, "*"); err == nil || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
	}
}

func TestParseErrors(t *testing.T) {
	for text, want := range map[string]string{
		"cpus":                           `position 1: "cpus": has no ':' between name and value`,
		"mem:1; cpus:x":                  `position 8.cpus: "x": is not a number, ranges in [] or a set in {}`,
		"cpus:":                          `position 1.cpus: "": must not be empty`,
		":1":                             `position 1.name: "": must not be empty`,
		"cpus:-1":                        `position 1.(cpus).scalar.value: -1: is negative`,
		"cpus:nan":                       `position 1.cpus: "nan": is not a number, ranges in [] or a set in {}`,
		"cpus:1e999":                     `position 1.cpus: "1e999": is not a number, ranges in [] or a set in {}`,
		"cpus:0x10":                      `position 1.cpus: "0x10": is not a number, ranges in [] or a set in {}`,
		"mem:1e300":                      `position 1.(mem).scalar.value: 1e+300: is above 9007199254740.992`,
		"gpus:1.5":                       `position 1.(gpus).scalar.value: 1.5: must be a whole number`,
		"ports:[5-4]":                    `position 1.ports: "5-4": ends before it begins`,
		"ports:[1-5,5-9]":                `position 1.(ports).ranges.range: 5: is in two ranges`,
		"ports:[1-2":                     `position 1.ports: "[1-2": does not end with ']'`,
		"ports:[1]":                      `position 1.ports: "1": is not a range, BEGIN-END`,
		"ports:[a-2]":                    `position 1.ports: "a": is not a whole number below 2^64`,
		"ports:[1-99999999999999999999]": `position 1.ports: "99999999999999999999": is not a whole number below 2^64`,
		"set:{a,a}":                      `position 1.(set).set.item: "a": is there twice`,
		"set:{a":                         `position 1.set: "{a": does not end with '}'`,
		"cpus(web:1":                     `position 1: "cpus(web": must have its role between '(' and ')'`,
		"cpus(web)x:1":                   `position 1: "cpus(web)x": must have its role between '(' and ')'`,
		"cpus():1":                       `position 1.(cpus).role: "": must not be empty`,
		"cpus(a b):1":                    `position 1.(cpus).role: "a b": must not contain " "`,
		"a:b:c":                          `position 1.a: "b:c": is not a number, ranges in [] or a set in {}`,
	} {
		r, err := Parse(text, "*")
		if err == nil || err.Error() != want {
			t.Errorf("%q is %s, %v; want %s", text, r, err, want)
		}
	}
}

func TestMustParsePanicsOnNonsense(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("nothing happened")
		}
	}()
	MustParse("cpus")
}

func TestParseAttributes(t *testing.T) {
	list, err := ParseAttributes("rack:abc; zone:west ;level:10;keys:[1000-1500];tags:{b,a};url:http://x:1/;half:0.5")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, a := range list {
		got = append(got, a.GetName()+" "+a.GetType().String()+" "+AttributeText(a))
	}
	want := "rack TEXT abc|zone TEXT west|level SCALAR 10|keys RANGES [1000-1500]|tags SET {a, b}|url TEXT http://x:1/|half SCALAR 0.5"
	if strings.Join(got, "|") != want {
		t.Errorf("got %s", strings.Join(got, "|"))
	}
	for text, want := range map[string]string{
		"rack":       `position 1: "rack": has no ':' between name and value`,
		"a:b;:x":     `position 5.name: "": must not be empty`,
		"a:":         `position 1.a: "": must not be empty`,
		"keys:[5-1]": `position 1.keys: "5-1": ends before it begins`,
	} {
		if _, err := ParseAttributes(text); err == nil || err.Error() != want {
			t.Errorf("%q: got %v, want %s", text, err, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"cpus:24;gpus:2;mem:24576;disk(ads):1;ports:[21000-24000,30000-34000];set:{a,b}", "a:[", "a({):}", ";;;", "x:0.0005"} {
		f.Add(seed, "*")
	}
	f.Fuzz(func(t *testing.T, text, role string) {
		r, err := Parse(text, role)
		if err != nil || strings.HasPrefix(strings.TrimSpace(text), "[") || strings.ContainsAny(role, ":;()") { // a default role may be more than the text form can say
			return
		}
		back, err := Parse(r.String(), "*")
		if err != nil || !back.Equal(r) {
			t.Errorf("%q is %s, which is %s, %v", text, r, back, err)
		}
	})
}

func FuzzParseAttributes(f *testing.F) {
	for _, seed := range []string{"rack:abc;zone:west;level:10;keys:[1000-1500]", "a:{", "a:[1-2", "b:1e5"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		list, err := ParseAttributes(text)
		if err != nil {
			return
		}
		for _, a := range list {
			if a.GetName() == "" || AttributeText(a) == "" && a.GetType() == mesos.Value_TEXT {
				t.Errorf("%q has an attribute %v", text, a)
			}
		}
	})
}
