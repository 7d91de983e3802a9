package schedule

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// Duration reads an ISO 8601 duration that has a length by itself, such as PT60S
// or P1D, whose day has 24 hours; years and months have none. The error is an
// *Error.
func Duration(text string) (time.Duration, error) {
	if len(text) > maxText {
		return 0, &Error{text, maxText, fmt.Sprintf("longer than %d bytes", maxText)}
	}
	s := newScanner(text)
	p, err := parsePeriod(s)
	switch {
	case err != nil:
		return 0, err
	case p.months != 0:
		return 0, s.failAt(0, "a year or a month has no fixed length")
	case p.days*day > math.MaxInt64/int64(2*time.Second):
		return 0, s.failAt(0, "too long")
	}
	return time.Duration(p.days*day)*time.Second + p.exact, nil
}

// PrintDuration writes what Duration reads: PT60S, PT1H30M, PT0.5S.
func PrintDuration(d time.Duration) string {
	if d <= 0 {
		return "PT0S"
	}
	text := "PT"
	if h := d / time.Hour; h > 0 {
		text += fmt.Sprintf("%dH", h)
	}
	if m := d % time.Hour / time.Minute; m > 0 {
		text += fmt.Sprintf("%dM", m)
	}
	if s := d % time.Minute; s > 0 {
		text += strings.TrimRight(strings.TrimRight(fmt.Sprintf("%d.%09d", s/time.Second, s%time.Second), "0"), ".") + "S"
	}
	return text
}
