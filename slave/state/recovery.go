package state

import (
	"fmt"

	"google.golang.org/protobuf/proto"

	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/slave/state/check"
	"troupe/slave/state/view"
	"troupe/slave/updates"
)

// recover replays the journal. Executors that had not ended wait for their
// hosts to return; after a reboot they cannot.
func (m *Machine) recover(in Started) {
	for _, r := range in.Records {
		if err := check.Record(r); err != nil {
			m.count(view.RecoveryErrors)
			m.note(Warn, "A record of the journal was left out: no agent has written it: "+err.Error())
			continue
		}
		m.replay(r)
	}
	for range in.Damaged {
		m.count(view.RecoveryErrors)
	}
	if m.id() == nil && len(in.Records) > 0 && in.Records[len(in.Records)-1].GetAgentForgotten() == nil {
		m.disinherit()
	}
	if !m.restock() || !m.cfg.Cleanup && !m.reconfigure(in.Rebooted) {
		return
	}
	for _, e := range sorted(m.containers) {
		e.step, e.phase = asked, view.Registering
		e.fate = fate{
			state: e.framework.lost(mesos.TaskState_TASK_GONE), reason: mesos.TaskStatus_REASON_EXECUTOR_REREGISTRATION_TIMEOUT,
			message: "The executor did not return after its agent was restarted",
		}
		if in.Rebooted {
			e.fate = failed(mesos.TaskStatus_REASON_EXECUTOR_TERMINATED, "Executor terminated: the machine was started anew")
		}
	}
	for _, f := range sorted(m.frameworks) {
		m.describe(f, f.info)
		for _, t := range sorted(f.tasks) {
			m.publishTask(t)
		}
		for _, e := range sorted(f.executors) {
			m.publishExecutor(e)
		}
		m.forgetFramework(f) // if all but that was durable
	}
	m.awaitHosts(in.Rebooted)
	m.publishAgent()
	m.resumeOperations()
	if m.drain != nil {
		m.drainTasks()
	}
	if m.cfg.Cleanup {
		m.leave("--recover=cleanup", true)
	}
}

// reconfigure compares what the agent says of itself now with what it said
// when it got its id. Where that cannot be, an agent that nothing runs on any
// more begins anew, and any other does not start: its tasks are not to be lost
// to a change of flags.
func (m *Machine) reconfigure(rebooted bool) bool {
	if m.id() == nil || proto.Equal(m.before, m.info) {
		return true
	}
	err := check.Reconfigured(m.before, m.info, m.cfg.Additive)
	switch {
	case err == nil:
		m.note(Info, "The agent has changed since its last start", Field{"agent", m.ID()})
		m.checkpoint(nil, m.identity())
	case rebooted:
		m.note(Warn, "The machine was started anew, and is another: this is a new agent",
			Field{"before", m.ID()}, Field{"changed", err.Error()})
		m.forgetAll()
		m.checkpoint(nil, agentForgottenRecord())
	default:
		m.exit("the agent is not what it was", fmt.Errorf("agent %s was started with other settings than before: %w; "+
			"set them back, or start it once with --recover=cleanup to end its tasks and begin as a new agent "+
			"(removing the folder meta of its work directory does so without telling anybody)", m.ID(), err))
		return false
	}
	return true
}

// replay takes one record in. What names something unknown is skipped: it
// was forgotten later, and the journal compacted.
func (m *Machine) replay(r *cluster.JournalRecord) {
	switch r := r.GetRecord().(type) {
	case *cluster.JournalRecord_Identity:
		m.replayIdentity(r.Identity)
	case *cluster.JournalRecord_Framework:
		info := r.Framework.GetFramework()
		f := m.frameworks[FrameworkID(info.GetId().GetValue())]
		if f == nil {
			f = &framework{executors: map[ExecutorID]*executor{}, tasks: map[TaskID]*task{}}
			m.frameworks[FrameworkID(info.GetId().GetValue())] = f
		}
		f.info = info
	case *cluster.JournalRecord_FrameworkForgotten:
		m.replayForgotten(FrameworkID(r.FrameworkForgotten.GetFrameworkId().GetValue()))
	case *cluster.JournalRecord_Executor:
		m.replayExecutor(r.Executor)
	case *cluster.JournalRecord_Gone:
		if e := m.containers[ContainerID(r.Gone.GetContainerId().GetValue())]; e != nil {
			e.phase = view.Terminated
			delete(m.containers, e.container)
			delete(e.framework.executors, e.id())
		}
	case *cluster.JournalRecord_Launch:
		if e := m.containers[ContainerID(r.Launch.GetContainerId().GetValue())]; e != nil {
			m.replayLaunch(e, r.Launch)
		}
	case *cluster.JournalRecord_Update:
		m.replayUpdate(r.Update)
	case *cluster.JournalRecord_Acknowledged:
		m.replayAcknowledged(r.Acknowledged)
	case *cluster.JournalRecord_TaskForgotten:
		m.replayTaskForgotten(r.TaskForgotten)
	case *cluster.JournalRecord_Host:
		h := m.newHost(HostID(r.Host.GetHostId()))
		h.pid, h.started, h.returning = r.Host.GetPid(), r.Host.GetStarted(), true
	case *cluster.JournalRecord_HostForgotten:
		delete(m.hosts, HostID(r.HostForgotten.GetHostId()))
	case *cluster.JournalRecord_Drain:
		m.drain = r.Drain.GetConfig()
	case *cluster.JournalRecord_Resources:
		m.stock.converted = r.Resources.GetResources()
	case *cluster.JournalRecord_Operation:
		m.replayOperation(r.Operation.GetOperation())
	case *cluster.JournalRecord_OperationAcknowledged:
		id, _ := operationID(r.OperationAcknowledged.GetOperationUuid())
		delete(m.stock.known, id)
	case *cluster.JournalRecord_AgentForgotten:
		m.forgetAll()
	}
}

