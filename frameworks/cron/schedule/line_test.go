package schedule

import (
	"errors"
	"strings"
	"testing"
)

func TestLines(t *testing.T) {
	for _, c := range []struct{ name, text, zone, after, want string }{
		{"daily", "@daily", "", "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z 2026-01-03T00:00:00Z"},
		{"hourly", " @Hourly ", "", "2026-01-01T00:00:00Z", "2026-01-01T01:00:00Z"},
		{"yearly", "@yearly", "", "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"},
		{"weekly", "@weekly", "", "2026-01-01T00:00:00Z", "2026-01-04T00:00:00Z"},
		{"steps", "*/20 3-5/2 * * *", "", "2026-01-01T03:30:00Z", "2026-01-01T03:40:00Z 2026-01-01T05:00:00Z 2026-01-01T05:20:00Z"},
		{"a step from a number", "50/5 0 * * *", "", "2026-01-01T00:30:00Z", "2026-01-01T00:50:00Z 2026-01-01T00:55:00Z 2026-01-02T00:50:00Z"},
		{"lists and names", "0 9 * jan,MAR mon-Wed,5", "", "2026-01-27T10:00:00Z", "2026-01-28T09:00:00Z 2026-01-30T09:00:00Z 2026-03-02T09:00:00Z"},
		{"sunday is 0 and 7", "0 0 * * 7", "", "2026-01-01T00:00:00Z", "2026-01-04T00:00:00Z"},
		{"to sunday", "0 0 * * sat-sun", "", "2026-01-01T00:00:00Z", "2026-01-03T00:00:00Z 2026-01-04T00:00:00Z 2026-01-10T00:00:00Z"},
		{"either day", "0 0 13 * fri", "", "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z 2026-01-09T00:00:00Z 2026-01-13T00:00:00Z 2026-01-16T00:00:00Z"},
		{"both days with a star", "0 0 */13 * fri", "", "2026-01-01T00:00:00Z", "2026-02-27T00:00:00Z 2026-03-27T00:00:00Z"},
		{"leap day", "0 0 29 2 *", "", "2026-01-01T00:00:00Z", "2028-02-29T00:00:00Z"},
		{"no leap day in 2100", "0 0 29 2 *", "", "2096-03-01T00:00:00Z", "2104-02-29T00:00:00Z"},
		{"leap day on a sunday", "0 0 29 2 */7", "", "2088-03-01T00:00:00Z", "2128-02-29T00:00:00Z"},
		{"31st or monday", "0 0 31 2 mon", "", "2026-01-01T00:00:00Z", "2026-02-02T00:00:00Z"},
		{"seconds are dropped", "* * * * *", "", "2026-01-01T00:00:59.9Z", "2026-01-01T00:01:00Z 2026-01-01T00:02:00Z"},

		{"gap", "30 2 * * *", "America/New_York", "2026-03-07T12:00:00-05:00", "2026-03-08T03:00:00-04:00 2026-03-09T02:30:00-04:00"},
		{"gap, several of them once", "5,15,25 2 * * *", "America/New_York", "2026-03-07T12:00:00-05:00", "2026-03-08T03:00:00-04:00 2026-03-09T02:05:00-04:00"},
		{"gap, at its end too", "0 2,3 * * *", "America/New_York", "2026-03-07T12:00:00-05:00", "2026-03-08T03:00:00-04:00 2026-03-09T02:00:00-04:00"},
		{"gap, its edge is not in it", "59 1 * * *", "America/New_York", "2026-03-07T12:00:00-05:00", "2026-03-08T01:59:00-05:00 2026-03-09T01:59:00-04:00"},
		{"gap, every hour", "30 * * * *", "America/New_York", "2026-03-08T01:00:00-05:00", "2026-03-08T01:30:00-05:00 2026-03-08T03:30:00-04:00"},
		{"gap, every quarter of two o'clock", "*/15 2 * * *", "America/New_York", "2026-03-07T12:00:00-05:00", "2026-03-08T03:00:00-04:00 2026-03-09T02:00:00-04:00"},
		{"twice", "30 1 * * *", "America/New_York", "2026-10-31T12:00:00-04:00", "2026-11-01T01:30:00-04:00 2026-11-02T01:30:00-05:00"},
		{"twice, asked in between", "30 1 * * *", "America/New_York", "2026-11-01T01:00:00-05:00", "2026-11-02T01:30:00-05:00"},
		{"twice, every hour", "30 * * * *", "America/New_York", "2026-11-01T00:00:00-04:00", "2026-11-01T00:30:00-04:00 2026-11-01T01:30:00-04:00 2026-11-01T01:30:00-05:00 2026-11-01T02:30:00-05:00"},
		{"twice, every half an hour of one", "*/30 1 * * *", "America/New_York", "2026-11-01T00:00:00-04:00", "2026-11-01T01:00:00-04:00 2026-11-01T01:30:00-04:00 2026-11-01T01:00:00-05:00 2026-11-01T01:30:00-05:00"},
		{"midnight is in the gap", "0 0 * * *", "Africa/Cairo", "2026-04-23T12:00:00Z", "2026-04-24T01:00:00+03:00 2026-04-25T00:00:00+03:00"},
		{"midnight is twice", "0 0 * * *", "America/Havana", "2026-10-31T12:00:00Z", "2026-11-01T00:00:00-04:00 2026-11-02T00:00:00-05:00"},
		{"half an hour", "15 2 * * *", "Australia/Lord_Howe", "2026-10-03T12:00:00+10:30", "2026-10-04T02:30:00+11:00 2026-10-05T02:15:00+11:00"},
		{"a day left out", "0 12 30 * *", "Pacific/Apia", "2011-12-01T00:00:00Z", "2011-12-31T00:00:00+14:00 2012-01-30T12:00:00+14:00"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := printed(t, Upcoming(parse(t, c.text, c.zone), at(c.after), len(strings.Fields(c.want))), c.zone)
			if got != c.want {
				t.Errorf("%s after %s:\n got %s\nwant %s", c.text, c.after, got, c.want)
			}
		})
	}
}

func TestBadLines(t *testing.T) {
	for _, c := range []struct {
		text   string
		offset int
		reason string
	}{
		{"0 0 31 2 *", 0, "never fires"},
		{"0 0 30,31 2 *", 0, "never fires"},
		{"0 0 31 4,6,9,11 */2", 0, "never fires"},
		{"0 0 * *", 7, "day of week is missing"},
		{"0 0 * * * *", 10, "more than five"},
		{"60 0 * * *", 0, "minute from 0 to 59"},
		{"0 24 * * *", 2, "hour from 0 to 23"},
		{"0 0 0 * *", 4, "day of month from 1 to 31"},
		{"0 0 * 13 *", 6, "month from 1 to 12"},
		{"0 0 * * 8", 8, "day of week from 0 to 7"},
		{"0 0 * * fry", 8, "as sun"},
		{"0 0 * foo *", 6, "as jan"},
		{"x 0 * * *", 0, "number is expected"},
		{"0 9-5 * * *", 2, "ends before"},
		{"*/0 * * * *", 2, "step"},
		{"*/ * * * *", 2, "step"},
		{"*/99999999999999999999 * * * *", 2, "step"},
		{"1,,2 * * * *", 2, "number is expected"},
		{"1;2 * * * *", 1, "unexpected"},
		{"@reboot", 0, "of the names"},
		{strings.Repeat("*", 2000), 1024, "longer"},
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
