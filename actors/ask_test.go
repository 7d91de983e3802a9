package actors

import (
	"strings"
	"testing"
)

func FuzzUnmarkAsk(f *testing.F) {
	for _, s := range []string{"scheduler?17", "scheduler", "?1", "a?", "a?0", "a?b?c", "a?-1", "a?zzzzzzzzzzzzzzzzzzzz", ""} {
		f.Add(s, uint64(len(s)))
	}
	f.Fuzz(func(t *testing.T, name string, ask uint64) {
		if got, key := unmarkAsk(name); !strings.HasPrefix(name, got) || (key != 0 && got == name) {
			t.Fatalf("unmarkAsk(%q) = %q, %d", name, got, key)
		}
		if got, key := unmarkAsk(markAsk(name, ask)); got != name || key != ask {
			t.Fatalf("%q with key %d comes back as %q, %d", name, ask, got, key)
		}
	})
}
