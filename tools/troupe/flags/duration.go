package flags

import (
	"time"

	"troupe/messages/spans"
)

// ParseDuration reads "5secs" or "1.5mins" as Mesos writes durations, or
// "1m30s" as Go does. A number without a unit is an error, as it is for both.
func ParseDuration(s string) (time.Duration, error) { return spans.Parse(s) }

// FormatDuration writes d as Mesos does: in the largest unit that is not
// above it.
func FormatDuration(d time.Duration) string { return spans.Format(d) }

// Duration is a flag's value.
type Duration time.Duration

// Set implements pflag.Value.
func (d *Duration) Set(s string) error {
	v, err := ParseDuration(s)
	*d = Duration(v)
	return err
}

// String implements pflag.Value.
func (d *Duration) String() string { return FormatDuration(time.Duration(*d)) }

// Type implements pflag.Value.
func (d *Duration) Type() string { return "duration" }
