package schedule

import (
	"strings"
	"testing"
	"time"
)

func TestNote(t *testing.T) {
	berlin, err := Zone("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	const skipped, twice = "clocks skip 02:00 to 03:00", "clocks show 02:30 twice"
	for _, c := range []struct {
		text, after string
		zone        *time.Location
		due, note   string
	}{
		{"R/2026-03-01T02:30:00Z/P1D", "2026-03-28T12:00:00Z", berlin, "2026-03-29T03:00:00+02:00", skipped},
		{"R/2026-03-29T02:30:00Z/PT6H", "2026-03-28T12:00:00Z", berlin, "2026-03-29T03:00:00+02:00", skipped},
		{"30 2 * * *", "2026-03-28T12:00:00Z", berlin, "2026-03-29T03:00:00+02:00", skipped},
		{"*/15 * * * *", "2026-03-29T00:59:59Z", berlin, "2026-03-29T03:00:00+02:00", ""},
		{"0 3 * * *", "2026-03-28T12:00:00Z", berlin, "2026-03-29T03:00:00+02:00", ""},
		{"R/2026-03-01T03:00:00Z/P1D", "2026-03-28T12:00:00Z", berlin, "2026-03-29T03:00:00+02:00", ""},
		{"R/2026-03-01T02:30:00Z/P1D", "2026-03-29T12:00:00Z", berlin, "2026-03-30T02:30:00+02:00", ""},
		{"30 2 * * *", "2026-10-24T12:00:00Z", berlin, "2026-10-25T02:30:00+02:00", twice},
		{"R/2026-03-01T02:30:00Z/P1D", "2026-10-24T12:00:00Z", berlin, "2026-10-25T02:30:00+02:00", twice},
		{"30 * * * *", "2026-10-25T00:00:00Z", berlin, "2026-10-25T02:30:00+02:00", ""},
		{"30 3 * * *", "2026-10-24T12:00:00Z", berlin, "2026-10-25T03:30:00+01:00", ""},
		{"30 2 * * *", "2026-03-28T12:00:00Z", nil, "2026-03-29T02:30:00Z", ""},
		{"30 2 * * *", "2026-03-28T12:00:00Z", time.UTC, "2026-03-29T02:30:00Z", ""},
	} {
		after, _ := time.Parse(time.RFC3339, c.after)
		s, err := Parse(c.text, c.zone, after)
		if err != nil {
			t.Fatal(err)
		}
		due, _ := s.Next(after)
		shown := due
		if c.zone != nil {
			shown = due.In(c.zone)
		}
		note := Note(s, c.zone, due)
		if shown.Format(time.RFC3339) != c.due || !strings.HasPrefix(note, c.note) || (note == "") != (c.note == "") {
			t.Errorf("%s after %s: %s %q, want %s %q", c.text, c.after, shown.Format(time.RFC3339), note, c.due, c.note)
		}
	}
}
