package core

import (
	"iter"
	"math"
	"slices"
	"time"

	"troupe/allocator/drf"
	"troupe/messages/resources"
)

// Reason is why a client gets nothing of an agent.
type Reason uint8

// The reasons, in the order in which they are looked for.
const (
	// Granted is none: there is something for it.
	Granted Reason = iota
	// Unwanted: its offer constraints exclude the agent.
	Unwanted
	// NeedsGPUs: the agent has GPUs, the framework cannot use any.
	NeedsGPUs
	// Remote: the agent is of another region, the framework knows of none.
	Remote
	// Nothing: all that is free is reserved for others, or of a kind that the
	// framework is not capable of.
	Nothing
	// OverLimit: the limit of its role leaves less than is worth offering.
	OverLimit
	// Guaranteed: what is free is kept for guarantees of other roles.
	Guaranteed
	// BelowMinimum: less than is worth offering is free.
	BelowMinimum
	// Refused: it refused as much lately.
	Refused
)

// verdict is what a client would get of an agent, or why it gets nothing.
type verdict struct {
	offer *bundle
	why   Reason
	until int64 // with Refused: in nanoseconds since 1970
}

// judge says what a client would get of what is free on an agent, if nobody
// else came first. It changes nothing. The cut is that of the agent for the
// client's role.
func (a *Allocator) judge(g *agent, l *leaf, c *cut) verdict {
	f := l.framework
	switch {
	case !l.wanted.Admits(g.about):
		return verdict{why: Unwanted}
	case g.total.gpus && !f.gpus && !a.options.GPUsForAll:
		return verdict{why: NeedsGPUs}
	case g.remote && !f.regions:
		return verdict{why: Remote}
	}
	whole := a.bundles.seen(g.free, l.view)
	if whole.isEmpty() {
		return verdict{why: Nothing}
	}
	offer := whole
	if c.cuts {
		offer = a.shrink(whole, c)
	}
	switch {
	case allocatable(offer.sum, l.minimums) && !offer.isEmpty():
	case allocatable(whole.sum, l.minimums):
		return verdict{why: c.why}
	default:
		return verdict{why: BelowMinimum}
	}
	if until := a.filtered(g, l, offer); until > 0 {
		return verdict{why: Refused, until: until}
	}
	return verdict{offer: offer}
}

// cut is how much of what is open on an agent a role may have.
type cut struct {
	cuts bool
	may  []resources.Milli // by number; beyond the end, anything
	why  Reason            // OverLimit or Guaranteed
}

// cutFor measures c for an agent and a role.
func (a *Allocator) cutFor(c *cut, g *agent, t *top) {
	c.cuts, c.may = false, c.may[:0]
	if len(t.limits) == 0 && a.required.IsZero() {
		return
	}
	for n, amount := range g.free.open {
		may := a.allowance(t, n)
		if may < amount {
			c.cuts, c.why = true, Guaranteed
			if t.room(n) < amount {
				c.why = OverLimit
			}
		}
		c.may = append(c.may, may)
	}
}

// of returns the part of amount, which is of number n, that the cut leaves.
func (c *cut) of(n int, amount resources.Milli) resources.Milli {
	if c.cuts && n < len(c.may) {
		return min(amount, c.may[n])
	}
	return amount
}

// leaves tells whether the cut leaves one of the minimums of a plain amount.
func (c *cut) leaves(q resources.Quantities, minimums []resources.Quantities) bool {
	for _, m := range minimums {
		enough := true
		for n, least := range m {
			enough = enough && c.of(n, q.Of(n)) >= least
		}
		if enough {
			return true
		}
	}
	return len(minimums) == 0
}

