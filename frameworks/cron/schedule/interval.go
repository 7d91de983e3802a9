package schedule

import (
	"fmt"
	"sort"
	"strings"
	"time"
)

// Interval is an ISO 8601 repeating interval. It counts periods from where it
// began, not from the last due time: what began on the 31st comes back to the
// 31st after a February.
type Interval struct {
	began  start
	period period
	left   int64 // runs; Forever without end
	passed int64 // periods since it began
}

// Forever is the number of runs left of an interval without a count.
const Forever = -1

const maxRuns = 1_000_000_000_000

// ParseInterval reads R[n]/start/period. See Parse for zone and now.
func ParseInterval(text string, zone *time.Location, now time.Time) (Interval, error) {
	s := newScanner(text)
	if len(text) > maxText {
		return Interval{}, s.failAt(maxText, "too long")
	}
	var i Interval
	if !s.take('R') {
		return i, s.fail("an interval is as R5/2026-03-01T02:00:00Z/P1D")
	}
	n, digits := s.number()
	switch {
	case digits == 0:
		n = Forever
	case n > maxRuns:
		return i, s.failAt(1, "too many repetitions")
	}
	i.left = n
	if !s.take('/') {
		return i, s.fail("a count of repetitions, or none, and a / are expected behind R")
	}
	slash := strings.IndexByte(s.rest(), '/')
	if slash < 0 {
		return i, s.failAt(len(text), "a / and a period are missing behind the start")
	}
	slash += s.at
	var err error
	if i.began, err = beginning(s.within(s.at, slash), zone, now); err != nil {
		return i, err
	}
	i.period, err = parsePeriod(s.within(slash+1, len(text)))
	return i, err
}

func beginning(s *scanner, zone *time.Location, now time.Time) (start, error) {
	if !s.done() {
		return parseStart(s, zone)
	}
	at := now.Add(-time.Second)
	began := start{zone: zone, nanos: int64(at.Nanosecond() / 1e6 * 1e6)}
	if zone != nil {
		_, offset := at.In(zone).Zone()
		began.offset = int64(offset)
	}
	began.wall = at.Unix() + began.offset
	return began, nil
}

// Restore reads what Kept wrote.
func Restore(text string, zone *time.Location, passed int64) (Interval, error) {
	i, err := ParseInterval(text, zone, time.Time{})
	if err != nil {
		return i, err
	}
	if least, _ := i.period.bounds(); passed < 0 || passed > horizon*366*day/max(least, 1) || passed > 0 && i.period.zero() {
		return i, fmt.Errorf("schedule %.200q: %d periods passed", text, passed)
	}
	i.passed = passed
	return i, nil
}

// Kept is all there is to an interval, for Restore: unlike String it knows where
// the interval began.
func (i Interval) Kept() (text string, passed int64) {
	return i.print(format(i.began.wall, i.began.nanos, i.began.offset)), i.passed
}

// Left is how many runs are left, or Forever.
func (i Interval) Left() int64 { return i.left }

// Period is the period as it was written.
func (i Interval) Period() string { return i.period.text }

// Start is the first due time that no run has answered for.
func (i Interval) Start() time.Time { return i.due(i.passed) }

// String has the runs that are left and the next start, as Chronos shows them.
func (i Interval) String() string {
	offset := i.began.offset
	at := i.Start()
	if i.began.zone != nil {
		_, o := at.In(i.began.zone).Zone()
		offset = int64(o)
	}
	return i.print(format(at.Unix()+offset, int64(at.Nanosecond()), offset))
}

func (i Interval) print(start string) string {
	if i.left == Forever {
		return "R/" + start + "/" + i.period.text
	}
	return fmt.Sprintf("R%d/%s/%s", i.left, start, i.period.text)
}

// due is the time after k periods.
func (i Interval) due(k int64) time.Time {
	began := i.began
	began.wall = i.period.calendar(began.wall, k)
	seconds, nanos := i.period.shift(k)
	return time.Unix(began.instant()+seconds, began.nanos+nanos).UTC()
}

// index is the number of the first period, of those that have not passed, that
// is due after the given time.
func (i Interval) index(after time.Time) int64 {
	if i.period.zero() {
		if i.passed == 0 && i.due(0).After(after) {
			return 0
		}
		return 1
	}
	least, most := i.period.bounds()
	elapsed := after.Unix() - i.began.instant()
	lo := max(i.passed, (elapsed-2*widest)/most-1)
	hi := max(lo, (elapsed+2*widest)/least+2)
	return lo + int64(sort.Search(int(hi-lo), func(n int) bool { return i.due(lo + int64(n)).After(after) }))
}

// Next is as Schedule says. A period of zero is due once.
func (i Interval) Next(after time.Time) (time.Time, bool) {
	if i.left == 0 || after.Year() >= horizon {
		return time.Time{}, false
	}
	k := i.index(after)
	if i.period.zero() && k > 0 {
		return time.Time{}, false
	}
	due := i.due(k)
	return due, due.Year() < horizon
}

// Previous is as Schedule says.
func (i Interval) Previous(before time.Time) (time.Time, bool) {
	if i.left == 0 || before.Year() > horizon {
		return time.Time{}, false
	}
	k := i.index(before.Add(-1)) - 1
	if k < i.passed {
		return time.Time{}, false
	}
	return i.due(k), true
}

// Advance is as Schedule says: the start moves beyond now, and one run less is
// left. With a period of zero none is.
func (i Interval) Advance(now time.Time) Schedule {
	if i.left == 0 || i.due(i.passed).After(now) {
		return i
	}
	if i.left > 0 {
		i.left--
	}
	if i.period.zero() {
		i.left = 0
		return i
	}
	i.passed = i.index(now)
	return i
}

func (Interval) schedule() {}
