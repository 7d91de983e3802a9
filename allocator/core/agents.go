package core

import (
	"slices"

	"google.golang.org/protobuf/proto"

	"troupe/messages/cluster"
	"troupe/messages/constraints"
	"troupe/messages/field"
	"troupe/messages/mesos"
	"troupe/messages/names"
	"troupe/messages/resources"
)

type agentID string

// agent is what is known of one agent. What is held and what is free is all of
// the total, unless the total shrank below what is held; then nothing is free.
type agent struct {
	id       agentID
	name     *mesos.AgentID // the id, as messages have it
	about    constraints.Agent
	total    *bundle
	free     *bundle   // change it with setFree
	unused   *bundle   // what nobody has for himself: free, and what is on offer to several
	held     []holding // at most one of a leaf and layer
	filters  filters
	active   bool
	remote   bool // of another region than the master
	dirty    bool // in Allocator.dirty
	gone     bool // removed, perhaps still in Allocator.dirty
	resting  bool // refused without a filter, and not looked at since
	position int  // in Allocator.agents
	version  *uint64

	rest    int    // in Allocator.rest; -1 when nothing is unused
	ticket  uint64 // in the queue of withheld agents; 0 when it is in none
	wake    wake
	refused backoff
}

// holding is what one client was given of an agent: offered or in use.
type holding struct {
	leaf   *leaf
	amount *bundle
	// Alone when nobody else is offered it, else one of the layers of what is on
	// offer to several.
	layer int
}

// find returns where the leaf's holding in a layer is.
func (g *agent) find(l *leaf, layer int) (at int, ok bool) {
	at = slices.IndexFunc(g.held, func(h holding) bool { return h.leaf == l && h.layer == layer })
	return at, at >= 0
}

// heldBy sums up what the leaf holds in all layers.
func (a *Allocator) heldBy(g *agent, l *leaf) *bundle {
	sum := a.bundles.none
	for _, h := range g.held {
		if h.leaf == l {
			sum = a.bundles.plus(sum, h.amount)
		}
	}
	return sum
}

// settle computes what is free and what is unused. What is shared is, whoever has
// it.
func (a *Allocator) settle(g *agent) {
	a.setFree(g, a.remainder(g, func(holding) bool { return true }))
	if a.overlaps() {
		a.setUnused(g, a.remainder(g, func(h holding) bool { return h.layer == alone }))
	}
}

// fewHoldings is up to how many holdings of an agent what each leaves is
// remembered; what many leave is computed in one go.
const fewHoldings = 4

// remainder is what holdings that count leave of an agent: what is shared stays.
func (a *Allocator) remainder(g *agent, counts func(holding) bool) *bundle {
	left, many := g.total, []resources.Resources(nil)
	for _, h := range g.held {
		switch {
		case !counts(h):
		case len(g.held) > fewHoldings:
			many = append(many, h.amount.apart.all)
		default:
			left = a.bundles.without(left, h.amount.apart)
		}
	}
	if len(many) > 0 {
		left = a.bundles.of(left.all.Without(many...))
	}
	return left
}

// setFree replaces what is free, in what is free of all active agents too.
func (a *Allocator) setFree(g *agent, free *bundle) {
	if g.active {
		a.headroom.Sub(g.free.open)
		a.headroom.Add(free.open)
	}
	g.free = free
	if !a.overlaps() {
		a.setUnused(g, free)
	}
}

// setUnused replaces what is unused, and lists the agent while there is some.
func (a *Allocator) setUnused(g *agent, unused *bundle) {
	g.unused = unused
	switch {
	case g.rest < 0 && !unused.isEmpty():
		g.rest = len(a.rest)
		a.rest = append(a.rest, g)
	case g.rest >= 0 && unused.isEmpty():
		last := a.rest[len(a.rest)-1]
		a.rest[g.rest], last.rest = last, g.rest
		a.rest, g.rest = a.rest[:len(a.rest)-1], -1
	}
}

func (a *Allocator) setActive(g *agent, active bool) {
	switch {
	case active && !g.active:
		a.headroom.Add(g.free.open)
	case !active && g.active:
		a.headroom.Sub(g.free.open)
	}
	g.active = active
}

// used is a checked AddAgent.Used.
type used struct {
	framework frameworkID
	role      string
	amount    *bundle
	offered   bool // perhaps to others too
}

func (a *Allocator) addAgent(m *cluster.AddAgent) error {
	id, total, err := a.readAgent(m.GetAgent())
	if err != nil {
		return field.In("agent", err)
	}
	list := make([]used, len(m.Used))
	for i, u := range m.Used {
		if list[i], err = a.readUsed(u); err != nil {
			return field.At("used", i, err)
		}
	}
	g, known := a.byID[id]
	if known {
		a.releaseAgent(g)
	} else {
		g = &agent{
			id: id, name: m.Agent.Id, position: len(a.agents), wake: asleep(), rest: -1,
			total: a.bundles.none, free: a.bundles.none, unused: a.bundles.none,
		}
		a.byID[id] = g
		a.agents = append(a.agents, g)
	}
	a.describe(g, m.Agent)
	a.setActive(g, m.GetActive())
	g.version = m.Version
	a.setTotal(g, total)
	for _, u := range list {
		if !u.offered {
			a.hold(g, a.leafOf(u.framework, u.role), u.amount, alone)
		}
	}
	a.settle(g)
	a.holdOffers(g, list)
	a.mark(g)
	a.arrived()
	return nil
}

