package state

import (
	"google.golang.org/protobuf/proto"

	"troupe/master/state/view"
	"troupe/messages/cluster"
	"troupe/messages/mesos"
)

// learnOperations makes true here what an agent that registers again says of
// its operations. It returns those that are under way as far as is known here,
// and that the agent did not name: they never arrived, unless the agent got them
// after it wrote its message, and knows them by now. And it returns those that
// have ended and of which nobody will hear another time.
func (m *Machine) learnOperations(a *agent, named []*mesos.Operation, stayed bool) (missing []*cluster.AgentReregistered_MissingOperation, over []*operation) {
	known := make(map[*operation]bool, len(named))
	for _, said := range named {
		if o := m.learnOperation(a, said); o != nil {
			known[o] = true
			if !o.pending() {
				over = append(over, o)
			}
		}
	}
	for _, o := range append([]*operation(nil), a.operations...) {
		switch {
		case known[o]:
		case o.pending():
			lost := &cluster.AgentReregistered_MissingOperation{OperationUuid: &mesos.UUID{Value: o.view.UUID[:]}, OperationId: o.view.Info.GetId()}
			if o.view.Framework != "" {
				lost.FrameworkId = &mesos.FrameworkID{Value: new(string(o.view.Framework))}
			}
			missing = append(missing, lost)
		case !stayed:
			m.removeOperation(o) // acknowledged at the agent
		}
	}
	m.recount(a)
	return missing, over
}

// learnOperation makes true what an agent says of an operation; nil when it
// cannot be.
func (m *Machine) learnOperation(a *agent, said *mesos.Operation) *operation {
	uuid, ok := uuidOf(said.GetUuid().GetValue())
	state := said.GetLatestStatus().GetState()
	if !ok || said.Info == nil || !view.EndedOperation(state) && state != mesos.OperationState_OPERATION_PENDING {
		m.note(Warn, "An agent named an operation that cannot be", Field{"agent", string(a.id())}, Field{"state", state.String()})
		return nil
	}
	o := a.operation(uuid)
	if o == nil {
		status := proto.CloneOf(said.GetLatestStatus())
		status.OperationId, status.AgentId = said.GetInfo().GetId(), a.view.Info.GetId()
		return m.addOperation(a, &view.Operation{
			UUID: uuid, Framework: FrameworkID(said.GetFrameworkId().GetValue()), Agent: a.id(), Info: said.GetInfo(), Status: status,
		})
	}
	if view.EndedOperation(state) {
		m.closeOperation(o, said.GetLatestStatus()) // what it came to is in the agent's total
	}
	return o
}

// loseOperations gives up the operations of an agent that is no longer
// registered. Their frameworks are told once; who misses that asks for it.
func (m *Machine) loseOperations(a *agent, event view.AgentRemoved) {
	state := mesos.OperationState_OPERATION_UNKNOWN
	switch {
	case event.Unreachable:
		state = mesos.OperationState_OPERATION_UNREACHABLE
	case event.Cause == view.Ended:
		state = mesos.OperationState_OPERATION_GONE_BY_OPERATOR
	}
	for _, o := range append([]*operation(nil), a.operations...) {
		if f := m.frameworks.byID[o.view.Framework]; f != nil && f.connected() && o.name() != "" {
			m.sendOperationStatus(f, &mesos.OperationStatus{
				OperationId: o.view.Info.GetId(), State: &state, AgentId: a.view.Info.GetId(),
				Message: new("Agent " + string(a.id()) + " removed: " + causes[event.Cause]),
			})
		}
		if o.pending() && o.asker.Ask != 0 {
			m.refuseRequest(o.asker, conflict, "agent_id: "+string(a.id())+": is no longer registered: "+causes[event.Cause])
		}
		m.removeOperation(o)
	}
	a.held = nil
}

// disownOperations lets go of what a framework that is over did: what has ended
// is acknowledged in its stead, and the rest when it ends.
func (m *Machine) disownOperations(f *framework) {
	for _, o := range m.operations.ordered(f.id()) {
		if !o.pending() && o.agent.connected() {
			m.ackOperation(o.agent, o.view.UUID[:], o.view.Status, true)
			m.removeOperation(o)
		}
	}
}
