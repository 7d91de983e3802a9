package schedule

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestDuration(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"PT60S": time.Minute, "P1D": 24 * time.Hour, "P1W": 7 * 24 * time.Hour, "PT1H30M": 90 * time.Minute, "PT0S": 0, "PT1.5S": 1500 * time.Millisecond,
	} {
		if got, err := Duration(text); err != nil || got != want {
			t.Errorf("%s: %v, %v; want %v", text, got, err, want)
		}
	}
	for text, why := range map[string]string{
		"P1M": "no fixed length", "P1Y": "no fixed length", "60": "begins with P", "": "begins with P",
		"P300000D": "", "PT0.5S": "less than a second", "PT" + strings.Repeat("1", 2000) + "S": "longer than",
	} {
		got, err := Duration(text)
		if why != "" && (err == nil || !strings.Contains(err.Error(), why)) {
			t.Errorf("%.20s: %v, %v; want an error with %q", text, got, err, why)
		}
		if got < 0 {
			t.Errorf("%.20s: %v", text, got)
		}
	}
}

func TestDurationsComeBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := time.Duration(rapid.Int64Range(int64(time.Second), int64(20000*time.Hour)).Draw(t, "d")).Truncate(time.Millisecond)
		if got, err := Duration(PrintDuration(d)); err != nil || got != d {
			t.Fatalf("%v is %s, which is %v, %v", d, PrintDuration(d), got, err)
		}
	})
}
