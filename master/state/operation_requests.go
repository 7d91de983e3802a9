package state

import (
	"strings"

	"troupe/master/state/view"
	"troupe/messages/cluster"
	"troupe/messages/field"
	"troupe/messages/mesos"
	"troupe/messages/operations"
	"troupe/messages/resources"
)

// operationRequest changes an agent's resources for an operator, who is answered
// when the agent has done it. The offers that it needs are rescinded, and no
// other; nothing is when it cannot be.
func (m *Machine) operationRequest(in Received, msg *cluster.OperationRequest) {
	a := m.agents.byID[AgentID(msg.GetAgentId().GetValue())]
	if a == nil {
		m.refuseRequest(in, badRequest, field.Invalid("agent_id", msg.GetAgentId().GetValue(), "No agent found with specified ID").Error())
		return
	}
	op := msg.GetOperation()
	err := operations.Validate(op, operations.Case{
		Principal: in.Principal, Agent: a.view.Capabilities, Total: a.view.Total, Used: a.used,
	})
	if err == nil {
		err = m.checkReserve(op.GetReserve())
	}
	if err != nil {
		m.publish(view.OperationRefused{Type: op.GetType()})
		m.refuseRequest(in, badRequest, err.Error())
		return
	}
	if err := m.operateFor(in, a, op); err != nil {
		why := err.Error()
		if a.connected() && m.callInFor(a, op) {
			why += "; the rest is lent, and called in: ask again when the tasks that use it have ended"
		}
		m.refuseRequest(in, conflict, why)
	}
}

// checkReserve refuses to reserve for roles that no framework may have.
func (m *Machine) checkReserve(r *mesos.Offer_Operation_Reserve) error {
	for i, what := range r.GetResources() {
		known, err := resources.New(what)
		for e := range known.All() {
			err = m.checkAllowed(e.Role(), "role")
		}
		if err != nil {
			return field.In("reserve", field.At("resources", i, err))
		}
	}
	return nil
}

// operateFor starts an operation that is valid, unless what it needs is not
// there, or used.
func (m *Machine) operateFor(in Received, a *agent, op *mesos.Offer_Operation) error {
	if a.leaving || !a.connected() {
		return field.Invalid("agent_id", string(a.id()), "is not connected")
	}
	if err := a.checkRoom(); err != nil {
		return err
	}
	var needless []*offer
	var err error
	free := a.unused() // of which the recount rescinds what it must
	if !m.overlaps() {
		if needless, err = a.yielding(op); err != nil {
			return err
		}
		free = a.free()
		for _, o := range needless {
			free = free.Add(o.view.Resources.Underlying())
		}
	}
	rest, err := operations.Apply(op, free)
	if err != nil {
		return err
	}
	what := rest.Without(free)
	if !operations.Speculative(op.GetType()) {
		what = free.Without(rest)
	}
	for _, o := range needless {
		m.endOffer(o, view.Rescinded)
		m.sendRescind(o)
	}
	o := m.startOperation(a, "", op)
	o.asker = in
	a.held = append(a.held, holding{what: what, until: o.seq})
	m.recount(a)
	m.addToAllocator(a)
	return nil
}

// yielding lists the offers that must be rescinded so that op applies to what is
// free: none that could stay, and of several ways the one with the newest offers
// kept.
func (a *agent) yielding(op *mesos.Offer_Operation) ([]*offer, error) {
	free := a.free()
	_, err := operations.Apply(op, free)
	if err == nil {
		return nil, nil
	}
	for _, o := range a.offers {
		if _, err := operations.Apply(op, free.Add(o.view.Resources.Underlying())); err == nil {
			return []*offer{o}, nil
		}
	}
	all := free
	for _, o := range a.offers {
		all = all.Add(o.view.Resources.Underlying())
	}
	if _, err = operations.Apply(op, all); err != nil {
		return nil, err
	}
	var needed []*offer
	for i := len(a.offers) - 1; i >= 0; i-- { // the newest stay first
		o := a.offers[i]
		without := all.Without(o.view.Resources.Underlying())
		if _, err := operations.Apply(op, without); err == nil {
			all = without
			continue
		}
		needed = append(needed, o)
	}
	return needed, nil
}

// answerOperator tells the operator who waits for an operation how it ended.
func (m *Machine) answerOperator(o *operation) {
	if o.asker.Ask == 0 {
		return
	}
	in := o.asker
	o.asker = Received{}
	if o.state() == mesos.OperationState_OPERATION_FINISHED {
		m.acceptRequest(in)
		return
	}
	m.refuseRequest(in, conflict, strings.TrimSuffix("operation: "+o.state().String()+": "+o.view.Status.GetMessage(), ": "))
}

// updateAgentResources takes in what an agent lends. What was offered of that is
// rescinded, whichever way it changed; what is used stays until its tasks end.
func (m *Machine) updateAgentResources(from Peer, msg *cluster.UpdateAgentResources) {
	a := m.agents.byPeer[from]
	if a == nil || string(a.id()) != msg.GetAgentId().GetValue() {
		m.drop(view.AgentUpdates, from, "an update of an agent that is not connected there", Field{"agent", msg.GetAgentId().GetValue()})
		return
	}
	lent, err := resources.New(msg.GetOversubscribedResources()...)
	err = field.In("oversubscribed_resources", err)
	for e := range lent.All() {
		if err == nil && !e.Revocable() {
			err = field.Invalid("oversubscribed_resources", e.String(), "is not revocable")
		}
		if err == nil && e.Borrowed() {
			err = field.Invalid("oversubscribed_resources", e.String(), "is reserved, which only what the allocator lends is")
		}
	}
	if err != nil {
		m.drop(view.AgentUpdates, from, err.Error(), Field{"agent", string(a.id())})
		return
	}
	m.publish(view.Judged{Kind: view.AgentUpdates, Valid: true})
	if a.leaving || lent.Equal(a.lent) {
		return
	}
	a.lent = lent
	for _, o := range append([]*offer(nil), a.offers...) {
		if oversubscribed(o.view.Resources) {
			m.endOffer(o, view.Rescinded)
			m.sendRescind(o)
		}
	}
	m.recount(a)
	m.addToAllocator(a)
}

// oversubscribed tells whether some of r is what its agent lends.
func oversubscribed(r resources.Resources) bool {
	for e := range r.All() {
		if e.Revocable() && !e.Borrowed() {
			return true
		}
	}
	return false
}
