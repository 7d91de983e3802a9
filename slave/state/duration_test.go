package state

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestDuration(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0ns", 9: "9ns", 7 * time.Microsecond: "7us", 7001: "7001ns", 1500 * time.Microsecond: "1500us",
		5 * time.Second: "5secs", 1500 * time.Millisecond: "1500ms", 90 * time.Second: "90secs", 15 * time.Minute: "15mins",
		time.Minute: "1mins", 90*time.Second + 500*time.Millisecond: "1.50833333333333mins", 36 * time.Hour: "36hrs",
		24 * time.Hour: "1days", 10 * 24 * time.Hour: "10days", 14 * 24 * time.Hour: "2weeks",
		time.Hour + time.Second: "1.00027777777778hrs",
	} {
		if got := duration(d); got != want {
			t.Errorf("%v is %s, want %s", d, got, want)
		}
	}
}

// TestDurationsAreRead by whoever knows the units: nothing but the precision of
// a double is lost.
func TestDurationsAreRead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := time.Duration(rapid.Int64Range(0, 1<<62).Draw(t, "d"))
		text := duration(d)
		for _, u := range units {
			var n float64
			if _, err := fmt.Sscanf(text, "%g"+u.name, &n); err == nil && strings.HasSuffix(text, u.name) {
				if off := math.Abs(n*float64(u.is) - float64(d)); off > 1e-14*float64(d)*10 {
					t.Fatalf("%v is %s, which is off by %g ns", d, text, off)
				}
				return
			}
		}
		t.Fatalf("%v is %s: no unit", d, text)
	})
}
