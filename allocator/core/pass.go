package core

import (
	"slices"

	"troupe/allocator/drf"
	"troupe/messages/cluster"
)

// maxAllocations bounds one message; the largest pass sends several.
const maxAllocations = 1000

// grant is what one client gets of one agent in a pass.
type grant struct {
	agent  *agent
	leaf   *leaf
	amount *bundle
	layer  int
}

// pass looks at the marked agents, gives away what is free there and tells the
// master: first what guarantees need, then the rest. It returns how many looks
// it took.
func (a *Allocator) pass() int {
	a.forgetRequests()
	agents := a.due()
	looks := 0
	for _, g := range agents {
		if g.offerable() {
			looks += a.guarantee(g)
		}
	}
	for _, g := range agents {
		if g.offerable() {
			looks += a.share(g)
		}
		if !a.overlaps() {
			g.seen()
		}
	}
	if a.overlaps() {
		looks += a.offerAgain(agents)
	}
	clear(agents)
	a.spare = agents[:0]
	for _, l := range a.fresh {
		l.fresh = false
	}
	clear(a.fresh)
	a.fresh, a.everybody = a.fresh[:0], false
	looks += a.sweep()
	a.stats.Passes++
	a.stats.Looks += uint64(looks)
	a.stats.Allocations += uint64(len(a.out))
	a.hand(a.out)
	clear(a.out)
	a.out = a.out[:0]
	return looks
}

// due returns the agents to look at, in a random order: those that are marked,
// and all that have something free when there are clients to be shown it.
func (a *Allocator) due() []*agent {
	a.rouse()
	if a.everybody {
		a.markAll()
	}
	agents := a.dirty
	a.dirty = a.spare[:0]
	if len(a.fresh) > 0 && !a.everybody {
		for _, g := range a.rest {
			if !g.dirty {
				g.dirty = g.resting // then others may come first
				agents = append(agents, g)
			}
		}
	}
	a.shuffle(agents)
	return agents
}

// seen notes that everybody was shown the agent, if it was for everybody.
func (g *agent) seen() {
	if g.dirty {
		g.dirty, g.resting = false, false
	}
}

func (g *agent) offerable() bool { return !g.gone && g.active && !g.free.isEmpty() }

// guarantee gives what is free on an agent to roles whose guarantee needs it.
func (a *Allocator) guarantee(g *agent) (looks int) {
	switch {
	case a.order.CountOf(hungry) == 0:
	case g.dirty:
		looks, _ = a.divide(g, hungry, true)
	default:
		looks, _ = a.divideFresh(g, true)
	}
	return looks
}

// share gives what is free on an agent to whoever comes first, and keeps in
// mind when quota was in the way.
func (a *Allocator) share(g *agent) int {
	if !g.dirty {
		looks, kept := a.divideFresh(g, false)
		a.withhold(g, (kept || g.ticket != 0) && !g.free.open.IsZero())
		return looks
	}
	if a.unseen(g.free) {
		a.withhold(g, false)
		return 0
	}
	roots := open
	if !g.free.plain {
		roots = drf.Everything // limits keep nobody from what is reserved for it
	}
	looks, kept := a.divide(g, roots, false)
	kept = kept || a.order.CountOf(open) < a.order.CountRoots()
	a.withhold(g, kept && !g.free.open.IsZero())
	return looks
}

// hand tells the master of grants. Those of one message are one piece of memory.
func (a *Allocator) hand(grants []grant) {
	for part := range slices.Chunk(grants, maxAllocations) {
		block := make([]cluster.Allocations_Allocation, len(part))
		list := make([]*cluster.Allocations_Allocation, len(part))
		for i, each := range part {
			list[i] = &block[i]
			each.write(list[i])
			if a.overlaps() && each.layer == alone {
				list[i].Alone = new(true)
			}
		}
		epoch := a.epoch
		a.do(Send{a.master, &cluster.Allocations{Epoch: &epoch, Allocations: list}})
	}
}

func (each grant) write(m *cluster.Allocations_Allocation) {
	m.FrameworkId, m.Role = each.leaf.framework.name, &each.leaf.role
	m.AgentId, m.Resources = each.agent.name, each.amount.message()
	m.AgentVersion = each.agent.version // so that the master knows what this counts from
}

// shuffle puts agents into a random order (Fisher and Yates).
func (a *Allocator) shuffle(agents []*agent) {
	for i := len(agents) - 1; i > 0; i-- {
		j := int(a.random() % uint64(i+1))
		agents[i], agents[j] = agents[j], agents[i]
	}
}

// random returns the next number that chance has (splitmix64).
func (a *Allocator) random() uint64 {
	a.chance += 0x9e3779b97f4a7c15
	z := a.chance
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}
