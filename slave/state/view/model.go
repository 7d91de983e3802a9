package view

import (
	"cmp"
	"maps"
	"slices"

	"troupe/messages/mesos"
	"troupe/messages/tasks"
)

// Limits bounds what is remembered of the past. Zero means the default.
type Limits struct {
	CompletedFrameworks int // 50
	CompletedExecutors  int // per framework; 150
	CompletedTasks      int // per executor; 200
}

// Model collects events. It is not safe for concurrent use.
type Model struct {
	limits     Limits
	agent      *Agent
	frameworks map[FrameworkID]*frameworkModel
	completed  []*FrameworkTree // the newest last
	hosts      map[HostID]*Host
	operations map[OperationID]*Operation
	counters   map[Counter]int64
	ended      map[mesos.TaskState]int64
	limited    map[mesos.TaskStatus_Reason]int64
	slack      []Slack
}

type frameworkModel struct {
	info      *Framework
	executors map[ContainerID]*executorModel
	completed []*executorModel // the newest last
}

type executorModel struct {
	info      *Executor
	tasks     map[TaskID]*Task
	completed []*Task // the newest last
}

// NewModel returns one of an agent that nothing is known of.
func NewModel(l Limits) *Model {
	l.CompletedFrameworks = cmp.Or(l.CompletedFrameworks, 50)
	l.CompletedExecutors = cmp.Or(l.CompletedExecutors, 150)
	l.CompletedTasks = cmp.Or(l.CompletedTasks, 200)
	return &Model{
		limits: l, agent: &Agent{}, frameworks: map[FrameworkID]*frameworkModel{}, hosts: map[HostID]*Host{},
		operations: map[OperationID]*Operation{},
		counters:   map[Counter]int64{}, ended: map[mesos.TaskState]int64{},
		limited: map[mesos.TaskStatus_Reason]int64{},
	}
}

// Apply takes one event in.
func (m *Model) Apply(e Event) {
	switch e := e.(type) {
	case AgentChanged:
		m.agent = e.Agent
	case FrameworkChanged:
		m.framework(e.Framework.ID).info = e.Framework
	case FrameworkRemoved:
		if f := m.frameworks[e.ID]; f != nil {
			delete(m.frameworks, e.ID)
			m.completed = limited(append(m.completed, f.tree()), m.limits.CompletedFrameworks)
		}
	case ExecutorChanged:
		m.executorChanged(e.Executor)
	case TaskChanged:
		m.taskChanged(e.Task)
	case TaskRemoved:
		if x := m.executor(e.Task); x != nil {
			delete(x.tasks, e.Task.ID())
			x.completed = limited(append(x.completed, e.Task), m.limits.CompletedTasks)
		}
	case HostChanged:
		m.hosts[e.Host.ID] = e.Host
	case HostRemoved:
		delete(m.hosts, e.ID)
	case OperationChanged:
		m.operations[e.Operation.ID] = e.Operation
	case OperationRemoved:
		delete(m.operations, e.ID)
	case SlackChanged:
		m.slack = e.Slack
	case Counted:
		m.counters[e.Counter]++
	}
}

// limited forgets the oldest of a list that is too long.
func limited[T any](list []T, limit int) []T {
	if len(list) <= limit {
		return list
	}
	return slices.Delete(list, 0, len(list)-limit)
}

func (m *Model) framework(id FrameworkID) *frameworkModel {
	f := m.frameworks[id]
	if f == nil {
		f = &frameworkModel{info: &Framework{ID: id}, executors: map[ContainerID]*executorModel{}}
		m.frameworks[id] = f
	}
	return f
}

func (m *Model) executorChanged(e *Executor) {
	f := m.framework(e.Framework)
	x := f.executors[e.Container]
	if x == nil {
		x = &executorModel{tasks: map[TaskID]*Task{}}
		f.executors[e.Container] = x
	}
	x.info = e
	if e.Phase == Terminated {
		delete(f.executors, e.Container)
		f.completed = limited(append(f.completed, x), m.limits.CompletedExecutors)
	}
}

// executor finds a task's, which may have ended; nil when it was forgotten.
func (m *Model) executor(t *Task) *executorModel {
	f := m.frameworks[t.Framework]
	if f == nil {
		return nil
	}
	if x := f.executors[t.Container]; x != nil {
		return x
	}
	for _, x := range slices.Backward(f.completed) {
		if x.info.Container == t.Container {
			return x
		}
	}
	return nil
}

