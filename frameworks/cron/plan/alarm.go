package plan

import (
	"cmp"
	"container/heap"
	"time"
)

// alarm is what a job or a run waits for. at is zero when it is not set.
type alarm struct {
	at    time.Time
	index int
	job   *entry
	run   *active
}

func (a *alarm) order(b *alarm) int {
	if c := a.at.Compare(b.at); c != 0 {
		return c
	}
	if a.run != nil && b.run != nil {
		return cmp.Compare(a.run.Number, b.run.Number)
	}
	if (a.run == nil) != (b.run == nil) {
		if a.run != nil {
			return -1
		}
		return 1
	}
	if a.job.job.Policy.HighPriority != b.job.job.Policy.HighPriority {
		if a.job.job.Policy.HighPriority {
			return -1
		}
		return 1
	}
	return cmp.Compare(a.job.job.Name, b.job.job.Name)
}

// alarms is a heap, the earliest first.
type alarms []*alarm

func (h alarms) Len() int           { return len(h) }
func (h alarms) Less(i, j int) bool { return h[i].order(h[j]) < 0 }
func (h alarms) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

// Push is for package heap.
func (h *alarms) Push(x any) {
	a := x.(*alarm)
	a.index = len(*h)
	*h = append(*h, a)
}

// Pop is for package heap.
func (h *alarms) Pop() any {
	last := len(*h) - 1
	a := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	return a
}

// set has the alarm go off at a time; at the zero time never.
func (h *alarms) set(a *alarm, at time.Time) {
	was := a.at
	a.at = at
	switch {
	case was.IsZero() && at.IsZero():
	case was.IsZero():
		heap.Push(h, a)
	case at.IsZero():
		heap.Remove(h, a.index)
	default:
		heap.Fix(h, a.index)
	}
}
