package state

import (
	"cmp"
	"encoding/hex"
	"slices"
	"time"

	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/messages/operations"
	"troupe/messages/resources"
	"troupe/slave/state/view"
	"troupe/slave/updates"
)

// operation is one from its arrival to the acknowledgement of its end.
type operation struct {
	id     OperationID
	number uint64 // in the order of arrival
	order  *cluster.ApplyOperation
	// PENDING until its end is durable.
	status *mesos.OperationStatus
	// The journal has it as pending.
	durable bool
	// What it does on the disk is being done.
	working bool
	// Until its end is told again; 0 while no timer is set.
	wait time.Duration
}

// maxOperations bounds the operations of one framework, or of operators, whose
// end is not acknowledged.
const maxOperations = 1000

func operationID(uuid *mesos.UUID) (OperationID, bool) {
	id, ok := updates.UUIDOf(uuid.GetValue())
	return OperationID(hex.EncodeToString(id[:])), ok
}

func (o *operation) ended() bool {
	return o.status.GetState() != mesos.OperationState_OPERATION_PENDING
}

// named tells that its framework gave it an id, and acknowledges its end.
func (o *operation) named() bool { return o.order.GetOperation().GetId() != nil }

// applyOperation takes an operation in. One that is known is told of again.
func (m *Machine) applyOperation(msg *cluster.ApplyOperation) {
	id, ok := operationID(msg.GetOperationUuid())
	switch o := m.stock.known[id]; {
	case !ok:
		m.note(Warn, "Operation dropped: its uuid is not of 16 bytes")
	case o != nil && o.ended():
		m.tellOperation(o)
	case o != nil:
	case m.crowded(msg.GetFrameworkId()):
		m.refuseOperation(msg, "The agent has too many operations whose end was not acknowledged")
	case m.leaving.on():
		m.refuseOperation(msg, "The agent is being shut down")
	default:
		m.stock.queue = append(m.stock.queue, m.newOperation(id, msg))
		if len(m.stock.queue) == 1 {
			m.nextOperation()
		}
	}
}

func (m *Machine) newOperation(id OperationID, msg *cluster.ApplyOperation) *operation {
	m.stock.last++
	o := &operation{
		id: id, number: m.stock.last, order: msg,
		status: &mesos.OperationStatus{
			OperationId: msg.GetOperation().GetId(), State: mesos.OperationState_OPERATION_PENDING.Enum(), AgentId: m.id(),
		},
	}
	m.stock.known[id] = o
	m.publishOperation(o)
	return o
}

func (m *Machine) crowded(f *mesos.FrameworkID) bool {
	n := 0
	for _, o := range m.stock.known {
		if o.order.GetFrameworkId().GetValue() == f.GetValue() {
			n++
		}
	}
	return n >= maxOperations
}

// refuseOperation answers one of which nothing is done, or kept.
func (m *Machine) refuseOperation(msg *cluster.ApplyOperation, why string) {
	m.note(Warn, "An operation was dropped", Field{"why", why})
	o := &operation{order: msg}
	o.status = m.end(o, mesos.OperationState_OPERATION_DROPPED, why)
	m.tellOperation(o)
}

// nextOperation begins the oldest operation that waits.
func (m *Machine) nextOperation() {
	if len(m.stock.queue) == 0 {
		m.release()
		return
	}
	o := m.stock.queue[0]
	if _, state, err := m.convert(o); err != nil {
		m.settle(o, m.end(o, state, err.Error()), nil)
		return
	}
	switch work := m.work(o); {
	case work == nil:
		m.finish(o)
	case o.durable:
		o.working = true
		m.emit(work)
	default:
		m.checkpoint(func() {
			o.durable, o.working = true, true
			m.emit(work)
		}, operationRecord(o, o.status))
	}
}

// convert is what an operation makes of what the agent has, or the state that it
// ends in.
func (m *Machine) convert(o *operation) (resources.Resources, mesos.OperationState, error) {
	op, total, used := o.order.GetOperation(), m.stock.total, resources.Resources{}
	if !o.durable { // else it was begun: the disk may have done it, and what wants its resources now came later, and waits
		used = m.inUse()
	}
	if _, err := operations.Consumed(op); err != nil {
		return total, mesos.OperationState_OPERATION_ERROR, err
	}
	err := operations.Validate(op, operations.Case{Agent: m.cfg.Capabilities, Total: total, Used: used})
	if err == nil {
		// What is in use stays as it is.
		_, err = operations.Apply(op, total.Without(used))
	}
	if err == nil {
		total, err = operations.Apply(op, total)
	}
	return total, mesos.OperationState_OPERATION_FAILED, err
}

