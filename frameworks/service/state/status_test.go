package state

import (
	"strings"
	"testing"
	"time"

	"troupe/frameworks/service/app"
	"troupe/messages/mesos"
)

func TestBackoff(t *testing.T) {
	w := newWorld(t, 1, Options{})
	w.mustPut(plain("/a", 1, "x"))
	w.rounds()
	for n, want := range []time.Duration{1, 2, 4, 8, 16, 32, 60, 60} {
		state := mesos.TaskState_TASK_FAILED
		if n%2 == 1 {
			state = mesos.TaskState_TASK_FINISHED // services are for ever
		}
		w.tell(w.live("/a")[0], state, func(st *mesos.TaskStatus) { st.Message = new("exit 3") })
		w.settle()
		v := w.views["/a"]
		if v.Queue == nil || v.Queue.Until.Sub(w.now) != want*time.Second || v.Failure == nil || v.Failure.Message != "exit 3" {
			t.Fatalf("failure %d: queue %+v, failure %+v, want %d s", n, v.Queue, v.Failure, want)
		}
		if n == 2 {
			until := v.Queue.Until
			w.start()
			w.settle()
			if q := w.views["/a"].Queue; !q.Until.Equal(until) {
				t.Fatalf("after a failover until %s, want %s", q.Until, until)
			}
		}
		w.offer()
		w.settle()
		if len(w.live("/a")) != 0 {
			t.Fatal("it is launched before its time")
		}
		if !strings.Contains(v.Queue.Why, "no earlier than") {
			t.Errorf("why: %s", v.Queue.Why)
		}
		w.pass(want * time.Second)
		w.obey()
		if len(w.live("/a")) != 1 {
			t.Fatalf("it is not launched after %d s: %s", want, w.describe())
		}
	}
	w.pass(5 * time.Minute)
	w.tell(w.live("/a")[0], mesos.TaskState_TASK_FAILED)
	w.settle()
	if q := w.views["/a"].Queue; q.Until.Sub(w.now) != time.Second {
		t.Errorf("after it ran for long it waits for %s", q.Until.Sub(w.now))
	}
	if a := w.ask(func(n uint64) Input { return ResetDelay{n, "/a"} }); a.Err != nil || !w.views["/a"].Queue.Until.IsZero() {
		t.Errorf("answer %+v, queue %+v", a, w.views["/a"].Queue)
	}
	if a := w.ask(func(n uint64) Input { return ResetDelay{n, "/b"} }); a.Err == nil {
		t.Error("the delay of nothing is reset")
	}
}

// TestNoFault: how a task may end that costs no delay.
func TestNoFault(t *testing.T) {
	for _, state := range []mesos.TaskState{mesos.TaskState_TASK_KILLED, mesos.TaskState_TASK_LOST, mesos.TaskState_TASK_UNKNOWN, mesos.TaskState_TASK_GONE_BY_OPERATOR} {
		w := newWorld(t, 1, Options{})
		w.mustPut(plain("/a", 1, "x"))
		w.rounds()
		w.tell(w.live("/a")[0], state)
		w.settle()
		if q := w.views["/a"].Queue; q == nil || !q.Until.IsZero() {
			t.Errorf("%s: queue %+v", state, q)
		}
		w.rounds()
	}
}

func TestUnreachable(t *testing.T) {
	w := newWorld(t, 2, Options{PerOffer: 1})
	a := plain("/a", 2, "x")
	a.Unreachable = app.Unreachable{Inactive: time.Minute, Expunge: 5 * time.Minute}
	w.mustPut(a)
	w.rounds()
	lost := w.live("/a")[0]
	agent := w.tasks[lost].agent
	w.partition(agent)
	w.settle()
	if v := w.views["/a"]; v.Queue != nil || v.Counts.Running != 1 || v.Instances[0].Unreachable.IsZero() {
		t.Fatalf("at once: %+v, %+v", v.Counts, v.Queue)
	}
	w.pass(time.Minute)
	if v := w.views["/a"]; v.Queue == nil || v.Queue.Count != 1 || !v.Instances[0].Away {
		t.Fatalf("after a minute: %+v", v.Queue)
	}
	w.rounds()
	w.start()
	w.settle()
	if v := w.views["/a"]; len(v.Instances) != 3 || v.Queue != nil {
		t.Fatalf("after a failover: %d instances, queue %+v", len(v.Instances), v.Queue)
	}
	w.partition(agent) // it is there again: there is one too many
	w.rounds()
	if got := w.live("/a"); len(got) != 2 || got[0] != lost {
		t.Fatalf("%s run; the youngest goes, and not %s", got, lost)
	}
	w.partition(agent)
	w.pass(6 * time.Minute)
	w.rounds()
	if v := w.views["/a"]; len(v.Instances) != 2 {
		t.Fatalf("after five minutes it is not forgotten: %d", len(v.Instances))
	}
	w.partition(agent)
	w.rounds()
	w.obey()
	if k := w.tasks[lost]; !k.over() {
		t.Errorf("what was forgotten runs when it comes back: %+v", k)
	}
}

