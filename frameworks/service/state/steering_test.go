package state

import (
	"errors"
	"strings"
	"testing"
	"time"

	"troupe/frameworks/service/app"
	"troupe/messages/mesos"
)

// upgrade begins to replace four x by y.
func upgrade(t *testing.T, labels map[string]string, over float64) (*world, Answer) {
	t.Helper()
	w := newWorld(t, 2, Options{PerOffer: 10})
	a := plain("/a", 4, "x")
	w.mustPut(a)
	w.rounds()
	next := plain("/a", 4, "y")
	next.Labels, next.Upgrade = labels, app.Upgrade{MinimumHealth: 0.5, MaximumOver: over}
	return w, w.mustPut(next)
}

func (w *world) obeyFor(d time.Duration) {
	for until := w.now.Add(d); w.now.Before(until); {
		w.obey()
		w.pass(2 * time.Second)
	}
}

func TestCanary(t *testing.T) {
	w, d := upgrade(t, map[string]string{LabelCanary: "1", LabelRollback: "1m"}, 0)
	w.obeyFor(5 * time.Minute) // who waits to be promoted is not late
	if got := w.commands("/a"); got != "3 x, 1 y" {
		t.Fatalf("%s run", got)
	}
	if waits := w.deployments[0].Actions[0].Waits; waits != "1 canary is ready and waits to be promoted" {
		t.Errorf("it waits: %s", waits)
	}
	w.start()
	w.settle()
	w.tell(w.live("/a")[0], mesos.TaskState_TASK_FAILED)
	w.obeyFor(10 * time.Second)
	if got := w.commands("/a"); got != "3 x, 1 y" {
		t.Fatalf("after a failover and a failure %s run", got)
	}
	if a := w.ask(func(n uint64) Input { return Promote{n, d.Deployment} }); a.Err != nil {
		t.Fatal(a.Err)
	}
	w.start()
	w.rounds()
	if got := w.commands("/a"); got != "4 y" {
		t.Errorf("after the promotion %s run", got)
	}
	if a := w.ask(func(n uint64) Input { return Promote{n, d.Deployment} }); a.Err == nil {
		t.Error("what is over is promoted")
	}
}

func TestPause(t *testing.T) {
	w, d := upgrade(t, nil, 0)
	for range 3 {
		w.obey()
	}
	was := w.commands("/a")
	w.ask(func(n uint64) Input { return Pause{n, d.Deployment} })
	w.start()
	w.obeyFor(time.Minute)
	if got := w.commands("/a"); !w.deployments[0].Paused || !strings.Contains(got, "x") || !strings.Contains(got, "y") {
		t.Fatalf("when it is paused at %s, %s run", was, got)
	}
	w.tell(w.live("/a")[0], mesos.TaskState_TASK_FAILED)
	paused := w.commands("/a")
	w.obeyFor(time.Minute)
	if got := w.commands("/a"); got == paused {
		t.Fatalf("what failed is not replaced: %s", got)
	}
	w.ask(func(n uint64) Input { return Resume{n, d.Deployment} })
	w.rounds()
	if got := w.commands("/a"); got != "4 y" {
		t.Errorf("in the end %s run", got)
	}
}

func TestPauseOfScaleAndStop(t *testing.T) {
	w := newWorld(t, 1, Options{PerOffer: 10})
	w.mustPut(plain("/a", 2, "x"))
	w.rounds()
	d := w.mustPut(plain("/a", 6, "x"))
	w.ask(func(n uint64) Input { return Pause{n, d.Deployment} })
	w.obeyFor(10 * time.Second)
	if got := w.commands("/a"); got != "2 x" {
		t.Fatalf("%s run", got)
	}
	w.ask(func(n uint64) Input { return Resume{n, d.Deployment} })
	w.rounds()
	d = w.remove("/a", false)
	for range 3 {
		w.ask(func(n uint64) Input { return Pause{n, d.Deployment} })
	}
	w.obeyFor(10 * time.Second)
	if len(w.deployments) != 1 {
		t.Fatal("a deployment that is paused ends")
	}
	w.ask(func(n uint64) Input { return Resume{n, d.Deployment} })
	w.rounds()
	if got := w.commands("/a"); got != "" {
		t.Errorf("%s run", got)
	}
}

