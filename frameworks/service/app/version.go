package app

import (
	"fmt"
	"time"
)

// Version is when an app or group came to be as it is, in milliseconds since
// 1970 UTC; the name of that state, too. The zero Version is that of the root
// before anybody changed it.
type Version int64

// timestamp prints three digits of a second, always.
const timestamp = "2006-01-02T15:04:05.000Z"

// Next is the version of a change at now: later than any version before it, even
// when two changes come within one millisecond.
func Next(now time.Time, last Version) Version { return max(VersionAt(now), last+1) }

// VersionAt is the version that belongs to a time.
func VersionAt(t time.Time) Version { return Version(t.UnixMilli()) }

// Time is the instant that the version names, in UTC.
func (v Version) Time() time.Time { return time.UnixMilli(int64(v)).UTC() }

// String prints the version as a UTC timestamp with three digits of the second.
func (v Version) String() string { return v.Time().Format(timestamp) }

// ParseVersion reads a timestamp of RFC 3339; parts of a millisecond are dropped.
func ParseVersion(text string) (Version, error) {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return 0, fmt.Errorf("version %q is not a timestamp such as 2015-09-01T11:22:33.444Z", text)
	}
	if year := t.UTC().Year(); year < 1970 || year > 9999 {
		return 0, fmt.Errorf("version %q: the year must be between 1970 and 9999", text)
	}
	return VersionAt(t), nil
}

// History says when an app was last changed, and how.
type History struct {
	LastScaling Version // when instances last changed, or anything else
	LastConfig  Version // when its tasks last had to be replaced; a task of an earlier version is old
}