func TestLaunchTakesTooLong(t *testing.T) {
	w := newWorld(t, 1, Options{})
	w.mustPut(plain("/a", 1, "x"))
	w.offer()
	w.settle()
	first := w.live("/a")[0]
	w.pass(5 * time.Minute)
	if w.tasks[first].kills != 1 {
		t.Fatal("it is not ended after 5 minutes")
	}
	w.rounds()
	if got := w.live("/a"); len(got) != 1 || got[0] == first {
		t.Errorf("%s run", got)
	}
}

func TestStrangers(t *testing.T) {
	w := newWorld(t, 1, Options{})
	w.tasks["a.b"] = &task{id: "a.b", agent: "S0"}
	w.tell("a.b", mesos.TaskState_TASK_RUNNING)
	w.settle()
	if k := w.tasks["a.b"]; k.kills != 1 || !k.acked {
		t.Errorf("%+v", k)
	}
	w.tell("a.b", mesos.TaskState_TASK_KILLED)
	w.settle()
	if k := w.tasks["a.b"]; !k.acked || w.events[len(w.events)-1].Occasion != UnknownTerminated {
		t.Errorf("%+v, %+v", k, w.events)
	}
}

func TestKillTasks(t *testing.T) {
	w := newWorld(t, 1, Options{PerOffer: 10})
	w.mustPut(plain("/a", 4, "x"))
	w.rounds()
	was := w.live("/a")
	a := w.ask(func(n uint64) Input { return KillTasks{Request: n, Tasks: []string{was[0], "nothing", was[0]}} })
	if a.Err != nil || len(a.Instances) != 1 || a.Instances[0].Task != was[0] || a.Deployment != "" {
		t.Fatalf("answer %+v", a)
	}
	w.rounds()
	if got := w.live("/a"); len(got) != 4 || !w.tasks[was[0]].over() {
		t.Fatalf("%s run", got)
	}
	a = w.ask(func(n uint64) Input { return KillTasks{Request: n, Tasks: []string{was[1], was[2]}, Scale: true} })
	if a.Err != nil || a.Deployment == "" || w.root.App("/a").Instances != 2 {
		t.Fatalf("answer %+v", a)
	}
	w.rounds()
	if got := w.live("/a"); len(got) != 2 || !w.tasks[was[1]].over() || !w.tasks[was[2]].over() {
		t.Fatalf("%s run", got)
	}
}

// TestResidents: instances with volumes go where their data is.
func TestResidents(t *testing.T) {
	w := newWorld(t, 3, Options{PerOffer: 1})
	a := plain("/a", 2, "x")
	resident(a)
	a.Upgrade.MinimumHealth = 0.5
	w.mustPut(a)
	w.rounds()
	where := map[string]string{}
	for _, i := range w.views["/a"].Instances {
		where[i.ID] = i.Agent
		if len(i.Volumes) != 1 || i.Volumes[0].Path != "data" {
			t.Fatalf("instance %+v", i)
		}
	}
	next := a.Clone()
	next.Process.Command = "y"
	w.mustPut(next)
	w.rounds()
	for _, i := range w.views["/a"].Instances {
		if where[i.ID] != i.Agent || i.Task == i.ID || i.Outdated {
			t.Fatalf("after the upgrade %+v, was on %s", i, where[i.ID])
		}
	}
	one := next.Clone()
	one.Instances = 1
	w.mustPut(one)
	w.rounds()
	if v := w.views["/a"]; len(v.Instances) != 2 || len(w.live("/a")) != 1 {
		t.Fatalf("scaled down: %d instances", len(v.Instances))
	}
	w.mustPut(next.Clone())
	w.rounds()
	for _, i := range w.views["/a"].Instances {
		if where[i.ID] != i.Agent {
			t.Fatalf("scaled up again: %+v", i)
		}
	}
	wiped := w.live("/a")[0]
	if x := w.ask(func(n uint64) Input { return KillTasks{Request: n, Tasks: []string{wiped}, Wipe: true} }); x.Err != nil {
		t.Fatal(x.Err)
	}
	w.rounds()
	if n := w.reservations(); n != 2 {
		t.Fatalf("after one is wiped there are %d volumes, want 2", n)
	}
	w.remove("/a", false)
	for range 10 {
		w.obey()
		w.pass(10 * time.Second)
	}
	if n := w.reservations(); n != 0 || len(w.views) != 0 {
		t.Errorf("after the app is removed there are %d volumes, views %v", n, w.views)
	}
	w.pass(time.Minute)
	if !w.quiet {
		t.Error("offers are asked for, though nothing is to be done")
	}
}

// reservations are the volumes that there are, used or not.
func (w *world) reservations() int {
	n := 0
	for _, agent := range w.agents {
		for e := range agent.free.All() {
			if e.Disk().GetPersistence() != nil {
				n++
			}
		}
	}
	for _, k := range w.tasks {
		for _, r := range k.info.GetResources() {
			if !k.over() && r.GetDisk().GetPersistence() != nil {
				n++
			}
		}
	}
	return n
}
