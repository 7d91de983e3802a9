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

func TestFormat(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0ns", 9: "9ns", 7 * time.Microsecond: "7us", 7001: "7001ns", -90 * time.Second: "-90secs", 1500 * time.Microsecond: "1500us",
		5 * time.Second: "5secs", 1500 * time.Millisecond: "1500ms", 90 * time.Second: "90secs", 15 * time.Minute: "15mins",
		time.Minute: "1mins", 90*time.Second + 500*time.Millisecond: "1.50833333333333mins", 36 * time.Hour: "36hrs",
		24 * time.Hour: "1days", 10 * 24 * time.Hour: "10days", 14 * 24 * time.Hour: "2weeks",
		time.Hour + time.Second: "1.00027777777778hrs",
	} {
		if got := Format(d); got != want {
			t.Errorf("%v is %s, want %s", d, got, want)
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