// shrink returns the part of b that the cut leaves.
func (a *Allocator) shrink(b *bundle, c *cut) *bundle {
	left := append(a.left[:0], c.may...)
	a.left = left
	return a.bundles.of(b.all.Shrink(func(e resources.Entry) resources.Milli {
		if !isOpen(e) {
			return math.MaxInt64
		}
		n := a.bundles.index.Number(e.Name())
		if n >= len(left) {
			return math.MaxInt64
		}
		amount := min(e.Total(), left[n])
		if amount < e.Total() && !e.Divisible() {
			return 0
		}
		left[n] -= amount
		return amount
	}))
}

// allocatable tells whether amounts hold one of the minimums.
func allocatable(amounts resources.Quantities, minimums []resources.Quantities) bool {
	for _, m := range minimums {
		if amounts.Contains(m) {
			return true
		}
	}
	return len(minimums) == 0
}

// divide gives what is free on an agent to the clients of roots, in order: each
// gets all that it may and would have. It returns how many looks that took, and
// whether quota kept something from somebody. With guarantees, only roles whose
// guarantee needs what is there get anything.
func (a *Allocator) divide(g *agent, roots iter.Seq[*drf.Root], guarantees bool) (looks int, kept bool) {
	c := &a.cut
	for root := range roots {
		if g.free.isEmpty() {
			break
		}
		t := root.Owner.(*top)
		if guarantees && !t.needs(g.free.open) {
			looks++
			continue
		}
		a.cutFor(c, g, t)
		kept = kept || c.cuts
		if c.cuts && g.free.plain && t.own == 0 && !c.leaves(g.free.sum, a.minimums) {
			looks++
			continue
		}
		looks += a.serve(g, t, guarantees)
	}
	a.handOver(g)
	return looks, kept
}

// serve gives what is free on an agent to the clients of one role, whose cut
// is measured.
func (a *Allocator) serve(g *agent, t *top, guarantees bool) (looks int) {
	for node := range a.order.Clients(t.root) {
		looks++
		l := node.Owner.(*leaf)
		if len(a.askers) > 0 {
			a.asked(g, l)
		}
		if !g.free.isEmpty() && !a.serveOne(g, l) {
			continue
		}
		if g.free.isEmpty() || guarantees && !t.needs(g.free.open) {
			break
		}
		a.cutFor(&a.cut, g, t)
	}
	return looks
}

// serveOne gives a client what it gets of what is free on an agent, if it gets
// something. The cut is that for its role.
func (a *Allocator) serveOne(g *agent, l *leaf) bool {
	v := a.judge(g, l, &a.cut)
	switch v.why {
	case Refused:
		a.wakeAt(g, time.Unix(0, v.until))
		return false
	case Granted:
		a.consume(l.top, v.offer.open)
		a.setFree(g, a.bundles.without(g.free, v.offer))
		a.grants = append(a.grants, grant{l, v.offer})
		return true
	}
	return false
}

// divideFresh is divide among the fresh clients alone.
func (a *Allocator) divideFresh(g *agent, guarantees bool) (looks int, kept bool) {
	slices.SortFunc(a.fresh, func(x, y *leaf) int { return a.order.Compare(x.node, y.node) })
	for _, l := range a.fresh {
		if g.free.isEmpty() {
			break
		}
		if !l.node.Active() || guarantees && !l.top.needs(g.free.open) {
			continue
		}
		looks++
		a.cutFor(&a.cut, g, l.top)
		kept = kept || a.cut.cuts
		a.serveOne(g, l)
	}
	a.handOver(g)
	return looks, kept
}

// needs tells whether q has something that the role's guarantee lacks.
func (t *top) needs(q resources.Quantities) bool {
	for n, amount := range q {
		if amount > 0 && t.lack(n) > 0 {
			return true
		}
	}
	return false
}

// handOver makes holdings of the grants of one agent, when no order is gone
// through any more.
func (a *Allocator) handOver(g *agent) {
	for _, each := range a.grants {
		a.give(g, each.leaf, each.amount)
		a.order.Allocate(each.leaf.node, each.amount.sum)
		a.out = append(a.out, allocation(g, each))
	}
	a.grants = a.grants[:0]
	a.settleTops()
}
