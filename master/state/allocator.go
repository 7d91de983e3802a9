package state

import (
	"strconv"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/master/state/view"
	"troupe/messages/cluster"
	"troupe/messages/field"
	"troupe/messages/mesos"
	"troupe/messages/resources"
)

// How long the master waits before it starts an allocator anew that it lost:
// twice as long each time, until it hears of it; and how often it says that it
// is without.
const (
	allocatorRetry    = time.Second
	maxAllocatorRetry = 8 * time.Second
	allocatorSilence  = time.Minute
)

// allocatorLink is what the master knows of its allocator.
type allocatorLink struct {
	// Counts the StartAllocator messages; 0 before the first.
	epoch uint64
	// False while the allocator is away: it will be told everything.
	up bool
	// Counts the AddAgent messages.
	added uint64
	// How often it was lost since it was last heard, when that was last noted,
	// and how long to wait the next time.
	losses int
	noted  time.Time
	retry  time.Duration
}

// startAllocator begins an epoch and tells the allocator all there is.
func (m *Machine) startAllocator() {
	m.allocator.epoch++
	m.allocator.up = true
	m.emit(Link{m.cfg.Allocator})
	m.tellAllocator(m.beginning())
	for _, f := range m.frameworks.ordered() {
		m.tellAllocator(f.addition())
	}
	for _, a := range m.agents.ordered() {
		if !a.leaving {
			m.addToAllocator(a)
		}
	}
}

// addition is what the allocator is told of a framework.
func (f *framework) addition() *cluster.AddFramework {
	return &cluster.AddFramework{
		Framework: f.view.Info, SuppressedRoles: f.view.Suppressed, Active: new(f.active()), OfferConstraints: f.view.Constraints,
	}
}

// allocatorLost takes back what it had allocated: it will not remember.
func (m *Machine) allocatorLost() {
	m.allocator.up = false
	for _, f := range m.frameworks.ordered() {
		m.rescindOffers(f)
	}
	l := &m.allocator
	l.losses++
	l.retry = min(max(2*l.retry, allocatorRetry), maxAllocatorRetry)
	if l.losses == 1 || m.now.Sub(l.noted) >= allocatorSilence {
		l.noted = m.now
		m.note(Warn, "The allocator is away: nothing is offered until it is back", Field{"peer", string(m.cfg.Allocator)},
			Field{"attempts", strconv.Itoa(l.losses)})
	}
	m.emit(SetTimer{timerAllocator, l.retry})
}

// allocatorHeard notes that the allocator is back, if it was away.
func (m *Machine) allocatorHeard() {
	if m.allocator.losses > 0 {
		m.note(Info, "The allocator is back", Field{"peer", string(m.cfg.Allocator)})
	}
	m.allocator.losses, m.allocator.retry = 0, 0
}

func (m *Machine) tellAllocator(message proto.Message) {
	m.standing.events++
	if m.allocator.up {
		m.send(m.cfg.Allocator, message)
	}
}

// share is what a framework has of an agent in a role.
type share struct {
	framework *framework
	role      string
	what      resources.Resources
}

// addToAllocator tells of an agent and of all that is taken there: by tasks,
// executors and offers, and the shares named. What is held back is not told of.
func (m *Machine) addToAllocator(a *agent, shares ...share) {
	if !m.allocator.up || a.leaving {
		return
	}
	m.allocator.added++
	a.version = m.allocator.added
	m.tellAllocator(&cluster.AddAgent{
		Version:      proto.Uint64(a.version),
		Agent:        a.offerable(),
		Capabilities: capabilityProtos(a.view.Capabilities),
		Used:         a.usedByRole(shares, m.isShared),
		Active:       new(m.mayOffer(a)),
	})
}

// updateInAllocator tells whether an agent may be offered, and what it is.
func (m *Machine) updateInAllocator(a *agent) {
	m.tellAllocator(&cluster.UpdateAgent{
		Agent: a.offerable(), Capabilities: capabilityProtos(a.view.Capabilities), Active: new(m.mayOffer(a)),
	})
}

