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
	about    constraints.Agent
	total    resources.Resources
	free     resources.Resources
	held     []holding // by at most one leaf each
	active   bool
	plain    bool // nothing of total is reserved, revocable or shared
	gpus     bool
	dirty    bool // in Allocator.dirty
	gone     bool // removed, perhaps still in Allocator.dirty
	position int  // in Allocator.order
	version  *uint64

	wake    wake
	refused backoff
}

// holding is what one client was given of an agent: offered or in use.
type holding struct {
	leaf   *leaf
	amount resources.Resources
}

func (g *agent) heldBy(l *leaf) (at int, ok bool) {
	at = slices.IndexFunc(g.held, func(h holding) bool { return h.leaf == l })
	return at, at >= 0
}

// settle computes what is free.
func (g *agent) settle() {
	var few [8]resources.Resources
	held := few[:0]
	for _, h := range g.held {
		held = append(held, h.amount)
	}
	g.free = g.total.Without(held...)
}

// setTotal replaces the total and what follows from it.
func (g *agent) setTotal(total resources.Resources) {
	g.total, g.plain, g.gpus = total, true, total.Scalar(resources.GPUs) > 0
	for e := range total.All() {
		if e.Role() != names.AnyRole || e.Revocable() || e.Shared() {
			g.plain = false
		}
	}
	g.settle()
}

// used is a checked AddAgent.Used.
type used struct {
	framework frameworkID
	role      string
	amount    resources.Resources
}

func (a *Allocator) addAgent(m *cluster.AddAgent) error {
	id, total, err := readAgent(m.GetAgent())
	if err != nil {
		return field.In("agent", err)
	}
	list := make([]used, len(m.Used))
	for i, u := range m.Used {
		if list[i], err = readUsed(u); err != nil {
			return field.At("used", i, err)
		}
	}
	g, known := a.agents[id]
	if known {
		a.releaseAgent(g)
	} else {
		g = &agent{id: id, position: len(a.order), wake: asleep()}
		a.agents[id] = g
		a.order = append(a.order, g)
	}
	a.describe(g, m.Agent, m.GetActive())
	g.version = m.Version
	a.setTotal(g, total)
	for _, u := range list {
		a.hold(g, a.leafOf(u.framework, u.role), u.amount)
	}
	g.settle()
	a.mark(g)
	return nil
}

func readAgent(info *mesos.AgentInfo) (agentID, resources.Resources, error) {
	if info.GetId().GetValue() == "" {
		return "", resources.Resources{}, field.Missing("id")
	}
	total, err := readResources(info.Resources)
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

func readUsed(u *cluster.AddAgent_Used) (used, error) {
	if u.GetFrameworkId().GetValue() == "" {
		return used{}, field.Missing("framework_id")
	}
	if err := names.CheckRole("role", u.GetRole()); err != nil {
		return used{}, err
	}
	amount, err := readResources(u.Resources)
	return used{frameworkID(u.FrameworkId.GetValue()), u.GetRole(), amount}, err
}

func (a *Allocator) updateAgent(m *cluster.UpdateAgent) error {
	id, total, err := readAgent(m.GetAgent())
	if err != nil {
		return field.In("agent", err)
	}
	g, ok := a.agents[id]
	if !ok {
		return field.Invalid("agent.id", string(id), "is not known")
	}
	a.describe(g, m.Agent, m.GetActive())
	a.setTotal(g, total)
	a.mark(g)
	return nil
}

// describe takes what an agent says of itself. What was refused when it had
// other attributes may be wanted now.
func (a *Allocator) describe(g *agent, info *mesos.AgentInfo, active bool) {
	about := constraints.AgentOf(info)
	same := func(x, y *mesos.Attribute) bool { return proto.Equal(x, y) }
	if !slices.EqualFunc(g.about.Attributes, about.Attributes, same) {
		a.clearFiltersOf(g)
	}
	g.about, g.active = about, active
}

// setTotal replaces an agent's total, in the sum of all too.
func (a *Allocator) setTotal(g *agent, total resources.Resources) {
	if total.Equal(g.total) {
		g.settle()
		return
	}
	a.tree.SubtractTotal(a.quantities(g.total))
	g.setTotal(total)
	a.tree.AddTotal(a.quantities(total))
}

func (a *Allocator) removeAgent(m *cluster.RemoveAgent) error {
	g, ok := a.agents[agentID(m.GetAgentId().GetValue())]
	if !ok {
		return field.Invalid("agent_id", m.GetAgentId().GetValue(), "is not known")
	}
	a.dropAgent(g)
	return nil
}

// releaseAgent takes what is held of an agent from those that hold it.
func (a *Allocator) releaseAgent(g *agent) {
	for len(g.held) > 0 {
		a.release(g, 0, g.held[0].amount)
	}
}

func (a *Allocator) dropAgent(g *agent) {
	a.releaseAgent(g)
	a.clearFiltersOf(g)
	a.wakes.remove(g)
	a.tree.SubtractTotal(a.quantities(g.total))
	last := a.order[len(a.order)-1]
	a.order[g.position], last.position = last, g.position
	a.order = a.order[:len(a.order)-1]
	delete(a.agents, g.id)
	g.gone = true
}

// quantities returns the amounts of r in memory that the next call reuses.
func (a *Allocator) quantities(r resources.Resources) resources.Quantities {
	a.scratch = a.index.AddTo(a.scratch[:0], r)
	return a.scratch
}

// hold counts amount as given to the leaf. The caller settles the agent.
func (a *Allocator) hold(g *agent, l *leaf, amount resources.Resources) {
	if amount.IsEmpty() {
		a.prune(l)
		return
	}
	if at, ok := g.heldBy(l); ok {
		g.held[at].amount = g.held[at].amount.Add(amount)
	} else {
		g.held = append(g.held, holding{l, amount})
		l.agents++
	}
	a.tree.Allocate(l.node, a.quantities(amount))
}

// release takes amount, which it contains, from a holding of the agent, and
// forgets the client with its last holding if it is forgotten otherwise.
func (a *Allocator) release(g *agent, at int, amount resources.Resources) {
	h := &g.held[at]
	l := h.leaf
	a.tree.Release(l.node, a.quantities(amount))
	h.amount = h.amount.Without(amount)
	if h.amount.IsEmpty() {
		g.held = slices.Delete(g.held, at, at+1)
		l.agents--
		a.prune(l)
	}
	g.settle()
}
