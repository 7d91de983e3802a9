// Package spans reads and writes spans of time as Mesos does, "1.5mins". Flags,
// HTTP faces, and whoever makes or reads the environment of executors import it.
package spans

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// units are Mesos's names of spans of time, longest spelling first where one
// ends in another.
var units = []struct {
	name string
	span time.Duration
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

// Parse reads "5secs" or "1.5mins" as Mesos writes durations, or
// "1m30s" as Go does. A number without a unit is an error, as it is for both.
func Parse(s string) (time.Duration, error) {
	text := strings.TrimSpace(s)
	for _, u := range units {
		number, ok := strings.CutSuffix(text, u.name)
		if !ok {
			continue
		}
		x, err := strconv.ParseFloat(number, 64)
		if err != nil {
			break // perhaps Go's form, which shares ms, us and ns
		}
		product := x * float64(u.span)
		if math.IsNaN(product) || math.Abs(product) >= math.MaxInt64 {
			return 0, fmt.Errorf("duration %q is out of range", s)
		}
		return time.Duration(math.Round(product)), nil
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0, fmt.Errorf(`duration %q is neither like "5secs" (ns us ms secs mins hrs days weeks) nor like "1m30s"`, s)
	}
	return d, nil
}

// Format writes d as Mesos does: in the largest unit that it has one of, or in
// the next smaller one if only that makes it a whole number.
func Format(d time.Duration) string {
	magnitude := d.Abs()
	for i, u := range units[:len(units)-1] {
		smaller := units[i+1]
		switch {
		case magnitude < u.span:
		case magnitude%u.span != 0 && magnitude%smaller.span == 0:
			return strconv.FormatInt(int64(d/smaller.span), 10) + smaller.name
		default:
			return strconv.FormatFloat(float64(d)/float64(u.span), 'g', 15, 64) + u.name
		}
	}
	return strconv.FormatInt(int64(d), 10) + "ns"
}
