package state

import (
	"net/netip"

	"google.golang.org/protobuf/proto"

	"troupe/messages/cluster"
	"troupe/messages/field"
	"troupe/messages/mesos"
	executorapi "troupe/messages/mesos/executor"
	"troupe/slave/state/check"
	"troupe/slave/state/view"
	"troupe/slave/updates"
)

// call takes what an executor says. Only SUBSCRIBE may come from anywhere;
// the rest must come from whoever subscribed last.
func (m *Machine) call(from Peer, c *executorapi.Call) {
	var e *executor
	if f := m.frameworks[FrameworkID(c.GetFrameworkId().GetValue())]; f != nil {
		e = f.executors[ExecutorID(c.GetExecutorId().GetValue())]
	}
	switch {
	case c.GetType() == executorapi.Call_HEARTBEAT:
	case e == nil && c.GetType() == executorapi.Call_SUBSCRIBE:
		m.note(Info, "An executor subscribed that is not known", Field{"executor", c.GetExecutorId().GetValue()}, Field{"from", string(from)})
		m.send(from, shutdownEvent())
	case e == nil:
		m.refuseCall(from, c, field.Invalid("executor_id", c.GetExecutorId().GetValue(), "is not of an executor on this agent"))
	case c.GetType() == executorapi.Call_SUBSCRIBE:
		m.subscribe(e, from, c.GetSubscribe())
	case e.peer != from:
		m.unheard(from, c)
	case c.GetType() == executorapi.Call_UPDATE:
		m.update(e, c)
	case c.GetType() == executorapi.Call_MESSAGE:
		m.executorMessage(e, c.GetMessage())
	default:
		m.refuseCall(from, c, field.Invalid("type", c.GetType().String(), "is not a call that agents know"))
	}
}

func (m *Machine) refuseCall(from Peer, c *executorapi.Call, err error) {
	if c.GetType() == executorapi.Call_UPDATE {
		m.count(view.InvalidUpdates)
	}
	m.note(Warn, "A call of an executor was refused: "+err.Error(),
		Field{"framework", c.GetFrameworkId().GetValue()}, Field{"executor", c.GetExecutorId().GetValue()}, Field{"from", string(from)})
	m.send(from, errorEvent(err.Error()))
}

// unheard drops what an executor says that is not subscribed. It is no error of
// its own: its link broke, or another agent process followed, and what it says had
// left before it heard of that. It subscribes again with every update that is not
// acknowledged, where ERROR would end it and its tasks.
func (m *Machine) unheard(from Peer, c *executorapi.Call) {
	if c.GetType() == executorapi.Call_UPDATE {
		m.count(view.InvalidUpdates)
	}
	m.note(Info, "A call of an executor was dropped: it must follow SUBSCRIBE", Field{"type", c.GetType().String()},
		Field{"framework", c.GetFrameworkId().GetValue()}, Field{"executor", c.GetExecutorId().GetValue()}, Field{"from", string(from)})
}

// subscribe gives an executor all that it does not have yet.
func (m *Machine) subscribe(e *executor, from Peer, s *executorapi.Call_Subscribe) {
	if m.tooEarly(e, from, s) {
		return
	}
	if e.kind != cluster.LaunchContainer_CUSTOM && from.system() != e.host.peer.system() {
		m.note(Warn, "A subscription was refused: the executor is in another process",
			Field{"executor", string(e.id())}, Field{"from", string(from)})
		m.send(from, errorEvent("this executor is built in, and lives in its host"))
		return
	}
	if other := m.subscribers[from]; other != nil && other != e {
		m.send(from, errorEvent(field.Invalid("executor_id", string(e.id()), "this actor speaks for executor %q", string(other.id())).Error()))
		return
	}
	if e.phase >= view.Terminating {
		m.send(from, shutdownEvent())
		return
	}
	m.hear(e, from)
	e.phase = view.Running
	m.emit(CancelTimer{containerTimer(timerSubscription, e.container)})
	m.publishExecutor(e)
	for _, u := range s.GetUnacknowledgedUpdates() {
		m.takeUpdate(e, u.GetStatus())
	}
	if e.idle() && len(s.GetUnacknowledgedUpdates()) == 0 && !(e.given && m.hasNews(e)) {
		m.note(Info, "An executor has nothing to do, and is shut down", Field{"executor", string(e.id())})
		m.shutdownExecutor(e)
		return
	}
	m.event(e, m.subscribedEvent(e))
	m.resend(e, s)
}

// hasNews tells that some task of the executor is not acknowledged yet: the
// executor has had tasks.
func (m *Machine) hasNews(e *executor) bool {
	for _, t := range e.tasks {
		if t.launch.sent {
			return true
		}
	}
	return false
}

