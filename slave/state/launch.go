package state

import (
	"math"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/messages/cluster"
	"troupe/messages/field"
	"troupe/messages/mesos"
	"troupe/slave/state/check"
	"troupe/slave/state/view"
	"troupe/slave/updates"
)

// runTask accepts a task, under its own executor or a generated one.
func (m *Machine) runTask(msg *cluster.RunTask) {
	infos := []*mesos.TaskInfo{msg.GetTask()}
	if !m.admissible(msg.GetFramework(), infos, check.Task(msg.GetTask())) {
		return
	}
	info, kind := msg.GetTask().GetExecutor(), cluster.LaunchContainer_CUSTOM
	if info == nil {
		info, kind = commandExecutor(msg.GetFramework(), msg.GetTask()), cluster.LaunchContainer_COMMAND
	}
	m.accept(order{framework: msg.GetFramework(), executor: info, kind: kind, runs: msg.GetExecutorRuns(), tasks: infos})
}

func (m *Machine) runTaskGroup(msg *cluster.RunTaskGroup) {
	infos := msg.GetTaskGroup().GetTasks()
	if !m.admissible(msg.GetFramework(), infos, check.Group(msg.GetExecutor(), msg.GetTaskGroup())) {
		return
	}
	kind := cluster.LaunchContainer_CUSTOM
	if msg.GetExecutor().GetType() == mesos.ExecutorInfo_DEFAULT {
		kind = cluster.LaunchContainer_DEFAULT
	}
	m.accept(order{
		framework: msg.GetFramework(), executor: msg.GetExecutor(), kind: kind, runs: msg.GetExecutorRuns(),
		tasks: infos, group: true,
	})
}

// admissible refuses tasks that cannot be, and those that the agent has. The
// master has checked the same; ids become paths here.
func (m *Machine) admissible(f *mesos.FrameworkInfo, infos []*mesos.TaskInfo, invalid error) bool {
	if err := check.FrameworkID(f.GetId().GetValue()); err != nil {
		m.note(Warn, "Launch dropped: "+err.Error())
		return false
	}
	ok := invalid == nil && len(infos) > 0
	for _, info := range infos {
		k := updates.Key{Framework: f.GetId().GetValue(), Task: info.GetTaskId().GetValue()}
		switch {
		case !m.checkKey(k):
			return false
		case m.task(k) != nil:
			m.note(Warn, "Launch dropped: the agent has such a task", Field{"framework", k.Framework}, Field{"task", k.Task})
			return false
		case invalid != nil:
			m.disown(k, mesos.TaskState_TASK_ERROR, mesos.TaskStatus_REASON_TASK_INVALID, invalid.Error())
		case m.leaving.on() || m.frameworks[FrameworkID(k.Framework)] != nil && m.frameworks[FrameworkID(k.Framework)].ending:
			m.refuseTask(k, f, mesos.TaskStatus_REASON_EXECUTOR_TERMINATED, "The framework, or the agent, is being shut down")
			ok = false
		case m.drain != nil:
			m.refuseTask(k, f, mesos.TaskStatus_REASON_AGENT_DRAINING, "The agent is being drained")
			ok = false
		}
	}
	return ok
}

// refuseTask answers a launch that cannot be begun.
func (m *Machine) refuseTask(k updates.Key, info *mesos.FrameworkInfo, reason mesos.TaskStatus_Reason, message string) {
	f := framework{info: info}
	m.disown(k, f.lost(mesos.TaskState_TASK_DROPPED), reason, message)
}

// order is a launch as the master sent it.
type order struct {
	framework *mesos.FrameworkInfo
	executor  *mesos.ExecutorInfo
	kind      cluster.LaunchContainer_Kind
	runs      bool // the master counts on an executor that is here
	tasks     []*mesos.TaskInfo
	group     bool
}

// accept makes a launch durable, then begins what it needs.
func (m *Machine) accept(o order) {
	id := ExecutorID(o.executor.GetExecutorId().GetValue())
	var known *executor
	if f := m.frameworks[FrameworkID(o.framework.GetId().GetValue())]; f != nil {
		known = f.executors[id]
	}
	if why := o.unfit(known); why != "" {
		for _, info := range o.tasks {
			k := updates.Key{Framework: o.framework.GetId().GetValue(), Task: info.GetTaskId().GetValue()}
			m.refuseTask(k, o.framework, mesos.TaskStatus_REASON_EXECUTOR_TERMINATED, why)
		}
		return
	}
	f, records := m.frameworkFor(o.framework)
	e := f.executors[id]
	fresh := e == nil
	if fresh {
		e = m.newExecutor(f, o.executor, o.kind, o.tasks[0])
		records = append(records, executorRecord(e))
	}
	l := m.newLaunch(e, o.tasks, o.group)
	if !fresh && e.pod() {
		for _, t := range l.tasks { // whatever is recorded was of another of that id
			m.emit(ForgetExit{e.container, t.id()})
		}
	}
	m.checkpoint(func() { m.accepted(e, l, fresh) }, append(records, launchRecord(l))...)
}

// unfit says why the executor that is here, nil if there is none, cannot take
// a launch; "" if it can.
func (o order) unfit(e *executor) string {
	id := o.executor.GetExecutorId().GetValue()
	switch {
	case e == nil && o.runs:
		return "The executor has ended" // nothing was set aside for another
	case e == nil:
		return ""
	case e.phase >= view.Terminating:
		return "The executor is terminating"
	case e.kind != o.kind || e.generated():
		return field.Invalid("executor.executor_id", id, "is the id of another executor of this framework").Error()
	case !sameExecutor(e.info, o.executor):
		return field.Invalid("executor.executor_id", id, "runs with another ExecutorInfo").Error()
	}
	return ""
}

