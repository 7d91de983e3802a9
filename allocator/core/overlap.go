package core

import (
	"slices"

	"troupe/allocator/drf"
	"troupe/messages/cluster"
)

// With Options.Overlap, what is unused of an agent is on offer in layers, of
// which there are at most so many. In each, what is on offer is there, and on
// offer to one; what one framework is offered, in whichever layers, is there at
// once. The first layer is given away as without overlap, and the others to
// those that come next. Whatever is offered counts in full, for shares and for
// quota, so that a limit holds whoever accepts first. What counts for a guarantee
// must not be lost to another: roles with a guarantee are offered what is free,
// alone.

// alone is no layer: it is held by one, who uses it, or who alone is offered it.
const alone = 0

func (a *Allocator) overlaps() bool { return a.options.Overlap > 1 }

// firstLayer is where a client is offered what is free.
func (a *Allocator) firstLayer(l *leaf) int {
	if a.overlaps() && l.top.guarantees.IsZero() {
		return 1
	}
	return alone
}

// layersOf returns what each layer leaves of what is unused: of those that have
// something on offer, and of a new one, if there may be another. They are valid
// until the next call.
func (a *Allocator) layersOf(g *agent) []*bundle {
	list := a.layers[:0]
	for _, h := range g.held {
		if h.layer == alone {
			continue
		}
		for len(list) < h.layer {
			list = append(list, g.unused)
		}
		list[h.layer-1] = a.bundles.without(list[h.layer-1], h.amount.base)
	}
	if len(list) < a.options.Overlap {
		list = append(list, g.unused)
	}
	a.layers = list
	return list
}

// common returns what x and y both have.
func (s *bundles) common(x, y *bundle) *bundle { return s.without(x, s.without(x, y)) }

// leftFor returns what is unused and not yet on offer to the framework, in
// whichever role.
func (a *Allocator) leftFor(g *agent, f *framework) *bundle {
	left := g.unused
	for _, h := range g.held {
		if h.layer != alone && h.leaf.framework == f {
			left = a.bundles.without(left, h.amount.base)
		}
	}
	for _, each := range a.grants {
		if each.leaf.framework == f {
			left = a.bundles.without(left, each.amount.base)
		}
	}
	return left
}

// judgeAgain says what a client would get of the first layer that has something
// for it, and of which.
func (a *Allocator) judgeAgain(g *agent, l *leaf, layers []*bundle, c *cut) (out verdict, layer int) {
	out.why = Spoken
	if !l.top.guarantees.IsZero() {
		return out, alone
	}
	left := a.leftFor(g, l.framework)
	for i, rest := range layers {
		part := rest
		if left != g.unused {
			part = a.bundles.common(left, rest)
		}
		if part.isEmpty() {
			continue
		}
		a.cutFor(c, part, l.top)
		v := a.judge(g, part, l, c)
		v.kept = out.kept || c.cuts
		switch {
		case v.why == Granted:
			return v, i + 1
		case out.why != Refused:
			out = v
		case v.why == Refused:
			out.until = min(out.until, v.until)
		}
		out.kept = v.kept
	}
	return out, alone
}

// offerAgain offers what is on offer on agents to others: to all, or to those
// that are fresh.
func (a *Allocator) offerAgain(agents []*agent) (looks int) {
	slices.SortFunc(a.fresh, func(x, y *leaf) int { return a.order.Compare(x.node, y.node) })
	for _, g := range agents {
		if g.dirty {
			looks += a.again(g, a.everyClient(g))
		} else {
			looks += a.again(g, a.freshClients)
		}
		g.seen()
	}
	return looks
}

// audience yields the clients that something is shown to, in order.
type audience func(yield func(*leaf) bool)

func (a *Allocator) freshClients(yield func(*leaf) bool) {
	for _, l := range a.fresh {
		if l.node.Active() && !yield(l) {
			return
		}
	}
}

// everyClient are all that limits of their roles do not keep from all there is.
func (a *Allocator) everyClient(g *agent) audience {
	if !g.unused.plain {
		return a.clientsOf(drf.Everything) // limits keep nobody from what is reserved for it
	}
	return a.clientsOf(open)
}

