package task

import (
	"time"

	"troupe/executor/check"
	"troupe/messages/cluster"
	"troupe/messages/mesos"
)

// Input is what can happen to a task.
type Input interface{ input() }

// Effect is what a task's machine asks of its shell, in order.
type Effect interface{ effect() }

type (
	// Start begins the task: the first input.
	Start struct{}
	// Launched answers Launch: the program runs.
	Launched struct{}
	// LaunchFailed answers Launch: nothing runs.
	LaunchFailed struct{ Err error }
	// Exited tells that the program and all it started are gone. Status is as
	// wait(2) gave it, -1 when unknown; Limit what its container had run into, nil
	// if nothing.
	Exited struct {
		Status int
		Limit  *cluster.ContainerLimit
	}
	// Kill is somebody's wish that the task ends. Policy may be nil.
	Kill struct{ Policy *mesos.KillPolicy }
	// Destroy ends the task at once.
	Destroy struct{}
	// Deadline answers SetDeadline.
	Deadline struct{}
	// Checked is what happened to the task's checks.
	Checked struct{ Input check.Input }
)

type (
	// Launch asks to run the program; answered by Launched or LaunchFailed.
	Launch struct{}
	// Abort asks to give up a Launch that is under way, which is answered as ever.
	Abort struct{}
	// Signal asks to end all processes of the task, by force after Grace; a
	// later Signal has the shorter deadline.
	Signal struct{ Grace time.Duration }
	// SetDeadline asks for Deadline.
	SetDeadline struct{ After time.Duration }
	// Check is what the task's checks ask for: a check.Wait, Run or Cancel, to be
	// answered as Checked.
	Check struct{ Effect check.Effect }
	// Update is news for the framework. Message may be empty, the rest nil but
	// for Check, which every update of a task with a check has. Used is what a task
	// used that ended for a limit.
	Update struct {
		State   mesos.TaskState
		Message string
		Reason  *mesos.TaskStatus_Reason
		Healthy *bool
		Check   *mesos.CheckStatusInfo
		Used    []*mesos.Resource
	}
)

func (Start) input()        {}
func (Launched) input()     {}
func (LaunchFailed) input() {}
func (Exited) input()       {}
func (Kill) input()         {}
func (Destroy) input()      {}
func (Deadline) input()     {}
func (Checked) input()      {}

func (Launch) effect()      {}
func (Abort) effect()       {}
func (Signal) effect()      {}
func (SetDeadline) effect() {}
func (Check) effect()       {}
func (Update) effect()      {}

// news tells whether an update says only what a check has learned: a later one
// says all that it says.
func (u Update) news() bool { return u.State == mesos.TaskState_TASK_RUNNING && u.Reason != nil }
