package state

import (
	"errors"
	"maps"
	"slices"

	"google.golang.org/protobuf/proto"

	"troupe/master/registry"
	"troupe/master/state/view"
	"troupe/messages/cluster"
	"troupe/messages/field"
	"troupe/messages/mesos"
	"troupe/messages/mesos/scheduler"
	"troupe/messages/validate"
)

// terms are what a framework says when it subscribes, or changes later.
type terms struct {
	info        *mesos.FrameworkInfo
	suppressed  []string
	constraints *scheduler.OfferConstraints // nil for none
}

// subscribe begins or takes over a framework's subscription. Whatever is wrong
// with it is answered with an ERROR event.
func (m *Machine) subscribe(from Peer, principal string, call *scheduler.Call) {
	m.publish(view.Called{Type: int32(scheduler.Call_SUBSCRIBE)})
	sub := call.GetSubscribe()
	info, err := m.frameworkInfo(principal, sub.GetFrameworkInfo())
	t := terms{info, sub.GetSuppressedRoles(), sub.GetOfferConstraints()}
	if err == nil {
		err = m.checkTerms(t)
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
	m.admitFramework(from, id, t)
}

// admitFramework makes a subscription durable, unless the registry holds it as
// it is, and connects the framework then. What repeats itself while its first
// admission, or its end, is under way is ignored.
func (m *Machine) admitFramework(from Peer, id FrameworkID, t terms) {
	f := m.frameworks.byID[id]
	switch {
	case m.completed(id):
		m.refuseSubscription(from, field.Invalid("framework_info.id", string(id), "Framework has been removed"))
		return
	case f != nil && f.leaving, id == "" && m.frameworks.asking[from]:
		return
	case f != nil:
		if err := m.checkReturn(f, t.info); err != nil {
			m.refuseSubscription(from, err)
			return
		}
		m.keepFixed(f, t.info)
	case id == "":
		id = m.newFrameworkID()
		t.info.Id = &mesos.FrameworkID{Value: new(string(id))}
		m.frameworks.asking[from] = true
	}
	m.persistFramework(id, t.info, func(conflict error) {
		delete(m.frameworks.asking, from)
		if errors.Is(conflict, registry.ErrTooLarge) {
			m.refuseSubscription(from, field.In("framework_info", conflict))
			return
		}
		if conflict != nil {
			m.refuseSubscription(from, field.Invalid("framework_info.id", string(id), "Framework has been removed"))
			return
		}
		m.onFrameworkAdmitted(from, id, t)
	})
}

// persistFramework makes a framework's info durable, at once when it already
// is and nothing that was asked for before may change that.
func (m *Machine) persistFramework(id FrameworkID, info *mesos.FrameworkInfo, then func(conflict error)) {
	op := registry.AdmitFramework{Framework: info, At: m.now}
	if m.frameworks.admitting[id] == 0 && !m.changes(op) {
		then(nil)
		return
	}
	m.frameworks.admitting[id]++
	m.persist(op, func(conflict error) {
		if m.frameworks.admitting[id]--; m.frameworks.admitting[id] == 0 {
			delete(m.frameworks.admitting, id)
		}
		then(conflict)
	})
}

func (m *Machine) onFrameworkAdmitted(from Peer, id FrameworkID, t terms) {
	f := m.frameworks.byID[id]
	if other := m.frameworks.byPeer[from]; other != nil && other != f {
		m.frameworkDisconnected(other) // it is another framework now
	}
	switch {
	case f == nil:
		f = m.addFramework(view.Framework{
			ID: id, Info: t.info, Peer: string(from), Connected: true, Active: true, Roles: rolesOf(t.info),
			Suppressed: t.suppressed, Constraints: t.constraints, Registered: m.now,
		})
		m.connectFramework(f, from)
	case !f.leaving:
		m.resubscribe(f, from, t)
	}
}

// frameworkInfo returns a copy of info that names who subscribes.
func (m *Machine) frameworkInfo(principal string, info *mesos.FrameworkInfo) (*mesos.FrameworkInfo, error) {
	info = proto.CloneOf(info)
	if principal != "" && info.Principal == nil {
		info.Principal = &principal
	}
	if principal != "" {
		if err := validate.Caller(principal, info); err != nil {
			return nil, err
		}
	}
	if info.GetId().GetValue() == "" {
		info.Id = nil
	}
	return info, nil
}

// resubscribe connects a framework that is known, and ends the subscription
// that it may still have elsewhere.
func (m *Machine) resubscribe(f *framework, from Peer, t terms) {
	if f.connected() && f.peer() != from {
		delete(m.frameworks.byPeer, f.peer())
		m.sendError(f.peer(), "Framework failed over")
		m.emit(Unlink{f.peer()})
	}
	if f.connected() && f.peer() == from {
		m.rescindOffers(f) // the answer to its last SUBSCRIBE may be under way, with offers behind it
		m.rescindPleas(f)
	}
	m.discardOffers(f)
	m.emit(CancelTimer{timerFailover + "/" + string(f.id())})
	changed := !proto.Equal(f.view.Info, t.info)
	m.replaceTerms(f, t, func(v *view.Framework) {
		v.Peer, v.Connected, v.Active, v.Recovered = string(from), true, true, false
		v.Reregistered = m.now
	})
	m.connectFramework(f, from)
	if changed {
		m.broadcastInfo(f)
	} else {
		m.correctInfo(f)
	}
	m.askForUpdates(f)
}

// askForUpdates makes the agents that wait for acknowledgements of f send their
// updates again at once: who subscribes may have missed them.
func (m *Machine) askForUpdates(f *framework) {
	asked := make(map[*agent]bool)
	ask := func(a *agent) {
		if a.connected() && !asked[a] {
			asked[a] = true
			m.send(a.peer(), &cluster.ResendUpdates{FrameworkId: f.view.Info.GetId()})
		}
	}
	for _, t := range f.order {
		if t.waiting {
			ask(t.agent)
		}
	}
	for _, o := range m.operations.ordered(f.id()) {
		if !o.pending() {
			ask(o.agent)
		}
	}
}

// checkReturn returns why a framework that is known may not subscribe with
// info. Who it is never changes, unless only agents say who it was.
func (m *Machine) checkReturn(f *framework, info *mesos.FrameworkInfo) error {
	vouched := !f.view.Recovered || m.registry.Framework(string(f.id())) != nil
	if vouched && info.GetPrincipal() != f.view.Info.GetPrincipal() {
		return field.Invalid("framework_info.principal", info.GetPrincipal(), "Changing framework's principal is not allowed.")
	}
	return nil
}

// keepFixed gives a new info what never changes of a framework: its user, and
// whether it checkpoints.
func (m *Machine) keepFixed(f *framework, info *mesos.FrameworkInfo) {
	was := f.view.Info
	if info.GetUser() != was.GetUser() || info.GetCheckpoint() != was.GetCheckpoint() {
		m.note(Warn, "A framework subscribes with another user or checkpoint, which never change", Field{"framework", string(f.id())},
			Field{"user", info.GetUser()}, Field{"kept", was.GetUser()})
	}
	info.User, info.Checkpoint = was.User, was.Checkpoint
}

// replaceTerms gives a framework new terms.
func (m *Machine) replaceTerms(f *framework, t terms, change func(*view.Framework)) {
	f.can = abilitiesOf(t.info)
	m.changeFramework(f, func(v *view.Framework) {
		v.Info, v.Roles, v.Suppressed, v.Constraints = t.info, rolesOf(t.info), t.suppressed, t.constraints
		change(v)
	})
}

func (m *Machine) connectFramework(f *framework, p Peer) {
	m.frameworks.byPeer[p] = f
	m.emit(Link{p})
	m.tell(f, &scheduler.Event{
		Type: scheduler.Event_SUBSCRIBED.Enum(),
		Subscribed: &scheduler.Event_Subscribed{
			FrameworkId:              f.view.Info.GetId(),
			HeartbeatIntervalSeconds: new(m.cfg.HeartbeatInterval.Seconds()),
			MasterInfo:               m.cfg.Info,
		},
	})
	m.heartbeat(f.id())
	m.tellAllocator(f.addition())
	m.stirFramework(f)
	m.note(Info, "A framework subscribed", Field{"framework", string(f.id())},
		Field{"name", f.view.Info.GetName()}, Field{"peer", string(p)})
}

// broadcastInfo tells the agents that run something of f, be it an executor that
// has no task at present, and those that know f as something else, what it is now.
func (m *Machine) broadcastInfo(f *framework) {
	told := make(map[AgentID]bool)
	for _, t := range f.order {
		m.tellInfo(f, t.agent, told)
	}
	for _, e := range f.orderedExecutors() {
		m.tellInfo(f, e.agent, told)
	}
	m.correctInfoBut(f, told)
}

// tellInfo tells an agent once; one that is away names f when it returns.
func (m *Machine) tellInfo(f *framework, a *agent, told map[AgentID]bool) {
	if a != nil && a.connected() && !told[a.id()] {
		told[a.id()] = true
		m.send(a.peer(), &cluster.UpdateFramework{Framework: f.view.Info})
	}
}

// correctInfo tells the agents that know f as something else: after a change of
// masters most know it as it is.
func (m *Machine) correctInfo(f *framework) { m.correctInfoBut(f, map[AgentID]bool{}) }

func (m *Machine) correctInfoBut(f *framework, told map[AgentID]bool) {
	for _, id := range slices.Sorted(maps.Keys(f.outdated)) {
		m.tellInfo(f, m.agents.byID[id], told)
	}
	f.outdated = nil
}

// updateFramework is UPDATE_FRAMEWORK: all or nothing, answered when it is
// durable.
func (m *Machine) updateFramework(in Received, f *framework, call *scheduler.Call_UpdateFramework) {
	t := terms{proto.CloneOf(call.GetFrameworkInfo()), call.GetSuppressedRoles(), call.GetOfferConstraints()}
	err := checkUpdate(f.view.Info, t.info)
	if err == nil {
		err = m.checkTerms(t)
	}
	if err != nil {
		m.refuseCall(in, badRequest, err)
		return
	}
	m.keepFixed(f, t.info)
	m.persistFramework(f.id(), t.info, func(refused error) {
		if errors.Is(refused, registry.ErrTooLarge) {
			m.answerCall(in, conflict, field.In("framework_info", refused).Error())
			return
		}
		if refused != nil || m.frameworks.byID[f.id()] != f || f.leaving {
			m.answerCall(in, conflict, "Framework was removed meanwhile")
			return
		}
		m.onFrameworkUpdated(f, t)
		m.answerCall(in, done, "")
	})
}

func (m *Machine) onFrameworkUpdated(f *framework, t terms) {
	m.replaceTerms(f, t, func(*view.Framework) {})
	for _, o := range f.orderedOffers() {
		if !slices.Contains(f.view.Roles, o.view.Role) {
			m.rescind(o)
		}
	}
	m.tellAllocator(f.addition())
	m.broadcastInfo(f)
}

// refuseSubscription answers a SUBSCRIBE that cannot be, and any call for a
// framework that is no more: the scheduler has to give up.
func (m *Machine) refuseSubscription(to Peer, why error) {
	m.publish(view.Judged{Kind: view.Others})
	m.note(Warn, "Refused a subscription: "+why.Error(), Field{"peer", string(to)})
	m.sendError(to, why.Error())
}

func (m *Machine) sendError(to Peer, message string) {
	m.send(to, &scheduler.Event{
		Type: scheduler.Event_ERROR.Enum(), Error: &scheduler.Event_Error{Message: &message},
	})
}
