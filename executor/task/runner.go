package task

import (
	"context"
	"time"

	"github.com/google/uuid"
	"go.uber.org/zap"
	"google.golang.org/protobuf/proto"

	"troupe/actors"
	"troupe/executor"
	"troupe/executor/check"
	"troupe/executor/program"
	"troupe/messages/mesos"
)

// runner performs the effects of one machine.
type runner struct {
	crew     *Crew
	driver   *executor.Driver
	machine  *Machine
	task     Task
	spec     program.Spec // what runs, once it does
	process  program.Process
	abort    func()        // gives up the launch; nil before it begins
	deadline *actors.Timer // of max_completion_time; nil without
	// probers ask for the task's checks, and stops end what a check has open: its
	// wait or its question.
	probers map[check.Which]Prober
	stops   map[check.Which]func()
	// unheard is the news of checks, by uuid, that the agent has not acknowledged,
	// and held the newest that was not sent; nil while all was.
	unheard map[string]bool
	held    *Update
}

func (r *runner) step(in Input) {
	for _, e := range r.machine.Step(time.Now(), in) {
		r.perform(e)
	}
}

func (r *runner) perform(e Effect) {
	switch e := e.(type) {
	case Launch:
		launching, abort := context.WithCancel(context.Background())
		r.abort = abort
		r.driver.Go(func(ctx context.Context) func() {
			defer abort()
			defer context.AfterFunc(ctx, abort)()
			return r.launch(ctx, launching)
		})
	case Abort:
		r.abort()
	case Signal:
		r.process.Kill(e.Grace)
	case SetDeadline:
		r.deadline = r.driver.After(e.After, func() { r.step(Deadline{}) })
	case Check:
		r.check(e.Effect)
	case Update:
		r.update(e)
	}
}

// launch runs off the queue; it is given up when launching ends.
func (r *runner) launch(ctx, launching context.Context) func() {
	spec, err := r.task.Prepare(launching)
	var p program.Process
	if err == nil && r.owns(spec) {
		err = launching.Err()
	}
	if err == nil {
		p, err = r.crew.launcher.Launch(spec)
	}
	if err != nil {
		r.discard(ctx, spec)
		return func() { r.step(LaunchFailed{Err: err}) }
	}
	return func() {
		r.spec, r.process = spec, p
		r.driver.Go(r.await)
		r.step(Launched{})
	}
}

// await waits for the program's end, off the queue, and brings it about when the
// container that is the task's own has run into a limit.
func (r *runner) await(ctx context.Context) func() {
	var limited <-chan struct{}
	if r.owns(r.spec) {
		limited = r.spec.Container.Limited()
	}
	select {
	case <-r.process.Done():
	case <-limited:
		r.process.Kill(0)
		select {
		case <-r.process.Done():
		case <-ctx.Done():
			return nil
		}
	case <-ctx.Done():
		return nil
	}
	r.discard(ctx, r.spec)
	return func() { r.step(Exited{Status: r.process.Status(), Limit: r.process.Limit()}) }
}

// owns says whether the container of a task is its own, and not its executor's.
func (r *runner) owns(spec program.Spec) bool {
	return r.task.Container != nil && spec.Container != nil
}

// discard ends the container of a task, if it is its own. What then is left of it
// ends with its executor's.
func (r *runner) discard(ctx context.Context, spec program.Spec) {
	if !r.owns(spec) {
		return
	}
	if err := spec.Container.Destroy(ctx); err != nil && ctx.Err() == nil {
		r.driver.Log().Error("the container of a task was not removed", zap.String("task", r.task.Info.GetTaskId().GetValue()),
			zap.String("container", r.task.Container.GetValue()), zap.Error(err))
	}
}

// check performs what the task's checks ask for.
func (r *runner) check(e check.Effect) {
	switch e := e.(type) {
	case check.Wait:
		timer := r.driver.After(e.After, func() { r.step(Checked{Input: check.Due{Which: e.Which}}) })
		r.stops[e.Which] = timer.Stop
	case check.Run:
		r.ask(e)
	case check.Cancel:
		if stop := r.stops[e.Which]; stop != nil {
			stop()
		}
		delete(r.stops, e.Which)
	}
}

// ask puts one question to the task, off the queue.
func (r *runner) ask(e check.Run) {
	p := r.probers[e.Which]
	if p == nil {
		p = r.crew.prober(r.spec)
		r.probers[e.Which] = p
	}
	asking, stop := context.WithCancel(context.Background())
	r.stops[e.Which] = stop
	r.crew.asking++
	r.driver.Go(func(ctx context.Context) func() {
		defer context.AfterFunc(ctx, stop)()
		result := p.Probe(asking, e.Probe)
		return func() {
			stop()
			r.crew.asking--
			r.step(Checked{Input: check.Done{Which: e.Which, Result: result}})
			r.crew.checkGone()
		}
	})
}

// maxUnheard is how much news of its checks a task may have on its way to the
// agent. While that is all unacknowledged, only the newest is kept back.
const maxUnheard = 20

func (r *runner) update(u Update) {
	if u.news() {
		if len(r.unheard) >= maxUnheard {
			r.held = &u
			return
		}
		r.unheard[r.send(u)] = true
		return
	}
	r.held = nil // it would be no news after this
	r.send(u)
	if !r.machine.Over() {
		return
	}
	r.deadline.Stop()
	delete(r.crew.runners, r.task.Info.GetTaskId().GetValue())
	r.task.Ended(u.State)
	r.crew.checkGone()
}

// acknowledged makes room for what was kept back.
func (r *runner) acknowledged(id string) {
	delete(r.unheard, id)
	if u := r.held; u != nil {
		r.held = nil
		r.update(*u)
	}
}

// container tells of the task's container: of its process, once there is one, as its
// executor has none in there. nil if there is nothing to tell.
func (r *runner) container() *mesos.ContainerStatus {
	if r.task.Container == nil && r.process == nil {
		return nil
	}
	c := &mesos.ContainerStatus{ContainerId: r.task.Container}
	if r.process != nil {
		c.ExecutorPid = proto.Uint32(uint32(r.process.Pid()))
	}
	return c
}

// send is the uuid of the update that it sends.
func (r *runner) send(u Update) string {
	id := uuid.New()
	st := &mesos.TaskStatus{
		TaskId: r.task.Info.GetTaskId(), State: u.State.Enum(), Reason: u.Reason, Healthy: u.Healthy, CheckStatus: u.Check,
		Uuid: id[:],
	}
	st.ContainerStatus = r.container()
	if u.Used != nil {
		st.Limitation = &mesos.TaskResourceLimitation{Resources: u.Used}
	}
	if u.Message != "" {
		st.Message = proto.String(u.Message)
	}
	r.driver.Update(st)
	return string(id[:])
}
