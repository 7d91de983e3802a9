package validate

import (
	"math"

	"troupe/messages/field"
	"troupe/messages/mesos"
)

// maxSeconds is the longest duration that nanoseconds in 64 bits can hold.
const maxSeconds = math.MaxInt64 / 1_000_000_000

const maxPort = 65535

// seconds checks a duration given as a double.
func seconds(path string, s float64) error {
	if !(s >= 0 && s <= maxSeconds) {
		return field.Invalid(path, s, "must be between 0 and %d seconds", maxSeconds)
	}
	return nil
}

// duration checks that d, if given, is not negative.
func duration(path string, d *mesos.DurationInfo) error {
	if d.GetNanoseconds() < 0 {
		return field.Invalid(path+".nanoseconds", d.GetNanoseconds(), "is negative")
	}
	return nil
}

func port(path string, p uint32) error {
	if p == 0 || p > maxPort {
		return field.Invalid(path, p, "must be between 1 and %d", maxPort)
	}
	return nil
}
