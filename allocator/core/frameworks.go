package core

import (
	"maps"
	"slices"

	"google.golang.org/protobuf/proto"

	"troupe/allocator/drf"
	"troupe/messages/cluster"
	"troupe/messages/constraints"
	"troupe/messages/field"
	"troupe/messages/mesos"
	"troupe/messages/names"
	"troupe/messages/resources"
)

type frameworkID string

// framework is what is known of one framework. One that only holds resources,
// and was not added, is neither active nor added.
type framework struct {
	id     frameworkID
	name   *mesos.FrameworkID // the id, as messages have it
	added  bool
	active bool
	leaves map[string]*leaf // by role
	abilities
	requests []request // not expired yet, or only just
}

// abilities are the capabilities that decide what a framework may be offered.
type abilities struct{ gpus, revocable, shared, refined, regions bool }

// leaf is a framework in one role: it is subscribed to it, or still holds
// something there.
type leaf struct {
	framework  *framework
	role       string
	node       *drf.Leaf
	top        *top
	number     uint64 // that its filters have
	view       *view
	holdings   int // that it has on agents
	subscribed bool
	suppressed bool
	fresh      bool // in Allocator.fresh
	own        bool // minimums are not those of all
	minimums   []resources.Quantities
	wanted     constraints.Role
}

func (a *Allocator) leafOf(id frameworkID, role string) *leaf {
	f := a.frameworkOf(id)
	l, ok := f.leaves[role]
	if !ok {
		l = &leaf{framework: f, role: role, node: a.order.Add(role, string(id)), minimums: a.minimums}
		l.node.Owner = l
		f.leaves[role] = l
		a.enter(l)
		a.unfilter(l)
		a.see(l)
	}
	return l
}

func (a *Allocator) frameworkOf(id frameworkID) *framework {
	f, ok := a.frameworks[id]
	if !ok {
		f = &framework{id: id, name: &mesos.FrameworkID{Value: proto.String(string(id))}, leaves: make(map[string]*leaf)}
		a.frameworks[id] = f
	}
	return f
}

// byRole yields the leaves in a fixed order.
func (f *framework) byRole() []*leaf {
	list := make([]*leaf, 0, len(f.leaves))
	for _, role := range slices.Sorted(maps.Keys(f.leaves)) {
		list = append(list, f.leaves[role])
	}
	return list
}

// prune forgets a leaf, and then its framework, when nothing is left to know.
func (a *Allocator) prune(l *leaf) {
	if l.subscribed || l.holdings > 0 {
		return
	}
	f := l.framework
	if f.leaves[l.role] == l {
		a.order.Remove(l.node)
		delete(f.leaves, l.role)
		delete(a.clients, l.number)
		a.unsee(l)
		a.leave(l)
	}
	if len(f.leaves) == 0 && !f.added {
		delete(a.frameworks, f.id)
	}
}

func (a *Allocator) refresh(l *leaf) {
	a.order.SetActive(l.node, l.framework.active && l.subscribed && !l.suppressed)
}

// subscription is a checked AddFramework for one role.
type subscription struct {
	role       string
	suppressed bool
	own        bool
	minimums   []resources.Quantities
	wanted     constraints.Role
}

func (a *Allocator) addFramework(m *cluster.AddFramework) error {
	info := m.GetFramework()
	id := frameworkID(info.GetId().GetValue())
	if id == "" {
		return field.Missing("framework.id")
	}
	subscriptions, err := a.readSubscriptions(m)
	if err != nil {
		return err
	}
	f := a.frameworkOf(id)
	f.added, f.active, f.abilities = true, m.GetActive(), abilitiesOf(info)
	for _, l := range f.leaves {
		l.subscribed = false
	}
	for _, s := range subscriptions {
		l := a.leafOf(id, s.role)
		if l.suppressed && !s.suppressed {
			a.unfilter(l) // as REVIVE does
		}
		l.subscribed, l.suppressed, l.minimums, l.wanted = true, s.suppressed, s.minimums, s.wanted
		a.see(l)
		a.setOwn(l, s.own)
	}
	for _, l := range f.byRole() {
		a.refresh(l)
		if !l.subscribed || !f.active {
			a.unfilter(l)
		}
		a.show(l)
		a.renounced(l)
		a.prune(l)
	}
	return nil
}

// setOwn says whether a client has minimums of its own.
func (a *Allocator) setOwn(l *leaf, own bool) {
	switch {
	case own && !l.own:
		l.top.own++
	case !own && l.own:
		l.top.own--
	}
	l.own = own
	a.touch(l.top)
}

// readSubscriptions checks the roles of a framework and what it says of them.
func (a *Allocator) readSubscriptions(m *cluster.AddFramework) ([]subscription, error) {
	info := m.Framework
	roles := info.Roles
	if !hasCapability(info, mesos.FrameworkInfo_Capability_MULTI_ROLE) {
		roles = []string{info.GetRole()}
	}
	wanted, err := constraints.Compile(m.OfferConstraints)
	if err != nil {
		return nil, field.In("offer_constraints", err)
	}
	list := make([]subscription, 0, len(roles))
	for _, role := range roles {
		if err := names.CheckRole("framework.roles", role); err != nil {
			return nil, err
		}
		s := subscription{role, slices.Contains(m.SuppressedRoles, role), false, a.minimums, wanted[role]}
		own, stated, err := minimumsOf(info.OfferFilters[role])
		if err != nil {
			return nil, field.In("framework.offer_filters."+role, err)
		}
		if stated {
			s.own, s.minimums = true, vectors(&a.bundles.index, own)
		}
		list = append(list, s)
	}
	return list, nil
}

