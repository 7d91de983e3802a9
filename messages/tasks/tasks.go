// Package tasks sorts the states of a task, and says how one ended. Anything may import it.
package tasks

import "troupe/messages/mesos"

// Terminal tells whether a task in state s has ended for good as far as its
// agent can tell: its resources are free and no other update may follow.
// TASK_UNREACHABLE and TASK_UNKNOWN are not terminal: such a task may turn up
// again.
func Terminal(s mesos.TaskState) bool {
	switch s {
	case mesos.TaskState_TASK_FINISHED,
		mesos.TaskState_TASK_FAILED,
		mesos.TaskState_TASK_KILLED,
		mesos.TaskState_TASK_ERROR,
		mesos.TaskState_TASK_LOST,
		mesos.TaskState_TASK_DROPPED,
		mesos.TaskState_TASK_GONE,
		mesos.TaskState_TASK_GONE_BY_OPERATOR:
		return true
	}
	return false
}

// Live tells whether a task in state s is known to hold resources of an
// agent.
func Live(s mesos.TaskState) bool {
	switch s {
	case mesos.TaskState_TASK_STAGING,
		mesos.TaskState_TASK_STARTING,
		mesos.TaskState_TASK_RUNNING,
		mesos.TaskState_TASK_KILLING:
		return true
	}
	return false
}

// FromExecutor tells whether an executor may report state s. The others are
// for the agent and the master to say.
func FromExecutor(s mesos.TaskState) bool {
	switch s {
	case mesos.TaskState_TASK_STARTING,
		mesos.TaskState_TASK_RUNNING,
		mesos.TaskState_TASK_KILLING,
		mesos.TaskState_TASK_FINISHED,
		mesos.TaskState_TASK_FAILED,
		mesos.TaskState_TASK_KILLED,
		mesos.TaskState_TASK_ERROR,
		mesos.TaskState_TASK_LOST,
		mesos.TaskState_TASK_DROPPED,
		mesos.TaskState_TASK_GONE:
		return true
	}
	return false
}
