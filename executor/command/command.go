// Package command is the built-in executor of tasks that have nothing but a
// command. Executor hosts import it; every command task has one of its own.
package command

import (
	"context"
	"fmt"

	"google.golang.org/protobuf/proto"

	"troupe/executor"
	"troupe/executor/program"
	"troupe/executor/task"
	"troupe/executor/volume"
	"troupe/messages/mesos"
	executorpb "troupe/messages/mesos/executor"
)

// Executor runs one task: TASK_STARTING, TASK_RUNNING, and the state that its
// exit amounts to. It is a Handler.
type Executor struct {
	executor.Base
	base program.Spec
	crew *task.Crew
	// taken is the id of the task; "" before the first launch.
	taken        string
	tellsKilling bool
}

// New makes a command executor. base has the sandbox, the environment and the
// user; gone is called once, when the executor has ended and no process of it
// is left.
func New(base program.Spec, l program.Launcher, gone func()) *Executor {
	return &Executor{base: base, crew: task.NewCrew(l, gone)}
}

// Subscribed learns what the framework understands.
func (x *Executor) Subscribed(_ *executor.Driver, e *executorpb.Event_Subscribed) {
	x.tellsKilling = task.TellsKilling(e.GetFrameworkInfo())
}

// Launch starts the task; a second one fails.
func (x *Executor) Launch(d *executor.Driver, info *mesos.TaskInfo) {
	id := info.GetTaskId().GetValue()
	if x.taken != "" {
		d.Update(&mesos.TaskStatus{
			TaskId: info.GetTaskId(), State: mesos.TaskState_TASK_FAILED.Enum(),
			Message: proto.String(fmt.Sprintf("a command executor runs one task; this one has run %q", x.taken)),
		})
		return
	}
	x.taken = id
	x.crew.Start(d, task.Task{
		Info: info, TellsKilling: x.tellsKilling,
		Prepare: func(context.Context) (program.Spec, error) { return x.prepare(info) },
		Ended:   func(mesos.TaskState) { d.Finish() },
	})
}

func (x *Executor) prepare(info *mesos.TaskInfo) (program.Spec, error) {
	if !program.Mounts(x.base) {
		if err := volume.LinkIn(x.base.Dir, info.GetContainer()); err != nil {
			return program.Spec{}, err
		}
	}
	base := x.base
	base.Secrets = base.Container != nil
	spec, err := program.ForCommand(base, info.GetCommand())
	spec.Env = task.WithRole(spec.Env, info)
	return program.OnTerminal(spec, info.GetContainer()), err
}

// LaunchGroup is not for command executors: the tasks fail, and an executor that
// has no other ends.
func (x *Executor) LaunchGroup(d *executor.Driver, group []*mesos.TaskInfo) {
	x.Base.LaunchGroup(d, group)
	if x.taken == "" {
		d.Finish()
	}
}

// Kill ends the task within its grace.
func (x *Executor) Kill(d *executor.Driver, id string, p *mesos.KillPolicy) {
	if x.taken == "" {
		// The kill has overtaken the launch: the agent gives the task its end.
		d.Finish()
		return
	}
	x.crew.Kill(id, p)
}

// Acknowledged lets the next news of a task go.
func (x *Executor) Acknowledged(_ *executor.Driver, id string, uuid []byte) {
	x.crew.Acknowledged(id, uuid)
}

// Shutdown ends the task, or the executor that has none.
func (x *Executor) Shutdown(d *executor.Driver) {
	if len(x.crew.IDs()) == 0 {
		d.Finish()
		return
	}
	x.crew.Shutdown(d.Config().ShutdownGracePeriod)
}

// Ended leaves, with force when there was no orderly end.
func (x *Executor) Ended(_ *executor.Driver, err error) {
	if err != nil {
		x.crew.Destroy()
		return
	}
	x.crew.Leave()
}

// Destroy ends the task at once. It is called among the handler's calls.
func (x *Executor) Destroy() { x.crew.Destroy() }
