package core

import (
	"maps"
	"slices"
	"time"

	"troupe/messages/cluster"
	"troupe/messages/names"
	"troupe/messages/resources"
)

// borrowedOf is what of an amount is lent of what is reserved for the role.
func borrowedOf(amount *bundle, role string) resources.Resources {
	return amount.all.Filter(func(e resources.Entry) bool { return e.Borrowed() && e.Role() == role })
}

// lentRoles lists the roles whose reservations on the agent are lent, in order.
func (g *agent) lentRoles() []string {
	var roles []string
	for _, h := range g.held {
		if !h.amount.borrows() {
			continue
		}
		for e := range h.amount.all.All() {
			if e.Borrowed() && !slices.Contains(roles, e.Role()) {
				roles = append(roles, e.Role())
			}
		}
	}
	slices.Sort(roles)
	return roles
}

// returned is what would be free on the agent if all were back that is reserved
// for the role.
func (a *Allocator) returned(g *agent, role string) *bundle {
	free := g.unused.all
	for _, h := range g.held {
		if h.layer == alone && h.amount.borrows() {
			free = free.Add(borrowedOf(h.amount, role).Underlying())
		}
	}
	return a.bundles.of(free)
}

// callIn asks the master for what is lent and wanted by somebody in its role:
// of one agent first, and of twice as many each time that more is wanted still,
// since who gets an agent back may have enough.
func (a *Allocator) callIn() {
	s := &a.loans
	maps.DeleteFunc(s.recalls, func(r recall, until time.Time) bool {
		lent := borrowedOf(a.heldBy(r.agent, r.leaf), r.role)
		return r.agent.gone || !until.After(a.now) || lent.IsEmpty()
	})
	asked := make(map[string]int)
	for _, id := range slices.Sorted(maps.Keys(s.lenders)) {
		g := s.lenders[id]
		if !g.active {
			continue
		}
		for _, role := range g.lentRoles() {
			if asked[role] < max(1, s.pace[role]) && a.wanted(g, role, a.returned(g, role), a.now) && a.askBack(g, role) {
				asked[role]++
			}
		}
	}
	pace := make(map[string]int, len(asked))
	for role, n := range asked {
		pace[role] = 2 * n
	}
	s.pace = pace
}

// askBack asks for all that is lent on an agent of what is reserved for the
// role, unless that is on its way.
func (a *Allocator) askBack(g *agent, role string) (asked bool) {
	for _, h := range g.held {
		lent := borrowedOf(a.heldBy(g, h.leaf), role)
		r := recall{g, h.leaf, role}
		if _, waiting := a.loans.recalls[r]; waiting || lent.IsEmpty() {
			continue
		}
		a.loans.recalls[r] = a.now.Add(preemptPatience)
		asked = true
		epoch := a.epoch
		a.do(Send{a.master, &cluster.Preempt{
			Epoch: &epoch, AgentId: g.name, FrameworkId: h.leaf.framework.name, Role: &h.leaf.role,
			AgentVersion: g.version, Resources: lent.Proto(),
		}})
		a.note(Info, "what is lent of a reservation is asked back", Field{"agent", string(g.id)}, Field{"owner", role},
			Field{"framework", string(h.leaf.framework.id)}, Field{"role", h.leaf.role}, Field{"resources", lent.String()})
	}
	return asked
}

// lentOf tells whether something is lent on the agent that the client may have,
// and until when it refused that; 0 if it did not.
func (a *Allocator) lentOf(g *agent, l *leaf) (lent bool, refused int64) {
	for _, role := range g.lentRoles() {
		if names.Within(l.role, role) && a.excludes(g, l) == Granted {
			return true, a.filtered(g, l, a.bundles.seen(a.returned(g, role), l.view))
		}
	}
	return false, 0
}
