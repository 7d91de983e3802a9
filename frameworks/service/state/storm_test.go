package state

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"troupe/frameworks/service/app"
	"troupe/messages/mesos"
)

var stormApps = []app.Path{"/a", "/g/b", "/g/c"}

// drawApp is an app as somebody could want it.
func drawApp(t *rapid.T) *app.App {
	a := plain(rapid.SampledFrom(stormApps).Draw(t, "app"), rapid.IntRange(0, 4).Draw(t, "instances"), rapid.SampledFrom([]string{"x", "y"}).Draw(t, "command"))
	a.Upgrade.MinimumHealth = rapid.SampledFrom([]float64{0, 0.5, 1}).Draw(t, "least")
	a.Upgrade.MaximumOver = rapid.SampledFrom([]float64{0, 0.5, 1}).Draw(t, "over")
	if a.ID != "/a" && rapid.Bool().Draw(t, "depends") {
		a.Dependencies = []app.Path{"/a"}
	}
	a.Unreachable = rapid.SampledFrom([]app.Unreachable{{}, {Inactive: time.Minute, Expunge: 3 * time.Minute}}).Draw(t, "unreachable")
	switch rapid.IntRange(0, 5).Draw(t, "label") {
	case 0:
		a.Labels = map[string]string{app.LabelInPlace: "true"}
	case 1:
		a.Labels = map[string]string{LabelCanary: "1"}
	case 2:
		a.Labels = map[string]string{LabelRollback: "2m"}
	}
	if rapid.IntRange(0, 2).Draw(t, "checked") == 0 {
		a.Checks.Health = []app.HealthCheck{{
			Protocol: app.HTTP, Path: "/", PortIndex: new(0), Interval: time.Second, Timeout: time.Second, IPProtocol: "IPv4",
			MaxFailures: rapid.IntRange(0, 2).Draw(t, "most"),
		}}
	}
	if rapid.IntRange(0, 2).Draw(t, "asked") == 0 {
		a.Checks.Readiness = []app.Readiness{{
			Name: "ready", Protocol: app.HTTP, Path: "/", PortName: "http-api", Interval: time.Second, Timeout: time.Second, Codes: []int{200},
		}}
	}
	if a.ID == "/g/c" {
		resident(a)
	}
	return a
}

func resident(a *app.App) {
	a.Container = &app.Container{Type: app.Mesos, Volumes: []app.Volume{{Path: "data", Mode: app.ReadWrite, Persistent: &app.Persistent{Type: app.DiskRoot, Size: 10}}}}
	a.Upgrade.MaximumOver, a.Unreachable = 0, app.Unreachable{Disabled: true}
}

// storm asks for anything at any moment.
func storm(t *rapid.T, w *world) {
	w.requests++
	n := w.requests
	force := rapid.Bool().Draw(t, "force")
	deployment := "none"
	if len(w.m.deployments) > 0 {
		deployment = rapid.SampledFrom(w.m.deployments).Draw(t, "deployment").ID
	}
	switch rapid.IntRange(0, 19).Draw(t, "input") {
	case 0, 1, 2:
		a := drawApp(t)
		w.step(Update{Request: n, Force: force, Edit: func(root *app.Group, _ app.Version) (*app.Group, error) { return root.With(a), nil }})
	case 3:
		id := rapid.SampledFrom(stormApps).Draw(t, "without")
		w.step(Update{Request: n, Force: force, Edit: func(root *app.Group, at app.Version) (*app.Group, error) { return root.Without(id, at), nil }})
	case 4:
		w.step(Update{Request: n, Force: force, Edit: func(root *app.Group, at app.Version) (*app.Group, error) { return root.WithoutGroup("/g", at), nil }})
	case 5:
		w.step(Cancel{n, deployment, force})
	case 6:
		w.step(rapid.SampledFrom([]Input{Pause{n, deployment}, Resume{n, deployment}, Promote{n, deployment}}).Draw(t, "steer"))
	case 7:
		w.step(Restart{n, stormApps[:rapid.IntRange(1, 2).Draw(t, "apps")], force})
	case 8:
		w.step(KillTasks{n, []string{drawTask(t, w)}, rapid.Bool().Draw(t, "scale"), rapid.Bool().Draw(t, "wipe"), force})
	case 9:
		w.pass(time.Duration(rapid.IntRange(1, 200).Draw(t, "seconds")) * time.Second)
	case 10, 11:
		w.start()
	case 12:
		w.partition(rapid.SampledFrom(slices.Sorted(maps.Keys(w.agents))).Draw(t, "agent"))
	case 13, 14:
		w.offer()
	case 15:
		w.step(Probed{drawTask(t, w), rapid.IntRange(0, 1).Draw(t, "check"), HealthResult{Healthy: rapid.Bool().Draw(t, "healthy")}})
	case 16:
		w.step(ReadinessSeen{drawTask(t, w), "ready", rapid.Bool().Draw(t, "ready"), nil})
	default:
		w.happen(t, drawTask(t, w))
	}
}

