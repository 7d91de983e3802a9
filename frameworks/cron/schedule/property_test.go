package schedule

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var zones = []string{"America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Africa/Cairo", "America/Havana", "Asia/Kolkata", "Pacific/Apia", "Africa/Casablanca", ""}

// slowly are the due times of a line found minute by minute: what the wall shows
// now, what it had shown before, and what it left out.
func slowly(l Line, from, to time.Time) []time.Time {
	var all []time.Time
	seen := map[string]bool{}
	last := from.Add(-36 * time.Hour).Truncate(time.Minute)
	for t := last.Add(time.Minute); t.Before(to); t = t.Add(time.Minute) {
		before, wall := wallOf(last, l.zone), wallOf(t, l.zone)
		due := l.shows(wall) && (l.oftenHour || l.oftenMinute || !seen[wall.String()])
		for skipped := before.Add(time.Minute); skipped.Before(wall) && !l.oftenHour; skipped = skipped.Add(time.Minute) {
			due = due || l.shows(skipped)
		}
		if due && t.After(from) {
			all = append(all, t)
		}
		seen[wall.String()] = true
		last = t
	}
	return all
}

func wallOf(t time.Time, zone *time.Location) time.Time {
	_, offset := t.In(zone).Zone()
	return t.UTC().Add(time.Duration(offset) * time.Second)
}

func (l Line) shows(wall time.Time) bool {
	return l.minutes>>wall.Minute()&1 == 1 && l.hours>>wall.Hour()&1 == 1 && l.suits(wall)
}

func drawLine(t *rapid.T) string {
	few := func(name string, least, most int) string {
		n := rapid.IntRange(least, most)
		switch rapid.IntRange(0, 4).Draw(t, name) {
		case 0, 1:
			return "*"
		case 2:
			return fmt.Sprintf("*/%d", rapid.IntRange(1, most).Draw(t, name+" step"))
		case 3:
			a, b := n.Draw(t, name+" from"), n.Draw(t, name+" to")
			return fmt.Sprintf("%d-%d/%d", min(a, b), max(a, b), rapid.IntRange(1, most).Draw(t, name+" step"))
		}
		return fmt.Sprintf("%d,%d", n.Draw(t, name), n.Draw(t, name))
	}
	return strings.Join([]string{few("minute", 0, 59), few("hour", 0, 23), few("day", 1, 31), few("month", 1, 12), few("weekday", 0, 7)}, " ")
}

// changes are near what zones do to clocks.
var changes = []string{
	"2026-03-08T00:00:00Z", "2026-11-01T00:00:00Z", "2026-03-29T00:00:00Z", "2026-10-25T00:00:00Z", "2026-04-05T00:00:00Z",
	"2026-10-04T00:00:00Z", "2026-04-24T00:00:00Z", "2011-12-30T00:00:00Z", "2026-02-15T00:00:00Z", "2026-06-15T00:00:00Z",
}

func TestLineAsSlowly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text, name := drawLine(t), rapid.SampledFrom(zones).Draw(t, "zone")
		in, err := Zone(name)
		if err != nil {
			t.Fatal(err)
		}
		l, err := ParseLine(text, in)
		if err != nil {
			return // it never fires, which TestBadLines is about
		}
		around := at(rapid.SampledFrom(changes).Draw(t, "change"))
		from := around.Add(-time.Duration(rapid.IntRange(0, 48*3600).Draw(t, "before")) * time.Second)
		to := around.Add(72 * time.Hour)
		want := slowly(l, from, to)
		got := []time.Time{}
		for due, ok := l.Next(from); ok && due.Before(to); due, ok = l.Next(due) {
			got = append(got, due)
		}
		if g, w := fmt.Sprint(got), fmt.Sprint(want); g != w && len(got)+len(want) > 0 {
			t.Fatalf("%s in %s after %s:\n got %s\nwant %s", text, name, from, g, w)
		}
		back := to
		for i := len(want) - 1; i >= 0; i-- {
			due, ok := l.Previous(back)
			if !ok || !due.Equal(want[i]) {
				t.Fatalf("%s in %s before %s: got %s, %t; want %s", text, name, back, due, ok, want[i])
			}
			back = due
		}
	})
}

