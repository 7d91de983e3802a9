package pod

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"troupe/executor/program"
	"troupe/executor/task"
	"troupe/executor/volume"
	"troupe/messages/mesos"
	"troupe/messages/names"
)

// A pod's sandbox, as that of Mesos's default executor:
//
//	containers/CONTAINER   the sandbox of one task, named by its container
//	tasks/TASK             a link to it
//	...                    what the tasks share through volumes
const (
	ContainersFolder = "containers"
	TasksFolder      = "tasks"
)

// prepare makes the task's sandbox and container, and says what to run in it.
func (x *Executor) prepare(ctx context.Context, info *mesos.TaskInfo, container *mesos.ContainerID) (program.Spec, error) {
	id := info.GetTaskId().GetValue()
	if err := names.CheckID("task_id", id); err != nil {
		return program.Spec{}, err
	}
	dir := filepath.Join(ContainersFolder, container.GetValue())
	base := x.base
	base.Within = x.base.Dir
	base.Dir, base.Container, base.Secrets = filepath.Join(x.base.Dir, dir), nil, x.base.Container != nil
	base.Env = program.Merge(base.Env, "MESOS_SANDBOX="+base.Dir)
	spec, err := program.ForCommand(base, info.GetCommand())
	if err != nil {
		return program.Spec{}, err
	}
	spec.Env = task.WithRole(spec.Env, info)
	spec = program.OnTerminal(spec, info.GetContainer())
	// The tasks before may have put anything into the executor's sandbox, so no
	// path is followed out of it.
	sandbox, err := os.OpenRoot(x.base.Dir)
	if err != nil {
		return program.Spec{}, err
	}
	if err = makeSandbox(sandbox, dir, id, spec.User); err != nil {
		err = fmt.Errorf("make the sandbox of task %q: %w", id, err)
	} else if err = x.link(sandbox, dir, info); err == nil {
		spec.Container, err = x.nest(ctx, info, container, spec)
	}
	return spec, errors.Join(err, sandbox.Close())
}

// link shows the task's volumes in its sandbox, but for those that its container
// has as mounts.
func (x *Executor) link(sandbox *os.Root, dir string, info *mesos.TaskInfo) error {
	if !program.Mounts(x.base) {
		if err := volume.Link(sandbox, dir, info.GetContainer()); err != nil {
			return err
		}
	}
	return volume.LinkPersistent(sandbox, dir, info.GetResources(), program.Mounts(x.base))
}

// nest makes the task's container in the executor's. It is within the amounts of
// that, unless the task wants to be held to its own.
func (x *Executor) nest(ctx context.Context, info *mesos.TaskInfo, id *mesos.ContainerID, spec program.Spec) (program.Container, error) {
	if x.base.Container == nil {
		return nil, nil
	}
	return x.base.Container.Nest(ctx, program.Contents{
		ID: id, Task: info.GetTaskId().GetValue(), Sandbox: spec.Dir, User: spec.User, Info: info.GetContainer(), Command: info.GetCommand(),
		Amounts: program.AmountsOfTask(info), Resources: info.GetResources(),
	})
}

// makeSandbox makes a task's folder for the task's user, and the link to it. A
// link of an earlier task of that id is replaced.
func makeSandbox(sandbox *os.Root, dir, id, user string) error {
	for _, name := range []string{ContainersFolder, TasksFolder} {
		if err := sandbox.Mkdir(name, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	if err := sandbox.Mkdir(dir, 0o755); err != nil {
		return err
	}
	if user != "" {
		uid, gid, err := program.LookUp(user)
		if err != nil {
			return err
		}
		if err := sandbox.Lchown(dir, uid, gid); err != nil {
			return err
		}
	}
	link := filepath.Join(TasksFolder, id)
	if err := sandbox.Remove(link); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return sandbox.Symlink(filepath.Join("..", dir), link)
}