// work is what an operation does on the disk; nil if it does nothing there.
func (m *Machine) work(o *operation) Effect {
	switch op := o.order.GetOperation(); op.GetType() {
	case mesos.Offer_Operation_CREATE:
		return MakeVolumes{o.id, volumesOf(op.GetCreate().GetVolumes())}
	case mesos.Offer_Operation_DESTROY:
		return RemoveVolumes{o.id, volumesOf(op.GetDestroy().GetVolumes())}
	}
	return nil
}

// volumesChanged goes on with the operation that the disk has done.
func (m *Machine) volumesChanged(in VolumesChanged) {
	if len(m.stock.queue) == 0 || m.stock.queue[0].id != in.Operation || !m.stock.queue[0].working {
		m.note(Warn, "Volumes were changed that nobody asked for", Field{"operation", string(in.Operation)})
		return
	}
	o := m.stock.queue[0]
	o.working = false
	if in.Err != nil {
		m.settle(o, m.end(o, mesos.OperationState_OPERATION_FAILED, in.Err.Error()), nil)
		return
	}
	m.finish(o)
}

// finish ends an operation whose work is done. It applies still: nothing came
// between.
func (m *Machine) finish(o *operation) {
	total, err := operations.Apply(o.order.GetOperation(), m.stock.total)
	if err != nil {
		m.settle(o, m.end(o, mesos.OperationState_OPERATION_FAILED, err.Error()), nil)
		return
	}
	status := m.end(o, mesos.OperationState_OPERATION_FINISHED, "")
	if change, err := operations.ChangeOf(o.order.GetOperation(), m.stock.total); err == nil {
		status.ConvertedResources = change.Converted.Proto()
	}
	m.settle(o, status, &total)
}

// end is the last status of an operation.
func (m *Machine) end(o *operation, s mesos.OperationState, message string) *mesos.OperationStatus {
	id := m.chance.uuid()
	status := &mesos.OperationStatus{
		OperationId: o.order.GetOperation().GetId(), State: s.Enum(), Uuid: &mesos.UUID{Value: id[:]}, AgentId: m.id(),
	}
	if message != "" {
		status.Message = &message
	}
	return status
}

// settle makes the end of the operation that is first in the queue durable, with
// what it leads to. Then it is told, and the next one's turn.
func (m *Machine) settle(o *operation, end *mesos.OperationStatus, total *resources.Resources) {
	records := []*cluster.JournalRecord{operationRecord(o, end)}
	if total != nil {
		records = append(records, resourcesRecord(*total))
	}
	m.checkpoint(func() {
		o.status = end
		m.stock.queue = m.stock.queue[1:]
		if total != nil {
			m.stock.total = *total
			m.publishAgent()
		}
		m.announceEnd(o)
		m.nextOperation()
	}, records...)
}

func operationRecord(o *operation, status *mesos.OperationStatus) *cluster.JournalRecord {
	return &cluster.JournalRecord{Record: &cluster.JournalRecord_Operation{
		Operation: &cluster.OperationAccepted{Operation: o.proto(status)},
	}}
}

// proto is an operation as others see it. Its statuses are all that follow
// PENDING.
func (o *operation) proto(status *mesos.OperationStatus) *mesos.Operation {
	p := &mesos.Operation{
		FrameworkId: o.order.FrameworkId, AgentId: status.AgentId, Info: o.order.Operation,
		LatestStatus: status, Uuid: o.order.OperationUuid,
	}
	if status.GetState() != mesos.OperationState_OPERATION_PENDING {
		p.Statuses = []*mesos.OperationStatus{status}
	}
	return p
}

func (m *Machine) publishOperation(o *operation) {
	m.publish(view.OperationChanged{Operation: &view.Operation{ID: o.id, Number: o.number, Info: o.proto(o.status)}})
}

// inArrival lists operations as they came.
func (s *stock) inArrival() []*operation {
	list := make([]*operation, 0, len(s.known))
	for _, o := range s.known {
		list = append(list, o)
	}
	slices.SortFunc(list, func(a, b *operation) int { return cmp.Compare(a.number, b.number) })
	return list
}

// replayOperation takes in what the journal has of an operation. What was
// pending is done once more: a disk may have done it, or not.
func (m *Machine) replayOperation(p *mesos.Operation) {
	id, _ := operationID(p.GetUuid()) // was checked
	o := m.stock.known[id]
	if o == nil {
		m.stock.last++
		o = &operation{id: id, number: m.stock.last, durable: true, order: &cluster.ApplyOperation{
			FrameworkId: p.FrameworkId, Operation: p.Info, OperationUuid: p.Uuid,
		}}
		m.stock.known[id] = o
	}
	o.status = p.GetLatestStatus()
}

// resumeOperations begins the operations that the process before did not end.
func (m *Machine) resumeOperations() {
	for _, o := range m.stock.inArrival() {
		m.publishOperation(o)
		if !o.ended() {
			m.stock.queue = append(m.stock.queue, o)
		}
	}
	if len(m.stock.queue) > 0 {
		m.nextOperation()
	}
}
