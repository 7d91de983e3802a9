package validate

import (
	"troupe/messages/field"
	"troupe/messages/mesos/scheduler"
	"troupe/messages/names"

	"google.golang.org/protobuf/proto"
)

// Call checks that a call is complete: its type, the part that belongs to the
// type, and the framework's id.
func Call(call *scheduler.Call) error {
	if err := proto.CheckInitialized(call); err != nil {
		return field.Invalid("call", nil, "Not initialized: %v", err)
	}
	if call.Type == nil || call.GetType() == scheduler.Call_UNKNOWN {
		return field.Invalid("call.type", call.GetType().String(), "Expecting 'type' to be present")
	}
	if !partPresent(call) {
		return field.Invalid("call", call.GetType().String(), "Expecting the part that belongs to this 'type' to be present")
	}
	if call.GetType() == scheduler.Call_SUBSCRIBE {
		return subscribe(call)
	}
	if call.FrameworkId == nil {
		return field.Invalid("call.framework_id", nil, "Expecting 'framework_id' to be present")
	}
	return details(call)
}

// partPresent tells whether the part that a call's type asks for is there. A
// type that this master does not know has none.
func partPresent(c *scheduler.Call) bool {
	switch c.GetType() {
	case scheduler.Call_SUBSCRIBE:
		return c.Subscribe != nil
	case scheduler.Call_ACCEPT:
		return c.Accept != nil
	case scheduler.Call_DECLINE:
		return c.Decline != nil
	case scheduler.Call_ACCEPT_INVERSE_OFFERS:
		return c.AcceptInverseOffers != nil
	case scheduler.Call_DECLINE_INVERSE_OFFERS:
		return c.DeclineInverseOffers != nil
	case scheduler.Call_KILL:
		return c.Kill != nil
	case scheduler.Call_SHUTDOWN:
		return c.Shutdown != nil
	case scheduler.Call_ACKNOWLEDGE:
		return c.Acknowledge != nil
	case scheduler.Call_ACKNOWLEDGE_OPERATION_STATUS:
		return c.AcknowledgeOperationStatus != nil
	case scheduler.Call_RECONCILE:
		return c.Reconcile != nil
	case scheduler.Call_RECONCILE_OPERATIONS:
		return c.ReconcileOperations != nil
	case scheduler.Call_MESSAGE:
		return c.Message != nil
	case scheduler.Call_REQUEST:
		return c.Request != nil
	case scheduler.Call_UPDATE_FRAMEWORK:
		return c.UpdateFramework != nil
	case scheduler.Call_TEARDOWN, scheduler.Call_REVIVE, scheduler.Call_SUPPRESS:
		return true
	}
	return false
}

func subscribe(call *scheduler.Call) error {
	own, given := call.GetFrameworkId().GetValue(), call.GetSubscribe().GetFrameworkInfo().GetId().GetValue()
	if own != given {
		return field.Invalid("call.framework_id", own, "'framework_id' differs from 'subscribe.framework_info.id' %q", given)
	}
	if given == "" {
		return nil
	}
	return names.CheckID("call.framework_id", given)
}

func details(call *scheduler.Call) error {
	switch call.GetType() {
	case scheduler.Call_ACKNOWLEDGE:
		return uuid("acknowledge.uuid", call.GetAcknowledge().GetUuid())
	case scheduler.Call_ACKNOWLEDGE_OPERATION_STATUS:
		if call.GetAcknowledgeOperationStatus().AgentId == nil {
			return field.Invalid("acknowledge_operation_status.agent_id", nil, "Expecting 'agent_id' to be present")
		}
		return uuid("acknowledge_operation_status.uuid", call.GetAcknowledgeOperationStatus().GetUuid())
	case scheduler.Call_UPDATE_FRAMEWORK:
		own, given := call.GetFrameworkId().GetValue(), call.GetUpdateFramework().GetFrameworkInfo().GetId().GetValue()
		if own != given {
			return field.Invalid("call.framework_id", own, "'framework_id' differs from 'update_framework.framework_info.id' %q", given)
		}
	}
	return nil
}

func uuid(path string, b []byte) error {
	if len(b) != 16 {
		return field.Invalid(path, b, "has %d bytes, not 16", len(b))
	}
	return nil
}

// Removed is the error of a call for a framework that was removed.
func Removed(id string) error {
	return field.Invalid("call.framework_id", id, "Framework has been removed")
}
