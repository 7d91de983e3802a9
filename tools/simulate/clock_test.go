package simulate

import (
	"testing"
	"time"
)

// A reading has the clock's date, and differs from another by what was counted.
func TestReading(t *testing.T) {
	begin := time.Unix(1_000_000_000, 987_654_321).UTC()
	first := reading(begin, time.Second)
	if !first.Round(0).Equal(begin) || first.UnixNano() != begin.UnixNano() || first.Year() != 2001 {
		t.Errorf("a clock that shows %s is read as %s", begin, first)
	}
	for _, jump := range []time.Duration{0, time.Nanosecond, 30 * 24 * time.Hour, -30 * 24 * time.Hour} {
		next := reading(begin.Add(jump), 5*time.Second)
		if d := next.Sub(first); d != 4*time.Second {
			t.Errorf("with a jump of %s, 4s were %s", jump, d)
		}
		if next.Before(first) || !next.Add(-4*time.Second).Equal(first) {
			t.Errorf("with a jump of %s, %s comes before %s", jump, next, first)
		}
		if d := next.Round(0).Sub(first.Round(0)); d != jump {
			t.Errorf("with a jump of %s, clocks show a difference of %s", jump, d)
		}
	}
}
