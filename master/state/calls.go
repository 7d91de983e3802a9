package state

import (
	"troupe/master/state/view"
	"troupe/messages/cluster"
	"troupe/messages/field"
	"troupe/messages/mesos/allocator"
	"troupe/messages/mesos/scheduler"
	"troupe/messages/validate"
)

// What HTTP calls the answers to a call that was asked.
const (
	done        = 200 // carried out
	accepted    = 202 // taken in; what becomes of it is told by events
	forbidden   = 403
	misdirected = 421 // the framework is subscribed elsewhere
	unsupported = 501
)

// receiveCall checks a scheduler's call and who sends it, and hands it on. A
// call that was asked is answered by an APIResult in any case, exactly once.
func (m *Machine) receiveCall(in Received, call *scheduler.Call) {
	if err := validate.SchedulerCall(call); err != nil {
		m.refuseInvalid(in, call, err)
		return
	}
	if call.GetType() == scheduler.Call_SUBSCRIBE {
		m.subscribe(in.From, in.Principal, call)
		m.answerCall(in, accepted, "")
		return
	}
	id := FrameworkID(call.GetFrameworkId().GetValue())
	f := m.frameworks.byID[id]
	if f != nil && in.Principal != "" {
		if err := validate.Caller(in.Principal, f.view.Info); err != nil {
			m.refuseCall(in, badRequest, err)
			return
		}
	}
	if f == nil || !f.connected() || f.leaving || f.peer() != in.From {
		m.turnAway(in, f, call)
		return
	}
	m.publish(view.Called{Framework: id, Type: int32(call.GetType())})
	switch call.GetType() {
	case scheduler.Call_UPDATE_FRAMEWORK:
		m.updateFramework(in, f, call.GetUpdateFramework())
	case scheduler.Call_TEARDOWN:
		m.endFramework(f, func() {
			if in.Ask == 0 {
				m.sendError(in.From, "Framework has been removed")
			}
			m.answerCall(in, accepted, "")
		})
	case scheduler.Call_UNKNOWN:
		m.refuseCall(in, unsupported, field.Invalid("call.type", call.GetType().String(), "is not served"))
	default:
		m.obey(f, call)
		m.answerCall(in, accepted, "")
	}
}

// refuseInvalid answers a call that is not complete.
func (m *Machine) refuseInvalid(in Received, call *scheduler.Call, why error) {
	if call.GetType() == scheduler.Call_SUBSCRIBE && in.Ask == 0 {
		m.refuseSubscription(in.From, why)
		return
	}
	m.refuseCall(in, badRequest, why)
}

// turnAway answers a call for a framework that its sender is not the scheduler
// of: f, or nil when there is none with that id.
func (m *Machine) turnAway(in Received, f *framework, call *scheduler.Call) {
	id := call.GetFrameworkId().GetValue()
	at := []Field{{"framework", id}, {"type", call.GetType().String()}}
	switch {
	case f == nil && in.Ask == 0 && m.completed(FrameworkID(id)):
		m.refuseSubscription(in.From, field.Invalid("call.framework_id", id, "Framework has been removed"))
	case f == nil:
		m.drop(view.Others, in.From, "a call for a framework that is not known", at...)
		m.answerCall(in, badRequest, "Framework cannot be found")
	case !f.connected() || f.leaving:
		m.drop(view.Others, in.From, "a call for a framework that is not subscribed", at...)
		m.answerCall(in, forbidden, "Framework is not subscribed")
	default:
		m.drop(view.Others, in.From, "a call for a framework that is subscribed elsewhere", append(at, Field{"subscribed", f.view.Peer})...)
		if in.Ask == 0 {
			m.sendError(in.From, "Framework failed over")
		}
		m.answerCall(in, misdirected, "Framework is subscribed elsewhere")
	}
}

// answerCall answers a call that was asked; any other is answered by what
// follows from it.
func (m *Machine) answerCall(in Received, status uint32, why string) {
	if in.Ask == 0 {
		return
	}
	r := &scheduler.APIResult{StatusCode: &status}
	if why != "" {
		r.Error = &why
	}
	m.emit(Answer{To: in.From, Ask: in.Ask, Reply: r})
}

// refuseCall answers a call other than SUBSCRIBE that cannot be. The
// subscription stays.
func (m *Machine) refuseCall(in Received, status uint32, why error) {
	if in.Ask == 0 {
		m.object(in.From, status, why)
		return
	}
	m.publish(view.Judged{Kind: view.Others})
	m.note(Warn, "Refused a call: "+why.Error(), Field{"peer", string(in.From)})
	m.answerCall(in, status, why.Error())
}

// object tells a scheduler what was wrong with a call of its, asked or not.
func (m *Machine) object(to Peer, status uint32, why error) {
	m.publish(view.Judged{Kind: view.Others})
	m.note(Warn, "Refused a call: "+why.Error(), Field{"peer", string(to)})
	m.send(to, &scheduler.APIResult{StatusCode: &status, Error: new(why.Error())})
}

// obey carries out a call of a connected framework. One that cannot be changes
// nothing.
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
	case scheduler.Call_ACCEPT_INVERSE_OFFERS:
		m.answerInverse(f, call.GetAcceptInverseOffers().GetInverseOfferIds(), allocator.InverseOfferStatus_ACCEPT, call.GetAcceptInverseOffers().GetFilters())
	case scheduler.Call_DECLINE_INVERSE_OFFERS:
		m.answerInverse(f, call.GetDeclineInverseOffers().GetInverseOfferIds(), allocator.InverseOfferStatus_DECLINE, call.GetDeclineInverseOffers().GetFilters())
	case scheduler.Call_ACKNOWLEDGE_OPERATION_STATUS:
		m.acknowledgeOperation(f, call.GetAcknowledgeOperationStatus())
	}
}
