package state

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"hash/fnv"
	"slices"

	"google.golang.org/protobuf/proto"

	"troupe/master/state/view"
	"troupe/messages/cluster"
	"troupe/messages/field"
	"troupe/messages/mesos"
	"troupe/messages/mesos/scheduler"
	"troupe/messages/operations"
)

// maxOperations bounds the operations of one agent whose end is not
// acknowledged.
const maxOperations = 1000

// operation is one on an agent's resources: from its ApplyOperation until
// everybody who should knows of its end.
type operation struct {
	seq uint64 // in the order in which the agent gets them
	// The picture last published.
	view  *view.Operation
	agent *agent
	// The operator who waits for its end; its Ask is 0 when nobody does.
	asker Received
}

func (o *operation) state() mesos.OperationState { return o.view.Status.GetState() }
func (o *operation) name() string                { return o.view.Info.GetId().GetValue() }

// pending tells whether the agent's word is still to come.
func (o *operation) pending() bool { return o.state() == mesos.OperationState_OPERATION_PENDING }

// operationName is what a framework calls an operation.
type operationName struct {
	framework FrameworkID
	id        string
}

// operationTable finds operations.
type operationTable struct {
	last uint64
	// The newest with that name.
	byName map[operationName]*operation
	of     map[FrameworkID]map[*operation]bool
}

func newOperationTable() operationTable {
	return operationTable{byName: make(map[operationName]*operation), of: make(map[FrameworkID]map[*operation]bool)}
}

// ordered lists a framework's operations in the order of their seq.
func (t *operationTable) ordered(f FrameworkID) []*operation {
	all := make([]*operation, 0, len(t.of[f]))
	for o := range t.of[f] {
		all = append(all, o)
	}
	slices.SortFunc(all, func(a, b *operation) int { return cmp.Compare(a.seq, b.seq) })
	return all
}

// operationUUID names the operation that is the nth of this master. No other
// master makes the same, since its id is another.
func (m *Machine) operationUUID(n uint64) (uuid [16]byte) {
	h := fnv.New128a()
	h.Write([]byte(m.cfg.MasterID))
	h.Write(binary.BigEndian.AppendUint64(nil, n))
	h.Sum(uuid[:0])
	uuid[6], uuid[8] = uuid[6]&0x0f|0x80, uuid[8]&0x3f|0x80 // as RFC 9562 has it for ids of one's own making
	return uuid
}

// addOperation makes an operation known.
func (m *Machine) addOperation(a *agent, picture *view.Operation) *operation {
	m.operations.last++
	o := &operation{seq: m.operations.last, view: picture, agent: a}
	a.operations = append(a.operations, o)
	if f := picture.Framework; f != "" {
		if m.operations.of[f] == nil {
			m.operations.of[f] = make(map[*operation]bool)
		}
		m.operations.of[f][o] = true
		if o.name() != "" {
			m.operations.byName[operationName{f, o.name()}] = o
		}
	}
	m.publish(view.OperationAdded{Operation: picture})
	return o
}

// removeOperation takes an operation off the tables.
func (m *Machine) removeOperation(o *operation) {
	o.agent.operations = slices.DeleteFunc(o.agent.operations, func(other *operation) bool { return other == o })
	f := o.view.Framework
	if delete(m.operations.of[f], o); len(m.operations.of[f]) == 0 {
		delete(m.operations.of, f)
	}
	if name := (operationName{f, o.name()}); m.operations.byName[name] == o {
		delete(m.operations.byName, name)
	}
	m.publish(view.OperationRemoved{Operation: o.view})
}

// operation finds one of an agent's; nil when it has none of that name.
func (a *agent) operation(uuid [16]byte) *operation {
	for _, o := range a.operations {
		if o.view.UUID == uuid {
			return o
		}
	}
	return nil
}

// startOperation has an agent carry out what was checked; the framework is
// empty for an operator.
func (m *Machine) startOperation(a *agent, f FrameworkID, info *mesos.Offer_Operation) *operation {
	uuid := m.operationUUID(m.operations.last + 1)
	status := &mesos.OperationStatus{
		OperationId: info.GetId(), State: mesos.OperationState_OPERATION_PENDING.Enum(), AgentId: a.view.Info.GetId(),
	}
	o := m.addOperation(a, &view.Operation{UUID: uuid, Framework: f, Agent: a.id(), Info: info, Status: status})
	apply := &cluster.ApplyOperation{Operation: info, OperationUuid: &mesos.UUID{Value: uuid[:]}}
	if f != "" {
		apply.FrameworkId = &mesos.FrameworkID{Value: new(string(f))}
	}
	m.send(a.peer(), apply)
	return o
}

