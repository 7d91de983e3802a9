package view

import "troupe/messages/mesos"

// Operation is an immutable picture of an operation on an agent's resources.
type Operation struct {
	// The master's name for it.
	UUID [16]byte
	// Empty for an operator's.
	Framework FrameworkID
	Agent     AgentID
	// What was asked for; its resources are allocated to nobody.
	Info *mesos.Offer_Operation
	// The newest; with a uuid when the agent waits for its acknowledgement.
	Status *mesos.OperationStatus
}

// OperationAdded tells of an operation that is under way, or that an agent
// brought along.
type OperationAdded struct{ Operation *Operation }

// OperationUpdated replaces the picture of an operation.
type OperationUpdated struct {
	Operation *Operation
	// The state that it had.
	Before mesos.OperationState
}

// OperationRemoved takes an operation off: everybody who should knows of its
// end, or nobody will ever know.
type OperationRemoved struct{ Operation *Operation }

// OperationRefused counts an operation that never was.
type OperationRefused struct{ Type mesos.Offer_Operation_Type }

// OperationKind is what Mesos counts operations by.
type OperationKind struct {
	Type  mesos.Offer_Operation_Type
	State mesos.OperationState
}

// EndedOperation tells whether an operation in state s has ended for good.
func EndedOperation(s mesos.OperationState) bool {
	switch s {
	case mesos.OperationState_OPERATION_FINISHED, mesos.OperationState_OPERATION_FAILED, mesos.OperationState_OPERATION_ERROR,
		mesos.OperationState_OPERATION_DROPPED, mesos.OperationState_OPERATION_GONE_BY_OPERATOR:
		return true
	}
	return false
}

// countOperation counts operations: those that have ended since the start, the
// others at the moment.
func (c *Counters) countOperation(e Event) {
	kind := func(o *Operation, s mesos.OperationState) OperationKind { return OperationKind{o.Info.GetType(), s} }
	switch e := e.(type) {
	case OperationAdded:
		c.Operations[kind(e.Operation, e.Operation.Status.GetState())]++
	case OperationUpdated:
		if now := e.Operation.Status.GetState(); now != e.Before {
			c.Operations[kind(e.Operation, e.Before)]--
			c.Operations[kind(e.Operation, now)]++
		}
	case OperationRemoved:
		if last := e.Operation.Status.GetState(); !EndedOperation(last) {
			c.Operations[kind(e.Operation, last)]--
		}
	case OperationRefused:
		c.Operations[OperationKind{e.Type, mesos.OperationState_OPERATION_ERROR}]++
	}
}
