package schedule

import (
	"fmt"
	"time"
)

// Note is what people should know of a due time of a schedule in its zone: that
// clocks skip the time on the wall which was meant, or show it twice. It is empty
// for most.
func Note(s Schedule, zone *time.Location, due time.Time) string {
	if zone == nil {
		return ""
	}
	local := due.In(zone)
	from, to := local.ZoneBounds()
	_, offset := local.Zone()
	if from.Equal(due) {
		_, before := from.Add(-time.Second).Zone()
		if gap := time.Duration(offset-before) * time.Second; gap > 0 && meant(s, onWall(local).Add(-gap), gap) {
			return fmt.Sprintf("clocks skip %s to %s that day: it is due right after",
				onWall(local).Add(-gap).Format("15:04"), local.Format("15:04"))
		}
	}
	if to.IsZero() {
		return ""
	}
	_, later := to.Zone()
	back := time.Duration(offset-later) * time.Second
	if back > 0 && !due.Before(to.Add(-back)) && once(s) {
		return fmt.Sprintf("clocks show %s twice that day: it is due the first time", local.Format("15:04"))
	}
	return ""
}

// onWall is what clocks show, as if in UTC.
func onWall(local time.Time) time.Time {
	_, offset := local.Zone()
	return local.UTC().Add(time.Duration(offset) * time.Second)
}

// meant tells whether a schedule speaks of a time on the wall from one on, for so
// long.
func meant(s Schedule, from time.Time, length time.Duration) bool {
	switch s := s.(type) {
	case Line:
		s.zone = time.UTC
		due, ok := s.Next(from.Add(-1))
		return ok && !s.oftenHour && due.Before(from.Add(length))
	case Interval:
		s.began.zone, s.began.offset = time.UTC, 0
		if s.period.exact != 0 && s.passed > 0 {
			return false
		}
		due, ok := s.Next(from.Add(-1))
		return ok && due.Before(from.Add(length))
	}
	return false
}

// once tells whether a schedule is due once where clocks show a time twice.
func once(s Schedule) bool {
	switch s := s.(type) {
	case Line:
		return !s.oftenHour && !s.oftenMinute
	case Interval:
		return s.period.exact == 0
	}
	return false
}
