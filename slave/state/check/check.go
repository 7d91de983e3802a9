// Package check judges what an agent is sent by the message alone. It is a
// part of the machine in slave/state, which alone imports it.
package check

import (
	"troupe/messages/mesos"
	"troupe/messages/names"
	"troupe/messages/tasks"
	"troupe/messages/validate"
)

// AgentID refuses an id that cannot name a folder.
func AgentID(id string) error { return names.CheckID("agent_id", id) }

// Key refuses a framework's or a task's id that cannot be: they name folders
// and timers.
func Key(framework, task string) error {
	if err := FrameworkID(framework); err != nil {
		return err
	}
	return names.CheckID("task_id", task)
}

// FrameworkID refuses an id that cannot name a folder.
func FrameworkID(id string) error { return names.CheckID("framework_id", id) }

// Task refuses a task that cannot be.
func Task(t *mesos.TaskInfo) error { return validate.TaskInfo(t) }

// Group refuses a task group that cannot be, or not under its executor.
func Group(e *mesos.ExecutorInfo, g *mesos.TaskGroupInfo) error { return validate.TaskGroup(e, g) }

// PartitionAware tells whether a framework knows the finer words for a task
// that is lost.
func PartitionAware(f *mesos.FrameworkInfo) bool {
	return validate.Capable(f, mesos.FrameworkInfo_Capability_PARTITION_AWARE)
}

// Over tells a terminal state.
func Over(s mesos.TaskState) bool { return tasks.Terminal(s) }

// Update names what the executor caller may not say of a task.
func Update(caller string, u *mesos.TaskStatus) error { return validate.ExecutorUpdate(caller, u) }
