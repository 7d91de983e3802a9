package address

import (
	"errors"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	for in, want := range map[string]PID{
		"master@10.0.0.1:5050":             {Name: "master", Address: "10.0.0.1:5050"},
		"observer/S3@m1.example:5050#ab-c": {Name: "observer/S3", Address: "m1.example:5050", Incarnation: "ab-c"},
		"scheduler@[::1]:0#x":              {Name: "scheduler", Address: "[::1]:0", Incarnation: "x"},
		"$1@h:65535":                       {Name: "$1", Address: "h:65535"},
	} {
		got, err := Parse(in)
		if err != nil || got != want {
			t.Errorf("Parse(%q) = %+v, %v; want %+v", in, got, err, want)
		}
		if got.String() != in {
			t.Errorf("Parse(%q) prints as %q", in, got)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for in, mention := range map[string]string{
		"":                                     "no @",
		"master":                               "no @",
		"@h:1":                                 "name is empty",
		"a b@h:1":                              `"a b"`,
		"a\x00@h:1":                            "character",
		"a@b@h:1":                              `'@'`,
		"a@h":                                  `"h"`,
		"a@:1":                                 "host is empty",
		"a@h:":                                 `""`,
		"a@h:65536":                            `"65536"`,
		"a@h:-1":                               `"-1"`,
		"a@h:01":                               `"01"`,
		"a@h:+1":                               `"+1"`,
		"a@[h]:1":                              "brackets",
		"a@::1:1":                              "not host:port",
		"a@h:1#":                               "nothing after #",
		"a@h:1#b#c":                            `'#'`,
		"é@h:1":                                "character",
		strings.Repeat("n", 256) + "@h:1":      "256 bytes, limit 255",
		"a@" + strings.Repeat("h", 300) + ":1": "limit 262",
		"a@h:1#" + strings.Repeat("i", 65):     "limit 64",
	} {
		_, err := Parse(in)
		if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), mention) {
			t.Errorf("Parse(%q): %v; want an ErrInvalid that mentions %s", in, err, mention)
		}
	}
}

func TestPID(t *testing.T) {
	if !(PID{}).IsZero() || (PID{}).String() != "" {
		t.Error("the zero PID is not zero, or does not print as nothing")
	}
	p := PID{Name: "n", Address: "h:1", Incarnation: "i"}
	if w := p.WellKnown(); w != (PID{Name: "n", Address: "h:1"}) {
		t.Errorf("WellKnown() = %+v", w)
	}
	if p.IsZero() {
		t.Error("a PID with parts is zero")
	}
}

func TestDialable(t *testing.T) {
	for in, want := range map[string]bool{"h:0": false, "h:10": true, "": false, "[::1]:0": false, "[::]:1": true} {
		if Dialable(in) != want {
			t.Errorf("Dialable(%q) = %v", in, !want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"master@h:1", "a/b@[::1]:0#i", "@:", "a@b@c:1", "a@h:1#", "\xff@h:1", "a@[::1%eth0]:1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := Parse(s)
		if err != nil {
			if !errors.Is(err, ErrInvalid) {
				t.Fatalf("Parse(%q): %v is not ErrInvalid", s, err)
			}
			return
		}
		if p.String() != s {
			t.Fatalf("Parse(%q) prints as %q", s, p)
		}
		if err := p.Validate(); err != nil {
			t.Fatalf("Parse(%q) gave an invalid PID: %v", s, err)
		}
	})
}
