package frameworks_test

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/frameworks"
	"troupe/frameworks/frameworktest"
	"troupe/messages/mesos"
	"troupe/messages/mesos/scheduler"
)

const (
	running  = mesos.TaskState_TASK_RUNNING
	finished = mesos.TaskState_TASK_FINISHED
	failed   = mesos.TaskState_TASK_FAILED
	killed   = mesos.TaskState_TASK_KILLED
)

func wait(t *testing.T, ended <-chan error) error {
	t.Helper()
	late := time.NewTimer(3 * time.Minute)
	defer late.Stop()
	select {
	case err := <-ended:
		return err
	case <-late.C:
		t.Fatal("the framework does not end")
		return nil
	}
}

// fresh is a script that lets the first attempts end badly.
func firstFail(with mesos.TaskState) func(*mesos.TaskInfo) []mesos.TaskState {
	return func(i *mesos.TaskInfo) []mesos.TaskState {
		if strings.Contains(i.GetTaskId().GetValue(), ".") {
			return []mesos.TaskState{running, finished}
		}
		return []mesos.TaskState{running, with}
	}
}

func TestTasksAreDone(t *testing.T) {
	overBoth(t, func(t *testing.T, run runner) {
		sys := system(t)
		m := frameworktest.New(t, sys, firstFail(failed))
		m.Agent(t, "S1", "cpus:2;mem:128;ports:[1-9]")
		m.Agent(t, "S2", "cpus:1;mem:64")
		finals := map[string]frameworks.Progress{}
		tasks := frameworks.NewTasks(func(p frameworks.Progress) {
			if p.Final {
				finals[p.Task.ID] = p
			}
		})
		for _, id := range []string{"a", "b", "c", "d"} {
			tasks.Add(&frameworks.Task{ID: id, Command: "true", Resources: "cpus:1", Retries: 1, Backoff: time.Millisecond})
		}
		tasks.Add(&frameworks.Task{ID: "once", Command: "false", Resources: "cpus:1"}, &frameworks.Task{ID: "bad"})
		tasks.Close()
		if err := wait(t, run(t, m, sys, frameworks.Options{}, tasks)); err != nil {
			t.Fatal(err)
		}
		for _, id := range []string{"a", "b", "c", "d"} {
			if p := finals[id]; p.State != finished || p.Attempt != 2 {
				t.Errorf("%s: %s after %d attempts", id, p.State, p.Attempt)
			}
		}
		if p := finals["once"]; p.State != failed || p.Attempt != 1 {
			t.Errorf("once: %s after %d attempts", p.State, p.Attempt)
		}
		if p := finals["bad"]; p.Err == nil {
			t.Errorf("bad: %+v", p)
		}
		m.AwaitCall(t, scheduler.Call_TEARDOWN, nil)
	})
}

// Who begins suppressed is offered nothing before it asks, in any role.
func TestBeginsSuppressed(t *testing.T) {
	overBoth(t, func(t *testing.T, run runner) {
		for _, roles := range [][]string{nil, {"a", "b"}} {
			sys := system(t)
			m := frameworktest.New(t, sys, nil)
			m.Agent(t, "S1", "cpus:1;mem:64")
			tasks := frameworks.NewTasks(nil)
			ended := run(t, m, sys, frameworks.Options{Roles: roles, Suppressed: true}, tasks)
			want := roles
			if roles == nil {
				want = []string{"*"}
			}
			if got := m.AwaitCall(t, scheduler.Call_SUBSCRIBE, nil).GetSubscribe().GetSuppressedRoles(); !slices.Equal(got, want) {
				t.Errorf("suppressed are %q, want %q", got, want)
			}
			tasks.Add(&frameworks.Task{ID: "a", Command: "true", Resources: "cpus:1"})
			m.AwaitCall(t, scheduler.Call_ACCEPT, nil)
			tasks.Close()
			if err := wait(t, ended); err != nil {
				t.Error(err)
			}
		}
	})
}

