package core

import (
	"maps"
	"slices"
	"testing"
)

func TestParseMinimums(t *testing.T) {
	tests := []struct {
		text string
		want []Minimum
	}{
		{"cpus:0.01|mem:32", DefaultMinimums()},
		{"cpus:1;mem:64|gpus:1", []Minimum{{"cpus": 1000, "mem": 64_000}, {"gpus": 1000}}},
		{"", []Minimum{}},
	}
	for _, test := range tests {
		got, err := ParseMinimums(test.text)
		if err != nil {
			t.Errorf("%q: %v", test.text, err)
		}
		if !slices.EqualFunc(got, test.want, func(a, b Minimum) bool { return maps.Equal(a, b) }) {
			t.Errorf("%q is read as %v, want %v", test.text, got, test.want)
		}
	}
	for _, text := range []string{"|", "cpus:1|", "cpus", "cpus:-1", "cpus:x", "ports:[1-2]", "cpus:1;ports:[1-2]", "cpus:0"} {
		if got, err := ParseMinimums(text); err == nil {
			t.Errorf("%q is read as %v, want an error", text, got)
		}
	}
}

func FuzzParseMinimums(f *testing.F) {
	for _, seed := range []string{"cpus:0.01|mem:32", "", "a:1;b:2|c:3", "ports:[1-2]", "cpus:1e300"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		list, err := ParseMinimums(text)
		if err != nil {
			return
		}
		for _, m := range list {
			if len(m) == 0 {
				t.Errorf("%q has an alternative of nothing", text)
			}
			for name, amount := range m {
				if amount <= 0 {
					t.Errorf("%q asks for %v of %s", text, amount, name)
				}
			}
		}
	})
}
