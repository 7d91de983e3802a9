package slack

import (
	"time"

	"troupe/messages/resources"
)

// rates tell how many CPUs containers use between two samples.
type rates struct {
	at     time.Time
	before map[string]time.Duration // CPU of the last sample, by container
}

// rate is what a container uses. One that is new, or could not be measured, is
// not known.
type rate struct {
	known bool
	cpus  resources.Milli
}

// next is the rate of each container of a sample; nil if that is not later than
// the one before.
func (r *rates) next(s Sample) []rate {
	elapsed := s.At.Sub(r.at)
	if r.before != nil && elapsed <= 0 {
		return nil
	}
	list := make([]rate, len(s.Containers))
	now := make(map[string]time.Duration, len(s.Containers))
	for i, c := range s.Containers {
		if !c.Measured {
			continue
		}
		now[c.ID] = c.CPU
		if before, known := r.before[c.ID]; known {
			used := resources.Milli(1000 * (c.CPU - before).Seconds() / elapsed.Seconds())
			list[i] = rate{true, max(0, used)}
		}
	}
	r.at, r.before = s.At, now
	return list
}

// idle is what a container leaves of CPUs that are its own: nothing if that is
// not known.
func (r rate) idle(c Container) resources.Milli {
	if !r.known {
		return 0
	}
	return max(0, own(c, resources.CPUs)-r.cpus)
}

// own is what a container has of a resource that was not lent to it.
func own(c Container, name string) resources.Milli {
	return c.Allocated.Filter(func(e resources.Entry) bool { return !e.Revocable() }).Scalar(name)
}
