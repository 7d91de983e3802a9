package state

import (
	"slices"

	"google.golang.org/protobuf/proto"

	"troupe/master/state/view"
	"troupe/messages/mesos"
	"troupe/messages/operations"
	"troupe/messages/resources"
)

// holding is what is kept from being offered until the agent has said how an
// operation, and those before it, ended: what it made of an offer, or what it
// works on.
type holding struct {
	what  resources.Resources
	until uint64 // the operation's seq
}

// less is r without what each of the others has. What is shared stays: it may
// be used and offered several times.
func less(r resources.Resources, others ...resources.Resources) resources.Resources {
	if !sharing(r) {
		return r.Without(others...)
	}
	alone := make([]resources.Resources, len(others))
	for i, o := range others {
		alone[i] = o.Filter(func(e resources.Entry) bool { return !e.Shared() })
	}
	return r.Without(alone...)
}

func sharing(r resources.Resources) bool {
	for e := range r.All() {
		if e.Shared() {
			return true
		}
	}
	return false
}

// use is r.Use, quick for what is not shared.
func use(r, need resources.Resources) (resources.Resources, bool) {
	if sharing(need) {
		return r.Use(need)
	}
	if !r.Contains(need) {
		return r, false
	}
	return r.Without(need), true
}

// free is what of an agent may be offered.
func (a *agent) free() resources.Resources {
	if len(a.held) == 0 {
		return less(a.view.Total, a.used, a.onOffer())
	}
	return less(a.view.Total.Without(a.heldBack()...), a.used, a.onOffer())
}

// unused is what of an agent is free or on offer.
func (a *agent) unused() resources.Resources {
	if len(a.held) == 0 {
		return less(a.view.Total, a.used)
	}
	return less(a.view.Total.Without(a.heldBack()...), a.used)
}

func (a *agent) heldBack() []resources.Resources {
	list := make([]resources.Resources, len(a.held))
	for i, h := range a.held {
		list[i] = h.what
	}
	return list
}

// awaits tells whether the end of an operation up to seq is still to come.
func (a *agent) awaits(seq uint64) bool {
	return slices.ContainsFunc(a.operations, func(o *operation) bool { return o.seq <= seq && o.pending() })
}

// lastPending is the seq of the newest operation whose end is still to come;
// 0 when there is none.
func (a *agent) lastPending() uint64 {
	for _, o := range slices.Backward(a.operations) {
		if o.pending() {
			return o.seq
		}
	}
	return 0
}

// confirm applies an operation that the agent has carried out to what is
// certain of its total. The agent tells that, too: see adoptTotal.
func (a *agent) confirm(op *mesos.Offer_Operation) {
	if next, err := operations.Apply(op, a.confirmed); err == nil {
		a.confirmed = next
	}
}

// adoptTotal makes certain what an agent says that it has, if it said so. While
// operations are under way it may say so of some of them before it tells of
// their end; then what is known here stays until the last of them.
func (m *Machine) adoptTotal(a *agent, told []*mesos.Resource) {
	if len(told) == 0 || a.lastPending() > 0 {
		return
	}
	total, err := resources.New(told...)
	if err != nil {
		m.note(Warn, "An agent has resources that cannot be: "+err.Error(), Field{"agent", string(a.id())})
		return
	}
	a.confirmed = total
}

// expected is what an agent's total comes to when every operation that others
// may build on ends well.
func (a *agent) expected() resources.Resources {
	total := a.confirmed
	for _, o := range a.operations {
		if !o.pending() || !operations.Speculative(o.view.Info.GetType()) {
			continue
		}
		if next, err := operations.Apply(o.view.Info, total); err == nil {
			total = next
		}
	}
	return total.Add(a.lent)
}

// recount brings an agent's total in line with its operations, and with that
// what is held back and offered: what the total no longer has is neither. The
// caller tells the allocator.
func (m *Machine) recount(a *agent) { m.recountFor(a, view.Rescinded) }

// recountFor is recount with the reason for which offers end.
func (m *Machine) recountFor(a *agent, end view.OfferEnd) {
	if total := a.expected(); !total.Equal(a.view.Total) {
		m.changeAgent(a, func(v *view.Agent) { v.Total = total })
	}
	rest := less(a.view.Total, a.used)
	a.held = slices.DeleteFunc(a.held, func(h holding) bool {
		if !a.awaits(h.until) || !rest.Contains(h.what) {
			return true
		}
		rest = rest.Without(h.what)
		return false
	})
	for _, o := range m.absent(a, rest) {
		m.endOffer(o, end)
		m.sendRescind(o)
	}
}

// withhold keeps what a task held from the allocator while it is not certain
// that the agent has it; false when it is. What is lent is not held back: no
// operation changes it, and the agent may take it back at any time.
func (m *Machine) withhold(a *agent, what resources.Resources) bool {
	what = what.Underlying()
	last := a.lastPending()
	if last == 0 || a.lost {
		return false
	}
	if oversubscribed(what) {
		what = what.Filter(func(e resources.Entry) bool { return !e.Revocable() })
	}
	if a.confirmed.Contains(what) {
		return false
	}
	a.held = append(a.held, holding{what, last})
	return true
}

// offerable is the agent's info with what the allocator may allocate of it: its
// total less what is held back.
func (a *agent) offerable() *mesos.AgentInfo {
	what := a.view.Total.Without(a.heldBack()...)
	if configured, err := resources.New(a.view.Info.GetResources()...); err == nil && configured.Equal(what) {
		return a.view.Info
	}
	info := proto.CloneOf(a.view.Info)
	info.Resources = what.Proto()
	return info
}
