package core

import "time"

// Keys of the two timers.
const (
	passKey = "allocation"
	wakeKey = "filter-lapse"
)

const (
	// settling is how long a pass waits for what comes together with the
	// change that asked for it.
	settling = time.Millisecond
	// lookCost is the pause that one look at an agent earns: several times
	// what a look takes, so that passes use but a part of the allocator's
	// time, however much changes.
	lookCost = 5 * time.Microsecond
)

// schedule is what decides when the next pass is.
type schedule struct {
	passSet  bool
	earliest time.Time // of the next pass
	wakeAt   time.Time // that the timer is set for; zero when it is not
}

// mark makes the next pass look at an agent.
func (a *Allocator) mark(g *agent) {
	if !g.dirty {
		g.dirty = true
		a.dirty = append(a.dirty, g)
	}
}

func (a *Allocator) markAll() {
	for _, g := range a.order {
		a.mark(g)
	}
}

// reschedule sets the timers that the state asks for.
func (a *Allocator) reschedule() {
	if len(a.dirty) > 0 && !a.clock.passSet {
		a.clock.passSet = true
		a.do(SetTimer{passKey, max(settling, a.clock.earliest.Sub(a.now))})
	}
	if len(a.wakes) == 0 {
		return
	}
	if next := a.wakes[0].wake.at; a.clock.wakeAt.IsZero() || next.Before(a.clock.wakeAt) {
		a.clock.wakeAt = next
		a.do(SetTimer{wakeKey, max(settling, next.Sub(a.now))})
	}
}

func (a *Allocator) onTimer(key string) {
	switch key {
	case passKey:
		a.clock.passSet = false
		looks := a.pass()
		a.clock.earliest = a.now.Add(min(time.Duration(looks)*lookCost, a.options.Interval))
	case wakeKey:
		a.clock.wakeAt = time.Time{}
		a.rouse()
	}
}