// sameExecutor compares what an executor was launched as with what it is named
// as. Whose its resources are was not always said.
func sameExecutor(a, b *mesos.ExecutorInfo) bool {
	if proto.Equal(a, b) {
		return true
	}
	b = proto.CloneOf(b)
	if b.FrameworkId == nil {
		b.FrameworkId = a.FrameworkId
	}
	if len(a.GetResources()) != len(b.GetResources()) {
		return false
	}
	for i, r := range a.GetResources() {
		if r.AllocationInfo == nil {
			b.Resources[i].AllocationInfo = nil
		}
	}
	return proto.Equal(a, b)
}

func (m *Machine) newLaunch(e *executor, infos []*mesos.TaskInfo, group bool) *launch {
	l := &launch{group: group}
	for _, info := range infos {
		m.last.task++
		t := &task{
			info: info, executor: e, launch: l, number: m.last.task, accepted: m.now,
			state: mesos.TaskState_TASK_STAGING, next: mesos.TaskState_TASK_STAGING,
		}
		l.tasks = append(l.tasks, t)
		e.tasks[t.id()] = t
		e.framework.tasks[t.id()] = t
	}
	return l
}

func launchRecord(l *launch) *cluster.JournalRecord {
	e := l.tasks[0].executor
	r := &cluster.LaunchAccepted{FrameworkId: e.framework.info.Id, ContainerId: e.containerID(), Group: &l.group}
	for _, t := range l.tasks {
		r.Tasks = append(r.Tasks, t.info)
	}
	return &cluster.JournalRecord{Record: &cluster.JournalRecord_Launch{Launch: r}}
}

// accepted goes on with a launch that is durable.
func (m *Machine) accepted(e *executor, l *launch, fresh bool) {
	l.durable = true
	for _, t := range l.tasks {
		if e.framework.tasks[t.id()] == t {
			m.publishTask(t)
		}
	}
	switch {
	case fresh && e.phase == view.Launching:
		e.step = sandboxing
		m.publishExecutor(e)
		m.emit(MakeSandbox{e.framework.id(), e.id(), e.container, e.user})
	case !fresh:
		m.prepare(l)
		m.refit(e) // before the executor is given what it is for
		m.advance(e, l)
	}
}

// give hands a launch to its executor if that is subscribed, and the host of its
// container has heard what that may use now.
func (m *Machine) give(e *executor, l *launch) {
	if e.peer == "" || e.host.peer == "" || !l.durable || !l.untouched() {
		return
	}
	if m.prepare(l); l.preparation != prepared {
		return // it is given once it is
	}
	l.sent, e.given = true, true
	m.event(e, launchEvent(l))
	for _, t := range l.tasks {
		m.publishTask(t)
	}
}

// giveRest hands an executor the launches that it has not been given, as the host
// of its container was away.
func (m *Machine) giveRest(e *executor) {
	for _, t := range e.inOrder() {
		if !t.launch.sent && e.phase == view.Running {
			m.give(e, t.launch)
		}
	}
}

// commandExecutor is made for a task that brings none. It gets a little for
// itself, which nobody is charged for.
func commandExecutor(f *mesos.FrameworkInfo, t *mesos.TaskInfo) *mesos.ExecutorInfo {
	id := t.GetTaskId().GetValue()
	return &mesos.ExecutorInfo{
		ShutdownGracePeriod: shutdownGrace(t.GetKillPolicy()),
		Type:                mesos.ExecutorInfo_CUSTOM.Enum(), ExecutorId: &mesos.ExecutorID{Value: &id}, FrameworkId: f.Id,
		Command: t.GetCommand(), Container: t.Container, Source: &id,
		Name:      proto.String("Command Executor (Task: " + id + ") (Command: " + shortCommand(t.GetCommand()) + ")"),
		Resources: overhead(t),
	}
}

// killMargin is what a command executor needs to tell of a task that it had to
// kill by force.
const killMargin = 2 * time.Second

// shutdownGrace leaves a task the grace that it asks for, also when its
// executor is shut down; nil when it asks for none.
func shutdownGrace(p *mesos.KillPolicy) *mesos.DurationInfo {
	if p.GetGracePeriod() == nil {
		return nil
	}
	ns := min(p.GetGracePeriod().GetNanoseconds(), math.MaxInt64-int64(killMargin)) + int64(killMargin)
	return &mesos.DurationInfo{Nanoseconds: &ns}
}

const shownCommand = 12 // bytes

func shortCommand(c *mesos.CommandInfo) string {
	text := c.GetValue()
	if len(text) > shownCommand {
		text = text[:shownCommand-3] + "..."
	}
	if c.GetShell() {
		return "sh -c '" + text + "'"
	}
	return text
}

// overhead is what a command executor is given for itself.
func overhead(t *mesos.TaskInfo) []*mesos.Resource {
	role := ""
	for _, r := range t.GetResources() {
		role = r.GetAllocationInfo().GetRole()
	}
	list := []*mesos.Resource{scalar("cpus", 0.1), scalar("mem", 32)}
	for _, r := range list {
		if role != "" {
			r.AllocationInfo = &mesos.Resource_AllocationInfo{Role: &role}
		}
	}
	return list
}

func scalar(name string, value float64) *mesos.Resource {
	return &mesos.Resource{Name: &name, Type: mesos.Value_SCALAR.Enum(), Scalar: &mesos.Value_Scalar{Value: &value}}
}