// usedByRole sums up what each framework holds on an agent or is offered, and
// the shares, which are about to be given back; apart, what is on offer to others
// too.
func (a *agent) usedByRole(shares []share, isShared func(*offer) bool) []*cluster.AddAgent_Used {
	type holder struct {
		framework *framework
		role      string
		offered   bool
	}
	var order []holder
	held := make(map[holder][]resources.Resources)
	add := func(f *framework, role string, what resources.Resources, offered bool) {
		h := holder{f, role, offered}
		if _, known := held[h]; !known {
			order = append(order, h)
		}
		held[h] = append(held[h], what)
	}
	for _, t := range a.tasks {
		if !t.freed {
			add(t.framework, t.view.Role, t.view.Resources, false)
		}
	}
	for _, e := range a.orderedExecutors() {
		add(e.framework, e.view.Role, e.view.Resources, false)
	}
	for _, o := range a.offers {
		add(o.framework, o.view.Role, o.view.Resources, isShared(o))
	}
	for _, s := range shares {
		if !s.what.IsEmpty() {
			add(s.framework, s.role, s.what, false)
		}
	}
	used := make([]*cluster.AddAgent_Used, 0, len(order))
	for _, h := range order {
		used = append(used, &cluster.AddAgent_Used{
			FrameworkId: h.framework.view.Info.GetId(), Role: &h.role, Resources: resources.Resources{}.Add(held[h]...).Proto(),
			Offered: ifTrue(h.offered),
		})
	}
	return used
}

// recover gives resources back to the allocator, which does so itself for a
// framework or agent that is removed. Filters are those of a framework that
// refused them, else nil.
func (m *Machine) recover(f *framework, a *agent, role string, what resources.Resources, filters *mesos.Filters) {
	m.giveBack(f, a, role, what, filters, false)
}

// returnOffer is recover of what an offer had.
func (m *Machine) returnOffer(o *offer, filters *mesos.Filters) {
	m.giveBack(o.framework, o.agent, o.view.Role, o.view.Resources, filters, m.isShared(o))
}

// giveBack is recover of what was perhaps on offer to others too.
func (m *Machine) giveBack(f *framework, a *agent, role string, what resources.Resources, filters *mesos.Filters, offered bool) {
	m.standing.events++
	if what.IsEmpty() || f.ending || a.lost || !m.allocator.up {
		return
	}
	m.tellAllocator(&cluster.RecoverResources{
		FrameworkId: f.view.Info.GetId(), AgentId: a.view.Info.GetId(),
		Role: &role, Resources: what.Proto(), Filters: filters, Offered: ifTrue(offered),
	})
}

// revive is REVIVE: the call is refused unless all roles are f's.
func (m *Machine) revive(f *framework, roles []string) {
	if !m.allRoles(f, roles, "revive") {
		return
	}
	m.changeFramework(f, func(v *view.Framework) { v.Suppressed = without(v.Suppressed, roles) })
	m.unquiet(f)
	m.tellAllocator(&cluster.ReviveOffers{FrameworkId: f.view.Info.GetId(), Roles: roles})
}

// suppress is SUPPRESS; as revive.
func (m *Machine) suppress(f *framework, roles []string) {
	if !m.allRoles(f, roles, "suppress") {
		return
	}
	if len(roles) == 0 {
		roles = f.view.Roles
	}
	m.changeFramework(f, func(v *view.Framework) { v.Suppressed = append(without(v.Suppressed, roles), roles...) })
	m.tellAllocator(&cluster.SuppressOffers{FrameworkId: f.view.Info.GetId(), Roles: roles})
}

func (m *Machine) allRoles(f *framework, roles []string, call string) bool {
	for i, r := range roles {
		if !f.plays(r) {
			m.object(f.peer(), badRequest, field.Invalid(indexed(call+".roles", i), r, "is not among the framework's roles"))
			return false
		}
	}
	return true
}

// without is list less those that are in roles, or an empty list when roles
// is empty. The list itself stays as it is.
func without(list, roles []string) []string {
	var rest []string
	if len(roles) == 0 {
		return rest
	}
	drop := make(map[string]bool, len(roles))
	for _, r := range roles {
		drop[r] = true
	}
	for _, r := range list {
		if !drop[r] {
			rest = append(rest, r)
		}
	}
	return rest
}
