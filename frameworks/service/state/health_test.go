package state

import (
	"testing"
	"time"

	"troupe/frameworks/service/app"
	"troupe/messages/mesos"
)

func checkedApp(instances int, checks ...app.HealthCheck) *app.App {
	a := plain("/a", instances, "x")
	a.Checks.Health = checks
	return a
}

func (w *world) probed(task string, healthy bool) {
	w.step(Probed{task, 0, HealthResult{healthy, "no answer"}})
	w.settle()
}

func TestIllInstancesAreReplaced(t *testing.T) {
	w := newWorld(t, 2, Options{})
	w.mustPut(checkedApp(1, app.HealthCheck{Protocol: app.HTTP, Grace: time.Minute, Interval: 10 * time.Second, MaxFailures: 3}))
	w.obey()
	task := w.live("/a")[0]
	if p := w.probes[task]; !p.Health || p.Readiness || len(w.deployments) != 1 {
		t.Fatalf("probes %+v, deployments %v: a new instance is not healthy before somebody has looked", p, w.deployments)
	}
	for range 5 { // within the grace
		w.probed(task, false)
	}
	if i := w.views["/a"].Instances[0]; i.Ending || i.Health != nil {
		t.Fatalf("failures count within the grace: %+v", i)
	}
	w.probed(task, true)
	if v := w.views["/a"]; v.Counts != (Counts{Running: 1, Healthy: 1}) || len(w.deployments) != 0 {
		t.Fatalf("view %+v", v.Counts)
	}
	w.probed(task, false)
	w.probed(task, false)
	if v := w.views["/a"]; v.Counts != (Counts{Running: 1, Unhealthy: 1}) || v.Instances[0].Health[0].Alive() || v.Instances[0].Ending {
		t.Fatalf("view %+v %+v", v.Counts, v.Instances[0])
	}
	w.pass(2 * time.Second) // repeated failures are shown soon
	if h := w.views["/a"].Instances[0].Health[0]; h.Failures != 2 || h.Cause != "no answer" {
		t.Fatalf("health %+v", h)
	}
	w.probed(task, true)
	w.probed(task, false)
	w.probed(task, false)
	w.probed(task, false)
	if w.tasks[task].kills != 1 || w.probes[task].Instance != nil {
		t.Fatalf("after three failures in a row it is not ended: %+v", w.tasks[task])
	}
	w.tell(task, mesos.TaskState_TASK_KILLED)
	w.settle()
	if q := w.views["/a"].Queue; q == nil || q.Until.IsZero() {
		t.Fatalf("an ill instance is no failure: %+v", q)
	}
	w.roundsWell()
	if w.commands("/a") != "1 x" {
		t.Errorf("%s run", w.commands("/a"))
	}
}

func TestGraceEnds(t *testing.T) {
	w := newWorld(t, 1, Options{})
	w.mustPut(checkedApp(1, app.HealthCheck{Protocol: app.TCP, Grace: time.Minute, Interval: 10 * time.Second, MaxFailures: 1}))
	w.obey()
	task := w.live("/a")[0]
	w.pass(61 * time.Second)
	w.probed(task, false)
	if w.tasks[task].kills != 1 {
		t.Error("after the grace one failure is one failure")
	}
}

func TestNeverKilledForHealth(t *testing.T) {
	w := newWorld(t, 1, Options{})
	w.mustPut(checkedApp(1, app.HealthCheck{Protocol: app.HTTP, Interval: time.Second}))
	w.obey()
	task := w.live("/a")[0]
	for range 20 {
		w.probed(task, false)
	}
	if w.tasks[task].kills != 0 {
		t.Error("it is ended, though MaxFailures is 0")
	}
}

func TestHealthOfTheAgent(t *testing.T) {
	w := newWorld(t, 1, Options{})
	w.mustPut(checkedApp(1, app.HealthCheck{Protocol: app.MesosTCP, Interval: time.Second, MaxFailures: 3}))
	w.obey()
	task := w.live("/a")[0]
	if len(w.probes) != 0 || len(w.deployments) != 1 {
		t.Fatalf("probes %v, deployments %v", w.probes, w.deployments)
	}
	w.tell(task, mesos.TaskState_TASK_RUNNING, func(st *mesos.TaskStatus) { st.Healthy = new(true) })
	w.settle()
	if v := w.views["/a"]; v.Counts.Healthy != 1 || len(w.deployments) != 0 {
		t.Fatalf("view %+v", v.Counts)
	}
	w.start() // another leader hears of it by the statuses that it asks for
	w.settle()
	if v := w.views["/a"]; v.Counts.Healthy != 1 {
		t.Fatalf("after a failover %+v", v.Counts)
	}
	w.tell(task, mesos.TaskState_TASK_KILLED, func(st *mesos.TaskStatus) { st.Healthy = new(false) })
	w.settle()
	if q := w.views["/a"].Queue; q == nil || q.Until.IsZero() {
		t.Errorf("what the agent ends is no failure: %+v", q)
	}
}