func TestTasksAddedAndKilledWhileRunning(t *testing.T) {
	overBoth(t, func(t *testing.T, run runner) {
		sys := system(t)
		m := frameworktest.New(t, sys, func(*mesos.TaskInfo) []mesos.TaskState { return []mesos.TaskState{running} })
		m.Agent(t, "S1", "cpus:8;mem:1024")
		tasks := frameworks.NewTasks(nil)
		ended := run(t, m, sys, frameworks.Options{}, tasks)
		m.AwaitCall(t, scheduler.Call_SUBSCRIBE, nil)
		tasks.Add(&frameworks.Task{ID: "a", Command: "sleep 1"}, &frameworks.Task{ID: "b", Command: "sleep 1"})
		m.Await(t, "two running tasks", func(ts map[string]*frameworktest.Task) bool { return len(ts) == 2 })
		tasks.Kill("a")
		m.Await(t, "the end of a", func(ts map[string]*frameworktest.Task) bool { return ts["a"].State == killed })
		tasks.KillAll()
		tasks.Close()
		if err := wait(t, ended); err != nil {
			t.Fatal(err)
		}
	})
}

// A scheduler that comes back while a task ends hears of it from the master
// first. What counts is what the agent says a moment later.
func TestTheAgentsWordIsWaitedFor(t *testing.T) {
	overBoth(t, func(t *testing.T, run runner) {
		sys := system(t)
		m := frameworktest.New(t, sys, func(*mesos.TaskInfo) []mesos.TaskState { return nil })
		m.Agent(t, "S1", "cpus:1;mem:64")
		var final frameworks.Progress
		tasks := frameworks.NewTasks(func(p frameworks.Progress) { final = p })
		tasks.Add(&frameworks.Task{ID: "a", Command: "true"})
		tasks.Close()
		ended := run(t, m, sys, frameworks.Options{}, tasks)
		m.Await(t, "the launch", func(ts map[string]*frameworktest.Task) bool { return len(ts) == 1 })
		m.Update(t, "a", running)
		m.Event(&scheduler.Event{Type: scheduler.Event_UPDATE.Enum(), Update: &scheduler.Event_Update{Status: &mesos.TaskStatus{
			TaskId: &mesos.TaskID{Value: proto.String("a")}, State: finished.Enum(),
			Source: mesos.TaskStatus_SOURCE_MASTER.Enum(), Reason: mesos.TaskStatus_REASON_RECONCILIATION.Enum(),
		}}})
		m.Update(t, "a", finished)
		if err := wait(t, ended); err != nil {
			t.Fatal(err)
		}
		if final.State != finished || !final.Final || len(final.Status.GetUuid()) == 0 {
			t.Errorf("the end was taken from %v", final.Status)
		}
	})
}

func TestTasksOutliveTheirMaster(t *testing.T) {
	overBoth(t, func(t *testing.T, run runner) {
		sys := system(t)
		m := frameworktest.New(t, sys, func(*mesos.TaskInfo) []mesos.TaskState { return nil })
		m.Agent(t, "S1", "cpus:1;mem:64")
		var states []mesos.TaskState
		tasks := frameworks.NewTasks(func(p frameworks.Progress) { states = append(states, p.State) })
		tasks.Add(&frameworks.Task{ID: "a", Command: "sleep 1"})
		tasks.Close()
		ended := run(t, m, sys, frameworks.Options{FailoverTimeout: time.Hour}, tasks)
		m.Await(t, "the launch", func(ts map[string]*frameworktest.Task) bool { return len(ts) == 1 })
		m.AwaitCall(t, scheduler.Call_SUBSCRIBE, nil)
		m.Restart(t)
		m.Update(t, "a", running)
		m.Update(t, "a", finished)
		c := m.AwaitCall(t, scheduler.Call_SUBSCRIBE, nil)
		if id := c.GetSubscribe().GetFrameworkInfo().GetId().GetValue(); id != "F1" {
			t.Errorf("subscribed again as %q", id)
		}
		m.AwaitCall(t, scheduler.Call_RECONCILE, func(c *scheduler.Call) bool { return len(c.GetReconcile().GetTasks()) == 1 })
		if err := wait(t, ended); err != nil {
			t.Fatal(err)
		}
		if len(states) != 2 || states[0] != running || states[1] != finished {
			t.Errorf("states %v", states)
		}
	})
}

