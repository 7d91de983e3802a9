package state

import (
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/messages/redact"
	"troupe/slave/state/check"
	"troupe/slave/state/view"
	"troupe/slave/updates"
)

// The longest wait between two attempts to register.
const maxRegistrationBackoff = time.Minute

// hearing is how many times longer a master may be silent than a link that
// broke waits: the message has arrived, or the link would be gone, and a master
// to whom all agents come at once has enough to do without repetitions. With the
// default it has half a minute at least.
const hearing = 32

// registration is how the agent stands with its master.
type registration struct {
	detected Peer // without incarnation; "" while there is no master
	peer     Peer // the master that knows this agent; "" while none does
	backoff  time.Duration
	// What runs here will be told once the journal has been written.
	composing bool
	cluster   string // the id of the cluster that this agent belongs to; "" while none was told
	// Without a ping for so long, the agent registers again.
	pingTimeout time.Duration
	// Of executors that ended since what runs here was told, while no master
	// knew this agent.
	exits []*cluster.ExecutorExited
}

// masterDetected turns to a new master, with a random wait so that not all
// agents come at once.
func (m *Machine) masterDetected(p Peer) {
	p = p.name()
	if p == m.master.detected {
		if p != "" && m.master.peer == "" {
			m.masterLost() // it leads anew, or still: no doubled wait counts any more
		}
		return
	}
	if m.master.detected != "" {
		m.emit(Unlink{m.master.detected})
	}
	m.master.detected = p
	m.masterLost()
	if p == "" {
		m.note(Info, "There is no master")
		m.emit(CancelTimer{timerRegistration})
	}
}

// masterLost begins a registration with the detected master, if there is one.
func (m *Machine) masterLost() {
	m.master.peer = ""
	m.emit(CancelTimer{timerPing})
	m.stream(updates.Pause{})
	m.quietOperations()
	m.publishAgent()
	if m.master.detected != "" && m.registering() {
		m.master.backoff = m.cfg.RegistrationBackoff
		m.emit(SetTimer{timerRegistration, m.chance.below(m.master.backoff)})
	}
}

// register asks for admission, and again later.
func (m *Machine) register() {
	if m.master.detected == "" || m.master.peer != "" || !m.registering() {
		return
	}
	m.emit(Link{m.master.detected})
	if m.id() == nil {
		m.send(m.master.detected, &cluster.RegisterAgent{
			Agent: m.info, Version: &m.cfg.Version, Capabilities: m.capabilities(),
			TotalResources: m.totalResources(),
		})
	} else {
		m.reregister()
	}
	m.master.backoff = min(2*m.master.backoff, maxRegistrationBackoff)
	least := min(hearing*m.master.backoff, maxRegistrationBackoff) / 2
	m.emit(SetTimer{timerRegistration, least + m.chance.below(least)})
}

// retry asks again soon: what was asked did not arrive, or was turned down.
func (m *Machine) retry() {
	if m.master.detected != "" && m.registering() {
		m.emit(SetTimer{timerRegistration, m.chance.below(m.master.backoff)})
	}
}

// registering: an agent that leaves registers only to say so.
func (m *Machine) registering() bool { return !m.leaving.on() || m.unregistering() }

// reregister waits for the journal: a launch that a master of before sent, and
// that is not durable yet, would be unknown to the next master, which would
// give its resources away. Where the journal has to wait for a disk, a launch is
// named all the same: the agent must not be held for unreachable meanwhile, and
// if it forgets the launch it will say so.
func (m *Machine) reregister() {
	if m.journal.stalled != "" {
		m.sendReregistration()
		return
	}
	if m.master.composing {
		return
	}
	m.master.composing = true
	m.journal.drained(func() {
		m.master.composing = false
		if m.master.detected != "" && m.master.peer == "" && m.registering() {
			m.sendReregistration()
		}
	})
}

// sendReregistration names what is left: nobody need hear of what ended before.
func (m *Machine) sendReregistration() {
	m.master.exits = nil
	m.send(m.master.detected, m.reregistration())
}

func (m *Machine) capabilities() []*mesos.AgentInfo_Capability {
	list := make([]*mesos.AgentInfo_Capability, len(m.cfg.Capabilities))
	for i, c := range m.cfg.Capabilities {
		list[i] = &mesos.AgentInfo_Capability{Type: c.Enum()}
	}
	return list
}

