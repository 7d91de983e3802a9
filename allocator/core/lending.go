package core

import (
	"slices"
	"time"

	"troupe/allocator/drf"
	"troupe/messages/names"
	"troupe/messages/resources"
)

// leastLoan is for how long at least a refusal must hold for what was refused to
// be lent: a loan that is called back at once helps nobody.
const leastLoan = time.Minute

// loans are what is lent of reservations: the borrowers hold it as revocable.
type loans struct {
	lenders map[agentID]*agent   // of which something is lent
	recalls map[recall]time.Time // what was asked back, and until when to expect it
	pace    map[string]int       // agents that a role asks back the next time, if it still wants them

	// Nothing is lent before: after a failover, owners have yet to come back.
	from time.Time

	// The agent at hand, and the roles that want nothing of what is reserved for
	// them there.
	agent *agent
	roles []string
}

// recall is what was asked back of a client on an agent.
type recall struct {
	agent *agent
	leaf  *leaf
	role  string // that it is reserved for
}

// beginLending says from when on an epoch lends: at once in a cluster that has no
// past, else when the owners of reservations had time to come back.
func (a *Allocator) beginLending() {
	if a.options.LendReservations && a.expected > 0 {
		a.loans.from = a.now.Add(leastLoan)
		a.do(SetTimer{lendKey, leastLoan})
	}
}

func newLoans() loans {
	return loans{lenders: make(map[agentID]*agent), recalls: make(map[recall]time.Time), pace: make(map[string]int)}
}

// borrows tells whether some of the bundle is borrowed.
func (b *bundle) borrows() bool { return b.base != b }

// lends notes that something of the agent is lent, or no more.
func (a *Allocator) lends(g *agent) {
	if slices.ContainsFunc(g.held, func(h holding) bool { return h.amount.borrows() }) {
		a.loans.lenders[g.id] = g
		return
	}
	delete(a.loans.lenders, g.id)
}

// appraise finds out whose reservations on an agent may be lent: those of roles
// in which nobody would have them now, or soon.
func (a *Allocator) appraise(g *agent) {
	s := &a.loans
	s.agent, s.roles = g, s.roles[:0]
	if !a.options.LendReservations || a.now.Before(s.from) || len(g.unused.claims) == 0 {
		return
	}
	for e := range g.unused.all.All() {
		role := e.Role()
		if e.Lendable() && !slices.Contains(s.roles, role) && !a.wanted(g, role, g.unused, a.now.Add(leastLoan)) {
			s.roles = append(s.roles, role)
		}
	}
}

// wanted tells whether some client that may have what is reserved for role would
// have what is free of it on the agent, now or before soon.
func (a *Allocator) wanted(g *agent, role string, free *bundle, soon time.Time) (wanted bool) {
	t, ok := a.tops[topName(role)]
	if !ok || t.root == nil {
		return false
	}
	a.order.EachClient(t.root, func(node *drf.Leaf) bool {
		l := node.Owner.(*leaf)
		if names.Within(l.role, role) {
			wanted = a.wouldHave(g, l, role, free, soon)
		}
		return !wanted
	})
	return wanted
}

// wouldHave tells whether a client would have something of a reservation.
func (a *Allocator) wouldHave(g *agent, l *leaf, role string, free *bundle, soon time.Time) bool {
	if a.excludes(g, l) != Granted {
		return false
	}
	offer := a.bundles.seen(free, l.view)
	if !allocatable(offer.sum, l.minimums) || !offer.hasOf(role) {
		return false
	}
	until := a.filtered(g, l, offer)
	return until == 0 || until <= a.instant(soon)
}

// hasOf tells whether something of the bundle is reserved for the role.
func (b *bundle) hasOf(role string) bool {
	for e := range b.all.All() {
		if e.Role() == role {
			return true
		}
	}
	return false
}

// borrowable is what a client may borrow of a part of the agent that was appraised.
func (a *Allocator) borrowable(g *agent, part *bundle, l *leaf) *bundle {
	s := &a.loans
	if len(s.roles) == 0 || s.agent != g || !l.framework.revocable {
		return a.bundles.none
	}
	return a.bundles.of(part.all.Filter(func(e resources.Entry) bool {
		return e.Lendable() && slices.Contains(s.roles, e.Role()) && !names.Within(l.role, e.Role()) &&
			(l.framework.refined || len(e.Reservations()) < 2)
	}).Lent())
}

// renounced makes the next pass look at what is reserved for a client that wants
// nothing now: it may be lent.
func (a *Allocator) renounced(l *leaf) {
	if !a.options.LendReservations || l.node.Active() {
		return
	}
	for _, g := range a.rest {
		if slices.ContainsFunc(g.unused.claims, func(c claim) bool { return c.top == l.top.role }) {
			a.mark(g)
		}
	}
}
