package credentials

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestParse(t *testing.T) {
	s, err := Parse([]byte(`{"credentials":[{"principal":"ops","secret":"a:b c"},{"principal":"böb","secret":"1","note":7}],"more":1}`))
	if err != nil || s.Len() != 2 {
		t.Fatalf("%v, %v", s, err)
	}
	for _, c := range []struct {
		principal, secret string
		want              bool
	}{
		{"ops", "a:b c", true},
		{"böb", "1", true},
		{"ops", "1", false},
		{"ops", "", false},
		{"ops", "a:b c ", false},
		{"", "", false},
		{"nobody", "a:b c", false},
		{"Ops", "a:b c", false},
	} {
		if got := s.Check(c.principal, c.secret); got != c.want {
			t.Errorf("%q with %q: %v", c.principal, c.secret, got)
		}
	}
}

// Every error names the place, and no secret.
func TestWhatCannotBeRead(t *testing.T) {
	const secret = "sesame"
	for text, want := range map[string]string{
		``:                                      "is no JSON object: at byte 0",
		`{"credentials":`:                       "is no JSON object: at byte 15",
		`[]`:                                    "is no JSON object: it is another value",
		`{}`:                                    "credentials: is absent",
		`{"Credentials":[]}`:                    "credentials: is absent",
		`{"credentials":[]}`:                    "credentials: is empty",
		`{"credentials":{}}`:                    "credentials: is no list of objects",
		`{"credentials":[1]}`:                   "credentials: is no list of objects",
		`{"credentials":[{"secret":"sesame"}]}`: "credentials[0].principal: is absent",
		`{"credentials":[{"principal":"a"}]}`:   "credentials[0].secret: is absent",
		`{"credentials":[{"principal":"a","secret":null}]}`:                                     "credentials[0].secret: is no text",
		`{"credentials":[{"principal":"a","secret":["sesame"]}]}`:                               "credentials[0].secret: is no text",
		`{"credentials":[{"principal":"a","secret":""}]}`:                                       "credentials[0].secret: is empty",
		`{"credentials":[{"principal":"","secret":"sesame"}]}`:                                  "credentials[0].principal: is empty",
		`{"credentials":[{"principal":"a:b","secret":"sesame"}]}`:                               `credentials[0].principal: "a:b": has a colon`,
		`{"credentials":[{"principal":"a\n","secret":"sesame"}]}`:                               `credentials[0].principal: "a\n": has a colon or a control`,
		`{"credentials":[{"principal":"a","secret":"x"},{"principal":"a"}]}`:                    "credentials[1].secret: is absent",
		`{"credentials":[{"principal":"a","secret":"sesame"},null]}`:                            "credentials[1].principal: is absent",
		"{\"credentials\":[{\"principal\":\"a\",\"secret\":\"sesame\xff\"}]}":                   "is not UTF-8",
		`{"credentials":[{"principal":"a","secret":"sesame"}]} sesame`:                          "is no JSON object: at byte",
		`{"credentials":[` + strings.Repeat(`{"principal":"a","secret":"sesame"},`, 2) + `{}]}`: `credentials[1].principal: "a": is there twice`,
	} {
		s, err := Parse([]byte(text))
		if err == nil || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: %v, %v; want %q", text, s, err, want)
		}
	}
}

// A set cannot be made to tell its secrets.
func TestSecretsAreNotKept(t *testing.T) {
	s, err := Parse([]byte(`{"credentials":[{"principal":"ops","secret":"sesame"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	if text := fmt.Sprintf("%v %+v %#v", s, *s, s); strings.Contains(text, "sesame") {
		t.Errorf("it prints as %s", text)
	}
}

// What is in a file is what is right, and nothing else.
func TestSetsAreWhatTheyWereMadeOf(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		given := rapid.MapOfN(rapid.StringMatching(`[a-z@.é-]{1,8}`), rapid.StringMatching(`[ -~]{1,8}`), 1, 10).Draw(t, "given")
		type credential struct {
			Principal string `json:"principal"`
			Secret    string `json:"secret"`
		}
		var list []credential
		for principal, secret := range given {
			list = append(list, credential{principal, secret})
		}
		file, err := json.Marshal(map[string]any{"credentials": list})
		if err != nil {
			t.Fatal(err)
		}
		s, err := Parse(file)
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		principal := rapid.StringMatching(`[a-z@.é-]{1,2}`).Draw(t, "principal")
		secret := rapid.StringMatching(`[ -~]{1,2}`).Draw(t, "secret")
		if want, known := given[principal]; s.Check(principal, secret) != (known && want == secret) {
			t.Fatalf("%q with %q", principal, secret)
		}
		for principal, secret := range given {
			if !s.Check(principal, secret) || s.Check(principal, secret+"x") {
				t.Fatalf("%q", principal)
			}
		}
	})
}

// FuzzParse: no file does harm, and what is taken has principals.
func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"credentials":[{"principal":"ops","secret":"sesame"}]}`))
	f.Add([]byte(`{"credentials":[{"principal":1}]}`))
	f.Add([]byte("\xff"))
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := Parse(text)
		if (s == nil) == (err == nil) || s != nil && (s.Len() == 0 || s.Check("", "")) {
			t.Fatalf("%q: %v, %v", text, s, err)
		}
	})
}