func abilitiesOf(info *mesos.FrameworkInfo) abilities {
	return abilities{
		gpus:      hasCapability(info, mesos.FrameworkInfo_Capability_GPU_RESOURCES),
		revocable: hasCapability(info, mesos.FrameworkInfo_Capability_REVOCABLE_RESOURCES),
		shared:    hasCapability(info, mesos.FrameworkInfo_Capability_SHARED_RESOURCES),
		refined:   hasCapability(info, mesos.FrameworkInfo_Capability_RESERVATION_REFINEMENT),
		regions:   hasCapability(info, mesos.FrameworkInfo_Capability_REGION_AWARE),
	}
}

func hasCapability(info *mesos.FrameworkInfo, t mesos.FrameworkInfo_Capability_Type) bool {
	return slices.ContainsFunc(info.Capabilities, func(c *mesos.FrameworkInfo_Capability) bool { return c.GetType() == t })
}

// find returns a framework that was added.
func (a *Allocator) find(id *mesos.FrameworkID) (*framework, error) {
	f, ok := a.frameworks[frameworkID(id.GetValue())]
	if !ok || !f.added {
		return nil, field.Invalid("framework_id", id.GetValue(), "is not known")
	}
	return f, nil
}

func (a *Allocator) deactivateFramework(m *cluster.DeactivateFramework) error {
	f, err := a.find(m.GetFrameworkId())
	if err != nil {
		return err
	}
	f.active = false
	for _, l := range f.byRole() {
		a.unfilter(l)
		a.refresh(l)
		a.renounced(l)
	}
	return nil
}

func (a *Allocator) removeFramework(m *cluster.RemoveFramework) error {
	f, err := a.find(m.GetFrameworkId())
	if err != nil {
		return err
	}
	f.added, f.active = false, false
	for _, l := range f.byRole() {
		l.subscribed = false
		a.unfilter(l)
		a.refresh(l)
		a.renounced(l)
		a.prune(l)
	}
	for i := 0; i < len(a.agents) && len(f.leaves) > 0; i++ {
		a.releaseAll(a.agents[i], f)
	}
	delete(a.frameworks, f.id)
	return nil
}

// releaseAll frees what a framework holds of an agent.
func (a *Allocator) releaseAll(g *agent, f *framework) {
	held := len(g.held)
	for at := held - 1; at >= 0; at-- {
		if g.held[at].leaf.framework == f {
			a.release(g, at, g.held[at].amount)
		}
	}
	if len(g.held) < held {
		a.settle(g)
		a.mark(g)
	}
}

// recoverResources frees what the master names. Agents and frameworks that are
// gone had their resources freed with them.
func (a *Allocator) recoverResources(m *cluster.RecoverResources) error {
	amount, err := a.bundles.read(m.Resources)
	if err != nil {
		return err
	}
	g, ok := a.byID[agentID(m.GetAgentId().GetValue())]
	if !ok {
		return nil
	}
	f, ok := a.frameworks[frameworkID(m.GetFrameworkId().GetValue())]
	if !ok {
		return nil
	}
	l, ok := f.leaves[m.GetRole()]
	if !ok {
		return field.Invalid("role", m.GetRole(), "is not one that framework %s has anything in", f.id)
	}
	known := a.heldBy(g, l)
	if known.isEmpty() {
		return field.Invalid("resources", amount.all, "are not held by framework %s on agent %s", f.id, g.id)
	}
	if !known.contains(amount) {
		a.note(Warn, "more recovered than was held", Field{"agent", string(g.id)}, Field{"framework", string(f.id)},
			Field{"recovered", amount.all.String()}, Field{"held", known.all.String()})
		amount = a.bundles.without(known, a.bundles.without(known, amount))
	}
	a.takeBack(g, l, amount, m.GetOffered())
	a.settle(g)
	if m.Filters == nil {
		a.mark(g)
		return nil
	}
	a.refuse(g, l, amount, m.Filters.GetRefuseSeconds())
	return nil
}

// chosen returns the leaves of the roles named, or all.
func (f *framework) chosen(roles []string) ([]*leaf, error) {
	if len(roles) == 0 {
		return f.byRole(), nil
	}
	list := make([]*leaf, len(roles))
	for i, role := range roles {
		l, ok := f.leaves[role]
		if !ok || !l.subscribed {
			return nil, field.At("roles", i, field.Invalid("", role, "is not subscribed to"))
		}
		list[i] = l
	}
	return list, nil
}

func (a *Allocator) suppressOffers(m *cluster.SuppressOffers) error {
	f, err := a.find(m.GetFrameworkId())
	if err != nil {
		return err
	}
	leaves, err := f.chosen(m.Roles)
	if err != nil {
		return err
	}
	for _, l := range leaves {
		l.suppressed = true
		a.refresh(l)
		a.renounced(l)
	}
	return nil
}

func (a *Allocator) reviveOffers(m *cluster.ReviveOffers) error {
	f, err := a.find(m.GetFrameworkId())
	if err != nil {
		return err
	}
	leaves, err := f.chosen(m.Roles)
	if err != nil {
		return err
	}
	for _, l := range leaves {
		l.suppressed = false
		a.unfilter(l)
		a.refresh(l)
		a.show(l)
	}
	return nil
}

func checkWeight(w *cluster.StartAllocator_Weight) error {
	if err := names.CheckRole("role", w.GetRole()); err != nil {
		return err
	}
	return field.In("weight", drf.CheckWeight(w.GetWeight()))
}
