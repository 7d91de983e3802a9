package loop

import (
	"sync"
	"time"
)

// glance bounds how long an alarm goes without a look at the clock, which
// somebody may have set.
const glance = 30 * time.Second

// alarm is one timer that goes by the clock on the wall. It may be set before it
// is started.
type alarm[I any] struct {
	mu    sync.Mutex
	timer *time.Timer
	at    time.Time // zero: not set
	in    I
}

func (a *alarm[I]) start() <-chan time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.timer = time.NewTimer(a.wait())
	return a.timer.C
}

func (a *alarm[I]) stop() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.timer.Stop()
}

func (a *alarm[I]) set(at time.Time, in I) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.at, a.in = at.Round(0), in
	if a.timer != nil {
		a.timer.Reset(a.wait())
	}
}

// wait needs the lock.
func (a *alarm[I]) wait() time.Duration {
	if a.at.IsZero() {
		return glance
	}
	return min(max(time.Until(a.at), 0), glance)
}

// due takes the alarm if its time has come, and waits on if not.
func (a *alarm[I]) due() (in I, due bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if due = !a.at.IsZero() && time.Until(a.at) <= 0; due {
		in, a.at = a.in, time.Time{}
	}
	a.timer.Reset(a.wait())
	return in, due
}