// reregistration says what runs here, as far as it is durable, or can be.
func (m *Machine) reregistration() *cluster.ReregisterAgent {
	msg := &cluster.ReregisterAgent{
		Agent: m.info, Version: &m.cfg.Version, Capabilities: m.capabilities(), TotalResources: m.totalResources(),
	}
	for _, o := range m.stock.inArrival() {
		msg.Operations = append(msg.Operations, o.proto(o.status))
	}
	if m.master.cluster != "" {
		msg.ClusterId = proto.String(m.master.cluster)
	}
	for _, f := range sorted(m.frameworks) {
		if f.ending {
			continue
		}
		msg.Frameworks = append(msg.Frameworks, f.info)
		for _, e := range sorted(f.executors) {
			if !e.generated() && (e.step > accepting || m.journal.stalled != "") {
				msg.Executors = append(msg.Executors, redact.Executor(e.info))
			}
		}
		for _, t := range sorted(f.tasks) {
			if t.launch.durable || m.journal.stalled != "" {
				msg.Tasks = append(msg.Tasks, m.report(t))
			}
		}
	}
	for _, k := range m.streams.Keys() {
		if pending := m.streams.Pending(k); len(pending) > 0 && m.task(k) == nil {
			msg.Tasks = append(msg.Tasks, m.reportStream(k, pending))
		}
	}
	return msg
}

// reportStream is a task that is not here, of which the master has yet to hear:
// one that the agent never had, or has forgotten.
func (m *Machine) reportStream(k updates.Key, pending []*mesos.TaskStatus) *mesos.Task {
	head, newest := pending[0], pending[len(pending)-1]
	return &mesos.Task{
		Name: &k.Task, TaskId: &mesos.TaskID{Value: &k.Task}, FrameworkId: &mesos.FrameworkID{Value: &k.Framework}, AgentId: m.id(),
		State: newest.State, Statuses: pending, StatusUpdateState: head.State, StatusUpdateUuid: head.GetUuid(),
	}
}

// report is a task as a master wants to know it.
func (m *Machine) report(t *task) *mesos.Task {
	r := &mesos.Task{
		Name: t.info.Name, TaskId: t.info.TaskId, FrameworkId: t.executor.framework.info.Id, AgentId: m.id(),
		State: t.state.Enum(), Resources: t.info.Resources, Statuses: t.statuses,
		Labels: t.info.Labels, Discovery: t.info.Discovery, Container: redact.Container(t.info.Container),
		HealthCheck: redact.HealthCheck(t.info.HealthCheck), KillPolicy: t.info.KillPolicy, Limits: t.info.Limits,
	}
	if !t.executor.generated() {
		r.ExecutorId = t.executor.info.ExecutorId
	}
	if t.executor.user != "" {
		r.User = &t.executor.user
	}
	// What the master forwarded last is the head of the stream, or else what
	// was acknowledged last.
	if head := m.streams.Head(t.key()); head != nil {
		r.StatusUpdateState, r.StatusUpdateUuid = head.State, head.GetUuid()
	} else if n := len(t.statuses); n > 0 {
		r.StatusUpdateState, r.StatusUpdateUuid = t.statuses[n-1].State, t.statuses[n-1].GetUuid()
	}
	return r
}

func (m *Machine) agentRegistered(from Peer, msg *cluster.AgentRegistered) {
	if err := check.AgentID(msg.GetAgentId().GetValue()); err != nil {
		m.note(Warn, "The master gave an id that cannot be: "+err.Error()) // it names a folder
		return
	}
	if m.id() == nil {
		m.info = proto.CloneOf(m.cfg.Info)
		m.info.Id = msg.GetAgentId()
		m.master.cluster = msg.GetClusterId()
		m.checkpoint(nil, m.identity())
		m.note(Info, "Registered", Field{"agent", m.id().GetValue()}, Field{"master", string(from)})
	}
	m.welcomed(from, msg.GetAgentId(), msg.GetTotalPingTimeout())
}

