package schedule

import (
	"errors"
	"strings"
	"testing"
	"time"
)

var now = at("2026-03-01T12:00:00.5Z")

func at(text string) time.Time {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return t
}

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	z, err := Zone(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func parse(t testing.TB, text, zoneName string) Schedule {
	t.Helper()
	s, err := Parse(text, zone(t, zoneName), now)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// printed are due times in a zone, separated by blanks.
func printed(t testing.TB, times []time.Time, zoneName string) string {
	in := zone(t, zoneName)
	if in == nil {
		in = time.UTC
	}
	all := make([]string, 0, len(times))
	for _, due := range times {
		all = append(all, due.In(in).Format("2006-01-02T15:04:05Z07:00"))
	}
	return strings.Join(all, " ")
}

func TestIntervals(t *testing.T) {
	for _, c := range []struct{ name, text, zone, after, want string }{
		{"hours", "R/2026-01-01T00:00:00Z/PT1H", "", "2026-02-01T00:30:00Z", "2026-02-01T01:00:00Z 2026-02-01T02:00:00Z"},
		{"before its start", "R2/2026-01-01T00:00:00Z/PT1H", "", "2020-01-01T00:00:00Z", "2026-01-01T00:00:00Z 2026-01-01T01:00:00Z"},
		{"none left", "R0/2026-01-01T00:00:00Z/PT1H", "", "2020-01-01T00:00:00Z", ""},
		{"unscheduled", "R0//PT0M", "", "2020-01-01T00:00:00Z", ""},
		{"zero period", "R5/2026-01-01T00:00:00Z/PT0M", "", "2020-01-01T00:00:00Z", "2026-01-01T00:00:00Z"},
		{"zero period for ever", "R/2026-01-01T00:00:00Z/P0D", "", "2020-01-01T00:00:00Z", "2026-01-01T00:00:00Z"},
		{"zero period is over", "R/2026-01-01T00:00:00Z/P0D", "", "2026-01-01T00:00:00Z", ""},
		{"no start", "R1//PT2M", "", "2020-01-01T00:00:00Z", "2026-03-01T11:59:59Z"},
		{"offset", "R1/2026-01-01T02:00:00+02:00/PT2M", "", "2020-01-01T00:00:00Z", "2026-01-01T00:00:00Z"},
		{"offset without colon", "R1/2026-01-01T02:00:00.250-0130/PT2M", "", "2020-01-01T00:00:00Z", "2026-01-01T03:30:00Z"},
		{"zone keeps the wall", "R1/2014-01-01T02:00:00Z/P1D", "America/Los_Angeles", "2010-01-01T00:00:00Z", "2014-01-01T02:00:00-08:00"},
		{"days across a change", "R3/2014-03-08T12:00:00Z/P1D", "America/Los_Angeles", "2010-01-01T00:00:00Z", "2014-03-08T12:00:00-08:00 2014-03-09T12:00:00-07:00 2014-03-10T12:00:00-07:00"},
		{"24 hours across a change", "R3/2014-03-08T12:00:00Z/PT24H", "America/Los_Angeles", "2010-01-01T00:00:00Z", "2014-03-08T12:00:00-08:00 2014-03-09T13:00:00-07:00 2014-03-10T13:00:00-07:00"},
		{"a day in the gap", "R3/2014-03-08T02:30:00Z/P1D", "America/Los_Angeles", "2010-01-01T00:00:00Z", "2014-03-08T02:30:00-08:00 2014-03-09T03:00:00-07:00 2014-03-10T02:30:00-07:00"},
		{"a day that has it twice", "R3/2014-11-01T01:30:00Z/P1D", "America/Los_Angeles", "2010-01-01T00:00:00Z", "2014-11-01T01:30:00-07:00 2014-11-02T01:30:00-07:00 2014-11-03T01:30:00-08:00"},
		{"the offset says which of two", "R1/2014-11-02T01:30:00-08:00/P1D", "America/Los_Angeles", "2010-01-01T00:00:00Z", "2014-11-02T01:30:00-08:00"},
		{"half an hour", "R3/2026-10-03T02:15:00Z/P1D", "Australia/Lord_Howe", "2010-01-01T00:00:00Z", "2026-10-03T02:15:00+10:30 2026-10-04T02:30:00+11:00 2026-10-05T02:15:00+11:00"},
		{"a day left out", "R3/2011-12-29T10:00:00Z/P1D", "Pacific/Apia", "2010-01-01T00:00:00Z", "2011-12-29T10:00:00-10:00 2011-12-31T00:00:00+14:00 2011-12-31T10:00:00+14:00"},
		{"months", "R4/2026-01-31T00:00:00Z/P1M", "", "2020-01-01T00:00:00Z", "2026-01-31T00:00:00Z 2026-02-28T00:00:00Z 2026-03-31T00:00:00Z 2026-04-30T00:00:00Z"},
		{"years", "R3/2024-02-29T00:00:00Z/P1Y", "", "2020-01-01T00:00:00Z", "2024-02-29T00:00:00Z 2025-02-28T00:00:00Z 2026-02-28T00:00:00Z"},
		{"mixed", "R2/2026-01-31T00:00:00Z/P1Y1M1W1DT1H1M1S", "", "2020-01-01T00:00:00Z", "2026-01-31T00:00:00Z 2027-03-08T01:01:01Z"},
		{"end of the calendar", "R/2026-01-01T00:00:00Z/P1000Y", "", "9100-01-01T00:00:00Z", ""},
		{"date only", "R1/2026-01-01/P1D", "", "2020-01-01T00:00:00Z", "2026-01-01T00:00:00Z"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := parse(t, c.text, c.zone)
			got := Upcoming(s, at(c.after), len(strings.Fields(c.want))+1)
			if want := len(strings.Fields(c.want)); len(got) > want && want > 0 && s.(Interval).Left() == Forever {
				got = got[:want]
			}
			if g := printed(t, got, c.zone); g != c.want {
				t.Errorf("%s after %s:\n got %s\nwant %s", c.text, c.after, g, c.want)
			}
		})
	}
}

func TestAdvance(t *testing.T) {
	for _, c := range []struct{ name, text, zone, now, want string }{
		{"not due yet", "R5/2026-01-01T00:00:00Z/PT1H", "", "2025-12-31T23:59:59Z", "R5/2026-01-01T00:00:00.000Z/PT1H"},
		{"one", "R5/2026-01-01T00:00:00Z/PT1H", "", "2026-01-01T00:00:00Z", "R4/2026-01-01T01:00:00.000Z/PT1H"},
		{"many missed are one run", "R5/2026-01-01T00:00:00Z/PT1H", "", "2026-01-03T12:30:00Z", "R4/2026-01-03T13:00:00.000Z/PT1H"},
		{"the last", "R1/2026-01-01T00:00:00Z/PT1H", "", "2026-01-01T00:10:00Z", "R0/2026-01-01T01:00:00.000Z/PT1H"},
		{"without end", "R/2026-01-01T00:00:00.125Z/PT1H", "", "2026-01-01T00:10:00Z", "R/2026-01-01T01:00:00.125Z/PT1H"},
		{"none is never less", "R0/2026-01-01T00:00:00Z/PT1H", "", "2027-01-01T00:10:00Z", "R0/2026-01-01T00:00:00.000Z/PT1H"},
		{"zero period ends", "R/2026-01-01T00:00:00Z/PT0S", "", "2027-01-01T00:10:00Z", "R0/2026-01-01T00:00:00.000Z/PT0S"},
		{"in its zone", "R/2014-03-08T02:00:00Z/P1D", "America/Los_Angeles", "2014-03-09T12:00:00Z", "R/2014-03-10T02:00:00.000-07:00/P1D"},
		{"month's end", "R/2026-01-31T00:00:00Z/P1M", "", "2026-01-31T00:00:00Z", "R/2026-02-28T00:00:00.000Z/P1M"},
		{"a line", "0 0 * * *", "", "2026-01-31T00:00:00Z", "0 0 * * *"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := parse(t, c.text, c.zone).Advance(at(c.now)).String(); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestKeptKnowsWhereItBegan(t *testing.T) {
	berlin := zone(t, "Europe/Berlin")
	began, err := Parse("R9/2026-01-31T02:30:00Z/P1M", berlin, now)
	if err != nil {
		t.Fatal(err)
	}
	s := began.Advance(at("2026-02-10T00:00:00Z"))
	text, passed := s.(Interval).Kept()
	back, err := Restore(text, berlin, passed)
	if err != nil {
		t.Fatal(err)
	}
	if back != s.(Interval) {
		t.Errorf("kept %v, restored %v", s, back)
	}
	if next := back.Advance(at("2026-03-01T00:00:00Z")).String(); next != "R7/2026-03-31T02:30:00.000+02:00/P1M" {
		t.Errorf("next is %s", next)
	}
	for _, passed := range []int64{-1, 1 << 62} {
		if _, err := Restore(text, nil, passed); err == nil {
			t.Errorf("%d periods passed are restored", passed)
		}
	}
	if _, err := Restore("R/2026-01-31T02:30:00Z/PT0M", nil, 1); err == nil {
		t.Error("a zero period has passed")
	}
}

func TestBadIntervals(t *testing.T) {
	for _, c := range []struct {
		text   string
		offset int
		reason string
	}{
		{"R/2026-01-01T00:00:00Z", 22, "missing behind the start"},
		{"R5x/2026-01-01T00:00:00Z/P1D", 2, "expected behind R"},
		{"R-1/2026-01-01T00:00:00Z/P1D", 1, "expected behind R"},
		{"R99999999999999999999999/2026-01-01T00:00:00Z/P1D", 1, "too many"},
		{"R/2026-13-01T00:00:00Z/P1D", 7, "month"},
		{"R/2026-02-30T00:00:00Z/P1D", 2, "no such date"},
		{"R/2026-00-10T00:00:00Z/P1D", 2, "no such date"},
		{"R/2026-02-03T24:00:00Z/P1D", 13, "hour"},
		{"R/2026-02-03T23:60:00Z/P1D", 16, "minute"},
		{"R/2026-02-03T23:00:00.Z/P1D", 22, "fraction"},
		{"R/2026-02-03T23:00:00X/P1D", 21, "offset"},
		{"R/2026-02-03T23:00:00+2/P1D", 22, "offset"},
		{"R/2026-02-03T23:00:00Zz/P1D", 22, "a start is as"},
		{"R/1969-12-31T23:59:59Z/P1D", 2, "before 1970"},
		{"R/2026-02-03T23:00:00Z/", 23, "begins with P"},
		{"R/2026-02-03T23:00:00Z/P", 24, "missing"},
		{"R/2026-02-03T23:00:00Z/P1DT", 27, "missing"},
		{"R/2026-02-03T23:00:00Z/P1", 25, "unit"},
		{"R/2026-02-03T23:00:00Z/P1H", 25, "unit"},
		{"R/2026-02-03T23:00:00Z/PT1M1H", 28, "unit"},
		{"R/2026-02-03T23:00:00Z/P-1D", 24, "number"},
		{"R/2026-02-03T23:00:00Z/PT0.5S", 23, "less than a second"},
		{"R/2026-02-03T23:00:00Z/P1.5D", 24, "only seconds"},
		{"R/2026-02-03T23:00:00Z/P9999Y", 24, "1000 years"},
		{"R/2026-02-03T23:00:00Z/PT99999999999S", 25, "1000 years"},
		{"R/2026-02-03T23:00:00Z/P1D/2027-01-01T00:00:00Z", 26, "number"},
		{"", 0, "minute is missing"},
	} {
		t.Run(c.text, func(t *testing.T) {
			_, err := Parse(c.text, nil, now)
			var bad *Error
			if !errors.As(err, &bad) {
				t.Fatalf("got %v, want an Error", err)
			}
			if bad.Offset != c.offset || !strings.Contains(bad.Reason, c.reason) {
				t.Errorf("got %v; want offset %d, reason with %q", err, c.offset, c.reason)
			}
		})
	}
}

func TestZones(t *testing.T) {
	if z, err := Zone(""); z != nil || err != nil {
		t.Errorf("no zone is %v, %v", z, err)
	}
	for _, name := range []string{"Local", "Mars/Olympus", "../../etc/passwd", strings.Repeat("x", 10000)} {
		if _, err := Zone(name); err == nil {
			t.Errorf("%.20q is a zone", name)
		}
	}
}
