// Package pod is the built-in executor of task groups. Executor hosts import
// it. The tasks of a group share a fate: when one of them fails or is killed,
// the rest of its group is killed. The executor ends when no task is left.
package pod

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"troupe/executor"
	"troupe/executor/program"
	"troupe/executor/task"
	"troupe/messages/mesos"
	executorpb "troupe/messages/mesos/executor"
	"troupe/messages/names"
)

// TasksFolder is where a pod's sandbox has a folder for each task.
const TasksFolder = "tasks"

// Executor runs any number of groups. It is a Handler.
type Executor struct {
	executor.Base
	base         program.Spec
	crew         *task.Crew
	tellsKilling bool
}

// New makes an executor of task groups; see command.New for what it is given.
func New(base program.Spec, l program.Launcher, gone func()) *Executor {
	return &Executor{base: base, crew: task.NewCrew(l, gone)}
}

// Subscribed learns what the framework understands.
func (x *Executor) Subscribed(_ *executor.Driver, e *executorpb.Event_Subscribed) {
	x.tellsKilling = task.TellsKilling(e.GetFrameworkInfo())
}

// Launch is not for pods: the task fails, and an executor that has nothing
// else ends.
func (x *Executor) Launch(d *executor.Driver, t *mesos.TaskInfo) {
	x.Base.Launch(d, t)
	x.finishIfIdle(d)
}

// LaunchGroup starts every task of the group in a folder of its own.
func (x *Executor) LaunchGroup(d *executor.Driver, infos []*mesos.TaskInfo) {
	group := make([]string, len(infos))
	for i, info := range infos {
		group[i] = info.GetTaskId().GetValue()
	}
	for _, info := range infos {
		prepare := func() (program.Spec, error) { return x.prepare(info) }
		x.crew.Start(d, info, x.tellsKilling, prepare, func(st mesos.TaskState) {
			x.shareFate(group, st)
			x.finishIfIdle(d)
		})
	}
	x.finishIfIdle(d)
}

// shareFate ends the rest of a group once a task of it did not finish.
func (x *Executor) shareFate(group []string, st mesos.TaskState) {
	if st == mesos.TaskState_TASK_FINISHED {
		return
	}
	for _, id := range group {
		x.crew.Kill(id, nil)
	}
}

func (x *Executor) finishIfIdle(d *executor.Driver) {
	if len(x.crew.IDs()) == 0 {
		d.Finish()
	}
}

// prepare makes the task's folder and says what to run in it.
func (x *Executor) prepare(info *mesos.TaskInfo) (program.Spec, error) {
	id := info.GetTaskId().GetValue()
	if err := names.CheckID("task_id", id); err != nil {
		return program.Spec{}, err
	}
	base := x.base
	base.Dir = filepath.Join(x.base.Dir, TasksFolder, id)
	base.Env = program.Merge(task.WithRole(base.Env, info), "MESOS_SANDBOX="+base.Dir)
	spec, err := program.ForCommand(base, info.GetCommand())
	if err != nil {
		return program.Spec{}, err
	}
	if err := x.makeFolder(id, spec.User); err != nil {
		return program.Spec{}, fmt.Errorf("make the sandbox of task %q: %w", id, err)
	}
	return spec, nil
}

// makeFolder makes a task's folder for the task's user. The tasks before may
// have put anything into the sandbox, so no path is followed out of it.
func (x *Executor) makeFolder(id, name string) (err error) {
	sandbox, err := os.OpenRoot(x.base.Dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, sandbox.Close()) }()
	if err := sandbox.Mkdir(TasksFolder, 0o755); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	dir := filepath.Join(TasksFolder, id)
	if err := sandbox.Mkdir(dir, 0o755); err != nil {
		return err
	}
	if name == "" {
		return nil
	}
	uid, gid, err := lookUp(name)
	if err != nil {
		return err
	}
	return sandbox.Lchown(dir, uid, gid)
}

// Kill ends a task, and with it its group.
func (x *Executor) Kill(_ *executor.Driver, id string, p *mesos.KillPolicy) { x.crew.Kill(id, p) }

// Shutdown ends every task, and then the executor.
func (x *Executor) Shutdown(d *executor.Driver) {
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