func (m *Machine) agentReregistered(from Peer, msg *cluster.AgentReregistered) {
	if !m.welcomed(from, msg.GetAgentId(), msg.GetTotalPingTimeout()) {
		return
	}
	if m.leaving.on() {
		return // the master tells of all that was here
	}
	if m.master.cluster == "" && msg.GetClusterId() != "" {
		m.master.cluster = msg.GetClusterId()
		m.checkpoint(nil, m.identity())
	}
	m.note(Info, "Registered again", Field{"agent", m.id().GetValue()}, Field{"master", string(from)})
	for _, missing := range msg.GetMissingTasks() {
		k := updates.Key{Framework: missing.GetFrameworkId().GetValue(), Task: missing.GetTaskId().GetValue()}
		if m.task(k) == nil && m.checkKey(k) {
			m.dropUnknown(k, "The agent does not know the task")
		}
	}
	for _, missing := range msg.GetMissingOperations() {
		m.dropOperation(missing)
	}
}

// welcomed is what both kinds of registration have in common. It says whether
// the answer was meant for this agent.
func (m *Machine) welcomed(from Peer, id *mesos.AgentID, pingTimeout int64) bool {
	if m.id() == nil || id.GetValue() != m.id().GetValue() {
		m.note(Warn, "The master answered another agent's registration",
			Field{"agent", m.id().GetValue()}, Field{"answered", id.GetValue()})
		return false
	}
	if m.master.peer == from {
		return true // it answered twice
	}
	m.master.peer = from
	if m.unregistering() {
		m.emit(CancelTimer{timerRegistration})
		m.unregister()
		return true
	}
	m.master.pingTimeout = time.Duration(pingTimeout)
	m.tellExits()
	m.emit(CancelTimer{timerRegistration})
	m.awaitPing()
	if m.journal.stalled != "" {
		m.tellHindered()
	}
	m.publishAgent()
	m.tellOperations()
	m.tellLent()
	m.stream(updates.Resume{})
	return true
}

func (m *Machine) registrationRefused(msg *cluster.RegistrationRefused) {
	m.note(Warn, "The master refused the registration", Field{"message", msg.GetMessage()})
	switch {
	case msg.GetForeign() && m.leaving.on():
		m.leaving.told = true // by nobody: this is not who should know
	case msg.GetForeign():
		m.exit("the master is of another cluster", fmt.Errorf("agent %s: the master at %s refused it: %s; "+
			"start it with --master of the cluster that it belongs to, and its tasks are found again; to move it, "+
			"start it once more with --recover=cleanup, which ends its tasks", m.ID(), m.master.detected, msg.GetMessage()))
	case msg.GetFatal():
		m.leave("the master refused this agent: "+msg.GetMessage(), false)
	case m.master.peer == "":
		m.retry()
	}
}

func (m *Machine) ping(from Peer, msg *cluster.Ping) {
	m.send(from, &cluster.Pong{AgentId: m.id()})
	switch {
	case m.master.peer == "":
	case msg.GetConnected():
		m.awaitPing()
	default:
		m.note(Info, "The master holds this agent for disconnected")
		m.masterLost()
	}
}

func (m *Machine) awaitPing() {
	if m.master.pingTimeout > 0 {
		m.emit(SetTimer{timerPing, m.master.pingTimeout})
	}
}

func (m *Machine) pingOverdue() {
	m.note(Warn, "The master sent no ping", Field{"timeout", m.master.pingTimeout.String()})
	m.masterLost()
}

// dropUnknown tells of a task that is not here.
func (m *Machine) dropUnknown(k updates.Key, message string) {
	state := mesos.TaskState_TASK_DROPPED
	if f := m.frameworks[FrameworkID(k.Framework)]; f != nil {
		state = f.lost(state)
	}
	m.disown(k, state, mesos.TaskStatus_REASON_RECONCILIATION, message)
}

func (m *Machine) publishAgent() {
	m.publish(view.AgentChanged{Agent: &view.Agent{
		Info: m.info, Master: string(m.master.detected), Registered: m.master.peer != "",
		Drain: m.drain, Recovering: m.recovering(), Resources: m.totalResources(),
		Lent: m.stock.lent.Proto(),
	}})
}

func (m *Machine) identity() *cluster.JournalRecord {
	r := &cluster.AgentIdentity{Agent: m.info}
	if m.master.cluster != "" {
		r.ClusterId = proto.String(m.master.cluster)
	}
	return &cluster.JournalRecord{Record: &cluster.JournalRecord_Identity{Identity: r}}
}
