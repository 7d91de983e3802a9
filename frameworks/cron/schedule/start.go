package schedule

import (
	"fmt"
	"time"
)

// start is a time on the wall, as written.
type start struct {
	wall   int64 // seconds
	nanos  int64
	offset int64 // seconds east of UTC
	zone   *time.Location
}

func (s start) instant() int64 {
	if s.zone == nil {
		return s.wall - s.offset
	}
	return resolve(s.wall, s.zone, s.offset)
}

// format prints wall and offset, so that reading it in the same zone gives back
// the same wall.
func format(wall, nanos, offset int64) string {
	text := time.Unix(wall, nanos).UTC().Format("2006-01-02T15:04:05.000")
	if nanos%int64(time.Millisecond) != 0 {
		text = time.Unix(wall, nanos).UTC().Format("2006-01-02T15:04:05.000000000")
	}
	if offset == 0 {
		return text + "Z"
	}
	sign := '+'
	if offset < 0 {
		sign, offset = '-', -offset
	}
	text += fmt.Sprintf("%c%02d:%02d", sign, offset/3600, offset/60%60)
	if offset%60 != 0 { // local mean time, before zones were
		text += fmt.Sprintf(":%02d", offset%60)
	}
	return text
}

// parseStart reads a date, with or without a time and an offset.
func parseStart(s *scanner, zone *time.Location) (start, error) {
	at := s.at
	got := start{zone: zone}
	midnight, err := parseDate(s)
	if err != nil {
		return got, err
	}
	got.wall = midnight
	if s.take('T') {
		if err := got.time(s); err != nil {
			return got, err
		}
		if err := got.zoneOffset(s); err != nil {
			return got, err
		}
	}
	if !s.done() {
		return got, s.fail("a start is as 2026-03-01T02:00:00Z")
	}
	if got.instant() < 0 {
		return got, s.failAt(at, "a start before 1970")
	}
	return got, nil
}

func parseDate(s *scanner) (int64, error) {
	at := s.at
	year, err := s.exactly(4, 9999, "a year of four digits is expected")
	if err != nil {
		return 0, err
	}
	if !s.take('-') {
		return 0, s.fail("a - is expected behind the year")
	}
	month, err := s.exactly(2, 12, "a month from 01 to 12 is expected")
	if err != nil {
		return 0, err
	}
	if !s.take('-') {
		return 0, s.fail("a - is expected behind the month")
	}
	d, err := s.exactly(2, 31, "a day from 01 to 31 is expected")
	if err != nil {
		return 0, err
	}
	t := time.Date(int(year), time.Month(month), int(d), 0, 0, 0, 0, time.UTC)
	if month == 0 || d == 0 || t.Day() != int(d) {
		return 0, s.failAt(at, "there is no such date")
	}
	return t.Unix(), nil
}

// time reads hh, hh:mm, hh:mm:ss or hh:mm:ss.fff.
func (g *start) time(s *scanner) error {
	hour, err := s.exactly(2, 23, "an hour from 00 to 23 is expected")
	if err != nil {
		return err
	}
	g.wall += hour * 3600
	for i, part := range []struct {
		seconds int64
		what    string
	}{{60, "a minute from 00 to 59 is expected"}, {1, "a second from 00 to 59 is expected"}} {
		if !s.take(':') {
			return nil
		}
		n, err := s.exactly(2, 59, part.what)
		if err != nil {
			return err
		}
		g.wall += n * part.seconds
		if i == 1 && (s.take('.') || s.take(',')) {
			at := s.at
			f, width := s.number()
			if width == 0 || width > 9 {
				return s.failAt(at, "a fraction has one to nine digits")
			}
			for ; width < 9; width++ {
				f *= 10
			}
			g.nanos = f
		}
	}
	return nil
}

// zoneOffset reads Z, +hh, +hhmm, +hh:mm or +hh:mm:ss; nothing is UTC.
func (g *start) zoneOffset(s *scanner) error {
	if s.done() || s.take('Z') || s.take('z') {
		return nil
	}
	sign := int64(1)
	switch {
	case s.take('+'):
	case s.take('-'):
		sign = -1
	default:
		return s.fail("Z or an offset as +02:00 is expected")
	}
	hours, err := s.exactly(2, 23, "an offset's hours from 00 to 23 are expected")
	if err != nil {
		return err
	}
	g.offset = hours * 3600
	for _, seconds := range []int64{60, 1} {
		if s.done() {
			break
		}
		s.take(':')
		n, err := s.exactly(2, 59, "an offset is as +02:00")
		if err != nil {
			return err
		}
		g.offset += n * seconds
	}
	g.offset *= sign
	return nil
}