func drawTask(t *rapid.T, w *world) string {
	return rapid.SampledFrom(append(slices.Sorted(maps.Keys(w.tasks)), "nothing")).Draw(t, "task")
}

// happen moves a task on.
func (w *world) happen(t *rapid.T, id string) {
	k := w.tasks[id]
	if k == nil || k.over() || w.agents[k.agent].gone {
		return
	}
	w.tell(id, rapid.SampledFrom([]mesos.TaskState{
		mesos.TaskState_TASK_STARTING, mesos.TaskState_TASK_RUNNING, mesos.TaskState_TASK_RUNNING, mesos.TaskState_TASK_RUNNING,
		mesos.TaskState_TASK_FAILED, mesos.TaskState_TASK_FINISHED, mesos.TaskState_TASK_KILLED, mesos.TaskState_TASK_DROPPED,
	}).Draw(t, "state"))
}

// partition cuts an agent off, or has it come back.
func (w *world) partition(id string) {
	n := w.agents[id]
	n.gone = !n.gone
	if n.gone && n.offered != "" {
		w.step(Rescinded{n.offered})
		delete(w.offers, n.offered)
		n.offered = ""
	}
	for _, task := range slices.Sorted(maps.Keys(w.tasks)) {
		k := w.tasks[task]
		switch {
		case k.agent != id || k.over():
		case n.gone:
			w.tell(task, mesos.TaskState_TASK_UNREACHABLE)
		default:
			w.tell(task, mesos.TaskState_TASK_RUNNING)
		}
	}
}

// TestComesToRest: whatever is asked for, fails or dies, and when: in the end just
// that runs which the root says, nothing is reserved for nobody, nothing that is
// written is of no use, and another process knows all of it.
func TestComesToRest(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(rt, 3, Options{Versions: rapid.IntRange(2, 4).Draw(rt, "versions"), PerOffer: 2})
		for range rapid.IntRange(1, 60).Draw(rt, "steps") {
			storm(rt, w)
			for range rapid.IntRange(0, 6).Draw(rt, "effects") {
				if len(w.queue) > 0 {
					w.perform()
				}
			}
		}
		w.calm()
		w.check(rt)
		was := w.everything()
		w.start()
		w.settle()
		if is := w.everything(); is != was {
			rt.Fatalf("after a failover: %s", differs(was, is))
		}
	})
}

// calm has everything go well until nothing happens any more.
func (w *world) calm() {
	w.settle()
	for id, n := range w.agents {
		if n.gone {
			w.partition(id)
		}
	}
	for range 3 {
		for _, d := range slices.Clone(w.m.deployments) {
			w.step(Resume{0, d.ID})
			w.step(Promote{0, d.ID})
		}
		for range 100 {
			w.obey()
			w.probeAll()
			w.pass(3 * time.Second)
		}
	}
	w.roundsWell()
	for range 40 {
		w.obey()
		w.probeAll()
		w.pass(20 * time.Second)
	}
}

