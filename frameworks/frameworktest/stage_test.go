package frameworktest_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"troupe/actors"
	"troupe/actors/actortest"
	"troupe/frameworks"
	"troupe/frameworks/frameworktest"
	"troupe/messages/mesos"
	"troupe/messages/mesos/scheduler"
)

const (
	running  = mesos.TaskState_TASK_RUNNING
	finished = mesos.TaskState_TASK_FINISHED
	failed   = mesos.TaskState_TASK_FAILED
)

// stubborn is a task that is tried for ever, with ten minutes between.
func stubborn() *frameworks.Task {
	return &frameworks.Task{
		ID: "a", Command: "x", Resources: "cpus:1", Retries: frameworks.Forever,
		Backoff: 10 * time.Minute, BackoffMax: time.Hour,
	}
}

func TestBackoffOfTenMinutes(t *testing.T) {
	s := frameworktest.NewStage(t)
	s.Agent("S1", "cpus:1;mem:64")
	tasks := frameworks.NewTasks(nil)
	s.Run(frameworks.Options{}, tasks)
	tasks.Add(stubborn())
	var waits []time.Duration
	for _, id := range []string{"a", "a.2", "a.3", "a.4", "a.5"} {
		waits = append(waits, s.Until("attempt "+id, 2*time.Hour, func() bool { return s.Task(id) != nil }))
		s.Update(id, failed)
	}
	for i, least := range []time.Duration{0, 10 * time.Minute, 20 * time.Minute, 40 * time.Minute, time.Hour} {
		if waits[i] < least/2 || waits[i] > least+least/2+time.Second {
			t.Errorf("attempt %d after %s, want about %s", i+1, waits[i], least)
		}
	}
	if again := s.Calls(scheduler.Call_ACCEPT); len(again) != 5 {
		t.Errorf("%d launches", len(again))
	}
}

// The same within a bubble, with actors: for schedulers with goroutines and clocks
// of their own.
func TestBackoffOfTenMinutesInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sys := actortest.NewSystem(t, actors.Options{})
		m := frameworktest.New(t, sys, nil)
		m.Timely()
		m.Script(frameworktest.Ends(time.Minute, failed))
		m.Agent(t, "S1", "cpus:1;mem:64")
		tasks := frameworks.NewTasks(nil)
		tasks.Add(stubborn())
		if _, err := frameworks.Start(sys, m.PID, frameworks.Options{Name: "x"}, tasks, func(error) {}); err != nil {
			t.Fatal(err)
		}
		since := time.Now()
		m.Await(t, "the third attempt", func(tasks map[string]*frameworktest.Task) bool { return tasks["a.3"] != nil })
		if took := time.Since(since); took < 15*time.Minute || took > time.Hour {
			t.Errorf("third attempt after %s", took)
		}
	})
}

// watcher keeps what it is told.
type watcher struct {
	frameworks.Base
	lines []string
}

func (w *watcher) Connected(_ *frameworks.Driver, id string, _ *mesos.MasterInfo, resumed bool) {
	if resumed {
		id += " again"
	}
	w.lines = append(w.lines, "connected "+id)
}

func (w *watcher) Disconnected(_ *frameworks.Driver, reason string) {
	w.lines = append(w.lines, "disconnected: "+reason)
}

func (w *watcher) Offers(d *frameworks.Driver, offers []*mesos.Offer) {
	for _, o := range offers {
		d.Launch(o, &mesos.TaskInfo{Name: new("t"), TaskId: &mesos.TaskID{Value: new("t" + o.GetId().GetValue())}, Resources: o.GetResources()})
	}
}

func (w *watcher) Update(_ *frameworks.Driver, st *mesos.TaskStatus) bool {
	w.lines = append(w.lines, st.GetTaskId().GetValue()+" "+strings.TrimPrefix(st.GetState().String(), "TASK_"))
	return true
}

func (w *watcher) take() []string {
	all := w.lines
	w.lines = nil
	return all
}

