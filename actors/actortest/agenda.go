package actortest

import (
	"container/heap"
	"sync"
	"time"

	"troupe/actors"
)

// Clock says when things are due: a Stepper, or time itself.
type Clock interface {
	AfterFunc(d time.Duration, f func()) actors.Alarm
}

// realClock is time itself, which is virtual inside a bubble.
type realClock struct{}

func (realClock) AfterFunc(d time.Duration, f func()) actors.Alarm { return time.AfterFunc(d, f) }

// agenda runs things one after the other when they are due, in the order of
// their times and then in which they were put on it.
type agenda struct {
	clock Clock

	mu      sync.Mutex
	due     tasks
	count   uint64
	running bool
	alarm   actors.Alarm
	armed   time.Time
}

type task struct {
	at    time.Time
	order uint64
	run   func()
}

// at puts f on the agenda; no lock of f's may be held by who runs it.
func (a *agenda) at(when time.Time, f func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.count++
	heap.Push(&a.due, task{at: when, order: a.count, run: f})
	if !a.running {
		a.arm()
	}
}

// arm sets the alarm for the next task, under the lock.
func (a *agenda) arm() {
	if len(a.due) == 0 {
		return
	}
	next := a.due[0].at
	if a.alarm != nil {
		if a.armed.Equal(next) {
			return
		}
		a.alarm.Stop()
	}
	a.armed = next
	a.alarm = a.clock.AfterFunc(time.Until(next), a.work)
}

// work runs what is due, in one goroutine at a time.
func (a *agenda) work() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.running {
		return
	}
	a.running, a.alarm = true, nil
	for len(a.due) > 0 && !a.due[0].at.After(time.Now()) {
		t := heap.Pop(&a.due).(task)
		a.mu.Unlock()
		t.run()
		a.mu.Lock()
	}
	a.running = false
	a.arm()
}

// tasks is a heap.
type tasks []task

func (h tasks) Len() int { return len(h) }

func (h tasks) Less(i, j int) bool {
	if h[i].at.Equal(h[j].at) {
		return h[i].order < h[j].order
	}
	return h[i].at.Before(h[j].at)
}

func (h tasks) Swap(i, j int) { h[i], h[j] = h[j], h[i] }

// Push implements heap.Interface.
func (h *tasks) Push(x any) { *h = append(*h, x.(task)) }

// Pop implements heap.Interface.
func (h *tasks) Pop() any {
	old := *h
	t := old[len(old)-1]
	old[len(old)-1] = task{}
	*h = old[:len(old)-1]
	return t
}
