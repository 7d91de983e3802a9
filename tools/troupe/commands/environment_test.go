package commands

import (
	"strings"
	"testing"
)

// FuzzExecutorEnvironment: what is no object of variables is refused with the
// flag's name.
func FuzzExecutorEnvironment(f *testing.F) {
	for _, text := range []string{``, `{}`, `{"A": "b"}`, `{"": "b"}`, `{"A": 1}`, `null`, `[]`, `{"A=B": "c"}`, `{"A": "\u0000"}`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		list, err := executorEnvironment(text)
		if err != nil && !strings.Contains(err.Error(), "--executor_environment_variables") {
			t.Errorf("the error names no flag: %v", err)
		}
		for _, v := range list {
			if name, _, ok := strings.Cut(v, "="); !ok || name == "" || strings.ContainsRune(v, 0) {
				t.Errorf("%q is no variable", v)
			}
		}
	})
}
