package state

import (
	executorapi "troupe/messages/mesos/executor"
	"troupe/slave/state/view"
)

// unclaimed holds the containers of an earlier agent process until their
// hosts say that they have them.
const unclaimed HostID = "unclaimed"

// awaitHosts looks for the hosts of an earlier agent process. One that lives and
// says nothing is killed in the end: while it lives, so may what it holds. It
// has as long as a new host when executors have come back that nobody claims.
// Containers have not outlived the machine's end.
func (m *Machine) awaitHosts(rebooted bool) {
	u := m.newHost(unclaimed)
	for _, e := range sorted(m.containers) {
		e.host = u
		u.containers[e.container] = e
	}
	for _, h := range sorted(m.hosts) {
		switch {
		case h == u:
		case rebooted:
			delete(m.hosts, h.id)
			m.checkpoint(nil, hostForgottenRecord(h.id))
		default:
			m.emit(WatchHost{h.id, h.pid, h.started})
			m.emit(SetTimer{hostTimer(h.id), m.cfg.ExecutorReregistration})
		}
	}
	switch {
	case len(u.containers) == 0:
		delete(m.hosts, unclaimed)
	case rebooted:
		m.lose(u, "the machine was started anew")
	default:
		m.loseUnclaimed()
	}
	if !m.recovering() {
		m.emit(FindStrays{})
	}
}

// hostReturned ends what no host has, once every host of the earlier agent
// process has said what it holds, or has ended.
func (m *Machine) hostReturned(h *host) {
	if !h.returning {
		return
	}
	h.returning = false
	if !m.recovering() {
		m.publishAgent()
		m.emit(FindStrays{})
	}
	m.loseUnclaimed()
}

// recovering tells that a host of the earlier agent process has yet to say what
// it holds, or to end.
func (m *Machine) recovering() bool {
	for _, h := range m.hosts {
		if h.returning {
			return true
		}
	}
	return false
}

func (m *Machine) loseUnclaimed() {
	u := m.hosts[unclaimed]
	if u == nil || u.end != nil || m.recovering() {
		return
	}
	m.lose(u, "no host has it any more")
}

// executorsAreBack tells that some executor has found its way back before its
// host. Which host has it is for that to say: until then any that is silent may
// be it, and is slow rather than dead.
func (m *Machine) executorsAreBack() bool {
	u := m.hosts[unclaimed]
	if u == nil {
		return false
	}
	for _, e := range u.containers {
		if e.knock != nil || e.peer != "" {
			return true
		}
	}
	return false
}

// claim moves an executor of an earlier agent process to the host that has
// it, where it has its time to subscribe anew. It is false for one that
// another host has.
func (m *Machine) claim(h *host, e *executor) bool {
	switch {
	case e.host == h:
		return true
	case e.host == nil || e.host.id != unclaimed || e.host.end != nil:
		return false
	}
	delete(e.host.containers, e.container)
	m.stopIdle(e.host)
	e.host, e.fate = h, fate{}
	h.containers[e.container] = e
	if e.phase < view.Running {
		m.emit(SetTimer{containerTimer(timerSubscription, e.container), m.cfg.ExecutorRegistration})
	}
	return true
}

// knock is a subscription of an executor whose host has yet to say that it has it,
// because it is away or has still to launch it.
type knock struct {
	from Peer
	call *executorapi.Call_Subscribe
}

// tooEarly keeps a subscription for as long as the host of the executor's
// container is away: nobody else can vouch for one that is built in, and no other
// can be given what its container may not use yet.
func (m *Machine) tooEarly(e *executor, from Peer, s *executorapi.Call_Subscribe) bool {
	if e.host != nil && e.host.peer != "" {
		return false
	}
	e.knock = &knock{from, s}
	return true
}

// knocked goes on with a subscription that came before its host did.
func (m *Machine) knocked(e *executor) {
	if k := e.knock; k != nil {
		e.knock = nil
		m.subscribe(e, k.from, k.call)
	}
}

// turnAway answers a subscription of an executor that has ended.
func (m *Machine) turnAway(e *executor) {
	if k := e.knock; k != nil {
		e.knock = nil
		m.send(k.from, shutdownEvent())
	}
}