func (m *Model) taskChanged(t *Task) {
	f := m.framework(t.Framework)
	x := m.executor(t)
	if x == nil {
		// Tasks may be told of before their executor.
		x = &executorModel{info: &Executor{ID: t.Executor, Framework: t.Framework, Container: t.Container}, tasks: map[TaskID]*Task{}}
		f.executors[t.Container] = x
	}
	before := x.tasks[t.ID()]
	x.tasks[t.ID()] = t
	if tasks.Terminal(t.State) && (before == nil || !tasks.Terminal(before.State)) {
		m.ended[t.State]++
		if n := len(t.Statuses); n > 0 && Limited(t.Statuses[n-1].GetReason()) {
			m.limited[t.Statuses[n-1].GetReason()]++
		}
	}
}

// Limited tells that it is a reason of tasks that wanted more than they may have.
func Limited(r mesos.TaskStatus_Reason) bool {
	return r == mesos.TaskStatus_REASON_CONTAINER_LIMITATION ||
		r == mesos.TaskStatus_REASON_CONTAINER_LIMITATION_DISK || r == mesos.TaskStatus_REASON_CONTAINER_LIMITATION_MEMORY
}

// ID is the task's.
func (t *Task) ID() TaskID { return TaskID(t.Info.GetTaskId().GetValue()) }

// Snapshot is everything at one moment. Lists are ordered by id, and never
// change.
type Snapshot struct {
	Agent      *Agent
	Frameworks []*FrameworkTree
	Completed  []*FrameworkTree // the oldest first
	Hosts      []*Host
	Operations []*Operation // in the order of arrival
	Counters   map[Counter]int64
	// Ended counts the tasks that reached a terminal state.
	Ended map[mesos.TaskState]int64
	// Limited counts those of them that wanted more than they may have.
	Limited map[mesos.TaskStatus_Reason]int64
	// Slack is ordered by role and window.
	Slack []Slack
}

// FrameworkTree is a framework with its executors.
type FrameworkTree struct {
	*Framework
	Executors []*ExecutorTree
	Completed []*ExecutorTree // the oldest first
}

// ExecutorTree is an executor with its tasks.
type ExecutorTree struct {
	*Executor
	// Queued were not given to the executor yet, and Live were. Ended wait for
	// acknowledgements, Over for nothing; these are the oldest first.
	Queued, Live, Ended, Over []*Task
}

// Snapshot copies what changes.
func (m *Model) Snapshot() *Snapshot {
	s := &Snapshot{
		Agent: m.agent, Completed: slices.Clone(m.completed),
		Counters: maps.Clone(m.counters), Ended: maps.Clone(m.ended), Limited: maps.Clone(m.limited), Slack: m.slack,
	}
	for _, id := range slices.Sorted(maps.Keys(m.frameworks)) {
		s.Frameworks = append(s.Frameworks, m.frameworks[id].tree())
	}
	for _, id := range slices.Sorted(maps.Keys(m.hosts)) {
		s.Hosts = append(s.Hosts, m.hosts[id])
	}
	for _, o := range m.operations {
		s.Operations = append(s.Operations, o)
	}
	slices.SortFunc(s.Operations, func(a, b *Operation) int { return cmp.Compare(a.Number, b.Number) })
	return s
}

func (f *frameworkModel) tree() *FrameworkTree {
	t := &FrameworkTree{Framework: f.info}
	for _, x := range f.executors {
		t.Executors = append(t.Executors, x.tree())
	}
	slices.SortFunc(t.Executors, func(a, b *ExecutorTree) int {
		return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(a.Container, b.Container))
	})
	for _, x := range f.completed {
		t.Completed = append(t.Completed, x.tree())
	}
	return t
}

func (x *executorModel) tree() *ExecutorTree {
	t := &ExecutorTree{Executor: x.info, Over: slices.Clone(x.completed)}
	for _, id := range slices.Sorted(maps.Keys(x.tasks)) {
		switch task := x.tasks[id]; {
		case tasks.Terminal(task.State):
			t.Ended = append(t.Ended, task)
		case task.Launched:
			t.Live = append(t.Live, task)
		default:
			t.Queued = append(t.Queued, task)
		}
	}
	return t
}