// disinherit begins as a new agent where the journal has lost the old one's id:
// what it tells of is nobody's. The hosts it names are found all the same, and
// end what they hold.
func (m *Machine) disinherit() {
	hosts := m.hosts
	m.forgetAll()
	m.hosts = hosts
	records := []*cluster.JournalRecord{agentForgottenRecord()}
	for _, h := range sorted(m.hosts) {
		records = append(records, hostRecord(h))
	}
	m.checkpoint(nil, records...)
}

// forgetAll begins as a new agent. What is reserved stays so, and volumes stay:
// they are the machine's.
func (m *Machine) forgetAll() {
	m.info, m.before, m.streams = m.cfg.Info, nil, updates.New()
	m.frameworks = map[FrameworkID]*framework{}
	m.containers = map[ContainerID]*executor{}
	m.hosts = map[HostID]*host{}
	m.stock.known = map[OperationID]*operation{}
	m.drain, m.master.cluster = nil, ""
}

func (m *Machine) replayTaskForgotten(r *cluster.TaskForgotten) {
	k := updates.Key{Framework: r.GetFrameworkId().GetValue(), Task: r.GetTaskId().GetValue()}
	m.streams.Step(m.now, updates.Close{Key: k})
	if t := m.task(k); t != nil {
		delete(t.executor.framework.tasks, t.id())
		delete(t.executor.tasks, t.id())
	}
}

// replayIdentity keeps the id, with what the agent says of itself now.
func (m *Machine) replayIdentity(r *cluster.AgentIdentity) {
	info := proto.CloneOf(m.cfg.Info)
	if m.cfg.Cleanup { // the master shall know it again
		info = proto.CloneOf(r.GetAgent())
	}
	info.Id = r.GetAgent().GetId()
	m.info, m.before, m.master.cluster = info, r.GetAgent(), r.GetClusterId()
}

func (m *Machine) replayForgotten(id FrameworkID) {
	if f := m.frameworks[id]; f != nil {
		for _, e := range f.executors {
			delete(m.containers, e.container)
		}
		for _, t := range f.tasks {
			m.streams.Step(m.now, updates.Close{Key: t.key()})
		}
		delete(m.frameworks, id)
	}
}

func (m *Machine) replayExecutor(r *cluster.ExecutorAccepted) {
	f := m.frameworks[FrameworkID(r.GetFrameworkId().GetValue())]
	if f == nil || m.containers[ContainerID(r.GetContainerId().GetValue())] != nil {
		return
	}
	if f.executors[ExecutorID(r.GetExecutor().GetExecutorId().GetValue())] != nil {
		return // repeated, as it was on its way when the journal was rewritten: it has ended, and this one followed
	}
	e := &executor{
		framework: f, info: r.GetExecutor(), kind: r.GetKind(), user: r.GetUser(),
		container: ContainerID(r.GetContainerId().GetValue()), tasks: map[TaskID]*task{},
	}
	e.sandbox = m.sandbox(e)
	f.executors[e.id()] = e
	m.containers[e.container] = e
}

// replayLaunch takes tasks for given: a kill must reach them if they were. If
// they were not, the executor will not name them when it subscribes.
func (m *Machine) replayLaunch(e *executor, r *cluster.LaunchAccepted) {
	for _, info := range r.GetTasks() {
		if e.framework.tasks[TaskID(info.GetTaskId().GetValue())] != nil {
			return // repeated
		}
	}
	l := m.newLaunch(e, r.GetTasks(), r.GetGroup())
	l.durable, l.sent = true, true
}

func (m *Machine) replayAcknowledged(r *cluster.UpdateAcknowledged) {
	k := updates.Key{Framework: r.GetFrameworkId().GetValue(), Task: r.GetTaskId().GetValue()}
	if id, ok := updates.UUIDOf(r.GetUuid()); ok {
		m.streams.Step(m.now, updates.Acknowledge{Key: k, UUID: id})
	}
}

func (m *Machine) replayUpdate(r *cluster.UpdateAccepted) {
	k := updates.Key{Framework: r.GetFrameworkId().GetValue(), Task: r.GetStatus().GetTaskId().GetValue()}
	if t := m.task(k); t != nil {
		t.executor.given = t.executor.given || r.GetStatus().GetSource() == mesos.TaskStatus_SOURCE_EXECUTOR
		t.news(r.GetStatus())
		t.next = t.state
	}
	m.streams.Step(m.now, updates.Add{Key: k, Status: r.GetStatus()})
}