// operationUpdate is an agent's word of how an operation ended.
func (m *Machine) operationUpdate(from Peer, msg *cluster.OperationUpdate) {
	a := m.agents.byPeer[from]
	uuid, ok := uuidOf(msg.GetOperationUuid().GetValue())
	switch {
	case a == nil || string(a.id()) != msg.GetAgentId().GetValue():
		m.drop(view.OperationUpdates, from, "an operation's update of an agent that is not connected there",
			Field{"agent", msg.GetAgentId().GetValue()})
		return
	case !ok || msg.Status == nil:
		m.drop(view.OperationUpdates, from, "an operation's update without its uuid of 16 bytes, or without a status", Field{"agent", string(a.id())})
		return
	case !view.EndedOperation(msg.GetStatus().GetState()):
		m.drop(view.OperationUpdates, from, "an operation's update that is not its end", Field{"state", msg.GetStatus().GetState().String()})
		return
	}
	o := a.operation(uuid)
	if o == nil {
		m.drop(view.OperationUpdates, from, "an update of an operation that is not known", Field{"agent", string(a.id())})
		m.ackOperation(a, msg.GetOperationUuid().GetValue(), msg.GetStatus(), msg.GetStatus().GetOperationId() == nil)
		return
	}
	m.publish(view.Judged{Kind: view.OperationUpdates, Valid: true})
	m.endOperation(o, msg.GetStatus(), msg.GetTotalResources())
	m.tellOperation(o)
}

// ackOperation ends the repetition of a status, when it is the master that
// should.
func (m *Machine) ackOperation(a *agent, uuid []byte, status *mesos.OperationStatus, own bool) {
	if own && status.Uuid != nil {
		m.send(a.peer(), &cluster.OperationUpdateAck{OperationUuid: &mesos.UUID{Value: uuid}, StatusUuid: status.GetUuid()})
	}
}

// endOperation records an operation's end, or its repetition, and what it made
// of the agent's resources.
func (m *Machine) endOperation(o *operation, status *mesos.OperationStatus, total []*mesos.Resource) {
	a := o.agent
	if first := m.closeOperation(o, status); !first {
		return
	}
	if o.state() == mesos.OperationState_OPERATION_FINISHED {
		a.confirm(o.view.Info)
	}
	m.adoptTotal(a, total)
	m.recount(a)
	m.addToAllocator(a)
}

// closeOperation gives an operation its last status, and the operator who waits
// for it his answer. It is false when there was one already.
func (m *Machine) closeOperation(o *operation, status *mesos.OperationStatus) (first bool) {
	first, before := o.pending(), o.state()
	next := *o.view
	next.Status = proto.CloneOf(status)
	next.Status.OperationId, next.Status.AgentId = o.view.Info.GetId(), o.agent.view.Info.GetId()
	o.view = &next
	m.publish(view.OperationUpdated{Operation: o.view, Before: before})
	if !first {
		return false
	}
	if o.state() != mesos.OperationState_OPERATION_FINISHED {
		m.note(Warn, "An operation failed: "+status.GetMessage(), Field{"agent", string(o.agent.id())}, Field{"framework", string(o.view.Framework)},
			Field{"type", o.view.Info.GetType().String()}, Field{"state", o.state().String()})
	}
	m.answerOperator(o)
	return true
}

// tellOperation passes an operation's end on to its framework, which will
// acknowledge it. Where there is none that will, the master does.
func (m *Machine) tellOperation(o *operation) {
	f := m.frameworks.byID[o.view.Framework]
	if f != nil && o.name() != "" {
		if f.connected() {
			m.sendOperationStatus(f, o.view.Status)
		}
		if o.view.Status.Uuid != nil {
			return
		}
	}
	m.ackOperation(o.agent, o.view.UUID[:], o.view.Status, true)
	m.removeOperation(o)
}

