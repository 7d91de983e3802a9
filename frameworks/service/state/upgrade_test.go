package state

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"troupe/frameworks/service/app"
	"troupe/frameworks/service/rollout"
	"troupe/messages/mesos"
)

// well tells whether a task is of use: it runs, and nobody has asked for its end.
func (k *task) well() bool { return k.state == mesos.TaskState_TASK_RUNNING && k.kills == 0 }

// TestUpgradeKeepsItsPromise: while every instance of an app is replaced there are
// never fewer that run than the app allows, and never more that are there, even
// when the process dies between any two effects; and it ends.
func TestUpgradeKeepsItsPromise(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(rt, 3, Options{PerOffer: rapid.IntRange(1, 3).Draw(rt, "perOffer")})
		a := plain("/a", rapid.IntRange(1, 6).Draw(rt, "n"), "x")
		a.Upgrade = app.Upgrade{
			MinimumHealth: rapid.SampledFrom([]float64{0, 0.5, 0.8, 1}).Draw(rt, "least"),
			MaximumOver:   rapid.SampledFrom([]float64{0, 0.2, 0.5, 1}).Draw(rt, "over"),
		}
		if rapid.Bool().Draw(rt, "resident") {
			resident(a)
		}
		checked := rapid.Bool().Draw(rt, "checked")
		if checked {
			a.Checks.Health = []app.HealthCheck{{Protocol: app.HTTP, Grace: time.Hour, Interval: time.Minute, MaxFailures: 3}}
		}
		w.mustPut(a)
		w.roundsWell()
		limits := rollout.LimitsOf(a)
		next := a.Clone()
		next.Process.Command = "y"
		w.step(Update{Request: 99, Edit: func(root *app.Group, _ app.Version) (*app.Group, error) { return root.With(next), nil }})
		for range rapid.IntRange(0, 80).Draw(rt, "acts") {
			w.actWell(rt)
			w.promise(rt, limits)
		}
		w.settle()
		w.promise(rt, limits)
		if w.root.App("/a").Process.Command != "y" { // it died before anybody was answered
			w.mustPut(next)
		}
		w.roundsWell()
		if w.commands("/a") != w.commandsOf(next) {
			rt.Fatalf("%s run\n%s", w.commands("/a"), w.describe())
		}
	})
}

func (w *world) commandsOf(a *app.App) string {
	v := &world{cluster: cluster{tasks: map[string]*task{}}, m: w.m}
	for n := range a.Instances {
		id := a.ID.Flat() + "." + string(rune('a'+n))
		v.tasks[id] = &task{id: id, info: &mesos.TaskInfo{Command: &mesos.CommandInfo{Value: &a.Process.Command}}}
	}
	return v.commands(a.ID)
}

// promise checks what holds at every moment.
func (w *world) promise(t *rapid.T, l rollout.Limits) {
	running, there := 0, 0
	for _, k := range w.tasks {
		if k.over() || k.info == nil {
			continue
		}
		there++
		if k.well() {
			running++
		}
	}
	if running < l.Least || there > l.Most {
		t.Fatalf("%d run and %d are there, of %+v\n%s", running, there, l, w.describe())
	}
}

// actWell is one thing that may happen where nothing fails but the process.
func (w *world) actWell(t *rapid.T) {
	switch rapid.IntRange(0, 7).Draw(t, "act") {
	case 0:
		w.start()
	case 1:
		w.pass(time.Duration(rapid.IntRange(1, 20).Draw(t, "seconds")) * time.Second)
	case 2:
		w.offer()
	case 3:
		w.probeAll()
	case 4, 5:
		for n := rapid.IntRange(0, 4).Draw(t, "effects"); n > 0 && len(w.queue) > 0; n-- {
			w.perform()
		}
	default:
		live := w.live("/a")
		if len(live) == 0 {
			return
		}
		switch k := w.tasks[rapid.SampledFrom(live).Draw(t, "task")]; {
		case k.kills > 0:
			w.tell(k.id, mesos.TaskState_TASK_KILLED)
		case k.state == mesos.TaskState_TASK_STAGING:
			w.tell(k.id, mesos.TaskState_TASK_RUNNING)
		}
	}
}

// probeAll finds all that is checked to be well.
func (w *world) probeAll() {
	tasks := make([]string, 0, len(w.probes))
	for id := range w.probes {
		tasks = append(tasks, id)
	}
	slices.Sort(tasks)
	for _, id := range tasks {
		p := w.probes[id]
		for n, c := range p.App.Checks.Health {
			if p.Health && !c.OnAgent() {
				w.step(Probed{id, n, HealthResult{Healthy: true}})
			}
		}
		for _, c := range p.App.Checks.Readiness {
			if p.Readiness {
				w.step(ReadinessSeen{id, c.Name, true, nil})
			}
		}
	}
}

// roundsWell obeys, and finds all to be well, until nothing is to be done.
func (w *world) roundsWell() {
	for range 200 {
		w.obey()
		w.probeAll()
		w.pass(2 * time.Second)
		if len(w.m.deployments) == 0 && len(w.queue) == 0 {
			w.rounds()
			return
		}
	}
	w.t.Fatalf("it does not come to rest: %s", w.describe())
}