// resend gives an executor the launches that it was never given, and the
// kills that it may not have heard of. A task without news that it does not
// name never reached it.
func (m *Machine) resend(e *executor, s *executorapi.Call_Subscribe) {
	named := map[string]bool{}
	for _, t := range s.GetUnacknowledgedTasks() {
		named[t.GetTaskId().GetValue()] = true
	}
	for _, u := range s.GetUnacknowledgedUpdates() {
		named[u.GetStatus().GetTaskId().GetValue()] = true
	}
	seen := map[*launch]bool{}
	for _, t := range e.inOrder() {
		l := t.launch
		if !seen[l] && !named[string(t.id())] {
			m.give(e, l)
		}
		seen[l] = true
		if t.kill != nil && !check.Over(t.next) {
			m.event(e, killEvent(t.kill))
		}
	}
}

func (m *Machine) update(e *executor, c *executorapi.Call) {
	if err := m.takeUpdate(e, c.GetUpdate().GetStatus()); err != nil {
		m.refuseCall(e.peer, c, err)
	}
}

// takeUpdate makes an update durable; then the executor and the master hear
// of it. A repetition is answered at once.
func (m *Machine) takeUpdate(e *executor, u *mesos.TaskStatus) error {
	if err := check.Update(string(e.id()), u); err != nil {
		return err
	}
	k := updates.Key{Framework: string(e.framework.id()), Task: u.GetTaskId().GetValue()}
	id, _ := updates.UUIDOf(u.GetUuid())
	answer := func() { m.event(e, acknowledgedEvent(u.GetTaskId(), u.GetUuid())) }
	t := e.tasks[TaskID(k.Task)]
	switch {
	case m.streams.Knows(k, id) || e.framework.ending:
		answer()
		return nil
	case t == nil:
		// Its last update was acknowledged: the executor did not hear of ours.
		answer()
		return nil
	case t.writing[id]:
		return nil // it is answered when the first of it is durable
	case len(m.streams.Pending(k))+len(t.writing) >= updates.MaxPending && !check.Over(u.GetState()):
		return field.Invalid("update.status.task_id", k.Task, "has %d updates that its framework has not acknowledged", updates.MaxPending)
	}
	n := news{k, m.completed(e, u)}
	if !check.Over(t.next) {
		t.next = n.status.GetState()
		m.refit(e)
	}
	e.given = true
	m.count(view.ValidUpdates)
	if t.writing == nil {
		t.writing = map[updates.UUID]bool{}
	}
	t.writing[id] = true
	m.checkpoint(func() {
		delete(t.writing, id)
		answer()
		m.known(n)
	}, n.record())
	return nil
}

// completed adds what the executor cannot know, or need not say.
func (m *Machine) completed(e *executor, u *mesos.TaskStatus) *mesos.TaskStatus {
	u = proto.CloneOf(u)
	u.AgentId, u.ExecutorId = m.id(), e.info.ExecutorId
	m.markDrained(e, u)
	if u.Timestamp == nil {
		u.Timestamp = proto.Float64(seconds(m.now))
	}
	if u.ContainerStatus == nil {
		u.ContainerStatus = &mesos.ContainerStatus{}
	}
	m.completeContainer(e, u.ContainerStatus)
	return u
}

// completeContainer adds what is known of an executor's container to what its
// executor says of that, or of one within it. What is within has a process of its
// own, but control groups give it the class of what is around it.
func (m *Machine) completeContainer(e *executor, s *mesos.ContainerStatus) {
	if s.ContainerId == nil {
		s.ContainerId = e.containerID()
	}
	if len(s.NetworkInfos) == 0 {
		s.NetworkInfos = m.networks()
	}
	if s.CgroupInfo == nil {
		s.CgroupInfo = e.groups
	}
	if pid := e.process(); pid > 0 && s.ExecutorPid == nil && s.ContainerId.GetParent() == nil {
		s.ExecutorPid = proto.Uint32(uint32(pid))
	}
}

// process is the executor's own, or that of the host which it lives in; 0 when
// that is not known.
func (e *executor) process() int32 {
	if e.pid == 0 && e.host != nil {
		return e.host.pid
	}
	return e.pid
}

// networks are those of a container without one of its own: clients that look
// for a task's address read it there.
func (m *Machine) networks() []*mesos.NetworkInfo {
	ip, err := netip.ParseAddr(hostOf(m.cfg.Endpoint))
	if err != nil {
		return nil
	}
	protocol := mesos.NetworkInfo_IPv4
	if ip.Is6() {
		protocol = mesos.NetworkInfo_IPv6
	}
	return []*mesos.NetworkInfo{{IpAddresses: []*mesos.NetworkInfo_IPAddress{{Protocol: &protocol, IpAddress: proto.String(ip.String())}}}}
}

func (m *Machine) executorMessage(e *executor, msg *executorapi.Call_Message) {
	m.count(view.ValidMessages)
	m.send(m.master.peer, &cluster.ExecutorMessage{
		FrameworkId: e.framework.info.Id, AgentId: m.id(), ExecutorId: e.info.ExecutorId, Data: msg.GetData(),
	})
}
