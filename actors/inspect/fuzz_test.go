package inspect

import (
	"testing"
	"time"
)

// FuzzParseSpan: what is read is what its unit says, and what is no span is an
// error.
func FuzzParseSpan(f *testing.F) {
	for _, text := range []string{"15mins", "30secs", "1.5hrs", "1m30s", "-1secs", "1e300hrs", "nansecs", "infmins", "9e18secs", "secs", ""} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		span, err := parseSpan(text)
		if err != nil || span <= 0 {
			return
		}
		if again, err := parseSpan(span.String()); err != nil || again != span {
			t.Errorf("%q is %v, which is read as %v, %v", text, span, again, err)
		}
	})
}

// A span that no Duration holds is refused, not wrapped around.
func TestSpansThatCannotBe(t *testing.T) {
	for _, text := range []string{"1e300hrs", "nansecs", "infmins", "9e18secs", "-9e18secs", "15mins and more", "secs", ""} {
		if span, err := parseSpan(text); err == nil {
			t.Errorf("%q is %v", text, span)
		}
	}
	for text, want := range map[string]time.Duration{"15mins": 15 * time.Minute, "1.5hrs": 90 * time.Minute, "30secs": 30 * time.Second, "1m30s": 90 * time.Second} {
		if span, err := parseSpan(text); err != nil || span != want {
			t.Errorf("%q is %v, %v", text, span, err)
		}
	}
}