func TestRollbackByItself(t *testing.T) {
	w, d := upgrade(t, map[string]string{LabelRollback: "2m"}, 0.5)
	fail := func(d time.Duration) {
		for until := w.now.Add(d); w.now.Before(until); {
			w.offer()
			w.settle()
			for _, id := range w.live("/a") {
				k := w.tasks[id]
				switch {
				case k.kills > 0:
					w.tell(id, mesos.TaskState_TASK_KILLED)
				case k.info.GetCommand().GetValue() == "y":
					w.tell(id, mesos.TaskState_TASK_FAILED)
				case k.state == mesos.TaskState_TASK_STAGING:
					w.tell(id, mesos.TaskState_TASK_RUNNING)
				}
				w.settle()
			}
			w.pass(time.Second)
		}
	}
	fail(119 * time.Second)
	if len(w.deployments) != 1 || w.deployments[0].ID != d.Deployment || w.root.App("/a").Process.Command != "y" {
		t.Fatalf("it is taken back before its time: %v", w.deployments)
	}
	fail(10 * time.Second)
	if w.root.App("/a").Process.Command != "x" {
		t.Fatal("it is not taken back")
	}
	w.rounds()
	if got := w.commands("/a"); got != "4 x" {
		t.Errorf("%s run", got)
	}
	failed := ""
	for _, e := range w.events {
		if e.Occasion == DeploymentFailed {
			failed = e.Reason
		}
	}
	if !strings.Contains(failed, "no further") {
		t.Errorf("the reason is %q", failed)
	}
}

// TestWhyNot: somebody who asks why an app does not run is told.
func TestWhyNot(t *testing.T) {
	w := newWorld(t, 2, Options{})
	big := plain("/big", 2, "x")
	big.Resources.CPUs = 1000
	w.mustPut(big)
	if q := w.views["/big"].Queue; q == nil || q.Count != 2 || q.Processed != 0 || q.Why != "it waits for offers" {
		t.Fatalf("queue %+v", q)
	}
	w.offer()
	w.pass(2 * time.Second)
	q := w.views["/big"].Queue
	if q.Processed != 2 || q.Unused != 2 || q.Declined["InsufficientCpus"] != 2 || q.LastDeclined["InsufficientCpus"] != 2 || len(q.Refusals) != 2 ||
		!strings.Contains(q.Why, "wants 1000 cpus, 100 are offered") || !q.Until.IsZero() {
		t.Fatalf("queue %+v", q)
	}
	if waits := w.deployments[0].Actions[0].Waits; !strings.HasPrefix(waits, "2 instances are to be launched; an offer of host-S") {
		t.Errorf("the deployment waits: %s", waits)
	}
	for range 10 {
		w.pass(31 * time.Second)
		w.offer()
		w.settle()
	}
	if q := w.views["/big"].Queue; len(q.Refusals) > mostRefusals {
		t.Errorf("%d refusals are kept", len(q.Refusals))
	}
	w.step(Disconnected{})
	w.mustPut(plain("/a", 1, "x"))
	if q := w.views["/a"].Queue; q.Why != "the master is out of reach" {
		t.Errorf("why: %s", q.Why)
	}
}

func TestOffersAreAskedForWhenNeeded(t *testing.T) {
	w := newWorld(t, 1, Options{PerOffer: 10})
	w.pass(time.Minute)
	if !w.quiet {
		t.Fatal("offers come, though nothing waits")
	}
	w.mustPut(plain("/a", 1, "x"))
	if w.quiet || w.revived != 1 {
		t.Fatalf("offers do not come at once: %d", w.revived)
	}
	w.offer()
	w.settle()
	w.mustPut(plain("/b", 1, "x"))
	if w.revived != 1 {
		t.Fatal("offers are asked for too often")
	}
	w.pass(time.Second)
	if w.revived != 2 {
		t.Fatal("offers are not asked for again for what waits since")
	}
	w.pass(time.Minute) // none comes
	if w.revived != 4 {
		t.Errorf("offers were asked for %d times", w.revived)
	}
	w.rounds()
	w.pass(time.Minute)
	if !w.quiet {
		t.Error("offers come, though nothing waits any more")
	}
	if len(w.declined) == 0 {
		w.quiet = false
		w.offer()
		w.settle()
	}
	if last := w.declined[len(w.declined)-1]; last.For != 2*time.Minute {
		t.Errorf("what is of no use is declined for %s", last.For)
	}
}

