package schedule

import (
	"math/bits"
	"strconv"
	"strings"
	"time"
)

// Line is a cron line of five fields: minute, hour, day of month, month, day of
// week.
type Line struct {
	text                           string
	minutes, hours, days, weekdays uint64 // bit n is the value n
	months                         uint64
	zone                           *time.Location
	// either: a day that suits one of day of month and day of week will do. So it
	// is in Vixie cron when neither begins with *.
	either bool
	// often are the fields that begin with *, see the package comment.
	oftenMinute, oftenHour bool
}

type field struct {
	name        string
	least, most int64
	names       []string // of least and those that follow
}

var lineFields = [5]field{
	{name: "minute", most: 59},
	{name: "hour", most: 23},
	{name: "day of month", least: 1, most: 31},
	{name: "month", least: 1, most: 12, names: []string{"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}},
	{name: "day of week", most: 7, names: []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}},
}

var shorthands = map[string]string{
	"@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *", "@monthly": "0 0 1 * *", "@weekly": "0 0 * * 0",
	"@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@hourly": "0 * * * *",
}

// ParseLine reads a cron line, or @yearly, @annually, @monthly, @weekly, @daily,
// @midnight or @hourly. Without a zone (nil) it is in UTC. A line that suits no
// day of any year is an error, too.
func ParseLine(text string, zone *time.Location) (Line, error) {
	if zone == nil {
		zone = time.UTC
	}
	l := Line{text: text, zone: zone}
	s := newScanner(text)
	if len(text) > maxText {
		return l, s.failAt(maxText, "too long")
	}
	if name := strings.TrimSpace(text); strings.HasPrefix(name, "@") {
		long, known := shorthands[strings.ToLower(name)]
		if !known {
			return l, s.fail("of the names with @ there are yearly, annually, monthly, weekly, daily, midnight and hourly; an interval is as R/2026-03-01T02:00:00Z/PT1H")
		}
		s = newScanner(long)
	}
	if err := l.fields(s); err != nil {
		return l, err
	}
	if !l.possible() {
		return l, newScanner(text).fail("it never fires: no month of it has such a day")
	}
	return l, nil
}

func (l *Line) fields(s *scanner) error {
	var stars [5]bool
	for i, to := range []*uint64{&l.minutes, &l.hours, &l.days, &l.months, &l.weekdays} {
		from, until := word(s.text, s.at)
		if from == until {
			return s.failAt(from, "the "+lineFields[i].name+" is missing; a line has minute, hour, day of month, month and day of week")
		}
		stars[i] = s.text[from] == '*' || s.text[from] == '?'
		var err error
		if *to, err = lineFields[i].parse(s.within(from, until)); err != nil {
			return err
		}
		s.at = until
	}
	if from, until := word(s.text, s.at); from < until {
		return s.failAt(from, "more than five fields")
	}
	if l.weekdays&(1<<7) != 0 {
		l.weekdays = l.weekdays&^(1<<7) | 1
	}
	l.oftenMinute, l.oftenHour = stars[0], stars[1]
	l.either = !stars[2] && !stars[4]
	return nil
}

// word finds the next run of bytes that are no blanks.
func word(text string, at int) (from, to int) {
	blank := func(b byte) bool { return b == ' ' || b == '\t' }
	for at < len(text) && blank(text[at]) {
		at++
	}
	for to = at; to < len(text) && !blank(text[to]); to++ {
	}
	return at, to
}

// parse reads a list of *, n, n-m, each with /step or without.
func (f field) parse(s *scanner) (uint64, error) {
	var set uint64
	for {
		part, err := f.part(s)
		if err != nil {
			return 0, err
		}
		set |= part
		if s.done() {
			return set, nil
		}
		if !s.take(',') {
			return 0, s.fail("unexpected in a " + f.name)
		}
	}
}

func (f field) part(s *scanner) (uint64, error) {
	from, to := f.least, f.most
	at, single := s.at, false
	switch {
	case s.take('*') || s.take('?'):
		if f.most == 7 {
			to = 6 // 7 is another name of Sunday, and no eighth day for steps
		}
	default:
		var err error
		if from, err = f.value(s); err != nil {
			return 0, err
		}
		to, single = from, true
		if s.take('-') {
			if to, err = f.value(s); err != nil {
				return 0, err
			}
			if to == 0 && from > 0 && f.most == 7 {
				to = 7 // to Sunday, the end of a week
			}
			single = false
		}
		if to < from {
			return 0, s.failAt(at, "a range that ends before it begins")
		}
	}
	step := int64(1)
	if s.take('/') {
		at := s.at
		n, digits := s.number()
		if digits == 0 || n < 1 || n > f.most {
			return 0, s.failAt(at, "a step from 1 to "+strconv.FormatInt(f.most, 10)+" is expected")
		}
		step = n
		if single {
			to = f.most
		}
	}
	var set uint64
	for v := from; v <= to; v += step {
		set |= 1 << v
	}
	return set, nil
}

// value reads a number or a name.
func (f field) value(s *scanner) (int64, error) {
	at := s.at
	if n, digits := s.number(); digits > 0 {
		if digits > 2 || n < f.least || n > f.most {
			return 0, s.failAt(at, "a "+f.name+" from "+strconv.FormatInt(f.least, 10)+" to "+strconv.FormatInt(f.most, 10)+" is expected")
		}
		return n, nil
	}
	for i, name := range f.names {
		if rest := s.rest(); len(rest) >= 3 && strings.EqualFold(rest[:3], name) {
			s.at += 3
			return int64(i) + f.least, nil
		}
	}
	what := "a number is expected"
	if f.names != nil {
		what = "a number or a name as " + f.names[0] + " is expected"
	}
	return 0, s.failAt(at, what+" as "+f.name)
}

// possible tells whether any day suits: one of a month that has it.
func (l Line) possible() bool {
	if l.either {
		return true
	}
	for m := range 12 {
		// A leap year has every day that there is; every date falls on every day of
		// the week some year, 29 February within forty.
		longest := time.Date(2024, time.Month(m+2), 0, 0, 0, 0, 0, time.UTC).Day()
		if l.months>>(m+1)&1 == 1 && bits.TrailingZeros64(l.days) <= longest {
			return true
		}
	}
	return false
}

// String is the line as it was written.
func (l Line) String() string { return l.text }

// Advance is as Schedule says; a line is never used up.
func (l Line) Advance(time.Time) Schedule { return l }

func (Line) schedule() {}
