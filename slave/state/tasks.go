package state

import (
	"cmp"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/slave/state/check"
	"troupe/slave/state/view"
	"troupe/slave/updates"
)

// task is one from its acceptance to the acknowledgement of its last update.
type task struct {
	info     *mesos.TaskInfo
	executor *executor
	launch   *launch
	number   uint64 // in the order of acceptance
	accepted time.Time

	state mesos.TaskState // the newest that is durable
	next  mesos.TaskState // the newest of all: its update is on its way to the journal
	// The last status of every run of equal states, without data.
	statuses []*mesos.TaskStatus
	// Updates of its executor that are on their way to the journal.
	writing map[updates.UUID]bool
	// A kill that its executor must hear of when it subscribes again.
	kill *cluster.KillTask
}

// launch is what an executor is given at once: a task or a group.
type launch struct {
	tasks   []*task
	group   bool
	durable bool
	sent    bool // to a subscribed executor
	preparation
}

// untouched tells that no task of the launch has news: if its executor does
// not know it either, it was never given it.
func (l *launch) untouched() bool {
	return !slices.ContainsFunc(l.tasks, func(t *task) bool { return t.next != mesos.TaskState_TASK_STAGING })
}

func (t *task) id() TaskID { return TaskID(t.info.GetTaskId().GetValue()) }

func (t *task) key() updates.Key {
	return updates.Key{Framework: string(t.executor.framework.id()), Task: string(t.id())}
}

// task is nil when there is none.
func (m *Machine) task(k updates.Key) *task {
	if f := m.frameworks[FrameworkID(k.Framework)]; f != nil {
		return f.tasks[TaskID(k.Task)]
	}
	return nil
}

// inOrder lists an executor's tasks as they were accepted.
func (e *executor) inOrder() []*task {
	list := make([]*task, 0, len(e.tasks))
	for _, t := range e.tasks {
		list = append(list, t)
	}
	slices.SortFunc(list, func(a, b *task) int { return cmp.Compare(a.number, b.number) })
	return list
}

// news takes a durable status in.
func (t *task) news(u *mesos.TaskStatus) {
	if check.Over(t.state) {
		return // nothing follows the end
	}
	t.state = u.GetState()
	if u.Data != nil {
		u = proto.CloneOf(u)
		u.Data = nil
	}
	if n := len(t.statuses); n > 0 && t.statuses[n-1].GetState() == u.GetState() {
		t.statuses = append(slices.Clone(t.statuses[:n-1]), u)
		return
	}
	t.statuses = append(slices.Clip(t.statuses), u) // views keep the earlier list
}

func (t *task) picture() *view.Task {
	return &view.Task{
		Info: t.info, Framework: t.executor.framework.id(), Executor: t.executor.id(), Container: t.executor.container,
		State: t.state, Statuses: t.statuses, Launched: t.launch.sent, Accepted: t.accepted,
	}
}

func (m *Machine) publishTask(t *task) { m.publish(view.TaskChanged{Task: t.picture()}) }

// removeTask forgets a task that nobody waits for, and what has ended with
// it.
func (m *Machine) removeTask(t *task) {
	f := t.executor.framework
	delete(f.tasks, t.id())
	delete(t.executor.tasks, t.id())
	m.publish(view.TaskRemoved{Task: t.picture()})
	m.checkpoint(nil, &cluster.JournalRecord{Record: &cluster.JournalRecord_TaskForgotten{
		TaskForgotten: &cluster.TaskForgotten{FrameworkId: f.info.Id, TaskId: t.info.TaskId},
	}})
	m.forgetFramework(f)
	m.drained()
}
