package steady

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"troupe/actors"
	"troupe/frameworks/frameworktest"
	"troupe/messages/mesos"
	"troupe/messages/mesos/scheduler"
)

const running = mesos.TaskState_TASK_RUNNING

// stage is a master in name only, and a framework that runs at it.
type stage struct {
	t       *testing.T
	master  *frameworktest.Master
	options Options
}

func newStage(t *testing.T) *stage {
	t.Helper()
	sys, err := actors.New(actors.Options{Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := sys.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	m := frameworktest.New(t, sys, func(*mesos.TaskInfo) []mesos.TaskState { return []mesos.TaskState{running} })
	m.Agent(t, "S1", "cpus:4;mem:4096")
	return &stage{t, m, Options{Master: m.PID.Address, Dir: t.TempDir(), Count: 3}}
}

// run starts a scheduler; stop ends it like a crash would, as far as the
// master can tell.
func (s *stage) run() (ended <-chan error, stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	s.t.Cleanup(cancel)
	done := make(chan error, 1)
	go func() { done <- Run(ctx, s.options) }()
	return done, cancel
}

func (s *stage) wait(ended <-chan error) error {
	s.t.Helper()
	select {
	case err := <-ended:
		return err
	case <-time.After(3 * time.Minute):
		s.t.Fatal("the framework does not end")
		return nil
	}
}

// tasks waits until so many tasks were launched and so many of them run.
func (s *stage) tasks(launched, run int) {
	s.t.Helper()
	s.master.Await(s.t, "tasks", func(tasks map[string]*frameworktest.Task) bool {
		n := 0
		for _, t := range tasks {
			if t.State == running {
				n++
			}
		}
		return len(tasks) == launched && n == run
	})
}

func (s *stage) records() []Record {
	s.t.Helper()
	records, err := ReadJournal(JournalPath(s.options.Dir))
	if err != nil {
		s.t.Fatal(err)
	}
	return records
}

// A task that ends is replaced; no update is acknowledged that is not written
// down.
func TestTasksAreReplaced(t *testing.T) {
	s := newStage(t)
	ended, stop := s.run()
	s.tasks(3, 3)
	s.master.Update(t, "steady-1", mesos.TaskState_TASK_FAILED)
	s.tasks(4, 3)
	for range 5 {
		call := s.master.AwaitCall(t, scheduler.Call_ACKNOWLEDGE, nil)
		if !slices.ContainsFunc(s.records(), func(r Record) bool {
			return r.Update != nil && bytes.Equal(r.Update.UUID, call.GetAcknowledge().GetUuid())
		}) {
			t.Errorf("acknowledged, but not written down: %v", call)
		}
	}
	stop()
	if err := s.wait(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

// The next scheduler takes up where the last one was, and drains.
func TestNextSchedulerKnowsTheTasks(t *testing.T) {
	s := newStage(t)
	first, stop := s.run()
	s.tasks(3, 3)
	for range 3 {
		s.master.AwaitCall(t, scheduler.Call_ACKNOWLEDGE, nil)
	}
	stop()
	if err := s.wait(first); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	second, _ := s.run()
	s.master.AwaitCall(t, scheduler.Call_SUBSCRIBE, func(c *scheduler.Call) bool { return c.GetFrameworkId().GetValue() != "" })
	s.master.Update(t, "steady-0", mesos.TaskState_TASK_FINISHED)
	s.tasks(4, 3)
	if err := Drain(s.options.Dir); err != nil {
		t.Fatal(err)
	}
	if err := s.wait(second); err != nil {
		t.Errorf("drained: %v", err)
	}
	s.tasks(4, 0)
	ends := map[string]int{}
	for _, r := range s.records() {
		if r.Update != nil && (r.Update.State == "TASK_KILLED" || r.Update.State == "TASK_FINISHED") {
			ends[r.Update.Task]++
		}
	}
	if len(ends) != 4 {
		t.Errorf("the records tell of the ends %v", ends)
	}
}

func TestNoTaskIsKilledTwice(t *testing.T) {
	s := newStage(t)
	s.options.KillEvery = 50 * time.Millisecond
	ended, stop := s.run()
	s.master.Await(t, "ten tasks", func(tasks map[string]*frameworktest.Task) bool { return len(tasks) >= 10 })
	stop()
	if err := s.wait(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	killed := map[string]bool{}
	for _, r := range s.records() {
		if r.Kill != nil && killed[r.Kill.Task] {
			t.Errorf("%s was killed twice", r.Kill.Task)
		} else if r.Kill != nil {
			killed[r.Kill.Task] = true
		}
	}
	if len(killed) < 7 {
		t.Errorf("only %v were killed", killed)
	}
}

// A calm framework kills nothing, and what it launches lasts.
func TestCalm(t *testing.T) {
	s := newStage(t)
	s.options.KillEvery, s.options.Brief = time.Millisecond, time.Minute
	if err := Calm(s.options.Dir); err != nil {
		t.Fatal(err)
	}
	ended, stop := s.run()
	s.tasks(3, 3)
	s.master.Update(t, "steady-2", mesos.TaskState_TASK_FINISHED)
	s.tasks(4, 3)
	stop()
	if err := s.wait(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	for _, r := range s.records() {
		if r.Kill != nil || r.Launch != nil && r.Launch.Lasts != 0 {
			t.Errorf("%+v %+v", r.Kill, r.Launch)
		}
	}
}
