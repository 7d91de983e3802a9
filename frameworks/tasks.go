package frameworks

import (
	"cmp"
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"troupe/frameworks/gang"
	"troupe/frameworks/work"
	"troupe/messages/mesos"
	"troupe/messages/mesos/scheduler"
)

// Task says what is to be run, once, until it has finished; see work.Task.
type Task = work.Task

// Progress is news of a Task; see work.Progress.
type Progress = work.Progress

// Place is where an attempt of a Task runs; see work.Place.
type Place = work.Place

// Forever is a number of Retries that never runs out.
const Forever = work.Forever

// Lost tells whether an attempt ended with what it ran on, and not by what it
// did itself; for Task.Again.
func Lost(st *mesos.TaskStatus) bool { return work.Lost(st) }

// Tasks is a Scheduler that gets tasks done: it matches them to offers,
// launches failed ones again with backoff, and asks for no offers when there
// is nothing to launch. Add, Kill, KillAll and Close are safe for concurrent
// use, before and while Run runs.
type Tasks struct {
	Base
	// Messages, if not nil, gets what executors send. Set it before Run.
	Messages func(m *scheduler.Event_Message)

	report func(Progress)
	core   *work.Machine
	gangs  *gang.Machine
	// tasksDone: no task is left, and none follows. over: nor a gang.
	tasksDone, over bool

	mu sync.Mutex
	// driver is nil before Run; early holds what came till then.
	driver *Driver
	early  []func()
}

// NewTasks makes a Tasks. report, which may be nil, is called one at a time
// and must not block; when it returns, what it was told is acknowledged.
func NewTasks(report func(Progress)) *Tasks {
	if report == nil {
		report = func(Progress) {}
	}
	return &Tasks{report: report, core: work.New(), gangs: gang.New(rand.Uint64())}
}

// defaultPatience is RunTasks's: whoever waits for results wants to be told.
const defaultPatience = 10 * time.Second

// RunTasks runs a framework of its own for tasks until all are done, and
// returns the final news of each, in the order they ended. report may be nil.
// An error is one of Run's; tasks that fail are no error.
func RunTasks(ctx context.Context, o Options, report func(Progress), tasks ...*Task) ([]Progress, error) {
	var mu sync.Mutex
	var finals []Progress
	t := NewTasks(func(p Progress) {
		if p.Final {
			mu.Lock()
			finals = append(finals, p)
			mu.Unlock()
		}
		if report != nil {
			report(p)
		}
	})
	t.Add(tasks...)
	t.Close()
	o.Patience = cmp.Or(o.Patience, defaultPatience)
	err := Run(ctx, o, t)
	mu.Lock()
	defer mu.Unlock()
	return finals, err
}

// Add brings tasks. They must not be changed afterwards. What is wrong with
// one is reported, as final.
func (t *Tasks) Add(tasks ...*Task) {
	for _, task := range tasks {
		t.feedWork(work.Add{Task: task})
	}
}

// Resume brings a task that an earlier process of the same framework had, and of
// whose attempts so many have ended, as that process was told by Progress. If the
// next attempt runs it is followed, and else launched. So whoever writes down what is
// to be done before Add, and every end before its report returns, loses nothing and
// runs nothing twice. Gangs are not resumed.
func (t *Tasks) Resume(task *Task, ended int) { t.feedWork(work.Resume{Task: task, Ended: ended}) }

// Kill ends a task or a gang for good.
func (t *Tasks) Kill(id string) { t.feedBoth(work.Kill{ID: id}, gang.Kill{ID: id}) }

// KillAll ends every task and gang for good.
func (t *Tasks) KillAll() { t.feedBoth(work.KillAll{}, gang.KillAll{}) }

// Close says that no more tasks and gangs come: when all are done, the
// framework is torn down, and Run returns nil.
func (t *Tasks) Close() { t.feedBoth(work.Close{}, gang.Close{}) }

func (t *Tasks) feedWork(in work.Input) { t.feed(func() { t.step(in) }) }

func (t *Tasks) feedBoth(w work.Input, g gang.Input) {
	t.feed(func() {
		t.stepGangs(g)
		t.step(w)
	})
}

// feed takes a step from any goroutine. Once Run has ended it is dropped.
func (t *Tasks) feed(step func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.driver == nil {
		t.early = append(t.early, step)
		return
	}
	t.driver.Do(step)
}

// start takes in what came before Run.
func (t *Tasks) start(d *Driver) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.driver = d
	for _, step := range t.early {
		d.Do(step)
	}
	t.early = nil
}

// Offers uses or declines each, or holds it for a gang for a while. Gangs
// choose first: they need most.
func (t *Tasks) Offers(_ *Driver, offers []*mesos.Offer) { t.stepGangs(gang.Offers{Offers: offers}) }

// Update reports. Hearsay is not taken for the end, so that the agent's word
// still comes.
func (t *Tasks) Update(_ *Driver, st *mesos.TaskStatus) bool {
	if t.gangs.Owns(st.GetTaskId().GetValue()) {
		t.stepGangs(gang.Updated{Status: st})
	} else {
		t.step(work.Updated{Status: st})
	}
	return !work.Hearsay(st)
}

// Message passes on.
func (t *Tasks) Message(_ *Driver, m *scheduler.Event_Message) {
	if t.Messages != nil {
		t.Messages(m)
	}
}

// Failure forgets an executor that tasks have shared, or an agent.
func (t *Tasks) Failure(_ *Driver, f *scheduler.Event_Failure) {
	agent := f.GetAgentId().GetValue()
	if x := f.GetExecutorId().GetValue(); x != "" {
		t.step(work.ExecutorGone{Agent: agent, Executor: x})
		return
	}
	t.step(work.AgentGone{Agent: agent})
	t.stepGangs(gang.AgentGone{Agent: agent})
}

func (t *Tasks) step(in work.Input) {
	for _, e := range t.core.Step(t.driver.Now(), in) {
		t.perform(e)
	}
}

func (t *Tasks) perform(e work.Effect) {
	d := t.driver
	switch e := e.(type) {
	case work.Launch:
		d.Launch(e.Offer, e.Tasks...)
	case work.Decline:
		d.decline(e.Offers, e.Refuse)
	case work.Suppress:
		if !t.gangs.Collecting() {
			d.Suppress()
		}
	case work.Revive:
		d.Revive()
	case work.KillAttempt:
		d.Kill(e.ID, 0)
	case work.Watch:
		d.Watch(e.ID, "")
	case work.SetTimer:
		d.After(e.After, func() { t.step(work.TimerFired{Key: e.Key}) })
	case work.Report:
		t.report(e.Report)
	case work.AllDone:
		t.tasksDone = true
		t.settle()
	}
}
