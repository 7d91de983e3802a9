package work

import (
	"troupe/messages/mesos"
)

// Lost tells whether an attempt ended with what it ran on, its agent or its
// executor, or was taken off it, and not by what it did itself: it may do better
// elsewhere.
func Lost(st *mesos.TaskStatus) bool {
	switch st.GetState() {
	case mesos.TaskState_TASK_LOST, mesos.TaskState_TASK_DROPPED, mesos.TaskState_TASK_UNREACHABLE, mesos.TaskState_TASK_GONE,
		mesos.TaskState_TASK_GONE_BY_OPERATOR, mesos.TaskState_TASK_UNKNOWN:
		return true
	case mesos.TaskState_TASK_FAILED, mesos.TaskState_TASK_KILLED:
		return st.Reason != nil && outside[st.GetReason()]
	}
	return false
}

// outside are the reasons that name no deed of the task's.
var outside = map[mesos.TaskStatus_Reason]bool{
	mesos.TaskStatus_REASON_AGENT_DISCONNECTED:              true,
	mesos.TaskStatus_REASON_AGENT_DRAINING:                  true,
	mesos.TaskStatus_REASON_AGENT_REMOVED:                   true,
	mesos.TaskStatus_REASON_AGENT_RESTARTED:                 true,
	mesos.TaskStatus_REASON_CONTAINER_PREEMPTED:             true,
	mesos.TaskStatus_REASON_EXECUTOR_REGISTRATION_TIMEOUT:   true,
	mesos.TaskStatus_REASON_EXECUTOR_REREGISTRATION_TIMEOUT: true,
	mesos.TaskStatus_REASON_EXECUTOR_TERMINATED:             true,
}
