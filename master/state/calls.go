package state

import (
	"troupe/master/state/view"
	"troupe/messages/cluster"
	"troupe/messages/field"
	"troupe/messages/mesos/scheduler"
)

// receiveCall checks a scheduler's call and who sends it, and hands it on.
func (m *Machine) receiveCall(from Peer, principal string, call *scheduler.Call) {
	if err := checkCall(call); err != nil {
		if call.GetType() == scheduler.Call_SUBSCRIBE {
			m.refuseSubscription(from, err)
		} else {
			m.refuseCall(from, err)
		}
		return
	}
	if call.GetType() == scheduler.Call_SUBSCRIBE {
		m.subscribe(from, principal, call)
		return
	}
	id := FrameworkID(call.GetFrameworkId().GetValue())
	f := m.frameworks.byID[id]
	switch {
	case f == nil && m.completed(id):
		m.refuseSubscription(from, field.Invalid("call.framework_id", string(id), "Framework has been removed"))
		return
	case f == nil || !f.connected() || f.leaving:
		m.drop(view.Others, from, "a call for a framework that is not subscribed", Field{"framework", string(id)},
			Field{"type", call.GetType().String()})
		return
	case f.peer() != from:
		m.drop(view.Others, from, "a call for a framework that is subscribed elsewhere", Field{"framework", string(id)},
			Field{"type", call.GetType().String()}, Field{"subscribed", f.view.Peer})
		m.sendError(from, "Framework failed over")
		return
	}
	m.publish(view.Called{Framework: id, Type: int32(call.GetType())})
	m.obey(f, call)
}

// obey carries out a call of a connected framework.
func (m *Machine) obey(f *framework, call *scheduler.Call) {
	switch call.GetType() {
	case scheduler.Call_ACCEPT:
		m.accept(f, call.GetAccept())
	case scheduler.Call_DECLINE:
		m.decline(f, call.GetDecline())
	case scheduler.Call_ACKNOWLEDGE:
		m.acknowledge(f, call.GetAcknowledge())
	case scheduler.Call_KILL:
		m.kill(f, call.GetKill())
	case scheduler.Call_REVIVE:
		m.revive(f, call.GetRevive().GetRoles())
	case scheduler.Call_SUPPRESS:
		m.suppress(f, call.GetSuppress().GetRoles())
	case scheduler.Call_RECONCILE:
		m.reconcile(f, call.GetReconcile())
	case scheduler.Call_RECONCILE_OPERATIONS:
		m.reconcileOperations(f, call.GetReconcileOperations())
	case scheduler.Call_MESSAGE:
		m.message(f, call.GetMessage())
	case scheduler.Call_SHUTDOWN:
		m.shutdown(f, call.GetShutdown())
	case scheduler.Call_REQUEST:
		m.tellAllocator(&cluster.RequestResources{FrameworkId: f.view.Info.GetId(), Requests: call.GetRequest().GetRequests()})
	case scheduler.Call_TEARDOWN:
		m.endFramework(f, nil)
	case scheduler.Call_UPDATE_FRAMEWORK:
		m.updateFramework(f, call.GetUpdateFramework())
	case scheduler.Call_ACCEPT_INVERSE_OFFERS, scheduler.Call_DECLINE_INVERSE_OFFERS:
		m.note(Debug, "An answer to inverse offers: there are none", Field{"framework", string(f.id())})
	case scheduler.Call_ACKNOWLEDGE_OPERATION_STATUS:
		m.drop(view.Others, f.peer(), "an acknowledgement of an operation that is not known",
			Field{"operation", call.GetAcknowledgeOperationStatus().GetOperationId().GetValue()})
	}
}