func (a *Allocator) readAgent(info *mesos.AgentInfo) (agentID, *bundle, error) {
	if info.GetId().GetValue() == "" {
		return "", nil, field.Missing("id")
	}
	total, err := a.bundles.read(info.Resources)
	if err == nil && total.borrows() {
		err = field.Invalid("resources", total.all.Borrowed(), "must not be both reserved and revocable")
	}
	return agentID(info.Id.GetValue()), total, err
}

// readResources sums up a list, whoever it says to be allocated to.
func readResources(list []*mesos.Resource) (resources.Resources, error) {
	r, err := resources.New(list...)
	if err != nil {
		return r, field.In("resources", err)
	}
	for e := range r.All() {
		if e.AllocatedTo() != "" {
			return r.Unallocate(), nil
		}
	}
	return r, nil
}

func (a *Allocator) readUsed(u *cluster.AddAgent_Used) (used, error) {
	if u.GetFrameworkId().GetValue() == "" {
		return used{}, field.Missing("framework_id")
	}
	if err := names.CheckRole("role", u.GetRole()); err != nil {
		return used{}, err
	}
	amount, err := a.bundles.read(u.Resources)
	return used{frameworkID(u.FrameworkId.GetValue()), u.GetRole(), amount, a.overlaps() && u.GetOffered()}, err
}

func (a *Allocator) updateAgent(m *cluster.UpdateAgent) error {
	id, total, err := a.readAgent(m.GetAgent())
	if err != nil {
		return field.In("agent", err)
	}
	g, ok := a.byID[id]
	if !ok {
		return field.Invalid("agent.id", string(id), "is not known")
	}
	a.describe(g, m.Agent)
	a.setActive(g, m.GetActive())
	a.setTotal(g, total)
	a.settle(g)
	a.mark(g)
	return nil
}

// describe takes what an agent says of itself. What was refused when it had
// other attributes may be wanted now.
func (a *Allocator) describe(g *agent, info *mesos.AgentInfo) {
	about := constraints.AgentOf(info)
	same := func(x, y *mesos.Attribute) bool { return proto.Equal(x, y) }
	if !slices.EqualFunc(g.about.Attributes, about.Attributes, same) {
		g.filters = filters{}
	}
	g.about = about
	here, there := a.domain.GetFaultDomain().GetRegion(), about.Domain.GetFaultDomain().GetRegion()
	g.remote = here != nil && there != nil && here.GetName() != there.GetName()
}

// setTotal replaces an agent's total, in the sum of all too. The caller
// settles the agent.
func (a *Allocator) setTotal(g *agent, total *bundle) {
	if total.equal(g.total) {
		return
	}
	a.order.SubtractTotal(g.total.sum)
	a.order.AddTotal(total.sum)
	for _, c := range total.claims {
		a.consume(a.topOf(c.top), c.amount)
	}
	for _, c := range g.total.claims {
		t := a.topOf(c.top)
		a.yield(t, c.amount)
		a.forgetTop(t)
	}
	g.total = total
}

func (a *Allocator) removeAgent(m *cluster.RemoveAgent) error {
	g, ok := a.byID[agentID(m.GetAgentId().GetValue())]
	if !ok {
		return field.Invalid("agent_id", m.GetAgentId().GetValue(), "is not known")
	}
	a.dropAgent(g)
	return nil
}

func (a *Allocator) dropAgent(g *agent) {
	a.releaseAgent(g)
	a.setActive(g, false)
	a.setTotal(g, a.bundles.none)
	a.settle(g)
	a.wakes.remove(g)
	a.withhold(g, false)
	last := a.agents[len(a.agents)-1]
	a.agents[g.position], last.position = last, g.position
	a.agents = a.agents[:len(a.agents)-1]
	delete(a.byID, g.id)
	g.gone = true
}

// releaseAgent takes what is held of an agent from those that hold it. The
// caller settles the agent.
func (a *Allocator) releaseAgent(g *agent) {
	for last := len(g.held) - 1; last >= 0; last-- {
		a.release(g, last, g.held[last].amount)
	}
}

// hold counts amount as given to the leaf. The caller settles the agent.
func (a *Allocator) hold(g *agent, l *leaf, amount *bundle, layer int) {
	if amount.isEmpty() {
		a.prune(l)
		return
	}
	a.give(g, l, amount, layer)
	a.consume(l.top, amount.open)
	a.order.Allocate(l.node, amount.counted)
}

// give makes the leaf hold amount.
func (a *Allocator) give(g *agent, l *leaf, amount *bundle, layer int) {
	if amount.borrows() {
		a.loans.lenders[g.id] = g
	}
	if at, ok := g.find(l, layer); ok {
		g.held[at].amount = a.bundles.plus(g.held[at].amount, amount)
		return
	}
	g.held = append(g.held, holding{l, amount, layer})
	l.holdings++
}

// release takes amount, which it contains, from a holding of the agent, and
// forgets the client with its last holding if it is forgotten otherwise. The
// caller settles the agent.
func (a *Allocator) release(g *agent, at int, amount *bundle) {
	h := &g.held[at]
	l, borrowed := h.leaf, h.amount.borrows()
	a.order.Release(l.node, amount.counted)
	a.yield(l.top, amount.open)
	h.amount = a.bundles.without(h.amount, amount)
	if h.amount.isEmpty() {
		g.held = slices.Delete(g.held, at, at+1)
		l.holdings--
		a.prune(l)
	}
	if borrowed {
		a.lends(g)
	}
}
