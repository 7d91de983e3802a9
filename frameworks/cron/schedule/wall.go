package schedule

import (
	"math"
	"time"
)

// span is a stretch of time in which a zone has one offset. Instants and offsets
// are in seconds; a wall is what an instant plus its offset makes.
type span struct {
	start, end     int64
	offset, before int64 // before is the offset that ended at start
}

// spanAt is the span that holds an instant. Its start and end are the ends of
// the number line where the offset never changes.
func spanAt(instant int64, zone *time.Location) span {
	t := time.Unix(instant, 0).In(zone)
	_, offset := t.Zone()
	s := span{start: math.MinInt64, end: math.MaxInt64, offset: int64(offset), before: int64(offset)}
	from, to := t.ZoneBounds()
	if !from.IsZero() {
		s.start = from.Unix()
		_, before := from.Add(-time.Second).Zone()
		s.before = int64(before)
	}
	if !to.IsZero() {
		s.end = to.Unix()
	}
	if s.end <= instant {
		// ZoneBounds takes every year of the far future to have 365 days, and has
		// spans end before the last day of a leap year. A short span is as good:
		// nothing follows from the end of one whose successor has the same offset.
		s.end = floor(instant, 900) + 900
	}
	return s
}

// widest is more than any offset ever was.
const widest = 26 * 3600

// resolve finds the instant of a wall in a zone. Of two it takes the one with the
// preferred offset, else the first; in a gap it is the moment after the gap.
func resolve(wall int64, zone *time.Location, preferred int64) int64 {
	if zone == time.UTC {
		return wall
	}
	s := spanAt(wall-widest, zone)
	found, first := false, int64(0)
	for {
		switch instant := wall - s.offset; {
		case s.start <= instant && instant < s.end:
			if s.offset == preferred {
				return instant
			}
			if !found {
				found, first = true, instant
			}
		case !found && instant < s.start:
			return s.start
		}
		if s.end > wall+widest {
			return first
		}
		s = spanAt(s.end, zone)
	}
}
