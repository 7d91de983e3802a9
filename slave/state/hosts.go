package state

import (
	"fmt"

	"troupe/messages/cluster"
	"troupe/messages/validate"
	"troupe/slave/state/view"
)

// host is an executor host: a process that holds containers.
type host struct {
	id         HostID
	peer       Peer // "" until it is ready, and while its link is broken
	pid        int32
	started    uint64 // when its process did; with the pid it names one
	known      bool   // its process is one that this agent started, and is durable
	returning  bool   // of an earlier agent process, and has not said what it holds
	spared     bool   // returning, and given more time for the sake of its executors
	containers map[ContainerID]*executor
	guests     map[ContainerID]bool // containers that are no executor's
	waiting    []waitingCall        // for the host to be ready
	stopping   bool
	// Its HostReady, from whom, while it is not known yet.
	knocking *cluster.HostReady
	knocker  Peer
	// Why it ended; nil while it has not.
	end *string
}

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
		if h.id != unclaimed && !h.stopping && h.end == nil && h.held() < m.cfg.ContainersPerHost {
			return h
		}
	}
	m.last.host++
	h := m.newHost(m.chance.host(m.last.host))
	m.emit(StartHost{h.id})
	m.emit(SetTimer{hostTimer(h.id), m.cfg.HostPatience})
	return h
}

func (m *Machine) newHost(id HostID) *host {
	h := &host{id: id, containers: map[ContainerID]*executor{}, guests: map[ContainerID]bool{}}
	m.hosts[id] = h
	return h
}

func (h *host) held() int { return len(h.containers) + len(h.guests) }

func hostTimer(h HostID) string { return timerHost + "/" + string(h) }

func (m *Machine) publishHost(h *host) {
	if h.id != unclaimed {
		m.publish(view.HostChanged{Host: &view.Host{ID: h.id, Pid: h.pid, Containers: h.held(), Peer: string(h.peer)}})
	}
}

func (m *Machine) launchIn(h *host, e *executor) {
	e.step, e.amounts = asked, m.amountsOf(e)
	m.send(h.peer, &cluster.LaunchContainer{
		ContainerId: e.containerID(), Kind: e.kind.Enum(), Framework: e.framework.info, Executor: e.info,
		Sandbox: &e.sandbox, User: &e.user, Environment: m.environment(e),
		Isolation: m.cfg.Isolation, Amounts: e.amounts,
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
		}
		return
	}
	if h.held() > 0 || h.stopping || h.end != nil || h.peer == "" {
		return
	}
	needed := !m.leaving.on()
	for _, o := range m.hosts {
		if o != h && o.peer != "" && !o.stopping && o.held() < m.cfg.ContainersPerHost {
			needed = false
		}
	}
	if !needed {
		h.stopping = true
		m.send(h.peer, &cluster.StopHost{})
		m.emit(SetTimer{hostTimer(h.id), m.cfg.HostPatience})
	}
}

// hostStarted knows a host's process for one of this agent's own, once that is
// durable: another agent process must find it.
func (m *Machine) hostStarted(in HostStarted) {
	h := m.hosts[in.Host]
	if h == nil || h.end != nil {
		return
	}
	h.pid = in.Pid
	if h.started != 0 {
		m.hostKnown(h) // as the journal has it
		return
	}
	h.started = in.Started
	m.checkpoint(func() { m.hostKnown(h) }, hostRecord(h))
}

func hostRecord(h *host) *cluster.JournalRecord {
	id := string(h.id)
	return &cluster.JournalRecord{Record: &cluster.JournalRecord_Host{
		Host: &cluster.HostStarted{HostId: &id, Pid: &h.pid, Started: &h.started},
	}}
}

func hostForgottenRecord(h HostID) *cluster.JournalRecord {
	id := string(h)
	return &cluster.JournalRecord{Record: &cluster.JournalRecord_HostForgotten{
		HostForgotten: &cluster.HostForgotten{HostId: &id},
	}}
}

func (m *Machine) hostKnown(h *host) {
	h.known = true
	msg, from := h.knocking, h.knocker
	h.knocking, h.knocker = nil, ""
	if msg != nil && h.end == nil {
		m.hostReady(from, msg)
	}
}

