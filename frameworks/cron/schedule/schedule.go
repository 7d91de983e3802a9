package schedule

import (
	"fmt"
	"strings"
	"time"
	_ "time/tzdata" // zones are known on machines without a database of their own
)

// Schedule is an immutable value: an Interval or a Line.
type Schedule interface {
	// Next is the first due time after the given one, supposing that nothing is
	// run until then. False when there is none any more: nothing is left to
	// repeat, or the year 9999 is over.
	Next(after time.Time) (time.Time, bool)
	// Previous is the last due time before the given one that this schedule still
	// speaks of; an interval does not speak of what is before its start.
	Previous(before time.Time) (time.Time, bool)
	// Advance is what is left of the schedule once a run has answered for all that
	// was due up to and including now, however much that was. It changes nothing
	// where nothing was due.
	Advance(now time.Time) Schedule
	// String is the form for the wire; a schedule is read from it again.
	String() string
	schedule()
}

// Error is what is wrong with a schedule, and where.
type Error struct {
	Text   string
	Offset int // in bytes, within Text
	Reason string
}

// Error says all of it in one line.
func (e *Error) Error() string {
	return fmt.Sprintf("schedule %.200q, at position %d: %s", e.Text, e.Offset+1, e.Reason)
}

// maxText bounds what is looked at: no schedule that means something is longer.
const maxText = 1024

// horizon is the first year in which nothing is due: a wire form has four digits.
const horizon = 10000

// Parse reads either form. With a zone, the time on the wall is of that zone,
// whatever offset a start has; without (nil) it is as written, and UTC for cron
// lines. An interval without a start begins a second before now. The error is an
// *Error.
func Parse(text string, zone *time.Location, now time.Time) (Schedule, error) {
	if len(text) > maxText {
		return nil, &Error{text, maxText, fmt.Sprintf("longer than %d bytes", maxText)}
	}
	if strings.HasPrefix(text, "R") && strings.Contains(text, "/") {
		return asSchedule(ParseInterval(text, zone, now))
	}
	return asSchedule(ParseLine(text, zone))
}

func asSchedule[S Schedule](s S, err error) (Schedule, error) {
	if err != nil {
		return nil, err
	}
	return s, nil
}

// Zone finds a zone by its name in the tz database. The empty name is no zone,
// nil. It is not cheap, and zones are large: keep what it returns.
func Zone(name string) (*time.Location, error) {
	if name == "" {
		return nil, nil
	}
	if name == "Local" {
		return nil, fmt.Errorf("time zone %q: differs from machine to machine", name)
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("time zone %.100q: not in the tz database", name)
	}
	return zone, nil
}

// Upcoming lists the first n due times after the given one, each of them run
// when it is due; fewer when no more are left.
func Upcoming(s Schedule, after time.Time, n int) []time.Time {
	var all []time.Time
	for len(all) < n {
		due, ok := s.Next(after)
		if !ok {
			break
		}
		all = append(all, due)
		s, after = s.Advance(due), due
	}
	return all
}
