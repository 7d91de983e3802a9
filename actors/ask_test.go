package actors

import "testing"

// FuzzUnmarkAsk: any name is taken as it is, or as an actor's with a key that
// finds the actor's question again.
func FuzzUnmarkAsk(f *testing.F) {
	for _, name := range []string{"scheduler?17", "scheduler", "?", "?1", "a?b?zz", "a?+1", "a?-1", "a?3w5e11264sgsg", ""} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		actor, ask := unmarkAsk(name)
		if ask == 0 {
			return
		}
		if again, key := unmarkAsk(markAsk(actor, ask)); again != actor || key != ask {
			t.Errorf("%q is %q and %d, and again %q and %d", name, actor, ask, again, key)
		}
	})
}