// hostReady takes a host in whose process is known for one of this agent's
// own: one that was started, one that returns, or one that an earlier agent
// process started.
func (m *Machine) hostReady(from Peer, msg *cluster.HostReady) {
	h := m.hosts[HostID(msg.GetHostId())]
	switch {
	case h == nil || h.id == unclaimed:
		m.dismiss(from, msg)
	case h.end == nil && !h.known:
		h.knocking, h.knocker = msg, from
	case h.end != nil || h.peer != "" && h.peer != from || h.pid != msg.GetPid():
		m.note(Warn, "A host was not let in: another has its id", Field{"host", msg.GetHostId()}, Field{"from", string(from)})
	default:
		m.takeIn(h, from, msg)
	}
}

// dismiss ends a host that no journal of this agent knows, with what it holds.
func (m *Machine) dismiss(from Peer, msg *cluster.HostReady) {
	m.note(Warn, "A host was not let in: this agent has not started it", Field{"host", msg.GetHostId()}, Field{"from", string(from)})
	for _, c := range msg.GetContainers() {
		m.send(from, &cluster.DestroyContainer{ContainerId: c.GetContainerId()})
	}
	for _, c := range msg.GetEnded() {
		m.send(from, &cluster.ContainerEndedAck{ContainerId: c.GetContainerId()})
	}
	m.send(from, &cluster.HostReadyAck{HostId: msg.HostId})
	m.send(from, &cluster.StopHost{})
}

func (m *Machine) takeIn(h *host, from Peer, msg *cluster.HostReady) {
	if h.peer != from {
		h.peer = from
		m.emit(Link{from})
	}
	m.emit(CancelTimer{hostTimer(h.id)})
	h.stopping = false // if it was told so, it did not hear
	m.send(from, &cluster.HostReadyAck{HostId: msg.HostId})
	m.compare(h, msg.GetContainers(), msg.GetEnded())
	for _, r := range msg.GetRetired() {
		m.sandboxRetired(from, r)
	}
	m.publishHost(h)
	m.flushCalls(h)
	m.stopIdle(h)
	m.hostReturned(h)
}

