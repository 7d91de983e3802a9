package frameworktest

import (
	"container/heap"
	"sync"
	"time"
)

// began is when every Stage begins.
var began = time.Date(2026, time.January, 5, 12, 0, 0, 0, time.UTC)

// clock is a queue of what is to be done now, and of what is to be done later.
// Only its own goroutine runs it; anybody may add to it.
type clock struct {
	mu     sync.Mutex
	now    time.Time
	queue  []func()
	timers timers
	last   uint64
	// working counts what runs elsewhere and will add to the queue; changed is told
	// when it has.
	working int
	changed chan struct{}
}

// timer is one of a clock. It belongs to the clock's goroutine.
type timer struct {
	at     time.Time
	number uint64
	f      func() // nil when stopped
}

// Stop implements frameworks.Timer.
func (t *timer) Stop() { t.f = nil }

func newClock() *clock { return &clock{now: began, changed: make(chan struct{}, 1)} }

// time is what the clock shows, to anybody.
func (c *clock) time() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// do queues f.
func (c *clock) do(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.queue = append(c.queue, f)
	c.tell()
}

// tell needs the lock.
func (c *clock) tell() {
	select {
	case c.changed <- struct{}{}:
	default: // somebody will look anyway
	}
}

// work runs f elsewhere, and then what it returns.
func (c *clock) work(f func() func()) {
	c.mu.Lock()
	c.working++
	c.mu.Unlock()
	go func() {
		then := f()
		c.mu.Lock()
		defer c.mu.Unlock()
		c.working--
		if then != nil {
			c.queue = append(c.queue, then)
		}
		c.tell()
	}()
}

// after runs f when the clock shows a later time.
func (c *clock) after(d time.Duration, f func()) *timer {
	c.last++
	t := &timer{at: c.time().Add(max(d, 0)), number: c.last, f: f}
	heap.Push(&c.timers, t)
	return t
}

// settle does all that is to be done now; what runs elsewhere is waited for, but
// not for longer than patience: then it is false.
func (c *clock) settle() bool {
	late := time.NewTimer(patience)
	defer late.Stop()
	for {
		c.mu.Lock()
		queue, working := c.queue, c.working
		c.queue = nil
		c.mu.Unlock()
		for _, f := range queue {
			f()
		}
		switch {
		case len(queue) > 0:
		case working == 0:
			return true
		default:
			select {
			case <-c.changed:
			case <-late.C:
				return false
			}
		}
	}
}

// next sets the clock to the next timer, if that is not after a time, and lets it
// fire.
func (c *clock) next(until time.Time) bool {
	for len(c.timers) > 0 && !c.timers[0].at.After(until) {
		t := heap.Pop(&c.timers).(*timer)
		if t.f == nil {
			continue
		}
		c.set(t.at)
		t.f()
		return true
	}
	return false
}

func (c *clock) set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if t.After(c.now) {
		c.now = t
	}
}

// timers are a heap: the earliest first, and of those the one that was set first.
type timers []*timer

func (t timers) Len() int { return len(t) }

func (t timers) Less(i, j int) bool {
	if !t[i].at.Equal(t[j].at) {
		return t[i].at.Before(t[j].at)
	}
	return t[i].number < t[j].number
}

func (t timers) Swap(i, j int) { t[i], t[j] = t[j], t[i] }

// Push implements heap.Interface.
func (t *timers) Push(x any) { *t = append(*t, x.(*timer)) }

// Pop implements heap.Interface.
func (t *timers) Pop() any {
	last := (*t)[len(*t)-1]
	(*t)[len(*t)-1] = nil
	*t = (*t)[:len(*t)-1]
	return last
}
