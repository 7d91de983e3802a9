package state

import (
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	"troupe/messages/field"
	"troupe/messages/mesos"
	"troupe/messages/mesos/scheduler"
	"troupe/messages/validate"
)

// checkCall checks that a call is complete: its type, the part that belongs to the
// type, and the framework's id.
func checkCall(call *scheduler.Call) error {
	if err := proto.CheckInitialized(call); err != nil {
		return field.Invalid("call", nil, "Not initialized: %s", plainText(err))
	}
	if call.Type == nil || call.GetType() == scheduler.Call_UNKNOWN {
		return field.Invalid("call.type", call.GetType().String(), "Expecting 'type' to be present")
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
	case scheduler.Call_TEARDOWN, scheduler.Call_REVIVE, scheduler.Call_SUPPRESS:
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

// checkFramework checks what a framework says of itself, and that this master
// allows it.
func (m *Machine) checkFramework(info *mesos.FrameworkInfo, suppressed []string) error {
	if err := validate.FrameworkInfo(info); err != nil {
		return field.In("framework_info", err)
	}
	if m.cfg.RefuseRoot && info.GetUser() == "root" {
		return field.Invalid("framework_info.user", info.GetUser(), "is not allowed by this master")
	}
	roles := validate.Roles(info)
	for i, role := range roles {
		if len(m.cfg.Roles) > 0 && !slices.Contains(m.cfg.Roles, role) {
			return field.At("framework_info.roles", i, field.Invalid("", role, "is not among the roles that this master allows"))
		}
	}
	for i, role := range suppressed {
		if !slices.Contains(roles, role) {
			return field.At("suppressed_roles", i, field.Invalid("", role, "is not among the framework's roles"))
		}
	}
	return nil
}

// checkUpdate checks that an UPDATE_FRAMEWORK leaves alone what never changes.
func checkUpdate(have, want *mesos.FrameworkInfo) error {
	switch {
	case have.GetPrincipal() != want.GetPrincipal():
		return field.Invalid("framework_info.principal", want.GetPrincipal(), "Changing framework's principal is not allowed.")
	case have.GetUser() != want.GetUser():
		return field.Invalid("framework_info.user", want.GetUser(), "may not change from %q", have.GetUser())
	case have.GetCheckpoint() != want.GetCheckpoint():
		return field.Invalid("framework_info.checkpoint", want.GetCheckpoint(), "may not change")
	}
	return nil
}

// checkNoID checks that an operation that launches does not ask for feedback.
func checkNoID(op *mesos.Offer_Operation) error {
	if op.Id != nil {
		return field.Invalid("operation.id", op.GetId().GetValue(), "must not be set for %s", op.GetType())
	}
	return nil
}

// checkOwner checks that an executor does not claim to be of another framework.
func checkOwner(e *mesos.ExecutorInfo, f FrameworkID) error {
	if given := e.GetFrameworkId().GetValue(); given != "" && given != string(f) {
		return field.Invalid("executor.framework_id", given, "is not the framework's own id %s", f)
	}
	return nil
}

// userOf is who a task runs as.
func userOf(info *mesos.TaskInfo, f *mesos.FrameworkInfo) string {
	for _, user := range []string{info.GetCommand().GetUser(), info.GetExecutor().GetCommand().GetUser()} {
		if user != "" {
			return user
		}
	}
	return f.GetUser()
}
