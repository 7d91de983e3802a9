package spans

import (
	"testing"
	"time"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]time.Duration{"5secs": 5 * time.Second, " 1.5mins ": 90 * time.Second, "2weeks": 14 * 24 * time.Hour, "1m30s": 90 * time.Second, "3ms": 3 * time.Millisecond} {
		if got, err := Parse(text); err != nil || got != want {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
}

// FuzzParse: what is read is written in a way that reads back the same.
func FuzzParse(f *testing.F) {
	for _, text := range []string{"15mins", "1.5hrs", "-1secs", "1e300days", "nansecs", "infmins", "secs", "", "1m30s", "9e18ns"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		span, err := Parse(text)
		if err != nil {
			return
		}
		again, err := Parse(Format(span))
		if gap := again - span; err != nil || gap.Abs() > span.Abs()/1e9 {
			t.Errorf("%q is %d, written %q, which is %d, %v", text, span, Format(span), again, err)
		}
	})
}
