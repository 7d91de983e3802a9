package task

import (
	"context"
	"maps"
	"slices"
	"time"

	"troupe/executor"
	"troupe/executor/check"
	"troupe/executor/probe"
	"troupe/executor/program"
	"troupe/messages/mesos"
)

// Prober asks a task for one of its checks, one question at a time; see
// probe.Prober.
type Prober interface {
	Probe(ctx context.Context, q check.Probe) check.Result
}

// Crew is the tasks of one container. Its methods are called by the executor's
// handler, one at a time.
type Crew struct {
	launcher program.Launcher
	prober   func(task program.Spec) Prober
	runners  map[string]*runner
	// gone is called once, when the crew is leaving and nothing runs any more.
	gone    func()
	leaving bool
	// asking counts the questions that are under way.
	asking int
}

// NewCrew makes a crew that tells gone, once, when after Leave or Destroy no
// process is left.
func NewCrew(l program.Launcher, gone func()) *Crew {
	return &Crew{
		launcher: l, runners: map[string]*runner{}, gone: gone,
		prober: func(task program.Spec) Prober { return probe.New(l, task) },
	}
}

// Task is what a crew is to run.
type Task struct {
	Info *mesos.TaskInfo
	// Container is the task's own within the executor's; nil when it has none.
	Container *mesos.ContainerID
	// TellsKilling is whether its framework knows TASK_KILLING.
	TellsKilling bool
	// Prepare says what to run. It is called off the handler's queue, may touch the
	// disk, and gives up when ctx ends. When Container is set, what it says runs in
	// one that it has made for the task, also when it fails: this ends with the task.
	Prepare func(ctx context.Context) (program.Spec, error)
	// Ended is called in the queue after the last update, with its state.
	Ended func(mesos.TaskState)
}

// Start begins a task.
func (c *Crew) Start(d *executor.Driver, t Task) {
	r := &runner{
		crew: c, driver: d, machine: NewMachine(t.Info, t.TellsKilling), task: t,
		probers: map[check.Which]Prober{}, stops: map[check.Which]func(){}, unheard: map[string]bool{},
	}
	c.runners[t.Info.GetTaskId().GetValue()] = r
	r.step(Start{})
}

// Kill ends a task, within its grace; p may be nil.
func (c *Crew) Kill(id string, p *mesos.KillPolicy) {
	if r := c.runners[id]; r != nil {
		r.step(Kill{Policy: p})
	}
}

// KillRest ends those of some tasks whose end nobody has asked for, each within
// its own grace.
func (c *Crew) KillRest(ids []string) {
	for _, id := range ids {
		if r := c.runners[id]; r != nil && !r.machine.Ending() {
			r.step(Kill{})
		}
	}
}

// Acknowledged: the agent has this update of a task.
func (c *Crew) Acknowledged(id string, uuid []byte) {
	if r := c.runners[id]; r != nil {
		r.acknowledged(string(uuid))
	}
}

// shutdownMargin is what an executor keeps of its shutdown grace, as Mesos's
// does: to kill by force, and to tell of it.
const shutdownMargin = 2 * time.Second

// Shutdown ends every task, so early by force that the executor can tell of it
// within its own shutdown grace. 0 is the default.
func (c *Crew) Shutdown(grace time.Duration) {
	if grace <= 0 {
		grace = executor.DefaultShutdownGracePeriod
	}
	left := (grace / 2).Nanoseconds()
	if grace >= shutdownMargin {
		left = (grace - shutdownMargin).Nanoseconds()
	}
	for _, id := range c.IDs() {
		c.Kill(id, &mesos.KillPolicy{GracePeriod: &mesos.DurationInfo{Nanoseconds: &left}})
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
	if c.leaving && len(c.runners) == 0 && c.asking == 0 {
		c.gone()
	}
}

// TellsKilling is whether a framework knows the state TASK_KILLING.
func TellsKilling(f *mesos.FrameworkInfo) bool {
	return slices.ContainsFunc(f.GetCapabilities(), func(c *mesos.FrameworkInfo_Capability) bool {
		return c.GetType() == mesos.FrameworkInfo_Capability_TASK_KILLING_STATE
	})
}

// WithRole tells a task which role its resources were allocated to, whatever
// its own environment says.
func WithRole(env []string, info *mesos.TaskInfo) []string {
	for _, r := range info.GetResources() {
		if role := r.GetAllocationInfo().GetRole(); role != "" {
			return program.Merge(env, "MESOS_ALLOCATION_ROLE="+role)
		}
	}
	return env
}
