package state

import (
	"fmt"

	"troupe/messages/cluster"
	"troupe/slave/state/view"
)

// host is an executor host: a process that holds containers.
type host struct {
	id         HostID
	peer       Peer // "" until it is ready, and while its link is broken
	pid        int32
	containers map[ContainerID]*executor
	stopping   bool
	// Why it ended; nil while it has not.
	end *string
}

// unclaimed holds the containers of an earlier agent process until their
// hosts say that they have them.
const unclaimed HostID = "unclaimed"

// place finds room for an executor, and launches it as soon as that can be.
func (m *Machine) place(e *executor) {
	h := m.roomyHost()
	e.host, e.step = h, waiting
	h.containers[e.container] = e
	m.publishHost(h)
	if h.peer != "" {
		m.launchIn(h, e)
	}
}

// roomyHost is the first host with room, or a new one.
func (m *Machine) roomyHost() *host {
	for _, h := range sorted(m.hosts) {
		if h.id != unclaimed && !h.stopping && h.end == nil && len(h.containers) < m.cfg.ContainersPerHost {
			return h
		}
	}
	m.lastHost++
	h := m.newHost(m.chance.host(m.lastHost))
	m.emit(StartHost{h.id})
	m.emit(SetTimer{hostTimer(h.id), m.cfg.HostPatience})
	return h
}

func (m *Machine) newHost(id HostID) *host {
	h := &host{id: id, containers: map[ContainerID]*executor{}}
	m.hosts[id] = h
	return h
}

func hostTimer(h HostID) string { return timerHost + "/" + string(h) }

func (m *Machine) publishHost(h *host) {
	if h.id != unclaimed {
		m.publish(view.HostChanged{Host: &view.Host{ID: h.id, Pid: h.pid, Containers: len(h.containers)}})
	}
}

func (m *Machine) launchIn(h *host, e *executor) {
	e.step = asked
	m.send(h.peer, &cluster.LaunchContainer{
		ContainerId: e.containerID(), Kind: e.kind.Enum(), Framework: e.framework.info, Executor: e.info,
		Sandbox: &e.sandbox, User: &e.user, Environment: m.environment(e),
	})
	m.emit(SetTimer{containerTimer(timerSubscription, e.container), m.cfg.ExecutorRegistration})
}

// unplace takes an executor off its host, and lets go of a host that is not
// needed.
func (m *Machine) unplace(e *executor) {
	h := e.host
	if h == nil {
		return
	}
	delete(h.containers, e.container)
	m.publishHost(h)
	m.stopIdle(h)
}

// stopIdle keeps an empty host only if no other has room: a new launch need
// not wait for one then.
func (m *Machine) stopIdle(h *host) {
	if h.id == unclaimed {
		if len(h.containers) == 0 && h.end == nil {
			delete(m.hosts, unclaimed)
			m.emit(CancelTimer{hostTimer(unclaimed)})
		}
		return
	}
	if len(h.containers) > 0 || h.stopping || h.end != nil || h.peer == "" {
		return
	}
	needed := m.leaving == ""
	for _, o := range m.hosts {
		if o != h && o.peer != "" && !o.stopping && len(o.containers) < m.cfg.ContainersPerHost {
			needed = false
		}
	}
	if !needed {
		h.stopping = true
		m.send(h.peer, &cluster.StopHost{})
		m.emit(SetTimer{hostTimer(h.id), m.cfg.HostPatience})
	}
}

// hostReady takes a host in: one that was started, one that returns, or one
// that an earlier agent process started.
func (m *Machine) hostReady(from Peer, msg *cluster.HostReady) {
	h := m.hosts[HostID(msg.GetHostId())]
	switch {
	case h == nil:
		h = m.newHost(HostID(msg.GetHostId()))
		m.emit(WatchHost{h.id, msg.GetPid()})
	case h.id == unclaimed || h.end != nil || h.peer != "" && h.peer != from:
		m.note(Warn, "A host was not let in: another has its id", Field{"host", msg.GetHostId()}, Field{"from", string(from)})
		return
	}
	if h.peer != from {
		h.peer, h.pid = from, msg.GetPid()
		m.emit(Link{from})
	}
	m.emit(CancelTimer{hostTimer(h.id)})
	h.stopping = false // if it was told so, it did not hear
	m.compare(h, msg.GetContainers())
	m.publishHost(h)
	m.stopIdle(h)
}

