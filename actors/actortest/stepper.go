package actortest

import (
	"container/heap"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"troupe/actors"
)

// Pass lets so much virtual time go by, and all that it causes happen. It may
// be called inside a bubble of testing/synctest only, by the test itself.
func Pass(d time.Duration) {
	synctest.Wait() // panics outside a bubble, where this would be a real sleep
	time.Sleep(d)
	synctest.Wait()
}

// Stepper is an actors.Runner that runs actors in the goroutine of whoever calls
// Settle, Advance or Await, one message at a time; the seed decides who is
// next. It works inside a bubble of testing/synctest, whose time it keeps.
type Stepper struct {
	mu     sync.Mutex
	chance *rand.Rand
	ready  []func()
	alarms alarms
	count  uint64 // of alarms ever
	steps  uint64
	roused chan struct{} // holds one when something became ready
}

// NewStepper makes a stepper with nothing to do.
func NewStepper(seed uint64) *Stepper {
	return &Stepper{chance: rand.New(rand.NewPCG(seed, 0)), roused: make(chan struct{}, 1)}
}

// Bubble runs f in a bubble of testing/synctest with a Stepper of the seed.
func Bubble(t *testing.T, seed uint64, f func(t *testing.T, s *Stepper)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { f(t, NewStepper(seed)) })
}

// Run implements actors.Runner.
func (s *Stepper) Run(f func()) {
	s.mu.Lock()
	s.ready = append(s.ready, f)
	s.mu.Unlock()
	s.rouse()
}

// Batch implements actors.Runner.
func (s *Stepper) Batch() int { return 1 }

// AfterFunc implements actors.Runner. What is due at the same instant happens in
// the order in which it was asked for.
func (s *Stepper) AfterFunc(d time.Duration, f func()) actors.Alarm {
	a := &alarm{stepper: s, f: f, at: -1}
	a.Reset(d)
	return a
}

// Steps is how many steps were made so far.
func (s *Stepper) Steps() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.steps
}

// Settle runs what is ready now and what comes of it, until only time could
// make more happen.
func (s *Stepper) Settle() {
	for {
		for s.step() {
		}
		synctest.Wait() // for work off the mailboxes
		if !s.step() {
			return
		}
	}
}

// Advance lets d pass, with all that happens meanwhile.
func (s *Stepper) Advance(d time.Duration) {
	end := time.Now().Add(d)
	for {
		s.Settle()
		next, some := s.nextAlarm()
		if !some || next.After(end) {
			break
		}
		time.Sleep(time.Until(next))
	}
	time.Sleep(time.Until(end))
	s.Settle()
}

// Await runs f, which may wait for actors as System.Ask, Stop and Close do, and
// steps until it has returned.
func (s *Stepper) Await(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	for {
		s.Settle()
		var due <-chan time.Time
		if next, some := s.nextAlarm(); some {
			due = time.After(time.Until(next))
		}
		select {
		case <-done:
			return
		case <-s.roused:
		case <-due:
		}
	}
}

func (s *Stepper) rouse() {
	select {
	case s.roused <- struct{}{}:
	default:
	}
}

// step lets the next alarm ring, if one is due, or runs somebody who is ready.
func (s *Stepper) step() bool {
	f := s.pick()
	if f == nil {
		return false
	}
	f()
	return true
}

func (s *Stepper) pick() func() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.steps++
	if len(s.alarms) > 0 && !s.alarms[0].when.After(time.Now()) {
		a := heap.Pop(&s.alarms).(*alarm)
		return a.f
	}
	n := len(s.ready)
	if n == 0 {
		s.steps--
		return nil
	}
	i := s.chance.IntN(n)
	f := s.ready[i]
	s.ready[i] = s.ready[n-1]
	s.ready[n-1] = nil
	s.ready = s.ready[:n-1]
	return f
}

func (s *Stepper) nextAlarm() (time.Time, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.alarms) == 0 {
		return time.Time{}, false
	}
	return s.alarms[0].when, true
}

// alarm is one AfterFunc.
type alarm struct {
	stepper *Stepper
	f       func()
	when    time.Time
	order   uint64
	at      int // its place in the heap; -1 when it is not set
}

// Stop implements actors.Alarm.
func (a *alarm) Stop() bool {
	a.stepper.mu.Lock()
	defer a.stepper.mu.Unlock()
	return a.clear()
}

func (a *alarm) clear() bool {
	if a.at < 0 {
		return false
	}
	heap.Remove(&a.stepper.alarms, a.at)
	return true
}

// Reset implements actors.Alarm.
func (a *alarm) Reset(d time.Duration) bool {
	s := a.stepper
	s.mu.Lock()
	was := a.clear()
	s.count++
	a.when, a.order = time.Now().Add(d), s.count
	heap.Push(&s.alarms, a)
	s.mu.Unlock()
	s.rouse()
	return was
}

// alarms is a heap by time, then by age.
type alarms []*alarm

func (h alarms) Len() int { return len(h) }

func (h alarms) Less(i, j int) bool {
	if h[i].when.Equal(h[j].when) {
		return h[i].order < h[j].order
	}
	return h[i].when.Before(h[j].when)
}

func (h alarms) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].at, h[j].at = i, j
}

// Push implements heap.Interface.
func (h *alarms) Push(x any) {
	a := x.(*alarm)
	a.at = len(*h)
	*h = append(*h, a)
}

// Pop implements heap.Interface.
func (h *alarms) Pop() any {
	old := *h
	a := old[len(old)-1]
	old[len(old)-1] = nil
	a.at = -1
	*h = old[:len(old)-1]
	return a
}
