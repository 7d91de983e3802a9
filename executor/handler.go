package executor

import (
	"fmt"

	"troupe/messages/mesos"
	"troupe/messages/mesos/executor"
)

// Handler is what an executor does. Its methods are called one at a time and
// must not block; slow work goes through Driver.Go or a goroutine. Embed Base
// to leave out what does not matter.
type Handler interface {
	// Subscribed: the agent knows the executor. Again after the agent was away.
	Subscribed(d *Driver, e *executor.Event_Subscribed)
	// Launch starts a task. Nothing is reported by itself: the handler sends
	// updates.
	Launch(d *Driver, t *mesos.TaskInfo)
	// LaunchGroup starts tasks that share one fate.
	LaunchGroup(d *Driver, tasks []*mesos.TaskInfo)
	// Kill ends a task; p may be nil. The task may be unknown, or have ended.
	Kill(d *Driver, task string, p *mesos.KillPolicy)
	// Message is data from the framework.
	Message(d *Driver, data []byte)
	// Acknowledged: the agent has this update on disk.
	Acknowledged(d *Driver, task string, uuid []byte)
	// Shutdown ends all tasks and then calls Finish. The agent destroys the
	// container when the shutdown grace period has passed.
	Shutdown(d *Driver)
	// Ended is the last call: nothing reaches the agent any more. Err is nil
	// after Finish.
	Ended(d *Driver, err error)
}

// Base is a Handler that fails every task, ignores messages, and finishes when
// it is told to shut down.
type Base struct{}

// Subscribed does nothing.
func (Base) Subscribed(*Driver, *executor.Event_Subscribed) {}

// Launch reports the task failed.
func (Base) Launch(d *Driver, t *mesos.TaskInfo) { refuse(d, t, "LAUNCH") }

// LaunchGroup reports every task failed.
func (Base) LaunchGroup(d *Driver, tasks []*mesos.TaskInfo) {
	for _, t := range tasks {
		refuse(d, t, "LAUNCH_GROUP")
	}
}

func refuse(d *Driver, t *mesos.TaskInfo, event string) {
	message := fmt.Sprintf("executor %q does not take %s", d.Config().ExecutorID, event)
	d.Update(&mesos.TaskStatus{TaskId: t.GetTaskId(), State: mesos.TaskState_TASK_FAILED.Enum(), Message: &message})
}

// Kill does nothing.
func (Base) Kill(*Driver, string, *mesos.KillPolicy) {}

// Message does nothing.
func (Base) Message(*Driver, []byte) {}

// Acknowledged does nothing.
func (Base) Acknowledged(*Driver, string, []byte) {}

// Shutdown finishes.
func (Base) Shutdown(d *Driver) { d.Finish() }

// Ended does nothing.
func (Base) Ended(*Driver, error) {}