func TestChecksAreEditedInPlace(t *testing.T) {
	w := newWorld(t, 1, Options{})
	a := checkedApp(1, app.HealthCheck{Protocol: app.HTTP, Path: "/old", Interval: time.Second, MaxFailures: 3})
	a.Labels = map[string]string{app.LabelInPlace: "true"}
	w.mustPut(a)
	w.roundsWell()
	task := w.live("/a")[0]
	next := a.Clone()
	next.Checks.Health = []app.HealthCheck{{Protocol: app.HTTP, Path: "/new", Interval: time.Second, MaxFailures: 3}}
	w.mustPut(next)
	if p := w.probes[task]; p.App == nil || p.App.Checks.Health[0].Path != "/new" || w.views["/a"].Instances[0].Health != nil {
		t.Fatalf("probes %+v", p)
	}
	none := next.Clone()
	none.Checks.Health = nil
	w.mustPut(none)
	if len(w.probes) != 0 {
		t.Errorf("probes %+v", w.probes)
	}
}

// TestChecksComeBack: instances are checked by what counts for them when a version
// that was edited in place goes and comes back, also after a failover.
func TestChecksComeBack(t *testing.T) {
	w := newWorld(t, 1, Options{PerOffer: 10})
	check := func(path string) app.HealthCheck {
		return app.HealthCheck{Protocol: app.HTTP, Path: path, Interval: time.Second, Timeout: time.Second, MaxFailures: 3}
	}
	a := checkedApp(1, check("/1"), check("/2"))
	a.Labels = map[string]string{app.LabelInPlace: "true"}
	w.mustPut(a)
	w.roundsWell()
	task := w.live("/a")[0]
	edited := a.Clone()
	edited.Checks.Health = []app.HealthCheck{check("/edited")}
	w.mustPut(edited)
	w.probed(task, true)
	if v := w.views["/a"]; v.Counts.Healthy != 1 || len(v.Instances[0].Health) != 1 {
		t.Fatalf("edited: %+v, %+v", v.Counts, v.Instances[0].Health)
	}
	next := edited.Clone()
	next.Process.Command = "y"
	d := w.mustPut(next)
	if p := w.probes[task]; len(p.App.Checks.Health) != 2 || w.views["/a"].Instances[0].Health != nil {
		t.Fatalf("what an instance of another version is checked by: %+v", p.App.Checks)
	}
	w.step(Probed{task, 1, HealthResult{Healthy: true}})
	w.start()
	w.settle()
	w.ask(func(n uint64) Input { return Cancel{Request: n, Deployment: d.Deployment} })
	if p := w.probes[task]; p.App == nil || p.App.Checks.Health[0].Path != "/edited" {
		t.Fatalf("after it came back: %+v", p)
	}
	w.roundsWell()
	if got := w.live("/a"); len(got) != 1 || got[0] != task || w.views["/a"].Counts.Healthy != 1 {
		t.Errorf("%s run, %+v", got, w.views["/a"].Counts)
	}
}

func TestReadiness(t *testing.T) {
	w := newWorld(t, 1, Options{})
	a := plain("/a", 1, "x")
	a.Checks.Readiness = []app.Readiness{{Name: "ready", Protocol: app.HTTP, Path: "/", Keep: true}}
	w.mustPut(a)
	w.obey()
	task := w.live("/a")[0]
	if p := w.probes[task]; !p.Readiness || p.Health || len(w.deployments) != 1 {
		t.Fatalf("probes %+v, deployments %v", p, w.deployments)
	}
	w.step(ReadinessSeen{task, "ready", false, &Response{503, "text/plain", "wait"}})
	w.settle()
	if r := w.views["/a"].Readiness; len(r) != 1 || r[0].Ready || r[0].Response.Status != 503 {
		t.Fatalf("readiness %+v", r)
	}
	w.start()
	w.settle()
	if p := w.probes[task]; !p.Readiness {
		t.Fatalf("after a failover nobody asks any more: %+v", p)
	}
	w.step(ReadinessSeen{task, "ready", true, nil})
	w.settle()
	if len(w.deployments) != 0 || len(w.probes) != 0 || w.views["/a"].Readiness != nil {
		t.Fatalf("deployments %v, probes %v", w.deployments, w.probes)
	}
	w.tell(task, mesos.TaskState_TASK_FAILED)
	w.settle()
	w.rounds()
	if len(w.probes) != 0 || w.commands("/a") != "1 x" {
		t.Errorf("without a deployment somebody asks whether it is ready: %v", w.probes)
	}
}
