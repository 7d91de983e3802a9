package executor

import (
	"context"
	"errors"
	"fmt"

	"troupe/messages/mesos"
)

// Task is a task that a function runs.
type Task struct {
	Info   *mesos.TaskInfo
	driver *Driver
}

// ID is the task's id.
func (t *Task) ID() string { return t.Info.GetTaskId().GetValue() }

// Send sends data to the framework, at most once. What must arrive goes into
// Result instead.
func (t *Task) Send(data []byte) { t.driver.Send(data) }

// Progress sends another TASK_RUNNING with data: at least once, in order.
func (t *Task) Progress(data []byte) {
	t.driver.Update(&mesos.TaskStatus{TaskId: t.Info.GetTaskId(), State: mesos.TaskState_TASK_RUNNING.Enum(), Data: data})
}

// Func is the work of one task. What it returns becomes the data of the
// TASK_FINISHED update; an error becomes TASK_FAILED with its text. When the
// task is killed ctx ends, and whatever it then returns becomes TASK_KILLED.
type Func func(ctx context.Context, t *Task) (result []byte, err error)

// RunTasks makes an executor of this process that runs f in a goroutine for
// each task. It returns when the agent tells it to shut down, when ctx is
// done, or when the agent stays away.
func RunTasks(ctx context.Context, f Func) error { return Run(ctx, NewTasks(f)) }

// NewTasks is the Handler of RunTasks.
func NewTasks(f Func) Handler { return &funcs{f: f, running: map[string]context.CancelFunc{}} }

type funcs struct {
	Base
	f       Func
	running map[string]context.CancelFunc
	leaving bool
}

func (h *funcs) Launch(d *Driver, info *mesos.TaskInfo) {
	t := &Task{Info: info, driver: d}
	d.Update(&mesos.TaskStatus{TaskId: info.GetTaskId(), State: mesos.TaskState_TASK_RUNNING.Enum()})
	ctx, cancel := context.WithCancel(context.Background())
	h.running[t.ID()] = cancel
	d.Go(func(stop context.Context) func() {
		defer context.AfterFunc(stop, cancel)()
		result, err := h.call(ctx, t)
		return func() { h.ended(d, t, ctx.Err() != nil, result, err) }
	})
}

// call turns a panic of the author's into a failure of the task alone.
func (h *funcs) call(ctx context.Context, t *Task) (result []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return h.f(ctx, t)
}

func (h *funcs) ended(d *Driver, t *Task, killed bool, result []byte, err error) {
	h.running[t.ID()]()
	delete(h.running, t.ID())
	st := &mesos.TaskStatus{TaskId: t.Info.GetTaskId(), Data: result}
	switch {
	case killed:
		st.State = mesos.TaskState_TASK_KILLED.Enum()
	case err != nil:
		st.State = mesos.TaskState_TASK_FAILED.Enum()
	default:
		st.State = mesos.TaskState_TASK_FINISHED.Enum()
	}
	if err != nil && !(killed && errors.Is(err, context.Canceled)) {
		text := err.Error()
		st.Message = &text
	}
	d.Update(st)
	if h.leaving && len(h.running) == 0 {
		d.Finish()
	}
}

func (h *funcs) Kill(_ *Driver, task string, _ *mesos.KillPolicy) {
	if cancel := h.running[task]; cancel != nil {
		cancel()
	}
}

func (h *funcs) Shutdown(d *Driver) {
	h.leaving = true
	for _, cancel := range h.running {
		cancel()
	}
	if len(h.running) == 0 {
		d.Finish()
	}
}