func TestAgentsComeAndGo(t *testing.T) {
	s := frameworktest.NewStage(t)
	w := &watcher{}
	s.Run(frameworks.Options{}, w)
	s.Agent("S1", "cpus:1")
	s.Agent("S2", "cpus:2")
	expect := func(want ...string) {
		t.Helper()
		if got := w.take(); !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
	expect("connected F1", "tO1 RUNNING", "tO2 RUNNING")
	s.LoseAgent("S1")
	expect("tO1 UNREACHABLE")
	s.Update("tO1", finished) // nobody hears of it
	expect()
	s.ReturnAgent("S1")
	expect("tO1 FINISHED", "tO3 RUNNING")
	s.RemoveAgent("S2")
	expect("tO2 GONE_BY_OPERATOR")
	if live := s.Live(); !slices.Equal(live, []string{"tO3"}) || s.Task("tO3").Agent() != "S1" || len(s.Tasks()) != 3 {
		t.Errorf("alive: %v of %v", live, s.Tasks())
	}
	s.HoldKills(true)
	s.Crash()
	if _, ended := s.Ended(); ended {
		t.Error("who crashes does not end")
	}
}

func TestMasterRestarts(t *testing.T) {
	s := frameworktest.NewStage(t)
	w := &watcher{}
	s.Run(frameworks.Options{}, w)
	s.Agent("S1", "cpus:1")
	s.StopMaster()
	if s.Subscribed() {
		t.Error("subscribed at no master")
	}
	s.Advance(time.Hour)
	s.StartMaster()
	s.Until("the subscription", time.Minute, s.Subscribed)
	want := []string{"connected F1", "tO1 RUNNING", "disconnected: link to master@stage:5050 is gone", "connected F1 again"}
	if got := w.take(); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestSchedulerCrashes(t *testing.T) {
	for _, wait := range []time.Duration{time.Minute, time.Hour} {
		s := frameworktest.NewStage(t)
		o := frameworks.Options{FailoverTimeout: 30 * time.Minute}
		s.Run(o, &watcher{})
		s.Agent("S1", "cpus:1")
		s.Crash()
		s.Advance(wait)
		w := &watcher{}
		d := s.Run(o, w)
		d.Watch("tO1", "S1")
		s.Advance(time.Minute)
		err, ended := s.Ended()
		if wait < o.FailoverTimeout {
			if want := []string{"connected F1 again", "tO1 RUNNING"}; !slices.Equal(w.take(), want) || ended {
				t.Errorf("after %s: %q, %v", wait, w.take(), err)
			}
			continue
		}
		if !ended || !errors.Is(err, frameworks.ErrRemoved) || len(s.Live()) != 0 {
			t.Errorf("after %s: ended %v with %v, alive %v", wait, ended, err, s.Live())
		}
	}
}

// Another scheduler takes over while the first one lives.
func TestSchedulerIsReplaced(t *testing.T) {
	s := frameworktest.NewStage(t)
	first := &ending{}
	s.Run(frameworks.Options{FailoverTimeout: time.Hour}, first)
	d := s.Run(frameworks.Options{FailoverTimeout: time.Hour}, &watcher{})
	if s.Framework().GetId().GetValue() != "F1" || !s.Subscribed() || first.offers != 0 {
		t.Errorf("%v", s.Framework())
	}
	s.Agent("S1", "cpus:1")
	if first.offers != 0 || len(s.Live()) != 1 {
		t.Error("who was replaced gets offers")
	}
	d.Teardown()
	s.Advance(time.Second)
	if err, ended := s.Ended(); err != nil || !ended || len(s.Live()) != 0 {
		t.Errorf("%v, %v, %v", err, ended, s.Live())
	}
}

type ending struct {
	frameworks.Base
	offers int
}

func (e *ending) Offers(*frameworks.Driver, []*mesos.Offer) { e.offers++ }

// A kill is repeated until the task has ended.
func TestKillsAreHeld(t *testing.T) {
	s := frameworktest.NewStage(t)
	d := s.Run(frameworks.Options{}, &watcher{})
	s.Agent("S1", "cpus:1")
	s.HoldKills(true)
	d.Kill("tO1", 0)
	s.Advance(time.Minute)
	if n := len(s.Calls(scheduler.Call_KILL)); n < 4 || n > 8 {
		t.Errorf("%d kills in a minute", n)
	}
	s.HoldKills(false)
	s.Advance(time.Minute)
	if !s.Task("tO1").Acknowledged() || s.Task("tO1").State != mesos.TaskState_TASK_KILLED {
		t.Errorf("%v", s.Task("tO1").State)
	}
}

// Tasks that an earlier process has launched are followed by the next, and what it
// never launched is launched.
func TestTasksAreResumed(t *testing.T) {
	s := frameworktest.NewStage(t)
	s.Agent("S1", "cpus:2;mem:256")
	o := frameworks.Options{FailoverTimeout: time.Hour}
	first := frameworks.NewTasks(nil)
	s.Run(o, first)
	first.Add(&frameworks.Task{ID: "a", Command: "x"})
	s.Advance(time.Second)
	s.Crash()
	s.Advance(time.Minute)

	var finals []string
	second := frameworks.NewTasks(func(p frameworks.Progress) {
		if p.Final {
			finals = append(finals, p.TaskID+" "+p.State.String())
		}
	})
	second.Resume(&frameworks.Task{ID: "a", Command: "x"}, 0)
	second.Resume(&frameworks.Task{ID: "b", Command: "x"}, 0)
	second.Close()
	s.Run(o, second)
	s.Until("the second attempt of b", time.Minute, func() bool { return s.Task("b.2") != nil })
	if live := s.Live(); !slices.Equal(live, []string{"a", "b.2"}) {
		t.Errorf("alive: %v", live)
	}
	s.Update("a", finished)
	s.Update("b.2", finished)
	s.Advance(time.Second)
	if err, ended := s.Ended(); err != nil || !ended || !slices.Equal(finals, []string{"a TASK_FINISHED", "b.2 TASK_FINISHED"}) {
		t.Errorf("%v, %v, %v", err, ended, finals)
	}
}
