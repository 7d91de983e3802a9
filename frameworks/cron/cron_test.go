package cron_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"troupe/actors/actortest"
	"troupe/frameworks"
	"troupe/frameworks/cron"
	"troupe/frameworks/cron/plan"
	"troupe/frameworks/frameworktest"
	"troupe/frameworks/store"
	"troupe/messages/mesos"
	"troupe/messages/mesos/scheduler"
)

// A job by the clock and one that depends on it run, and the board knows.
func TestJobsRun(t *testing.T) {
	inTown(t, nil, func(t *testing.T, w *town) {
		w.put(every("a", "PT1M"))
		w.put(plan.Job{Name: "b", CPUs: 0.1, Trigger: plan.Trigger{Parents: []string{"a"}}})
		actortest.Pass(3*time.Minute - time.Second)
		if a, b := w.history("a"), w.history("b"); a != "succeeded succeeded succeeded" || b != a {
			t.Errorf("a: %s; b: %s", a, b)
		}
		if len(w.tasks()) != 6 || w.occasions() != "run succeeded" {
			t.Errorf("%d tasks, told of %s", len(w.tasks()), w.occasions())
		}
		for id := range w.tasks() {
			if !strings.HasPrefix(id, "ct:") || len(w.cron.Waiting(id)) != 0 {
				t.Errorf("task %s, waits: %v", id, w.cron.Waiting(id))
			}
		}
	})
}

// Whoever was answered finds on the board what was done.
func TestAnswersComeAfterTheBoard(t *testing.T) {
	inTown(t, nil, func(t *testing.T, w *town) {
		for i := range 50 {
			name := fmt.Sprint("j", i)
			w.put(every(name, "PT1H"))
			if w.board.Job(name) == nil {
				t.Fatalf("%s is not on the board", name)
			}
		}
		err := w.cron.Do(t.Context(), func(n uint64) plan.Input { return plan.Delete{Request: n, Name: "none"} })
		if e := (*plan.Error)(nil); !errors.As(err, &e) || e.Kind != plan.Unknown {
			t.Errorf("deleting what is not there: %v", err)
		}
	})
}

// While nothing waits, nothing is offered; the first run brings the offers back.
func TestOffersAreSuppressedAndRevived(t *testing.T) {
	inTown(t, nil, func(t *testing.T, w *town) {
		if !slices.Equal(w.master.AwaitCall(t, scheduler.Call_SUBSCRIBE, nil).GetSubscribe().GetSuppressedRoles(), []string{"*"}) {
			t.Error("subscribed with offers")
		}
		w.put(every("a", "PT1M"))
		w.master.AwaitCall(t, scheduler.Call_REVIVE, nil)
		w.master.AwaitCall(t, scheduler.Call_ACCEPT, nil)
		w.master.AwaitCall(t, scheduler.Call_SUPPRESS, nil)
	})
}

// Every due time has one run, whoever dies when.
func TestNoRunIsLostOrDoubled(t *testing.T) {
	script := func(*mesos.TaskInfo) []mesos.TaskState { return []mesos.TaskState{running} }
	inTown(t, script, func(t *testing.T, w *town) {
		w.put(every("a", "PT1M"))
		finish := func() {
			for id, state := range w.tasks() {
				if state == running {
					w.master.Update(t, id, finished)
				}
			}
		}
		for round := range 12 {
			actortest.Pass(20 * time.Second) // a task runs
			switch round % 4 {
			case 0:
				w.crash()
				finish()
			case 1:
				w.moveMaster()
				actortest.Pass(5 * time.Second)
				finish()
				actortest.Pass(5 * time.Second)
				w.crash()
			case 2:
				finish() // and the update may or may not have been acknowledged
				w.crash()
			default:
				finish()
			}
			actortest.Pass(time.Minute - time.Duration(time.Now().UnixNano())%time.Minute)
		}
		dues := map[string]int{}
		for id := range w.tasks() {
			due, _, _ := strings.Cut(strings.TrimPrefix(id, "ct:"), ":")
			dues[due]++
		}
		for due, runs := range dues {
			if runs != 1 {
				t.Errorf("%d runs of %s", runs, due)
			}
		}
		if v := w.board.Job("a"); v.State.Successes < 12 || len(dues) < 12 {
			t.Errorf("%d successes, %d due times", v.State.Successes, len(dues))
		}
	})
}

// What the cluster never got is launched again under another id.
func TestWhatNeverBeganIsLaunchedAgain(t *testing.T) {
	inTown(t, nil, func(t *testing.T, w *town) {
		w.network.Crash("m0:1")
		j := every("a", "PT1H")
		w.put(j)
		actortest.Pass(10 * time.Second)
		if h := w.history("a"); h != "launched" {
			t.Fatalf("without a master: %s", h)
		}
		w.crash()
		w.masters++
		w.master = frameworktest.New(t, w.system("m1:1"), nil)
		w.master.Agent(t, "S1", "cpus:1;mem:100")
		w.election.Lead(w.master)
		actortest.Pass(time.Minute)
		if h := w.history("a"); h != "succeeded" || len(w.tasks()) != 1 {
			t.Errorf("a: %s, tasks %v", h, w.tasks())
		}
	})
}