func TestNothingToLaunchSuppressesOffers(t *testing.T) {
	overBoth(t, func(t *testing.T, run runner) {
		sys := system(t)
		m := frameworktest.New(t, sys, nil)
		m.Agent(t, "S1", "cpus:1;mem:64")
		tasks := frameworks.NewTasks(nil)
		run(t, m, sys, frameworks.Options{}, tasks)
		m.AwaitCall(t, scheduler.Call_SUPPRESS, nil)
		tasks.Add(&frameworks.Task{ID: "a", Command: "true"})
		m.AwaitCall(t, scheduler.Call_REVIVE, nil)
		m.AwaitCall(t, scheduler.Call_ACCEPT, nil)
		m.AwaitCall(t, scheduler.Call_SUPPRESS, nil)
	})
}

func TestMessagesAndFailuresReachTasks(t *testing.T) {
	overBoth(t, func(t *testing.T, run runner) {
		sys := system(t)
		m := frameworktest.New(t, sys, func(*mesos.TaskInfo) []mesos.TaskState { return nil })
		m.Agent(t, "S1", "cpus:1;mem:64")
		tasks := frameworks.NewTasks(nil)
		got := make(chan string, 1)
		tasks.Messages = func(e *scheduler.Event_Message) { got <- string(e.GetData()) }
		tasks.Add(&frameworks.Task{ID: "a", Executor: &mesos.ExecutorInfo{
			ExecutorId: &mesos.ExecutorID{Value: proto.String("X")}, Command: &mesos.CommandInfo{Value: proto.String("x")},
		}})
		run(t, m, sys, frameworks.Options{}, tasks)
		m.Await(t, "the launch", func(ts map[string]*frameworktest.Task) bool { return len(ts) == 1 })
		agent, x := &mesos.AgentID{Value: proto.String("S1")}, &mesos.ExecutorID{Value: proto.String("X")}
		m.Event(&scheduler.Event{
			Type:    scheduler.Event_FAILURE.Enum(),
			Failure: &scheduler.Event_Failure{AgentId: agent, ExecutorId: x},
		})
		m.Event(&scheduler.Event{
			Type:    scheduler.Event_MESSAGE.Enum(),
			Message: &scheduler.Event_Message{AgentId: agent, ExecutorId: x, Data: []byte("hello")},
		})
		if s := <-got; s != "hello" {
			t.Errorf("message %q", s)
		}
	})
}

func TestErrorOfTheMasterEndsTheFramework(t *testing.T) {
	overBoth(t, func(t *testing.T, run runner) {
		sys := system(t)
		m := frameworktest.New(t, sys, nil)
		ended := run(t, m, sys, frameworks.Options{}, frameworks.Base{})
		m.AwaitCall(t, scheduler.Call_SUBSCRIBE, nil)
		m.Fail("Framework failed over")
		if err := wait(t, ended); err == nil || !strings.Contains(err.Error(), "Framework failed over") {
			t.Errorf("ended with %v", err)
		}
	})
}

// badStore cannot save.
type badStore struct{}

func (badStore) Load() (string, error) { return "", nil }
func (badStore) Save(string) error     { return errors.New("disk full") }

func TestStore(t *testing.T) {
	overBoth(t, func(t *testing.T, run runner) {
		sys := system(t)
		m := frameworktest.New(t, sys, nil)
		file := frameworks.FileStore(filepath.Join(t.TempDir(), "id"))
		d := &leaver{}
		if err := wait(t, run(t, m, sys, frameworks.Options{Store: file}, d)); err != nil {
			t.Fatal(err)
		}
		if id, err := file.Load(); id != "F1" || err != nil {
			t.Errorf("stored %q, %v", id, err)
		}

		sys = system(t)
		m = frameworktest.New(t, sys, nil)
		if err := wait(t, run(t, m, sys, frameworks.Options{Store: file}, d)); err != nil {
			t.Fatal(err)
		}
		if !d.resumed {
			t.Error("the framework was not resumed")
		}

		sys = system(t)
		m = frameworktest.New(t, sys, nil)
		err := wait(t, run(t, m, sys, frameworks.Options{Store: badStore{}}, frameworks.Base{}))
		if err == nil || !strings.Contains(err.Error(), `store framework id "F1": disk full`) {
			t.Errorf("ended with %v", err)
		}
	})
}

// leaver leaves as soon as it is connected.
type leaver struct {
	frameworks.Base
	resumed bool
}

func (l *leaver) Connected(d *frameworks.Driver, _ string, _ *mesos.MasterInfo, resumed bool) {
	l.resumed = resumed
	d.Leave()
}