func drawInterval(t *rapid.T) string {
	start := time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "start"), 0).UTC().Format("2006-01-02T15:04:05Z")
	period := rapid.SampledFrom([]string{"P1D", "P1M", "PT24H", "PT1H", "P1Y", "P1W", "PT30S", "P1M1DT3H", "PT1.5S", "P13M", "P30D", "PT90M"}).Draw(t, "period")
	return fmt.Sprintf("R%s/%s/%s", rapid.SampledFrom([]string{"", "0", "1", "3", "1000"}).Draw(t, "left"), start, period)
}

// TestIntervalLaws: what Next says comes after, is the first such, and is what
// Previous and Advance speak of.
func TestIntervalLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in, err := Zone(rapid.SampledFrom(zones).Draw(t, "zone"))
		if err != nil {
			t.Fatal(err)
		}
		i, err := ParseInterval(drawInterval(t), in, now)
		if err != nil {
			return // a zone may put a start before 1970
		}
		after := time.Unix(rapid.Int64Range(-1e9, 9e9).Draw(t, "after"), rapid.Int64Range(0, 1e9-1).Draw(t, "nanos"))
		next, ok := i.Next(after)
		if i.left == 0 {
			if ok {
				t.Fatalf("%s is due at %s", i, next)
			}
			return
		}
		if !ok || !next.After(after) {
			t.Fatalf("%s after %s is %s, %t", i, after, next, ok)
		}
		previous, before := i.Previous(next)
		if before != !i.Start().After(after) || before && previous.After(after) {
			t.Fatalf("%s: before %s comes %s, %t, though it is the first after %s", i, next, previous, before, after)
		}
		advanced := i.Advance(after).(Interval)
		if advanced.left != 0 && !advanced.Start().Equal(next) {
			t.Fatalf("%s advanced to %s begins at %s, not %s", i, after, advanced.Start(), next)
		}
		text, passed := advanced.Kept()
		if back, err := Restore(text, in, passed); err != nil || back != advanced {
			t.Fatalf("%v kept as %q, %d is restored as %v, %v", advanced, text, passed, back, err)
		}
	})
}

// TestYear walks through a year of two hundred schedules in eight zones.
func TestYear(t *testing.T) {
	from, to := at("2026-01-01T00:00:00Z"), at("2027-01-01T00:00:00Z")
	for _, c := range []struct {
		text string
		want int
	}{
		{"R/2026-01-01T02:30:00Z/P1D", 365}, {"30 2 * * *", 365}, {"30 1 * * *", 365}, {"0 0 * * *", 365}, {"0 3 * * mon", 52}, {"R/2026-01-15T02:30:00Z/P1M", 12}, {"*/30 * * * *", 2 * 365 * 24},
	} {
		for _, name := range zones {
			s, n := parse(t, c.text, name), 0
			for due, ok := s.Next(from); ok && due.Before(to); due, ok = s.Next(due) {
				n++
			}
			if n < c.want-1 || n > c.want+1 {
				t.Errorf("%s in %q is due %d times a year", c.text, name, n)
			}
		}
	}
}

func BenchmarkNext(b *testing.B) {
	for _, c := range []struct{ name, text, zone string }{
		{"interval", "R/2020-01-01T02:30:00Z/PT1H", ""},
		{"interval-zone", "R/2020-01-01T02:30:00Z/P1D", "Europe/Berlin"},
		{"line", "30 2 * * *", ""},
		{"line-zone", "30 2 * * mon-fri", "Europe/Berlin"},
	} {
		b.Run(c.name, func(b *testing.B) {
			s := parse(b, c.text, c.zone)
			due := now
			for b.Loop() {
				due, _ = s.Next(due)
				if due.Year() > 2030 {
					due = now
				}
			}
		})
	}
}
