package core

import (
	"math"
	"slices"

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
	// Spoken: what is on offer is on offer to it already, or to as many as it may
	// be.
	Spoken
)

// verdict is what a client would get of an agent, or why it gets nothing.
type verdict struct {
	offer *bundle
	why   Reason
	until int64 // with Refused: an instant
	kept  bool  // quota kept something from the client
}

// judge says what a client would get of a part of an agent, as of what is free
// there, if nobody else came first. It changes nothing. The cut is that of the
// part for the client's role.
func (a *Allocator) judge(g *agent, part *bundle, l *leaf, c *cut) verdict {
	if why := a.excludes(g, l); why != Granted {
		return verdict{why: why}
	}
	whole := a.bundles.plus(a.bundles.seen(part, l.view), a.borrowable(g, part, l))
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

// excludes says why an agent is not for a client, whatever is free there.
func (a *Allocator) excludes(g *agent, l *leaf) Reason {
	f := l.framework
	switch {
	case !l.wanted.Admits(g.about):
		return Unwanted
	case g.total.gpus && !f.gpus && !a.options.GPUsForAll:
		return NeedsGPUs
	case g.remote && !f.regions:
		return Remote
	}
	return Granted
}

// cut is how much of what is open on an agent a role may have.
type cut struct {
	cuts bool
	may  []resources.Milli // by number; beyond the end, anything
	why  Reason            // OverLimit or Guaranteed
}

// cutFor measures c for a part of an agent and a role.
func (a *Allocator) cutFor(c *cut, part *bundle, t *top) {
	c.cuts, c.may = false, c.may[:0]
	if len(t.limits) == 0 && a.required.IsZero() {
		return
	}
	for n, amount := range part.open {
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

// look is what is going on while an agent's free resources are divided. What is
// called for each root and client is made once, so that passes allocate nothing
// for it.
type look struct {
	agent      *agent
	top        *top
	guarantees bool // only roles whose guarantee needs what is there get anything
	kept       bool // quota kept something from somebody
	count      int
	cut        cut // of the agent for top
	onRoot     func(*drf.Root) bool
	onClient   func(*drf.Leaf) bool
}

// divide gives what is free on an agent to the clients of a subset of roots, in
// order: each gets all that it may and would have. It returns how many looks
// that took, and whether quota kept something from somebody.
func (a *Allocator) divide(g *agent, roots drf.Subset, guarantees bool) (looks int, kept bool) {
	a.draw()
	a.appraise(g)
	k := &a.look
	k.agent, k.guarantees, k.kept, k.count = g, guarantees, false, 0
	a.order.EachRoot(roots, k.onRoot)
	a.handOver(g)
	k.agent, k.top = nil, nil
	return k.count, k.kept
}

// serve gives what is free on the agent to the clients of one role at the top.
// It tells whether there may be more for others.
func (a *Allocator) serve(root *drf.Root) bool {
	k := &a.look
	g, t := k.agent, root.Owner.(*top)
	if g.free.isEmpty() {
		return false
	}
	if k.guarantees && !t.needs(g.free.open) {
		k.count++
		return true
	}
	a.cutFor(&k.cut, g.free, t)
	k.kept = k.kept || k.cut.cuts
	if k.cut.cuts && g.free.plain && t.own == 0 && !k.cut.leaves(g.free.sum, a.minimums) {
		k.count++
		return true
	}
	k.top = t
	a.order.EachClient(root, k.onClient)
	return true
}

// serveNext gives the next client of the role what it gets. It tells whether
// there may be more for others.
func (a *Allocator) serveNext(node *drf.Leaf) bool {
	k := &a.look
	k.count++
	g, l := k.agent, node.Owner.(*leaf)
	if len(a.askers) > 0 {
		a.asked(g, l)
	}
	if !g.free.isEmpty() && !a.serveOne(g, l) {
		return true
	}
	if g.free.isEmpty() || k.guarantees && !k.top.needs(g.free.open) {
		return false
	}
	a.cutFor(&k.cut, g.free, k.top)
	return true
}

// serveOne gives a client what it gets of what is free on an agent, if it gets
// something. The cut is that for its role.
func (a *Allocator) serveOne(g *agent, l *leaf) bool {
	v := a.judge(g, g.free, l, &a.look.cut)
	switch v.why {
	case Refused:
		a.wakeAt(g, a.timeOf(v.until))
		return false
	case Granted:
		a.grant(grant{g, l, v.offer, a.firstLayer(l)})
		return true
	}
	return false
}

// grant counts what a client gets, which handOver makes a holding of.
func (a *Allocator) grant(each grant) {
	g := each.agent
	a.consume(each.leaf.top, each.amount.open)
	a.setFree(g, a.bundles.without(g.free, each.amount.base))
	a.grants = append(a.grants, each)
}

// divideFresh is divide among the fresh clients alone.
func (a *Allocator) divideFresh(g *agent, guarantees bool) (looks int, kept bool) {
	a.draw()
	a.appraise(g)
	slices.SortFunc(a.fresh, func(x, y *leaf) int { return a.order.Compare(x.node, y.node) })
	for _, l := range a.fresh {
		if g.free.isEmpty() {
			break
		}
		if !l.node.Active() || guarantees && !l.top.needs(g.free.open) {
			continue
		}
		looks++
		a.cutFor(&a.look.cut, g.free, l.top)
		kept = kept || a.look.cut.cuts
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
	unsettled := a.overlaps() && len(a.grants) > 0 // as some may be nobody else's now
	for _, each := range a.grants {
		a.give(g, each.leaf, each.amount, each.layer)
		a.order.Allocate(each.leaf.node, each.amount.counted)
		unsettled = unsettled || each.amount.shares() // what is shared is free again
	}
	if unsettled {
		a.settle(g)
	}
	a.out = append(a.out, a.grants...)
	a.grants = a.grants[:0]
	a.settleTops()
}
