package core

import (
	"cmp"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/allocator/drf"
	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/messages/resources"
)

// preemptPatience is how long what was asked for is expected to come free; then
// it is asked for again, perhaps of somebody else.
const preemptPatience = time.Minute

// preemptLooks is how often a role is looked at while it must lack its
// guarantee.
const preemptLooks = 4

// lacking counts the looks in a row at which a role lacked its guarantee.
type lacking struct {
	last uint64 // of them
	row  int
}

// debt is what the master was asked to free.
type debt struct {
	agent *agent
	leaf  *leaf
	left  resources.Quantities // what the leaf holds there once it has come free
	until time.Time
}

// giver is a client that has some of what others lack, on one agent.
type giver struct {
	agent *agent
	leaf  *leaf
	open  resources.Quantities // what it holds there that anybody may have
}

// preempt asks the master for what roles lacked of their guarantees for too
// long: of the roles with the greatest shares first, and never of what is
// guaranteed to one.
func (a *Allocator) preempt() {
	need := a.shortfall()
	if a.holding || need.IsZero() {
		return
	}
	given := make(map[*top]bool)
	for _, v := range a.givers(need) {
		t := v.leaf.top
		if given[t] {
			continue
		}
		take := a.part(v, need)
		if take.IsZero() {
			continue
		}
		// Tasks are whole, so that nobody knows what comes free: of a role with a
		// guarantee, more is only asked for when it is known.
		given[t] = !t.guarantees.IsZero()
		need.SubFloor(take)
		a.ask(v, take)
		if need.IsZero() {
			return
		}
	}
}

// shortfall is what roles that lacked it for long enough need beyond what is
// free or about to be.
func (a *Allocator) shortfall() (need resources.Quantities) {
	a.looked++
	a.order.EachRoot(hungry, func(root *drf.Root) bool {
		t := root.Owner.(*top)
		if t.lacking.last != a.looked-1 {
			t.lacking.row = 0
		}
		t.lacking = lacking{a.looked, t.lacking.row + 1}
		for n := range t.guarantees {
			if t.lacking.row >= preemptLooks {
				need.Set(n, need.Of(n)+t.lack(n))
			}
		}
		return true
	})
	need.SubFloor(a.headroom)
	a.debts = slices.DeleteFunc(a.debts, func(x debt) bool {
		coming := a.coming(x)
		if x.until.After(a.now) {
			need.SubFloor(coming)
		}
		return coming.IsZero()
	})
	return need
}

// coming is what is still to come free.
func (a *Allocator) coming(x debt) (coming resources.Quantities) {
	if held := a.heldBy(x.agent, x.leaf); !held.isEmpty() && !x.agent.gone {
		coming = held.open.Clone()
		coming.SubFloor(x.left)
	}
	return coming
}

// givers are the clients that hold something of what is needed, and whose role
// has more than is guaranteed to it: of roles with greater shares first, and of
// what a client holds the most of it.
func (a *Allocator) givers(need resources.Quantities) (list []giver) {
	for _, g := range a.agents {
		if !g.active {
			continue
		}
		for i, h := range g.held {
			if at := slices.IndexFunc(g.held, func(o holding) bool { return o.leaf == h.leaf }); at < i {
				continue // in another layer, too
			}
			v := giver{g, h.leaf, a.heldBy(g, h.leaf).open}
			if !a.part(v, need).IsZero() && !a.owes(g, h.leaf) {
				list = append(list, v)
			}
		}
	}
	slices.SortFunc(list, func(x, y giver) int {
		return cmp.Or(
			cmp.Compare(a.order.RoleShare(y.leaf.top.role), a.order.RoleShare(x.leaf.top.role)),
			cmp.Compare(a.order.Share(y.leaf.node), a.order.Share(x.leaf.node)),
			slices.Compare(a.part(y, need), a.part(x, need)),
			cmp.Compare(x.agent.id, y.agent.id), cmp.Compare(x.leaf.number, y.leaf.number))
	})
	return list
}

func (a *Allocator) owes(g *agent, l *leaf) bool {
	return slices.ContainsFunc(a.debts, func(x debt) bool {
		return x.agent == g && x.leaf == l && x.until.After(a.now)
	})
}

// part is how much of what is held, and needed, the role has beyond what is
// guaranteed to it.
func (a *Allocator) part(v giver, need resources.Quantities) resources.Quantities {
	t, kept := v.leaf.top, a.kept(v)
	part := make(resources.Quantities, len(need))
	for n, amount := range need {
		part[n] = max(0, min(amount, v.open.Of(n), t.consumed.Of(n)-kept.Of(n)))
	}
	return part
}

// kept is what a client's role may not be asked for: what is guaranteed to it,
// and what it owes elsewhere, however late that is.
func (a *Allocator) kept(v giver) resources.Quantities {
	t := v.leaf.top
	if t.guarantees.IsZero() {
		return nil
	}
	kept := t.guarantees.Clone()
	for _, x := range a.debts {
		if x.leaf.top == t && (x.agent != v.agent || x.leaf != v.leaf) {
			kept.Add(a.coming(x))
		}
	}
	return kept
}

// ask asks the master for a part of what a client holds.
func (a *Allocator) ask(v giver, take resources.Quantities) {
	left := v.open.Clone()
	left.SubFloor(take)
	a.debts = slices.DeleteFunc(a.debts, func(x debt) bool { return x.agent == v.agent && x.leaf == v.leaf })
	a.debts = append(a.debts, debt{v.agent, v.leaf, left, a.now.Add(preemptPatience)})
	epoch, t := a.epoch, v.leaf.top
	m := &cluster.Preempt{
		Epoch: &epoch, AgentId: v.agent.name, FrameworkId: v.leaf.framework.name, Role: &v.leaf.role,
		AgentVersion: v.agent.version, AtMost: make(map[string]*mesos.Value_Scalar),
	}
	for n, amount := range take {
		if amount > 0 {
			m.Resources = append(m.Resources, &mesos.Resource{
				Name: new(a.bundles.index.Name(n)), Type: mesos.Value_SCALAR.Enum(), Scalar: scalar(amount),
			})
		}
	}
	kept := a.kept(v)
	for n, guarantee := range t.guarantees {
		if guarantee > 0 {
			m.AtMost[a.bundles.index.Name(n)] = scalar(max(0, t.consumed.Of(n)-kept.Of(n)))
		}
	}
	a.do(Send{a.master, m})
	a.note(Info, "a role lacks its guarantee: tasks of another are preempted", Field{"agent", string(v.agent.id)},
		Field{"framework", string(v.leaf.framework.id)}, Field{"role", v.leaf.role}, Field{"resources", a.bundles.index.String(take)})
}

func scalar(m resources.Milli) *mesos.Value_Scalar {
	return &mesos.Value_Scalar{Value: proto.Float64(m.Float())}
}
