package state

import (
	"strconv"
	"time"
)

// units are those of Mesos's durations, the largest first.
var units = []struct {
	name string
	is   time.Duration
}{
	{"weeks", 7 * 24 * time.Hour},
	{"days", 24 * time.Hour},
	{"hrs", time.Hour},
	{"mins", time.Minute},
	{"secs", time.Second},
	{"ms", time.Millisecond},
	{"us", time.Microsecond},
	{"ns", time.Nanosecond},
}

// duration is how Mesos writes one that is not negative: in the largest unit
// that it has one of, or in the next smaller one if only that makes it a whole
// number.
func duration(d time.Duration) string {
	for i, u := range units[:len(units)-1] {
		smaller := units[i+1]
		switch {
		case d < u.is:
		case d%u.is != 0 && d%smaller.is == 0:
			return strconv.FormatInt(int64(d/smaller.is), 10) + smaller.name
		default:
			return strconv.FormatFloat(float64(d)/float64(u.is), 'g', 15, 64) + u.name
		}
	}
	return strconv.FormatInt(int64(d), 10) + "ns"
}
