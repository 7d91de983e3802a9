package frameworktest

import (
	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos"
	"troupe/messages/mesos/scheduler"
	"troupe/messages/operations"
)

// convert carries out an operation on what is free on an agent: it reserves,
// creates volumes, and the reverse. A framework that named it is told what came of
// it, once and without a uuid.
func (m *cluster) convert(a *agent, op *mesos.Offer_Operation) {
	status := &mesos.OperationStatus{OperationId: op.GetId()}
	if a == nil {
		status.State, status.Message = mesos.OperationState_OPERATION_DROPPED.Enum(), proto.String("the offer is void")
	} else if after, err := operations.Apply(op, a.free); err != nil {
		status.State, status.Message = mesos.OperationState_OPERATION_ERROR.Enum(), proto.String(err.Error())
	} else {
		a.free, a.declined = after, false
		status.State, status.AgentId = mesos.OperationState_OPERATION_FINISHED.Enum(), &mesos.AgentID{Value: &a.Name}
	}
	if op.GetId() != nil {
		m.emit(&scheduler.Event{
			Type:                  scheduler.Event_UPDATE_OPERATION_STATUS.Enum(),
			UpdateOperationStatus: &scheduler.Event_UpdateOperationStatus{Status: status},
		})
	}
}
