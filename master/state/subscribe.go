package state

import (
	"slices"

	"google.golang.org/protobuf/proto"

	"troupe/master/state/view"
	"troupe/messages/cluster"
	"troupe/messages/field"
	"troupe/messages/mesos"
	"troupe/messages/mesos/scheduler"
)

// subscribe begins or takes over a framework's subscription. Whatever is wrong
// with it is answered with an ERROR event.
func (m *Machine) subscribe(from Peer, principal string, call *scheduler.Call) {
	m.publish(view.Called{Type: int32(scheduler.Call_SUBSCRIBE)})
	sub := call.GetSubscribe()
	info, err := m.frameworkInfo(principal, sub.GetFrameworkInfo())
	if err == nil {
		err = m.checkFramework(info, sub.GetSuppressedRoles())
	}
	if err != nil {
		m.refuseSubscription(from, err)
		return
	}
	id := FrameworkID(info.GetId().GetValue())
	current := m.frameworks.byPeer[from]
	if id == "" && current != nil {
		id = current.id() // the answer to its first SUBSCRIBE was lost
		info.Id = current.view.Info.GetId()
	}
	if current != nil && current.id() != id {
		m.frameworkDisconnected(current)
	}
	if m.frameworks.completed(id) {
		m.refuseSubscription(from, field.Invalid("framework_info.id", string(id), "Framework has been removed"))
		return
	}
	if f := m.frameworks.byID[id]; f != nil {
		m.resubscribe(f, from, info, sub.GetSuppressedRoles())
		return
	}
	if id == "" {
		id = m.frameworks.newID(m.cfg.MasterID)
		info.Id = &mesos.FrameworkID{Value: new(string(id))}
	}
	f := m.addFramework(view.Framework{
		ID: id, Info: info, Peer: string(from), Connected: true, Active: true, Roles: rolesOf(info),
		Suppressed: sub.GetSuppressedRoles(), Registered: m.now,
	})
	m.connectFramework(f, from)
}

// frameworkInfo returns a copy of info that names who subscribes.
func (m *Machine) frameworkInfo(principal string, info *mesos.FrameworkInfo) (*mesos.FrameworkInfo, error) {
	info = proto.CloneOf(info)
	switch {
	case principal == "" || info.GetPrincipal() == principal:
	case info.Principal == nil:
		info.Principal = &principal
	default:
		return nil, field.Invalid("framework_info.principal", info.GetPrincipal(), "is not %q, who is connected", principal)
	}
	if info.GetId().GetValue() == "" {
		info.Id = nil
	}
	return info, nil
}

// resubscribe connects a framework that is known, and ends the subscription
// that it may still have elsewhere.
func (m *Machine) resubscribe(f *framework, from Peer, info *mesos.FrameworkInfo, suppressed []string) {
	if info.GetPrincipal() != f.view.Info.GetPrincipal() && !f.view.Recovered {
		m.refuseSubscription(from, field.Invalid("framework_info.principal", info.GetPrincipal(),
			"Changing framework's principal is not allowed."))
		return
	}
	if f.connected() && f.peer() != from {
		delete(m.frameworks.byPeer, f.peer())
		m.sendError(f.peer(), "Framework failed over")
		m.emit(Unlink{f.peer()})
	}
	m.discardOffers(f)
	m.emit(CancelTimer{timerFailover + "/" + string(f.id())})
	m.replaceInfo(f, info, suppressed, func(v *view.Framework) {
		v.Peer, v.Connected, v.Active, v.Recovered = string(from), true, true, false
		v.Reregistered = m.now
	})
	m.connectFramework(f, from)
	m.broadcastInfo(f)
}

// replaceInfo gives a framework a new info. Its user and whether it
// checkpoints never change.
func (m *Machine) replaceInfo(f *framework, info *mesos.FrameworkInfo, suppressed []string, change func(*view.Framework)) {
	info.User, info.Checkpoint = f.view.Info.User, f.view.Info.Checkpoint
	f.can = abilitiesOf(info)
	m.changeFramework(f, func(v *view.Framework) {
		v.Info, v.Roles, v.Suppressed = info, rolesOf(info), suppressed
		change(v)
	})
}

func (m *Machine) connectFramework(f *framework, p Peer) {
	m.frameworks.byPeer[p] = f
	m.emit(Link{p})
	m.send(p, &scheduler.Event{
		Type: scheduler.Event_SUBSCRIBED.Enum(),
		Subscribed: &scheduler.Event_Subscribed{
			FrameworkId:              f.view.Info.GetId(),
			HeartbeatIntervalSeconds: new(m.cfg.HeartbeatInterval.Seconds()),
			MasterInfo:               m.cfg.Info,
		},
	})
	m.heartbeat(f.id())
	m.tellAllocator(&cluster.AddFramework{Framework: f.view.Info, SuppressedRoles: f.view.Suppressed})
	m.note(Info, "A framework subscribed", Field{"framework", string(f.id())},
		Field{"name", f.view.Info.GetName()}, Field{"peer", string(p)})
}

// broadcastInfo tells the agents that run something of f what it is now.
func (m *Machine) broadcastInfo(f *framework) {
	told := make(map[*agent]bool)
	for _, t := range f.order {
		if a := t.agent; a.connected() && !told[a] {
			told[a] = true
			m.send(a.peer(), &cluster.UpdateFramework{Framework: f.view.Info})
		}
	}
}

// updateFramework is UPDATE_FRAMEWORK: all or nothing.
func (m *Machine) updateFramework(f *framework, call *scheduler.Call_UpdateFramework) {
	info := proto.CloneOf(call.GetFrameworkInfo())
	err := checkUpdate(f.view.Info, info)
	if err == nil {
		err = m.checkFramework(info, call.GetSuppressedRoles())
	}
	if err != nil {
		m.refuseCall(f.peer(), err)
		return
	}
	m.replaceInfo(f, info, call.GetSuppressedRoles(), func(*view.Framework) {})
	for _, o := range f.orderedOffers() {
		if !slices.Contains(f.view.Roles, o.view.Role) {
			m.rescind(o)
		}
	}
	m.tellAllocator(&cluster.AddFramework{Framework: f.view.Info, SuppressedRoles: f.view.Suppressed})
	m.broadcastInfo(f)
}

// refuseSubscription answers a SUBSCRIBE that cannot be, and any call for a
// framework that is no more: the scheduler has to give up.
func (m *Machine) refuseSubscription(to Peer, why error) {
	m.publish(view.Judged{Kind: view.Others})
	m.note(Warn, "Refused a subscription: "+why.Error(), Field{"peer", string(to)})
	m.sendError(to, why.Error())
}

// refuseCall answers any other call that cannot be. The subscription stays.
func (m *Machine) refuseCall(to Peer, why error) {
	m.publish(view.Judged{Kind: view.Others})
	m.note(Warn, "Refused a call: "+why.Error(), Field{"peer", string(to)})
	m.send(to, &scheduler.APIResult{StatusCode: new(uint32(badRequest)), Error: new(why.Error())})
}

// badRequest is what HTTP calls it.
const badRequest = 400

func (m *Machine) sendError(to Peer, message string) {
	m.send(to, &scheduler.Event{
		Type: scheduler.Event_ERROR.Enum(), Error: &scheduler.Event_Error{Message: &message},
	})
}