func (w *world) check(t *rapid.T) {
	wanted := map[app.Path]string{}
	for a := range w.m.root().All() {
		if a.Instances > 0 {
			wanted[a.ID] = fmt.Sprintf("%d %s", a.Instances, a.Process.Command)
		}
	}
	for _, id := range stormApps {
		if got := w.commands(id); got != wanted[id] && !w.mixed(id, got) {
			t.Fatalf("of %s %q runs, want %q\n%s", id, got, wanted[id], w.describe())
		}
	}
	for id, k := range w.tasks {
		if k.last != nil && !k.acked {
			t.Fatalf("%s of %s is not acknowledged", k.state, id)
		}
		if !k.over() && w.m.tasks[id] == nil {
			t.Fatalf("%s runs, and nobody knows it", id)
		}
	}
	w.checkDisk(t)
}

// mixed tells whether earlier versions were left by a deployment that somebody
// has ended: then just the number of instances is right.
func (w *world) mixed(id app.Path, got string) bool {
	s := w.m.services[id]
	if s == nil || s.gone || s.tally.Old.Total() == 0 {
		return false
	}
	return len(w.live(id)) == s.app.Instances && got != ""
}

func (w *world) checkDisk(t *rapid.T) {
	count := map[string]int{}
	for key := range w.disk {
		kind, _, _ := strings.Cut(key, "/")
		count[kind]++
		if id, ok := strings.CutPrefix(key, instanceKey); ok && !slices.ContainsFunc(slices.Collect(maps.Values(w.m.tasks)), func(i *instance) bool { return i.ID == id }) {
			t.Fatalf("%s is left behind", key)
		}
	}
	versions := 0
	for _, s := range w.m.services {
		versions += len(s.versions)
		if len(s.versions) > 2*w.options.Versions+4 {
			t.Fatalf("%s has %d versions", s.id, len(s.versions))
		}
	}
	if count["deployment"] > 0 || count["root"] >= w.options.Versions || count["app"] != versions || count["instance"] != len(w.m.tasks) {
		t.Fatalf("on the disk are %v, there are %d versions and %d instances", count, versions, len(w.m.tasks))
	}
	for id, n := range w.agents {
		for e := range n.free.All() {
			if len(e.Reservations()) == 0 {
				continue
			}
			labels := e.Reservations()[0].GetLabels().GetLabels()
			if i := w.m.tasks[labels[len(labels)-1].GetValue()]; i == nil || !i.waits() {
				t.Fatalf("%s is reserved on %s for nobody", e, id)
			}
		}
	}
}

// everything is what the read side has, but for what is asked for again.
func (w *world) everything() string {
	var all strings.Builder
	put := func(v any) {
		text, err := json.Marshal(v)
		if err != nil {
			w.t.Fatal(err)
		}
		fmt.Fprintf(&all, "%s\n", text)
	}
	for _, id := range slices.Sorted(maps.Keys(w.views)) {
		v := *w.views[id]
		v.Queue, v.Readiness, v.Counts = nil, nil, Counts{}
		v.Instances = slices.Clone(v.Instances)
		for n, i := range v.Instances {
			unchecked := *i
			unchecked.Health = nil
			v.Instances[n] = &unchecked
		}
		put(v)
	}
	for _, r := range w.m.roots {
		put(r)
	}
	for _, d := range w.deployments {
		put([]any{d.ID, d.Version, d.Step, d.Paused, d.Plan.Affected, d.Plan.Steps})
	}
	return strings.ReplaceAll(strings.ReplaceAll(all.String(), ":null", ":[]"), ":{}", ":[]")
}

// differs shows where two texts differ first.
func differs(was, is string) string {
	at := 0
	for at < len(was) && at < len(is) && was[at] == is[at] {
		at++
	}
	cut := func(text string) string { return text[max(at-120, 0):min(at+120, len(text))] }
	return fmt.Sprintf("was\n%s\nis\n%s", cut(was), cut(is))
}