func (m *Machine) sendOperationStatus(f *framework, status *mesos.OperationStatus) {
	m.tell(f, &scheduler.Event{
		Type:                  scheduler.Event_UPDATE_OPERATION_STATUS.Enum(),
		UpdateOperationStatus: &scheduler.Event_UpdateOperationStatus{Status: status},
	})
}

// acknowledgeOperation is ACKNOWLEDGE_OPERATION_STATUS: the operation is over.
func (m *Machine) acknowledgeOperation(f *framework, call *scheduler.Call_AcknowledgeOperationStatus) {
	a := m.agents.byID[AgentID(call.GetAgentId().GetValue())]
	id := call.GetOperationId().GetValue()
	if a == nil || !a.connected() {
		m.drop(view.OperationAcks, f.peer(), "an acknowledgement to an agent that is not connected",
			Field{"agent", call.GetAgentId().GetValue()}, Field{"operation", id})
		return
	}
	o := m.operations.byName[operationName{f.id(), id}]
	if o == nil || o.agent != a || !bytes.Equal(o.view.Status.GetUuid().GetValue(), call.GetUuid()) {
		m.drop(view.OperationAcks, f.peer(), "an acknowledgement of an operation's status that was not sent", Field{"operation", id})
		return
	}
	m.publish(view.Judged{Kind: view.OperationAcks, Valid: true})
	m.ackOperation(a, o.view.UUID[:], o.view.Status, true)
	m.removeOperation(o)
}

// checkFeedback checks that whoever gives an operation a name can be told of
// its end.
func checkFeedback(op *mesos.Offer_Operation, a *agent) error {
	switch {
	case op.Id == nil:
		return nil
	case op.GetId().GetValue() == "":
		return field.Missing("id.value")
	case !a.has(mesos.AgentInfo_Capability_AGENT_OPERATION_FEEDBACK):
		return field.Invalid("id", op.GetId().GetValue(), "needs an agent with AGENT_OPERATION_FEEDBACK")
	}
	return nil
}

// checkRoom checks that an agent may have one operation more.
func (a *agent) checkRoom() error {
	if len(a.operations) >= maxOperations {
		return field.Invalid("", nil, "agent %s has %d operations whose end is not acknowledged", a.id(), len(a.operations))
	}
	return nil
}

// convert carries out an operation on what is left of the offers: at once as
// far as the operations behind it go, and at the agent for good.
func (m *Machine) convert(b *bargain, op *mesos.Offer_Operation) error {
	a := b.agent
	if err := checkFeedback(op, a); err != nil {
		return err
	}
	if err := a.checkRoom(); err != nil {
		return err
	}
	if err := operations.Validate(op, operations.Case{
		Framework: b.framework.view.Info, Role: b.role, Principal: b.framework.view.Info.GetPrincipal(),
		Agent: a.view.Capabilities, Total: b.total, Used: a.used.Add(underlying(b.needs)),
	}); err != nil {
		return err
	}
	op = unallocatedOperation(op)
	rest, err := operations.Apply(op, b.rest)
	if err != nil {
		return err
	}
	consumed := b.rest.Without(rest)
	b.last = m.startOperation(a, b.framework.id(), op)
	if operations.Speculative(op.GetType()) {
		total, err := operations.Apply(op, b.total)
		if err != nil {
			m.note(Warn, "An agent has less than was offered of it: "+err.Error(), Field{"agent", string(a.id())})
		}
		b.rest, b.total = rest, total
		return nil
	}
	b.rest = b.rest.Without(consumed)
	a.held = append(a.held, holding{what: consumed, until: b.last.seq})
	return nil
}

// unallocatedOperation is op with its resources allocated to nobody.
func unallocatedOperation(op *mesos.Offer_Operation) *mesos.Offer_Operation {
	op = proto.CloneOf(op)
	for _, list := range [][]*mesos.Resource{
		op.GetReserve().GetSource(), op.GetReserve().GetResources(), op.GetUnreserve().GetResources(),
		op.GetCreate().GetVolumes(), op.GetDestroy().GetVolumes(),
		{op.GetGrowVolume().GetVolume(), op.GetGrowVolume().GetAddition(), op.GetShrinkVolume().GetVolume()},
	} {
		for _, r := range list {
			if r != nil {
				r.AllocationInfo = nil
			}
		}
	}
	return op
}