// compare brings what a host holds and what it should hold together.
func (m *Machine) compare(h *host, held []*cluster.HostedContainer, ended []*cluster.ContainerEnded) {
	there, guests := map[ContainerID]bool{}, map[ContainerID]bool{}
	for _, c := range held {
		id := ContainerID(c.GetContainerId().GetValue())
		if c.GetStandalone() {
			m.takeGuest(h, c, guests)
			continue
		}
		there[id] = true
		e := m.containers[id]
		if e == nil || !m.claim(h, e) {
			m.send(h.peer, &cluster.DestroyContainer{ContainerId: c.GetContainerId()})
			continue
		}
		e.launched, e.pid, e.groups = true, c.GetPid(), c.GetCgroupInfo()
		if !e.generated() || !e.idle() {
			e.amounts = m.amountsOf(e)
			m.sendAmounts(e)
		}
		m.publishExecutor(e)
		m.knocked(e)
		m.giveRest(e)
	}
	h.guests = guests
	for _, w := range h.waiting {
		if id, err := validate.ContainerCall(w.call.GetCall()); err == nil && id.Parent == nil {
			h.guests[rootOf(id)] = true
		}
	}
	for _, c := range ended {
		id := ContainerID(c.GetContainerId().GetValue())
		there[id] = true
		if e := m.containers[id]; e != nil && m.claim(h, e) {
			e.launched = e.launched || c.Status != nil
		}
		m.containerEnded(h.peer, c)
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

// containerEnded takes the host's word, and answers it once it is durable.
func (m *Machine) containerEnded(from Peer, msg *cluster.ContainerEnded) {
	acknowledge := func() { m.send(from, &cluster.ContainerEndedAck{ContainerId: msg.GetContainerId()}) }
	e := m.containers[ContainerID(msg.GetContainerId().GetValue())]
	switch {
	case m.going[ContainerID(msg.GetContainerId().GetValue())]:
		return // answered when the first word of it is durable
	case e == nil:
		acknowledge() // repeated, or destroyed as unknown
		m.containerRemoved(from, ContainerID(msg.GetContainerId().GetValue()))
		return
	case e.host == nil || e.host.peer != from:
		m.note(Warn, "The end of a container was not believed: it is in another host",
			Field{"container", string(e.container)}, Field{"from", string(from)})
		return
	}
	if msg.Status == nil {
		m.count(view.LaunchErrors)
	}
	m.ended(e, ending{message: endMessage(msg), status: msg.Status, limit: msg.GetLimit()}, acknowledge)
}

// endMessage says how an executor's process ended, when the host does not.
func endMessage(msg *cluster.ContainerEnded) string {
	status := msg.GetStatus()
	switch {
	case msg.GetMessage() != "":
		return msg.GetMessage()
	case msg.Status == nil || status < 0:
		return ""
	}
	return "it " + exitText(status)
}

// exitText is how a process ended, by its status.
func exitText(status int32) string {
	// As wait(2) has it: a signal in the low seven bits, else a status above.
	if signal := status & 0x7f; signal != 0 {
		return fmt.Sprintf("was killed by signal %d", signal)
	}
	return fmt.Sprintf("exited with status %d", status>>8&0xff)
}

// executorExited tells the master of an executor that it knows. While there is
// none, one may be reading a registration that names it: the word is kept until
// it has answered.
func (m *Machine) executorExited(e *executor, status *int32) {
	if e.generated() || e.framework.ending {
		return
	}
	exit := &cluster.ExecutorExited{
		FrameworkId: e.framework.info.Id, AgentId: m.id(), ExecutorId: e.info.ExecutorId, Status: status,
	}
	if m.master.peer == "" {
		m.master.exits = append(m.master.exits, exit)
		return
	}
	m.send(m.master.peer, exit)
}

// tellExits sends what was kept.
func (m *Machine) tellExits() {
	for _, exit := range m.master.exits {
		m.send(m.master.peer, exit)
	}
	m.master.exits = nil
}

// hostLost waits for a host to come back; its process may be fine.
func (m *Machine) hostLost(p Peer) {
	for _, h := range sorted(m.hosts) {
		if h.peer == p && p != "" {
			h.peer = ""
			m.publishHost(h)
			m.emit(SetTimer{hostTimer(h.id), m.cfg.HostPatience})
		}
	}
}

func (m *Machine) hostOverdue(id HostID) {
	h := m.hosts[id]
	switch {
	case h == nil || h.end != nil:
	case h.knocking != nil: // the disk is slow, not the host
		m.emit(SetTimer{hostTimer(id), m.cfg.HostPatience})
	case h.returning && !h.spared && m.executorsAreBack():
		h.spared = true
		m.emit(SetTimer{hostTimer(id), m.cfg.HostPatience})
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
	if h.started != 0 {
		m.checkpoint(nil, hostForgottenRecord(h.id))
	}
	if h.held() == 0 {
		m.swept(Swept{Host: h.id})
		return
	}
	m.note(Warn, "A host ended with containers in it", Field{"host", string(h.id)}, Field{"why", why},
		Field{"containers", fmt.Sprint(h.held())})
	remains := m.guestRemains(h)
	for _, e := range sorted(h.containers) {
		remains = append(remains, Remains{Container: e.container, Sandbox: e.sandbox, Tasks: e.untold()})
	}
	m.emit(Sweep{h.id, remains})
}

// swept tells of the end of a host's containers, as far as it is known.
func (m *Machine) swept(in Swept) {
	h := m.hosts[in.Host]
	if h == nil || h.end == nil {
		return
	}
	for _, e := range sorted(h.containers) {
		how := ending{message: "its host " + string(h.id) + " ended: " + *h.end}
		if status, known := in.Exits[Program{Container: e.container}]; known && status >= 0 {
			how.status = &status
		}
		how.found = e.found(in.Exits)
		m.ended(e, how, nil)
	}
	m.loseGuests(h)
	delete(m.hosts, h.id)
	if h.id != unclaimed {
		m.publish(view.HostRemoved{ID: h.id})
		m.hostReturned(h)
	}
}
