package core

import (
	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/messages/names"
	"troupe/messages/resources"
)

// maxAllocations bounds one message; the largest pass sends several.
const maxAllocations = 1000

// grant is what one client gets of one agent in a pass.
type grant struct {
	leaf   *leaf
	amount resources.Resources
}

// pass looks at the marked agents, gives away what is free there and tells the
// master. It returns how many looks it took.
func (a *Allocator) pass() int {
	agents := a.dirty
	a.dirty = nil
	a.shuffle(agents)
	var out []*cluster.Allocations_Allocation
	looks := 0
	for _, g := range agents {
		g.dirty = false
		if g.gone || !g.active || g.free.IsEmpty() {
			continue
		}
		grants, rest, n := a.divide(g)
		looks += n
		for _, each := range grants {
			a.hold(g, each.leaf, each.amount)
			out = append(out, allocation(g, each))
		}
		g.free = rest
	}
	a.stats.Passes++
	a.stats.Looks += uint64(looks)
	a.stats.Allocations += uint64(len(out))
	a.hand(out)
	return looks
}

func (a *Allocator) hand(list []*cluster.Allocations_Allocation) {
	for len(list) > 0 {
		n := min(len(list), maxAllocations)
		epoch := a.epoch
		a.do(Send{a.master, &cluster.Allocations{Epoch: &epoch, Allocations: list[:n:n]}})
		list = list[n:]
	}
}

func allocation(g *agent, each grant) *cluster.Allocations_Allocation {
	framework, agent := string(each.leaf.framework.id), string(g.id)
	return &cluster.Allocations_Allocation{
		FrameworkId: &mesos.FrameworkID{Value: &framework},
		Role:        &each.leaf.role,
		AgentId:     &mesos.AgentID{Value: &agent},
		Resources:   each.amount.Proto(),
		// So that the master knows what this counts from.
		AgentVersion: g.version,
	}
}

// divide decides who gets what of an agent's free resources: clients come in
// the order of their shares, and each gets all that it may and would have. It
// returns what is left, too.
func (a *Allocator) divide(g *agent) (grants []grant, rest resources.Resources, looks int) {
	rest = g.free
	amounts := a.quantities(rest)
	for node := range a.tree.Ascend() {
		if rest.IsEmpty() {
			break
		}
		looks++
		l := node.Owner.(*leaf)
		if !l.wanted.Admits(g.about) {
			continue
		}
		offer := a.offerable(g, l, rest)
		switch {
		case offer.IsEmpty():
			continue
		case !g.plain:
			amounts = a.quantities(offer)
		}
		if !allocatable(amounts, l.minimums) || a.filtered(g, l, offer) {
			continue
		}
		grants = append(grants, grant{l, offer})
		rest = rest.Without(offer)
	}
	return grants, rest, looks
}

// offerable returns the part of rest that the client may have: reserved for
// its role or one above, and of kinds it is capable of.
func (a *Allocator) offerable(g *agent, l *leaf, rest resources.Resources) resources.Resources {
	f := l.framework
	switch {
	case g.gpus && !f.gpus && !a.options.GPUsForAll:
		return resources.Resources{}
	case g.plain:
		return rest
	}
	return rest.Filter(func(e resources.Entry) bool {
		return (e.Role() == names.AnyRole || names.Within(l.role, e.Role())) &&
			(f.revocable || !e.Revocable()) && (f.shared || !e.Shared()) &&
			(f.refined || len(e.Reservations()) < 2)
	})
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

// shuffle puts agents into a random order (splitmix64, Fisher and Yates).
func (a *Allocator) shuffle(agents []*agent) {
	for i := len(agents) - 1; i > 0; i-- {
		a.chance += 0x9e3779b97f4a7c15
		z := a.chance
		z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
		z = (z ^ z>>27) * 0x94d049bb133111eb
		j := int((z ^ z>>31) % uint64(i+1))
		agents[i], agents[j] = agents[j], agents[i]
	}
}
