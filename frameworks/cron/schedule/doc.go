// Package schedule says when something is due: ISO 8601 repeating intervals as
// Chronos has them ("R5/2026-03-01T02:00:00Z/P1D") and five-field cron lines
// ("30 2 * * mon-fri"), in time zones with daylight saving.
//
// It is a core: values in, values out, no clock. Whoever plans work by the
// calendar may import it.
//
// # When clocks change
//
// A day or a month of an interval is a day or a month of the calendar: P1D keeps
// the time on the wall. Hours, minutes and seconds are exact: PT24H is 24 hours.
//
// A time on the wall that is left out when clocks go forward is due once, right
// after the gap: work that is asked for every day is done every day. One that
// occurs twice when clocks go back is due the first time only. Cron lines depart
// from that where they say how often rather than when, as Vixie cron does:
//   - one whose minute or hour begins with * is due in both passes of the hour
//     that occurs twice, since "every quarter of an hour" must not pause for one;
//   - one whose hour begins with * is not made up for in a gap, since the next
//     hour is at hand and nothing is lost.
package schedule