// compare brings what a host holds and what it should hold together.
func (m *Machine) compare(h *host, held []*cluster.HostedContainer) {
	there := map[ContainerID]bool{}
	for _, c := range held {
		id := ContainerID(c.GetContainerId().GetValue())
		there[id] = true
		e := m.containers[id]
		if e == nil || e.host != h && (e.host == nil || e.host.id != unclaimed) {
			m.send(h.peer, &cluster.DestroyContainer{ContainerId: c.GetContainerId()})
			continue
		}
		if e.host != h {
			m.claim(h, e)
		}
		e.launched, e.pid = true, c.GetPid()
		m.publishExecutor(e)
	}
	for _, e := range sorted(h.containers) {
		switch {
		case e.phase == view.Terminating, !there[e.container] && e.launched:
			// Answered by ContainerEnded, also when it has ended already.
			m.destroy(e)
		case !there[e.container]:
			m.launchIn(h, e)
		}
	}
}

// claim moves an executor of an earlier agent process to the host that has
// it. It has its time to subscribe anew.
func (m *Machine) claim(h *host, e *executor) {
	m.unplace(e)
	e.host, e.fate = h, fate{}
	h.containers[e.container] = e
	m.emit(SetTimer{containerTimer(timerSubscription, e.container), m.cfg.ExecutorRegistration})
}

// containerEnded takes the host's word, and answers it once it is durable.
func (m *Machine) containerEnded(from Peer, msg *cluster.ContainerEnded) {
	acknowledge := func() { m.send(from, &cluster.ContainerEndedAck{ContainerId: msg.GetContainerId()}) }
	e := m.containers[ContainerID(msg.GetContainerId().GetValue())]
	switch {
	case m.going[ContainerID(msg.GetContainerId().GetValue())]:
		return // answered when the first word of it is durable
	case e == nil:
		acknowledge() // repeated, or destroyed as unknown
		return
	case e.host == nil || e.host.peer != from && e.host.id != unclaimed:
		m.note(Warn, "The end of a container was not believed: it is in another host",
			Field{"container", string(e.container)}, Field{"from", string(from)})
		return
	}
	if msg.Status == nil {
		m.count(view.LaunchErrors)
	}
	m.ended(e, endMessage(msg), func() {
		m.executorExited(e, msg.Status)
		acknowledge()
	})
}

// endMessage says how an executor's process ended, when the host does not.
func endMessage(msg *cluster.ContainerEnded) string {
	// As wait(2) has it: a signal in the low seven bits, else a status above.
	status := msg.GetStatus()
	switch {
	case msg.GetMessage() != "":
		return msg.GetMessage()
	case msg.Status == nil || status < 0:
		return ""
	case status&0x7f != 0:
		return fmt.Sprintf("it was killed by signal %d", status&0x7f)
	}
	return fmt.Sprintf("it exited with status %d", status>>8&0xff)
}

// executorExited tells the master of an executor that it knows.
func (m *Machine) executorExited(e *executor, status *int32) {
	if !e.generated() && !e.framework.ending {
		m.send(m.master.peer, &cluster.ExecutorExited{
			FrameworkId: e.framework.info.Id, AgentId: m.id(), ExecutorId: e.info.ExecutorId, Status: status,
		})
	}
}

// hostLost waits for a host to come back; its process may be fine.
func (m *Machine) hostLost(p Peer) {
	for _, h := range sorted(m.hosts) {
		if h.peer == p && p != "" {
			h.peer = ""
			m.emit(SetTimer{hostTimer(h.id), m.cfg.HostPatience})
		}
	}
}

func (m *Machine) hostOverdue(id HostID) {
	h := m.hosts[id]
	switch {
	case h == nil || h.end != nil:
	case id == unclaimed:
		m.lose(h, "no host has it any more")
	default:
		m.note(Warn, "A host does not answer, and is killed", Field{"host", string(id)})
		m.emit(KillHost{id, h.pid})
	}
}

// hostEnded makes sure that nothing of a host's containers is left before
// anybody hears of their end.
func (m *Machine) hostEnded(in HostEnded) {
	if h := m.hosts[in.Host]; h != nil && h.end == nil {
		m.emit(CancelTimer{hostTimer(h.id)})
		if h.peer != "" {
			m.emit(Unlink{h.peer})
		}
		m.lose(h, in.Message)
	}
}

func (m *Machine) lose(h *host, why string) {
	h.end, h.peer = &why, ""
	if len(h.containers) == 0 {
		m.swept(h.id)
		return
	}
	m.note(Warn, "A host ended with containers in it", Field{"host", string(h.id)}, Field{"why", why},
		Field{"containers", fmt.Sprint(len(h.containers))})
	var sandboxes []string
	for _, e := range sorted(h.containers) {
		sandboxes = append(sandboxes, e.sandbox)
	}
	m.emit(Sweep{h.id, sandboxes})
}

func (m *Machine) swept(id HostID) {
	h := m.hosts[id]
	if h == nil || h.end == nil {
		return
	}
	for _, e := range sorted(h.containers) {
		m.ended(e, "its host "+string(id)+" ended: "+*h.end, func() { m.executorExited(e, nil) })
	}
	delete(m.hosts, id)
	if id != unclaimed {
		m.publish(view.HostRemoved{ID: id})
	}
}
