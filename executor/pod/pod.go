// Package pod is the built-in executor of task groups. Executor hosts import
// it. The tasks of a group share a fate: when one of them fails or is killed,
// the rest of its group is killed. The executor ends when no task is left.
package pod

import (
	"context"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"

	"troupe/executor"
	"troupe/executor/program"
	"troupe/executor/task"
	"troupe/messages/mesos"
	executorpb "troupe/messages/mesos/executor"
)

// Executor runs any number of groups. It is a Handler.
type Executor struct {
	executor.Base
	base program.Spec
	crew *task.Crew
	// own is the executor's container; nil until it is subscribed.
	own          *mesos.ContainerID
	tellsKilling bool
	// leaving: every task has been asked to end, within the executor's own grace.
	leaving bool
}

// New makes an executor of task groups; see command.New for what it is given.
func New(base program.Spec, l program.Launcher, gone func()) *Executor {
	return &Executor{base: base, crew: task.NewCrew(l, gone)}
}

// Subscribed learns what the framework understands, and where the executor is.
func (x *Executor) Subscribed(_ *executor.Driver, e *executorpb.Event_Subscribed) {
	x.own = e.GetContainerId()
	x.tellsKilling = task.TellsKilling(e.GetFrameworkInfo())
}

// Launch is not for pods: the task fails, and an executor that has nothing
// else ends.
func (x *Executor) Launch(d *executor.Driver, t *mesos.TaskInfo) {
	x.Base.Launch(d, t)
	x.finishIfIdle(d)
}

// LaunchGroup starts every task of the group in a container of its own.
func (x *Executor) LaunchGroup(d *executor.Driver, infos []*mesos.TaskInfo) {
	group := make([]string, len(infos))
	for i, info := range infos {
		group[i] = info.GetTaskId().GetValue()
	}
	for _, info := range infos {
		nested := &mesos.ContainerID{Value: proto.String(uuid.NewString()), Parent: x.own}
		x.crew.Start(d, task.Task{
			Info: info, Container: nested, TellsKilling: x.tellsKilling,
			Prepare: func(ctx context.Context) (program.Spec, error) { return x.prepare(ctx, info, nested) },
			Ended: func(st mesos.TaskState) {
				x.shareFate(group, st)
				x.finishIfIdle(d)
			},
		})
	}
	x.finishIfIdle(d)
}

// shareFate ends the rest of a group once a task of it did not finish. Whoever is
// asked to end already keeps the grace that he was given.
func (x *Executor) shareFate(group []string, st mesos.TaskState) {
	if st != mesos.TaskState_TASK_FINISHED && !x.leaving {
		x.crew.KillRest(group)
	}
}

func (x *Executor) finishIfIdle(d *executor.Driver) {
	if len(x.crew.IDs()) == 0 {
		d.Finish()
	}
}

// Kill ends a task, and with it its group; while the executor shuts down all of
// them end anyway.
func (x *Executor) Kill(_ *executor.Driver, id string, p *mesos.KillPolicy) {
	if !x.leaving {
		x.crew.Kill(id, p)
	}
}

// Acknowledged lets the next news of a task go.
func (x *Executor) Acknowledged(_ *executor.Driver, id string, uuid []byte) {
	x.crew.Acknowledged(id, uuid)
}

// Shutdown ends every task, and then the executor.
func (x *Executor) Shutdown(d *executor.Driver) {
	x.leaving = true
	x.crew.Shutdown(d.Config().ShutdownGracePeriod)
	x.finishIfIdle(d)
}

// Ended leaves, with force when there was no orderly end.
func (x *Executor) Ended(_ *executor.Driver, err error) {
	if err != nil {
		x.crew.Destroy()
		return
	}
	x.crew.Leave()
}

// Destroy ends every task at once. It is called among the handler's calls.
func (x *Executor) Destroy() { x.crew.Destroy() }
