package state

import (
	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/slave/state/view"
	"troupe/slave/updates"
)

// tellOperation says how an operation has ended, and again if its framework has
// to acknowledge that. The master acknowledges the rest, and hears of it anew
// only when the agent registers.
func (m *Machine) tellOperation(o *operation) {
	if m.master.peer == "" {
		return
	}
	update := &cluster.OperationUpdate{
		FrameworkId: o.order.FrameworkId, AgentId: m.id(), OperationUuid: o.order.OperationUuid, Status: o.status,
	}
	if o.status.GetState() == mesos.OperationState_OPERATION_FINISHED {
		update.TotalResources = m.totalResources()
	}
	m.send(m.master.peer, update)
	if m.stock.known[o.id] == o && o.named() {
		o.wait = max(updates.RetryMin, min(2*o.wait, updates.RetryMax))
		m.emit(SetTimer{operationTimer(o.id), o.wait})
	}
}

func operationTimer(id OperationID) string { return timerOperation + "/" + string(id) }

func (m *Machine) operationOverdue(id OperationID) {
	if o := m.stock.known[id]; o != nil && o.ended() {
		m.tellOperation(o)
	}
}

// tellOperations tells a master that the agent has registered with.
func (m *Machine) tellOperations() {
	for _, o := range m.stock.inArrival() {
		if o.ended() {
			o.wait = 0
			m.tellOperation(o)
		}
	}
}

// quietOperations repeats nothing while no master hears it.
func (m *Machine) quietOperations() {
	for _, o := range m.stock.inArrival() {
		if o.wait != 0 {
			o.wait = 0
			m.emit(CancelTimer{operationTimer(o.id)})
		}
	}
}

// operationUpdateAck need not be durable to take effect: a crash that forgets it
// has the end told once more.
func (m *Machine) operationUpdateAck(msg *cluster.OperationUpdateAck) {
	id, _ := operationID(msg.GetOperationUuid())
	o := m.stock.known[id]
	if o != nil && o.ended() && string(o.status.GetUuid().GetValue()) == string(msg.GetStatusUuid().GetValue()) {
		m.forgetOperation(o)
		m.checkpoint(nil, operationAcknowledgedRecord(o))
	}
}

func (m *Machine) forgetOperation(o *operation) {
	delete(m.stock.known, o.id)
	m.publish(view.OperationRemoved{ID: o.id})
	if o.wait != 0 {
		m.emit(CancelTimer{operationTimer(o.id)})
	}
}

func operationAcknowledgedRecord(o *operation) *cluster.JournalRecord {
	return &cluster.JournalRecord{Record: &cluster.JournalRecord_OperationAcknowledged{
		OperationAcknowledged: &cluster.OperationAcknowledged{OperationUuid: o.order.OperationUuid},
	}}
}

// abandonOperations forgets those of a framework that is gone. What is under way
// goes on to its end.
func (m *Machine) abandonOperations(f FrameworkID) {
	for _, o := range m.stock.inArrival() {
		if FrameworkID(o.order.GetFrameworkId().GetValue()) != f {
			continue
		}
		m.forgetOperation(o)
		if o.ended() {
			m.checkpoint(nil, operationAcknowledgedRecord(o))
		}
	}
}

// dropOperation tells of one that never came here.
func (m *Machine) dropOperation(msg *cluster.AgentReregistered_MissingOperation) {
	id, ok := operationID(msg.GetOperationUuid())
	if !ok || m.stock.known[id] != nil {
		return
	}
	o := m.newOperation(id, &cluster.ApplyOperation{
		FrameworkId: msg.FrameworkId, OperationUuid: msg.OperationUuid,
		Operation: &mesos.Offer_Operation{Type: mesos.Offer_Operation_UNKNOWN.Enum(), Id: msg.OperationId},
	})
	end := m.end(o, mesos.OperationState_OPERATION_DROPPED, "The agent does not know the operation")
	m.checkpoint(func() {
		o.status = end
		m.announceEnd(o)
	}, operationRecord(o, end))
}

// announceEnd tells of an end that is durable. If the framework is gone by now,
// nobody acknowledges it; the master still waits for it, as it is under way
// there until then.
func (m *Machine) announceEnd(o *operation) {
	if m.stock.known[o.id] == o {
		m.publishOperation(o)
	} else {
		m.checkpoint(nil, operationAcknowledgedRecord(o))
	}
	m.tellOperation(o)
}
