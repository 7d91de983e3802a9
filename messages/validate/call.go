package validate

import (
	"strings"

	"google.golang.org/protobuf/proto"

	"troupe/messages/field"
	"troupe/messages/mesos/scheduler"
)

// SchedulerCall checks that a scheduler's call is complete: its type, the part
// that belongs to the type, and the framework's id. The type UNKNOWN counts as
// one, which has no part.
func SchedulerCall(call *scheduler.Call) error {
	if err := proto.CheckInitialized(call); err != nil {
		return field.Invalid("call", nil, "Not initialized: %s", plainText(err))
	}
	if call.Type == nil {
		return field.Invalid("call.type", nil, "Expecting 'type' to be present")
	}
	if !partPresent(call) {
		return field.Invalid("call", call.GetType().String(), "Expecting the part that belongs to this 'type' to be present")
	}
	if call.GetType() == scheduler.Call_SUBSCRIBE {
		return checkSubscribe(call)
	}
	if call.FrameworkId == nil {
		return field.Invalid("call.framework_id", nil, "Expecting 'framework_id' to be present")
	}
	return checkDetails(call)
}

// plainText is an error of the protobuf library, whose first words differ from
// build to build.
func plainText(err error) string {
	_, text, found := strings.Cut(err.Error(), "required field ")
	if !found {
		return err.Error()
	}
	return "required field " + text
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
	case scheduler.Call_TEARDOWN, scheduler.Call_REVIVE, scheduler.Call_SUPPRESS, scheduler.Call_UNKNOWN:
		return true
	}
	return false
}

func checkSubscribe(call *scheduler.Call) error {
	own, given := call.GetFrameworkId().GetValue(), call.GetSubscribe().GetFrameworkInfo().GetId().GetValue()
	if own != given {
		return field.Invalid("call.framework_id", own, "'framework_id' differs from 'subscribe.framework_info.id' %q", given)
	}
	return nil
}

func checkDetails(call *scheduler.Call) error {
	switch call.GetType() {
	case scheduler.Call_ACKNOWLEDGE:
		return checkUUID("acknowledge.uuid", call.GetAcknowledge().GetUuid())
	case scheduler.Call_ACKNOWLEDGE_OPERATION_STATUS:
		if call.GetAcknowledgeOperationStatus().AgentId == nil {
			return field.Invalid("acknowledge_operation_status.agent_id", nil, "Expecting 'agent_id' to be present")
		}
		return checkUUID("acknowledge_operation_status.uuid", call.GetAcknowledgeOperationStatus().GetUuid())
	case scheduler.Call_UPDATE_FRAMEWORK:
		own, given := call.GetFrameworkId().GetValue(), call.GetUpdateFramework().GetFrameworkInfo().GetId().GetValue()
		if own != given {
			return field.Invalid("call.framework_id", own, "'framework_id' differs from 'update_framework.framework_info.id' %q", given)
		}
	}
	return nil
}

func checkUUID(path string, b []byte) error {
	if len(b) != 16 {
		return field.Invalid(path, b, "has %d bytes, not 16", len(b))
	}
	return nil
}
