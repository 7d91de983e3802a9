package core

import (
	"fmt"
	"time"
)

// Keys of the timers.
const (
	passKey = "allocation"
	wakeKey = "filter-lapse"
	// recoveryKey ends the wait for agents after a failover.
	recoveryKey = "recovery"
	// preemptKey looks for roles that lacked their guarantee for too long.
	preemptKey = "preemption"
	// recallKey looks for reservations that are lent, and wanted back; lendKey
	// begins to lend after a failover.
	recallKey = "recall"
	lendKey   = "lending"
)

const (
	// settling is how long a pass waits for what comes together with the
	// change that asked for it.
	settling = time.Millisecond
	// lookCost is the pause that one look at an agent earns: several times
	// what a look takes, so that passes use but a part of the allocator's
	// time, however much changes.
	lookCost = 5 * time.Microsecond
	// With quotas, nothing is offered after a failover until so many of the
	// known agents are back, or so much time passed.
	recoveryPercent = 80
	longestRecovery = 10 * time.Minute
)

// schedule is what decides when the next pass is.
type schedule struct {
	passSet  bool
	earliest time.Time // of the next pass
	wakeAt   time.Time // that the timer is set for; zero when it is not
	preempts bool      // the timer for it is set
	recalls  bool      // as is that for what is lent
}

// mark makes the next pass look at an agent.
func (a *Allocator) mark(g *agent) {
	if !g.dirty {
		g.dirty = true
		a.dirty = append(a.dirty, g)
	}
}

// markAll makes the next pass look at all agents that have something free.
func (a *Allocator) markAll() {
	for _, g := range a.rest {
		a.mark(g)
	}
}

// manyFresh is from how many clients on that are to be shown all that is free,
// every one is asked.
const manyFresh = 16

// show makes the next pass show a client all that is free. Nothing else has
// changed there, so others are not asked again.
func (a *Allocator) show(l *leaf) {
	switch {
	case l.fresh || !l.node.Active():
	case len(a.fresh) == manyFresh:
		a.everybody = true
	default:
		l.fresh = true
		a.fresh = append(a.fresh, l)
	}
}

// reschedule sets the timers that the state asks for.
func (a *Allocator) reschedule() {
	a.settleTops()
	if !a.holding && !a.clock.passSet && (len(a.dirty) > 0 || len(a.fresh) > 0 || a.sweepDue()) {
		a.clock.passSet = true
		a.do(SetTimer{passKey, max(settling, a.clock.earliest.Sub(a.now))})
	}
	if a.options.PreemptAfter > 0 && !a.clock.preempts && a.order.CountOf(hungry) > 0 {
		a.clock.preempts = true
		a.do(SetTimer{preemptKey, a.options.PreemptAfter / preemptLooks})
	}
	if !a.clock.recalls && len(a.loans.lenders) > 0 {
		a.clock.recalls = true
		a.do(SetTimer{recallKey, a.options.Interval})
	}
	if len(a.wakes) == 0 {
		return
	}
	// A timer that is long overdue has yet to come when the clock was set forward.
	overdue := a.now.Sub(a.clock.wakeAt) > a.options.Interval
	if next := a.wakes[0].wake.at; a.clock.wakeAt.IsZero() || next.Before(a.clock.wakeAt) || overdue {
		a.clock.wakeAt = later(next, a.now)
		a.do(SetTimer{wakeKey, max(settling, next.Sub(a.now))})
	}
}

func later(x, y time.Time) time.Time {
	if x.Before(y) {
		return y
	}
	return x
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
	case recoveryKey:
		a.holding = false
	case preemptKey:
		a.clock.preempts = false
		a.preempt()
	case recallKey:
		a.clock.recalls = false
		a.callIn()
	case lendKey:
		a.markAll()
	}
}

// hesitate begins the wait after a failover, if there are quotas to be kept
// and agents to come.
func (a *Allocator) hesitate(quotas bool) {
	if !quotas || a.enough() {
		return
	}
	a.holding = true
	a.do(SetTimer{recoveryKey, longestRecovery})
	a.note(Info, "nothing is offered until enough agents are back", Field{"expected", fmt.Sprint(a.expected)})
}

// enough tells whether as many agents are there as are waited for.
func (a *Allocator) enough() bool { return len(a.agents) >= a.expected*recoveryPercent/100 }

// arrived ends the wait when enough agents are there.
func (a *Allocator) arrived() {
	if a.holding && a.enough() {
		a.holding = false
		a.do(CancelTimer{recoveryKey})
	}
}
