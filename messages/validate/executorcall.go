package validate

import (
	"troupe/messages/field"
	"troupe/messages/mesos"
	"troupe/messages/mesos/executor"
	"troupe/messages/tasks"
)

// ExecutorCall refuses a call that no executor may make, whoever it is.
func ExecutorCall(c *executor.Call) error {
	switch {
	case c.Type == nil:
		return field.Missing("type")
	case c.GetType() == executor.Call_SUBSCRIBE && c.Subscribe == nil:
		return field.Missing("subscribe")
	case c.GetType() == executor.Call_UPDATE && c.Update == nil:
		return field.Missing("update")
	case c.GetType() == executor.Call_UPDATE:
		return ExecutorUpdate(c.GetExecutorId().GetValue(), c.GetUpdate().GetStatus())
	case c.GetType() == executor.Call_MESSAGE && c.Message == nil:
		return field.Missing("message")
	}
	return nil
}

// ExecutorUpdate names what the executor caller may not say of a task.
func ExecutorUpdate(caller string, u *mesos.TaskStatus) error {
	switch {
	case u == nil:
		return field.Missing("update.status")
	case u.GetTaskId().GetValue() == "":
		return field.Missing("update.status.task_id")
	case len(u.GetUuid()) != 16:
		return field.Invalid("update.status.uuid", u.GetUuid(), "must be of 16 bytes")
	case u.ExecutorId != nil && u.GetExecutorId().GetValue() != caller:
		return field.Invalid("update.status.executor_id", u.GetExecutorId().GetValue(), "must be the caller's, %q", caller)
	case u.GetSource() != mesos.TaskStatus_SOURCE_EXECUTOR:
		return field.Invalid("update.status.source", u.GetSource().String(), "must be SOURCE_EXECUTOR")
	case !tasks.FromExecutor(u.GetState()):
		return field.Invalid("update.status.state", u.GetState().String(), "is not for executors to say")
	}
	return nil
}
