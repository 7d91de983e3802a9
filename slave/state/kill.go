package state

import (
	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/slave/state/check"
	"troupe/slave/state/view"
	"troupe/slave/updates"
)

// killTask ends a task by whatever it has come to. It may be repeated.
func (m *Machine) killTask(msg *cluster.KillTask) {
	k := updates.Key{Framework: msg.GetFrameworkId().GetValue(), Task: msg.GetTaskId().GetValue()}
	t := m.task(k)
	switch {
	case t == nil:
		if m.checkKey(k) {
			m.dropUnknown(k, "The agent does not know the task")
		}
	case check.Over(t.next) || t.executor.framework.ending:
		// Its last update is on its way, or nobody waits for it.
	case !t.launch.sent:
		m.killUngiven(t.launch)
	default:
		t.kill = msg
		m.event(t.executor, killEvent(msg))
	}
}

// killUngiven ends a launch that no executor was given: all of it, as a group
// shares one fate.
func (m *Machine) killUngiven(l *launch) {
	e := l.tasks[0].executor
	reason := mesos.TaskStatus_REASON_TASK_KILLED_DURING_LAUNCH
	if m.drain != nil {
		reason = mesos.TaskStatus_REASON_AGENT_DRAINING
	}
	for _, t := range l.tasks {
		if !check.Over(t.next) {
			m.tell(t, m.drainedStatus(e.framework, mesos.TaskState_TASK_KILLED), reason,
				"The task was killed before its executor had it")
		}
	}
	m.relieve(e)
}

// relieve is called when a launch ended that its executor was not given: one that
// never was given any has nothing to live for, and others may use less.
func (m *Machine) relieve(e *executor) {
	if e.idle() && (e.phase < view.Running || !e.given) {
		m.shutdownExecutor(e)
	}
	m.refit(e)
}