func (a *Allocator) clientsOf(roots drf.Subset) audience {
	return func(yield func(*leaf) bool) {
		a.draw()
		more := true
		a.order.EachRoot(roots, func(root *drf.Root) bool {
			a.order.EachClient(root, func(node *drf.Leaf) bool {
				more = yield(node.Owner.(*leaf))
				return more
			})
			return more
		})
	}
}

// again offers what is unused of an agent to those of the audience that it is
// not on offer to, in as many layers as there may be. It returns how many looks
// that took.
func (a *Allocator) again(g *agent, to audience) (looks int) {
	if !a.overlaps() || g.gone || !g.active || g.unused.isEmpty() {
		return 0
	}
	a.layersOf(g)
	a.appraise(g)
	kept := false
	for l := range to {
		if !slices.ContainsFunc(a.layers, func(rest *bundle) bool { return !rest.isEmpty() }) {
			break
		}
		for more := true; more; looks++ {
			var keeps bool
			more, keeps = a.serveAgain(g, l)
			kept = kept || keeps
		}
	}
	a.handOver(g)
	a.withhold(g, (kept || g.ticket != 0) && !g.unused.open.IsZero())
	return looks
}

// serveAgain gives a client what it gets of one of the layers. It tells whether
// that was something, as there may be more in another, and whether quota kept
// something from it.
func (a *Allocator) serveAgain(g *agent, l *leaf) (more, kept bool) {
	v, layer := a.judgeAgain(g, l, a.layers, &a.look.cut)
	switch v.why {
	case Refused:
		a.wakeAt(g, a.timeOf(v.until))
	case Granted:
		if layer == len(a.layers) && layer < a.options.Overlap {
			a.layers = append(a.layers, g.unused)
		}
		a.layers[layer-1] = a.bundles.without(a.layers[layer-1], v.offer.base)
		a.grant(grant{g, l, v.offer, layer})
		return true, v.kept
	}
	return false, v.kept
}

// holdOffers counts what is on offer of an agent that is told anew.
func (a *Allocator) holdOffers(g *agent, list []used) {
	for _, u := range list {
		if !u.offered {
			continue
		}
		l, layer := a.leafOf(u.framework, u.role), alone
		if l.top.guarantees.IsZero() {
			layers := a.layersOf(g)
			layer = len(layers)
			if at := slices.IndexFunc(layers, func(rest *bundle) bool { return rest.contains(u.amount.base) }); at >= 0 {
				layer = at + 1
			}
		}
		a.hold(g, l, u.amount, layer)
		a.settle(g)
	}
}

// takeBack takes amount, which it holds, from a client: first of what is on
// offer, if it was, else first of what it uses. The caller settles the agent.
func (a *Allocator) takeBack(g *agent, l *leaf, amount *bundle, offered bool) {
	if !a.overlaps() {
		at, _ := g.find(l, alone)
		a.release(g, at, amount)
		return
	}
	for _, own := range []bool{!offered, offered} {
		for at := 0; at < len(g.held); {
			h, n := g.held[at], len(g.held)
			if h.leaf == l && own == (h.layer == alone) {
				part := a.bundles.common(h.amount, amount)
				amount = a.bundles.without(amount, part)
				a.release(g, at, part)
			}
			if len(g.held) == n {
				at++
			}
		}
	}
}

// takeResources makes what a client was offered its own. Who is gone by now has
// nothing.
func (a *Allocator) takeResources(m *cluster.TakeResources) error {
	amount, err := a.bundles.read(m.Resources)
	if err != nil {
		return err
	}
	g, ok := a.byID[agentID(m.GetAgentId().GetValue())]
	if !ok {
		return nil
	}
	f, ok := a.frameworks[frameworkID(m.GetFrameworkId().GetValue())]
	if !ok || f.leaves[m.GetRole()] == nil {
		return nil
	}
	l, own := f.leaves[m.GetRole()], a.bundles.none
	for at := range g.held {
		h := &g.held[at]
		if h.leaf == l && h.layer != alone {
			part := a.bundles.common(h.amount, amount)
			amount, h.amount = a.bundles.without(amount, part), a.bundles.without(h.amount, part)
			own = a.bundles.plus(own, part)
		}
	}
	if own.isEmpty() {
		return nil
	}
	a.give(g, l, own, alone)
	g.held = slices.DeleteFunc(g.held, func(h holding) bool {
		if h.amount.isEmpty() {
			l.holdings--
		}
		return h.amount.isEmpty()
	})
	a.settle(g)
	return nil
}
