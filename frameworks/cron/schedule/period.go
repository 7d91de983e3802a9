package schedule

import (
	"math/bits"
	"time"
)

// period is an ISO 8601 duration. Months and days are those of the calendar.
type period struct {
	text         string
	months, days int64
	exact        time.Duration
}

func (p period) zero() bool { return p.months == 0 && p.days == 0 && p.exact == 0 }

const (
	day       = 24 * 3600 // seconds
	maxYears  = 1000
	maxPeriod = maxYears * 366 * day // seconds
)

// bounds are seconds between which the length of one period lies.
func (p period) bounds() (least, most int64) {
	s := int64(p.exact / time.Second)
	return p.months*28*day + p.days*day + s, p.months*31*day + p.days*day + s + 1
}

type unit struct {
	letter byte
	months int64
	days   int64
	exact  time.Duration
}

var (
	dateUnits = []unit{{letter: 'Y', months: 12}, {letter: 'M', months: 1}, {letter: 'W', days: 7}, {letter: 'D', days: 1}}
	timeUnits = []unit{{letter: 'H', exact: time.Hour}, {letter: 'M', exact: time.Minute}, {letter: 'S', exact: time.Second}}
)

// parsePeriod reads what is left of the text: PnYnMnWnDTnHnMn.nS.
func parsePeriod(s *scanner) (period, error) {
	p := period{text: s.rest()}
	from := s.at
	if !s.take('P') {
		return p, s.fail("a period begins with P, as PT1H and P1D do")
	}
	units, inTime, any := dateUnits, false, false
	for !s.done() {
		if !inTime && s.take('T') {
			units, inTime, any = timeUnits, true, false
			continue
		}
		var err error
		if units, err = p.part(s, units); err != nil {
			return p, err
		}
		any = true
	}
	switch least, _ := p.bounds(); {
	case !any:
		return p, s.fail("a number with its unit is missing")
	case least > maxPeriod:
		return p, s.failAt(from, "a period of more than 1000 years")
	case least < 1 && !p.zero():
		return p, s.failAt(from, "a period of less than a second")
	}
	return p, nil
}

// part reads a number with its unit; it returns the units that may follow.
func (p *period) part(s *scanner, units []unit) ([]unit, error) {
	at := s.at
	n, digits := s.number()
	var fraction time.Duration
	fractional := s.take('.') || s.take(',')
	if fractional {
		f, width := s.number()
		if width == 0 || width > 9 {
			return nil, s.failAt(at, "a fraction has one to nine digits")
		}
		for ; width < 9; width++ {
			f *= 10
		}
		fraction = time.Duration(f)
	}
	switch {
	case digits == 0:
		return nil, s.failAt(at, "a number is expected")
	case digits > 11:
		return nil, s.failAt(at, "too large a number")
	}
	for i, u := range units {
		if !s.take(u.letter) {
			continue
		}
		if fractional && u.exact != time.Second {
			return nil, s.failAt(at, "only seconds may have a fraction")
		}
		if !u.holds(n) {
			return nil, s.failAt(at, "a period of more than 1000 years")
		}
		p.months += n * u.months
		p.days += n * u.days
		p.exact += time.Duration(n)*u.exact + fraction
		return units[i+1:], nil
	}
	return nil, s.fail("a unit is expected: of Y, M, W, D before the T and H, M, S behind it, each once and in this order")
}

// holds keeps sums far from overflowing: an exact part is at most 250 years, less
// than the 292 of a time.Duration, all three units together.
func (u unit) holds(n int64) bool {
	switch {
	case u.months > 0:
		return n*u.months <= maxYears*12
	case u.days > 0:
		return n*u.days <= maxYears*366
	}
	return n <= int64(80*365*day*time.Second/u.exact)
}

// shift is the exact part k times, in seconds and nanoseconds.
func (p period) shift(k int64) (seconds, nanos int64) {
	hi, lo := bits.Mul64(uint64(k), uint64(p.exact))
	q, r := bits.Div64(hi, lo, uint64(time.Second))
	return int64(q), int64(r)
}

// calendar moves a wall on by k times the months and days. A day that a month
// does not have is its last one.
func (p period) calendar(wall, k int64) int64 {
	if p.months == 0 {
		return wall + k*p.days*day
	}
	t := time.Unix(wall, 0).UTC()
	year, month, d := t.Date()
	m := int64(year)*12 + int64(month) - 1 + k*p.months
	year, month = int(m/12), time.Month(m%12+1)
	last := time.Date(year, month+1, 0, 0, 0, 0, 0, time.UTC).Day()
	hour, minute, second := t.Clock()
	return time.Date(year, month, min(d, last), hour, minute, second, 0, time.UTC).Unix() + k*p.days*day
}
