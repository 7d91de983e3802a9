package schedule

import (
	"math/bits"
	"time"
)

// reach is how far a line is followed, in seconds: beyond the forty years that
// 29 February may take to fall on a Sunday again, a century without a leap day
// included.
const reach = 50 * 366 * day

// Next is as Schedule says.
func (l Line) Next(after time.Time) (time.Time, bool) {
	if after.Year() >= horizon {
		return time.Time{}, false
	}
	at := max(after.Unix()+1, 0)
	for limit := at + reach; at < limit; {
		s := spanAt(at, l.zone)
		if at == s.start && l.madeUp(s) {
			return l.answer(at)
		}
		from := max(at, l.firstIn(s))
		if wall, ok := l.matchFrom(from+s.offset, min(limit, s.end)+s.offset); ok {
			return l.answer(wall - s.offset)
		}
		at = max(at, s.end)
	}
	return time.Time{}, false
}

// Previous is as Schedule says.
func (l Line) Previous(before time.Time) (time.Time, bool) {
	at := before.Add(-1).Unix()
	for limit := max(at-reach, 0); at >= limit; {
		s := spanAt(at, l.zone)
		if wall, ok := l.matchBack(at+s.offset, max(limit, l.firstIn(s))+s.offset); ok {
			return l.answer(wall - s.offset)
		}
		if l.madeUp(s) && s.start >= limit {
			return l.answer(s.start)
		}
		if s.start < limit {
			break
		}
		at = s.start - 1
	}
	return time.Time{}, false
}

func (l Line) answer(instant int64) (time.Time, bool) {
	t := time.Unix(instant, 0).UTC()
	return t, t.Year() < horizon
}

// madeUp tells whether the gap before a span holds a time that is due after it.
func (l Line) madeUp(s span) bool {
	if s.offset <= s.before || l.oftenHour {
		return false
	}
	_, ok := l.matchFrom(s.start+s.before, s.start+s.offset)
	return ok
}

// firstIn is the first instant of a span that counts: those that only repeat the
// walls of the span before do not, unless the line says how often.
func (l Line) firstIn(s span) int64 {
	if s.offset >= s.before || l.oftenHour || l.oftenMinute {
		return s.start
	}
	return s.start + s.before - s.offset
}

// suits tells whether the line is due on a day.
func (l Line) suits(t time.Time) bool {
	if l.months>>int(t.Month())&1 == 0 {
		return false
	}
	date, weekday := l.days>>t.Day()&1 == 1, l.weekdays>>int(t.Weekday())&1 == 1
	if l.either {
		return date || weekday
	}
	return date && weekday
}

// matchFrom finds the first wall that suits, from one until before another.
func (l Line) matchFrom(wall, until int64) (int64, bool) {
	wall = ceil(wall, 60)
	for wall < until {
		t := time.Unix(wall, 0).UTC()
		midnight := floor(wall, day)
		if l.months>>int(t.Month())&1 == 0 {
			wall = time.Date(t.Year(), t.Month()+1, 1, 0, 0, 0, 0, time.UTC).Unix()
			continue
		}
		if l.suits(t) {
			if in, ok := l.inDay((wall - midnight) / 60); ok {
				return midnight + in*60, midnight+in*60 < until
			}
		}
		wall = midnight + day
	}
	return 0, false
}

// inDay finds the first minute of a day that suits, from the given one on.
func (l Line) inDay(minute int64) (int64, bool) {
	hour := minute / 60
	if l.hours>>hour&1 == 1 {
		if rest := l.minutes >> (minute % 60); rest != 0 {
			return minute + int64(bits.TrailingZeros64(rest)), true
		}
	}
	rest := l.hours >> (hour + 1)
	if rest == 0 {
		return 0, false
	}
	hour += 1 + int64(bits.TrailingZeros64(rest))
	return hour*60 + int64(bits.TrailingZeros64(l.minutes)), true
}

// matchBack finds the last wall that suits, at or before one, not before another.
func (l Line) matchBack(wall, least int64) (int64, bool) {
	wall = floor(wall, 60)
	for wall >= least {
		t := time.Unix(wall, 0).UTC()
		midnight := floor(wall, day)
		if l.months>>int(t.Month())&1 == 0 {
			wall = time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, time.UTC).Unix() - 60
			continue
		}
		if l.suits(t) {
			if in, ok := l.inDayBack((wall - midnight) / 60); ok {
				return midnight + in*60, midnight+in*60 >= least
			}
		}
		wall = midnight - 60
	}
	return 0, false
}

func (l Line) inDayBack(minute int64) (int64, bool) {
	hour := minute / 60
	if l.hours>>hour&1 == 1 {
		if rest := l.minutes & (1<<(minute%60+1) - 1); rest != 0 {
			return hour*60 + int64(bits.Len64(rest)) - 1, true
		}
	}
	rest := l.hours & (1<<hour - 1)
	if rest == 0 {
		return 0, false
	}
	return int64(bits.Len64(rest)-1)*60 + int64(bits.Len64(l.minutes)) - 1, true
}

func floor(n, unit int64) int64 {
	if r := n % unit; r < 0 {
		return n - r - unit
	}
	return n - n%unit
}

func ceil(n, unit int64) int64 { return floor(n+unit-1, unit) }
