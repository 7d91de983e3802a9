package session

import (
	"maps"
	"slices"

	"troupe/messages/mesos"
	"troupe/messages/tasks"
)

// task is what the session knows of a task that has not ended.
type task struct {
	id *mesos.TaskID
	// agent is nil while unknown.
	agent *mesos.AgentID
	state mesos.TaskState
	// handling is the uuid of the update that is with the author; "" is none.
	handling string
	// settled: the master has said something of the task since the last
	// subscription, or the task was launched since; and it is not unreachable.
	settled bool
	// kill is nil unless the author wants the task to end.
	kill *kill
}

// isOver tells whether the session stops following a task: it is terminal, or
// the master has no trace of it.
func isOver(st mesos.TaskState) bool {
	return tasks.Terminal(st) || st == mesos.TaskState_TASK_UNKNOWN
}

// track returns the task's entry, made in STAGING when there is none.
func (s *Session) track(id *mesos.TaskID, agent *mesos.AgentID) *task {
	t := s.tasks[id.GetValue()]
	if t == nil {
		t = &task{id: id, state: mesos.TaskState_TASK_STAGING}
		s.tasks[id.GetValue()] = t
	}
	if agent.GetValue() != "" {
		t.agent = agent
	}
	return t
}

// forget ends the account of a task.
func (s *Session) forget(t *task) {
	id := t.id.GetValue()
	if t.kill != nil {
		s.do(CancelTimer{Key: killKey(id)})
	}
	delete(s.tasks, id)
	s.past.over.add(id)
}

// taskIDs is the order in which tasks are spoken of.
func (s *Session) taskIDs() []string { return slices.Sorted(maps.Keys(s.tasks)) }

func (s *Session) watch(w Watch) {
	id := w.TaskID.GetValue()
	if id == "" || s.tasks[id] != nil || s.removal.wanted {
		return
	}
	s.past.over.remove(id)
	s.past.done.remove(id)
	s.track(w.TaskID, w.AgentID)
	if s.phase == subscribed {
		s.armReconcile()
	}
}
