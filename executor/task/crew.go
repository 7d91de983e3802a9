package task

import (
	"context"
	"maps"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/executor"
	"troupe/executor/program"
	"troupe/messages/mesos"
)

// Crew is the tasks of one container. Its methods are called by the executor's
// handler, one at a time.
type Crew struct {
	launcher program.Launcher
	runners  map[string]*runner
	// gone is called once, when the crew is leaving and nothing runs any more.
	gone    func()
	leaving bool
}

// NewCrew makes a crew that tells gone, once, when after Leave or Destroy no
// process is left.
func NewCrew(l program.Launcher, gone func()) *Crew {
	return &Crew{launcher: l, runners: map[string]*runner{}, gone: gone}
}

// runner performs the effects of one machine.
type runner struct {
	crew    *Crew
	driver  *executor.Driver
	machine *Machine
	info    *mesos.TaskInfo
	prepare func() (program.Spec, error)
	ended   func(mesos.TaskState)
	process program.Process
}

// Start begins a task. prepare is called off the handler's queue, and may
// touch the disk; ended is called in it after the last update, with its state.
func (c *Crew) Start(d *executor.Driver, info *mesos.TaskInfo, tellsKilling bool,
	prepare func() (program.Spec, error), ended func(mesos.TaskState),
) {
	r := &runner{
		crew: c, driver: d, machine: NewMachine(info, tellsKilling), info: info, prepare: prepare, ended: ended,
	}
	c.runners[info.GetTaskId().GetValue()] = r
	r.step(Start{})
}

// Kill ends a task, within its grace; p may be nil.
func (c *Crew) Kill(id string, p *mesos.KillPolicy) {
	if r := c.runners[id]; r != nil {
		r.step(Kill{Policy: p})
	}
}

// KillAll ends every task, within its grace.
func (c *Crew) KillAll() {
	for _, id := range c.IDs() {
		c.Kill(id, nil)
	}
}

// IDs are the tasks that have not ended, in order.
func (c *Crew) IDs() []string { return slices.Sorted(maps.Keys(c.runners)) }

// Destroy ends every task at once, and leaves.
func (c *Crew) Destroy() {
	for _, id := range c.IDs() {
		c.runners[id].step(Destroy{})
	}
	c.Leave()
}

// Leave says that nothing will be started any more.
func (c *Crew) Leave() {
	if !c.leaving {
		c.leaving = true
		c.checkGone()
	}
}

func (c *Crew) checkGone() {
	if c.leaving && len(c.runners) == 0 {
		c.gone()
	}
}

func (r *runner) step(in Input) {
	for _, e := range r.machine.Step(time.Now(), in) {
		r.perform(e)
	}
}

func (r *runner) perform(e Effect) {
	switch e := e.(type) {
	case Launch:
		r.driver.Go(r.launch)
	case Signal:
		r.process.Kill(e.Grace)
	case SetDeadline:
		r.driver.After(e.After, func() { r.step(Deadline{}) })
	case Update:
		r.update(e)
	}
}

// launch runs off the queue.
func (r *runner) launch(context.Context) func() {
	spec, err := r.prepare()
	var p program.Process
	if err == nil {
		p, err = r.crew.launcher.Launch(spec)
	}
	r.prepare = nil
	if err != nil {
		return func() { r.step(LaunchFailed{Err: err}) }
	}
	return func() {
		r.process = p
		r.driver.Go(func(ctx context.Context) func() {
			select {
			case <-p.Done():
				return func() { r.step(Exited{Status: p.Status()}) }
			case <-ctx.Done():
				return nil
			}
		})
		r.step(Launched{})
	}
}

func (r *runner) update(u Update) {
	st := &mesos.TaskStatus{TaskId: r.info.GetTaskId(), State: u.State.Enum(), Reason: u.Reason}
	if u.Message != "" {
		st.Message = proto.String(u.Message)
	}
	r.driver.Update(st)
	if !r.machine.Over() {
		return
	}
	delete(r.crew.runners, r.info.GetTaskId().GetValue())
	r.ended(u.State)
	r.crew.checkGone()
}

// TellsKilling is whether a framework knows the state TASK_KILLING.
func TellsKilling(f *mesos.FrameworkInfo) bool {
	return slices.ContainsFunc(f.GetCapabilities(), func(c *mesos.FrameworkInfo_Capability) bool {
		return c.GetType() == mesos.FrameworkInfo_Capability_TASK_KILLING_STATE
	})
}

// WithRole tells a task which role its resources were allocated to.
func WithRole(env []string, info *mesos.TaskInfo) []string {
	for _, r := range info.GetResources() {
		if role := r.GetAllocationInfo().GetRole(); role != "" {
			return program.Merge(env, "MESOS_ALLOCATION_ROLE="+role)
		}
	}
	return env
}
