package state

import (
	"cmp"
	"container/heap"
	"time"
)

// alarm is what somebody waits for. at is zero when it is not set.
type alarm struct {
	at    time.Time
	turn  uint64 // in which it was set, among those of one time
	index int
	ring  func()
}

// alarms go off in order.
type alarms struct {
	heap alarmHeap
	turn uint64
}

// set has the alarm go off at a time; at the zero time never.
func (s *alarms) set(a *alarm, at time.Time) {
	was := a.at
	if was.Equal(at) {
		return
	}
	s.turn++
	a.at, a.turn = at, s.turn
	switch {
	case was.IsZero():
		heap.Push(&s.heap, a)
	case at.IsZero():
		heap.Remove(&s.heap, a.index)
	default:
		heap.Fix(&s.heap, a.index)
	}
}

// most alarms that go off in one step, so that a storm is answered in between.
const mostAlarms = 1024

func (s *alarms) ring(now time.Time) {
	for range mostAlarms {
		if len(s.heap) == 0 || s.heap[0].at.After(now) {
			return
		}
		a := s.heap[0]
		s.set(a, time.Time{})
		a.ring()
	}
}

type alarmHeap []*alarm

func (h alarmHeap) Len() int { return len(h) }

func (h alarmHeap) Less(i, j int) bool {
	return cmp.Or(h[i].at.Compare(h[j].at), cmp.Compare(h[i].turn, h[j].turn)) < 0
}

func (h alarmHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

// Push is for package heap.
func (h *alarmHeap) Push(x any) {
	a := x.(*alarm)
	a.index = len(*h)
	*h = append(*h, a)
}

// Pop is for package heap.
func (h *alarmHeap) Pop() any {
	last := len(*h) - 1
	a := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	return a
}