func TestHistory(t *testing.T) {
	w := newWorld(t, 1, Options{Versions: 3})
	for n := range 6 {
		w.mustPut(plain("/a", n+1, "x"))
		w.mustPut(plain("/b", n+1, "x"))
		w.rounds()
	}
	if v := w.views["/a"].Versions; len(v) < 3 || v[len(v)-1].Instances != 6 || len(w.m.roots) != 3 || w.m.roots[0].App("/a").Instances != 5 {
		t.Fatalf("%d versions, %d roots", len(v), len(w.m.roots))
	}
	old := w.views["/a"].Versions[0]
	w.mustPut(old)
	w.rounds()
	if a := w.root.App("/a"); a.Instances != old.Instances || a.Version == old.Version {
		t.Errorf("to go back makes %+v of %+v", a, old)
	}
}

func TestServicePorts(t *testing.T) {
	w := newWorld(t, 1, Options{FirstPort: 100, LastPort: 101})
	a := plain("/a", 1, "x")
	a.Ports = []app.Port{{Protocol: "tcp"}, {Protocol: "tcp"}}
	w.mustPut(a)
	w.rounds()
	if got := w.root.App("/a").ServicePorts(); got[0] != 100 || got[1] != 101 {
		t.Fatalf("ports %v", got)
	}
	if x := w.mustPut(a.Clone()); len(x.Plan.Affected) != 0 {
		t.Errorf("the same app without its ports changes %v", x.Plan.Affected)
	}
	b := a.Clone()
	b.ID = "/b"
	if x := w.put(b); !errors.Is(x.Err, app.ErrPortsExhausted) {
		t.Errorf("answer %+v", x)
	}
	if i := w.views["/a"].Instances[0]; len(i.Ports) != 2 || i.Ports[0] < 31000 || i.Ports[0] == i.Ports[1] {
		t.Errorf("host ports %v", i.Ports)
	}
}

func TestTooManyDeployments(t *testing.T) {
	w := newWorld(t, 1, Options{Deployments: 1})
	w.mustPut(plain("/a", 1, "x"))
	var refused *RefusedError
	if a := w.put(plain("/b", 1, "x")); !errors.As(a.Err, &refused) {
		t.Errorf("answer %+v", a)
	}
}

func TestAgentsThatAreLost(t *testing.T) {
	w := newWorld(t, 2, Options{PerOffer: 1})
	w.mustPut(plain("/a", 2, "x"))
	w.rounds()
	gone := w.live("/a")[0]
	agent := w.tasks[gone].agent
	w.agents[agent].gone = true
	w.tasks[gone].last, w.tasks[gone].state = nil, mesos.TaskState_TASK_GONE
	w.step(Lost{agent})
	watched := false
	for _, e := range w.queue {
		if e, is := e.(Watch); is && e.Task == gone {
			watched = true
		}
	}
	if !watched {
		t.Fatal("nobody asks what became of the tasks of an agent that is gone")
	}
	w.step(Lost{"nobody"})
	w.tell(gone, mesos.TaskState_TASK_GONE)
	w.step(Lost{agent})
	w.settle()
	if w.m.agents[agent] != nil || w.disk[agentKey+agent] != nil {
		t.Error("an agent without instances is not forgotten")
	}
	w.rounds()
}

// TestEnforcedRole: an app that names no role has that of the group which enforces
// its own, and keeps it when it is sent again without one.
func TestEnforcedRole(t *testing.T) {
	w := newWorld(t, 1, Options{})
	yes := true
	for range 2 {
		w.edit(false, func(g *app.Group, at app.Version) *app.Group {
			return g.Put(&app.Group{ID: "/green", EnforceRole: &yes, Version: at}).With(plain("/green/a", 1, "x"))
		})
		if a := w.root.App("/green/a"); a == nil || a.Role != "green" {
			t.Fatalf("%+v", a)
		}
	}
	if n := len(w.views["/green/a"].Versions); n != 1 {
		t.Errorf("%d versions", n)
	}
}
