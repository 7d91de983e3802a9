package core

import (
	"slices"

	"troupe/allocator/drf"
	"troupe/messages/resources"
)

// sweepLooks bounds what one pass does about withheld agents; the next goes on
// where it stopped.
const sweepLooks = 1000

// withheld are the agents that have something left which quota keeps from
// somebody: those that were looked at the longest ago come first. When there
// may be more for somebody, they are looked at again, in turn.
type withheld struct {
	queue   []place
	n       int    // agents in it
	tickets uint64 // handed out
	// The least surplus, by number, that somebody found too little since the
	// last sweep for all began; negative where nobody did.
	low []resources.Milli
	// A sweep for all goes on for so many more agents, unless no more is left
	// than there was before it.
	credits int
	before  []resources.Milli
}

// place is an agent's in the queue, unless its ticket is another by now.
type place struct {
	agent  *agent
	ticket uint64
}

// withhold puts an agent into the queue, or takes it out.
func (a *Allocator) withhold(g *agent, in bool) {
	w := &a.withheld
	switch {
	case !in && g.ticket != 0:
		g.ticket = 0
		w.n--
	case in && g.ticket == 0:
		w.tickets++
		g.ticket = w.tickets
		w.n++
		w.queue = append(w.queue, place{g, g.ticket})
		if len(w.queue) > 2*w.n+sweepLooks {
			w.queue = slices.DeleteFunc(w.queue, place.isLeft)
		}
	}
	if in {
		a.noteSurplus()
	}
}

func (p place) isLeft() bool { return p.agent.ticket != p.ticket }

// next takes the agent at the front out of the queue; nil when there is none.
func (w *withheld) next() *agent {
	for len(w.queue) > 0 {
		p := w.queue[0]
		w.queue[0] = place{}
		w.queue = w.queue[1:]
		if !p.isLeft() {
			p.agent.ticket = 0
			w.n--
			return p.agent
		}
	}
	return nil
}

// noteSurplus remembers that somebody found the surplus too little.
func (a *Allocator) noteSurplus() {
	w := &a.withheld
	for n, need := range a.required {
		for len(w.low) <= n {
			w.low = append(w.low, -1)
		}
		if s := a.surplus(n); need > 0 && (w.low[n] < 0 || s < w.low[n]) {
			w.low[n] = s
		}
	}
}

// exceeds tells whether the surplus is more than it was, in anything.
func (a *Allocator) exceeds(was []resources.Milli) bool {
	for n, s := range was {
		if s >= 0 && a.surplus(n) > s {
			return true
		}
	}
	return false
}

// sweepDue tells whether withheld agents are worth a look.
func (a *Allocator) sweepDue() bool {
	w := &a.withheld
	if w.n == 0 {
		return false
	}
	if w.credits > 0 && !a.exceeds(w.before) {
		w.credits = 0
		for n, s := range w.before { // which those saw that were not looked at
			if n < len(w.low) && s >= 0 {
				w.low[n] = min(w.low[n], s)
			}
		}
	}
	if w.credits == 0 && a.exceeds(w.low) {
		w.credits = w.n
		w.before = append(w.before[:0], w.low...)
		for n, s := range w.low {
			if s >= 0 {
				w.low[n] = a.surplus(n)
			}
		}
	}
	return w.credits > 0 || a.order.CountOf(eager) > 0
}

// sweep looks at withheld agents again, as long as somebody may get something
// that he could not have before: roles whose quota has room again, or all, when
// there is more beyond what guarantees require.
func (a *Allocator) sweep() (looks int) {
	for looks < sweepLooks && a.sweepDue() {
		g := a.withheld.next()
		if g == nil {
			return looks
		}
		looks++
		if g.gone || !g.active || g.unused.isEmpty() {
			continue
		}
		if a.withheld.credits > 0 {
			a.withheld.credits--
			g.dirty = true // for all to be asked
			looks += a.guarantee(g) + a.share(g)
			looks += a.again(g, a.everyClient(g))
			g.dirty = false
		} else {
			n, _ := a.divide(g, eager, false)
			looks += n + a.again(g, a.clientsOf(eager))
			a.withhold(g, !g.unused.open.IsZero())
		}
		a.spendCredits()
	}
	return looks
}

// spendCredits counts that one more agent was shown to the eager roles.
func (a *Allocator) spendCredits() {
	a.order.EachRoot(eager, func(root *drf.Root) bool {
		t := root.Owner.(*top)
		t.credits--
		a.touch(t)
		return true
	})
	a.settleTops()
}