// A failure is told of with its exit code, and tried again.
func TestFailuresAreRetried(t *testing.T) {
	tries := 0
	script := func(*mesos.TaskInfo) []mesos.TaskState {
		if tries++; tries == 1 {
			return []mesos.TaskState{running, failed}
		}
		return []mesos.TaskState{running, finished}
	}
	inTown(t, script, func(t *testing.T, w *town) {
		j := every("a", "PT1H")
		j.Policy.Retries = 1
		w.put(j)
		actortest.Pass(2 * time.Minute)
		if h := w.history("a"); h != "failed succeeded" || w.occasions() != "attempt failed, run succeeded" {
			t.Errorf("a: %s; told of %s", h, w.occasions())
		}
		if a := w.board.Job("a").State.History[0]; a.Exit != -1 || a.Agent != "S1" {
			t.Errorf("%+v", a)
		}
	})
}

// Runs that wait say why, are killed at once, and go by priority.
func TestWhatWaits(t *testing.T) {
	inTown(t, nil, func(t *testing.T, w *town) {
		big := every("big", "PT1H")
		big.CPUs = 16
		w.put(big)
		urgent := every("urgent", "PT1H")
		urgent.CPUs, urgent.Policy.HighPriority = 32, true
		w.put(urgent)
		actortest.Pass(10 * time.Second)
		queue := w.cron.Queue(10)
		if len(queue) != 2 || queue[0].Job != "urgent" || queue[1].Job != "big" {
			t.Fatalf("queue: %+v", queue)
		}
		why := strings.Join(w.cron.Waiting(queue[1].Task), "; ")
		if want := "queued for 10s; cpus: 16 wanted, 1 of 1 hosts that were offered have less; the most is 4 on host-S1"; why != want {
			t.Errorf("big: %s", why)
		}
		w.do(func(n uint64) plan.Input { return plan.KillRuns{Request: n, Name: "big"} })
		actortest.Pass(time.Second)
		if h := w.history("big"); h != "killed" || len(w.cron.Queue(10)) != 1 {
			t.Errorf("big: %s", h)
		}
		w.master.Agent(t, "S2", "cpus:40;mem:100")
		actortest.Pass(10 * time.Second)
		if h := w.history("urgent"); h != "succeeded" {
			t.Errorf("urgent: %s", h)
		}
	})
}

// A task on an agent out of reach is waited for, but not for ever; should it turn
// up after all, it is killed.
func TestUnreachableTasks(t *testing.T) {
	script := func(*mesos.TaskInfo) []mesos.TaskState { return []mesos.TaskState{running} }
	inTown(t, script, func(t *testing.T, w *town) {
		w.put(every("a", "PT1H"))
		actortest.Pass(time.Second)
		var id string
		for id = range w.tasks() {
			w.master.Update(t, id, unreachable)
		}
		actortest.Pass(5 * time.Minute)
		w.master.Update(t, id, running)
		actortest.Pass(time.Second)
		w.master.Update(t, id, unreachable)
		actortest.Pass(9 * time.Minute)
		if h := w.history("a"); h != "running" {
			t.Fatalf("within the limit: %s", h)
		}
		actortest.Pass(2 * time.Minute)
		if h := w.history("a"); h != "failed" {
			t.Fatalf("behind the limit: %s", h)
		}
		if state := w.tasks()[id]; state != mesos.TaskState_TASK_KILLED {
			t.Errorf("the task that was given up is %s", state)
		}
	})
}

// A task that no run wants does not go on.
func TestStrayTasksAreKilled(t *testing.T) {
	script := func(*mesos.TaskInfo) []mesos.TaskState { return []mesos.TaskState{running} }
	inTown(t, script, func(t *testing.T, w *town) {
		w.put(every("a", "PT1H"))
		actortest.Pass(time.Second)
		id, _ := w.cron.Framework()
		w.end()
		w.disk = store.NewMemory()
		if err := w.disk.Apply(t.Context(), map[string][]byte{"framework": []byte(id)}); err != nil {
			t.Fatal(err)
		}
		w.start(cron.Options{})
		actortest.Pass(time.Minute)
		for id, state := range w.tasks() {
			if state != mesos.TaskState_TASK_KILLED {
				t.Errorf("%s is %s", id, state)
			}
		}
	})
}

// A disk that fails ends the process: nothing that is not kept is revealed.
func TestDiskFails(t *testing.T) {
	inTown(t, nil, func(t *testing.T, w *town) {
		w.disk.FailWith(errDisk)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := w.cron.Do(ctx, func(n uint64) plan.Input { return plan.Put{Request: n, Job: every("a", "PT1M")} }); err == nil {
			t.Error("what could not be kept was answered")
		}
		err := <-w.ended
		if !errors.Is(err, errDisk) || w.board.Job("a") != nil {
			t.Errorf("ended with %v", err)
		}
		w.ended <- nil
	})
}

// A framework that was removed leaves its jobs to the next one.
func TestRemovedFrameworkBeginsAnew(t *testing.T) {
	inTown(t, nil, func(t *testing.T, w *town) {
		w.put(every("a", "PT1H"))
		actortest.Pass(time.Second)
		id, connected := w.cron.Framework()
		w.master.Fail("Framework has been removed")
		if err := <-w.ended; !errors.Is(err, frameworks.ErrRemoved) || !connected {
			t.Fatalf("ended with %v", err)
		}
		w.start(cron.Options{})
		actortest.Pass(time.Minute)
		if now, _ := w.cron.Framework(); now == id || w.board.Job("a") == nil {
			t.Errorf("framework %s, then %s", id, now)
		}
	})
}
