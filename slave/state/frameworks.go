package state

import (
	"google.golang.org/protobuf/proto"

	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/slave/state/check"
	"troupe/slave/state/view"
	"troupe/slave/updates"
)

// framework is here as long as it has executors or tasks.
type framework struct {
	info      *mesos.FrameworkInfo
	executors map[ExecutorID]*executor // those that have not ended
	tasks     map[TaskID]*task         // until their last update is acknowledged
	// Everything of it is being ended, and nobody waits for updates.
	ending bool
}

func (f *framework) id() FrameworkID { return FrameworkID(f.info.GetId().GetValue()) }

// lost is state, or TASK_LOST for a framework that knows no finer words.
func (f *framework) lost(state mesos.TaskState) mesos.TaskState {
	if check.PartitionAware(f.info) {
		return state
	}
	return mesos.TaskState_TASK_LOST
}

// frameworkFor finds or makes a framework, and returns what the journal must
// learn of it.
func (m *Machine) frameworkFor(info *mesos.FrameworkInfo) (*framework, []*cluster.JournalRecord) {
	id := FrameworkID(info.GetId().GetValue())
	f := m.frameworks[id]
	switch {
	case f == nil:
		f = &framework{executors: map[ExecutorID]*executor{}, tasks: map[TaskID]*task{}}
		m.frameworks[id] = f
	case proto.Equal(f.info, info):
		return f, nil
	}
	m.describe(f, info)
	return f, []*cluster.JournalRecord{frameworkRecord(info)}
}

func (m *Machine) describe(f *framework, info *mesos.FrameworkInfo) {
	f.info = info
	m.publish(view.FrameworkChanged{Framework: &view.Framework{ID: f.id(), Info: info}})
}

func frameworkRecord(info *mesos.FrameworkInfo) *cluster.JournalRecord {
	return &cluster.JournalRecord{Record: &cluster.JournalRecord_Framework{
		Framework: &cluster.FrameworkDescribed{Framework: info},
	}}
}

func (m *Machine) updateFramework(info *mesos.FrameworkInfo) {
	f := m.frameworks[FrameworkID(info.GetId().GetValue())]
	if f == nil || proto.Equal(f.info, info) {
		return
	}
	m.describe(f, info)
	m.checkpoint(nil, frameworkRecord(info))
}

// shutdownFramework ends everything of a framework. It is gone for the master
// already: nobody waits for its updates.
func (m *Machine) shutdownFramework(id FrameworkID) {
	f := m.frameworks[id]
	m.closeStreams(id)
	m.abandonOperations(id)
	if f == nil || f.ending {
		return
	}
	f.ending = true
	m.note(Info, "Shutting a framework down", Field{"framework", string(id)})
	for _, t := range sorted(f.tasks) {
		if t.executor.phase == view.Terminated {
			m.removeTask(t)
		}
	}
	for _, e := range sorted(f.executors) {
		m.shutdownExecutor(e)
	}
	m.forgetFramework(f)
}

// closeStreams ends a framework's update streams. Those of tasks that were
// never here have no TaskForgotten to end them in the journal.
func (m *Machine) closeStreams(id FrameworkID) {
	for _, k := range m.streams.Keys() {
		if k.Framework != string(id) {
			continue
		}
		if m.task(k) == nil {
			for _, u := range m.streams.Pending(k) {
				m.checkpoint(nil, acknowledgedRecord(k, u.GetUuid()))
			}
		}
		m.stream(updates.Close{Key: k})
	}
}

// forgetFramework does so if nothing is left of it.
func (m *Machine) forgetFramework(f *framework) {
	if len(f.executors) > 0 || len(f.tasks) > 0 || m.frameworks[f.id()] != f {
		return
	}
	delete(m.frameworks, f.id())
	m.publish(view.FrameworkRemoved{ID: f.id()})
	m.checkpoint(nil, &cluster.JournalRecord{Record: &cluster.JournalRecord_FrameworkForgotten{
		FrameworkForgotten: &cluster.FrameworkForgotten{FrameworkId: f.info.Id},
	}})
}

// checkKey guards the paths and keys that are made of ids.
func (m *Machine) checkKey(k updates.Key) bool {
	err := check.Key(k.Framework, k.Task)
	if err != nil {
		m.note(Warn, "Message dropped: "+err.Error())
	}
	return err == nil
}

// frameworkMessage passes bytes to an executor, or drops them.
func (m *Machine) frameworkMessage(msg *cluster.FrameworkMessage) {
	var e *executor
	if f := m.frameworks[FrameworkID(msg.GetFrameworkId().GetValue())]; f != nil {
		e = f.executors[ExecutorID(msg.GetExecutorId().GetValue())]
	}
	if e == nil || e.phase != view.Running || e.peer == "" {
		m.count(view.InvalidMessages)
		m.note(Info, "A message to an executor was dropped: it is not subscribed",
			Field{"framework", msg.GetFrameworkId().GetValue()}, Field{"executor", msg.GetExecutorId().GetValue()})
		return
	}
	m.count(view.ValidMessages)
	m.event(e, messageEvent(msg.GetData()))
}
