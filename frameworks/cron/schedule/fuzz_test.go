package schedule

import (
	"testing"
	"time"
)

// lawful walks a little and checks what must hold of whatever was accepted.
func lawful(t *testing.T, s Schedule, zone *time.Location) {
	t.Helper()
	last := time.Time{}
	for _, due := range Upcoming(s, time.Unix(0, 0), 5) {
		if !due.After(last) {
			t.Fatalf("%s: %s comes after %s", s, due, last)
		}
		last = due
	}
	if _, err := Parse(s.String(), zone, now); err != nil {
		t.Fatalf("its own form %q is not read: %v", s, err)
	}
}

func fuzz(f *testing.F, seeds ...string) {
	for _, seed := range seeds {
		f.Add(seed, "Europe/Berlin")
		f.Add(seed, "")
	}
	f.Fuzz(func(t *testing.T, text, name string) {
		zone, err := Zone(name)
		if err != nil {
			zone = nil
		}
		if s, err := Parse(text, zone, now); err == nil {
			lawful(t, s, zone)
		}
	})
}

func FuzzParseInterval(f *testing.F) {
	fuzz(f, "R/2026-01-31T02:30:00Z/P1M", "R5//PT1H", "R0//PT0M", "R1/2026-01-01T02:00:00.123+02:00/P1Y2M3W4DT5H6M7.8S", "R/9999-12-31T23:59:59Z/PT1S")
}

func FuzzParseLine(f *testing.F) {
	fuzz(f, "30 2 * * *", "@daily", "*/5 1-3,9 1,31 feb sun-mon", "0 0 29 2 */7", "? ? ? ? ?", "0 0 13 * fri")
}
