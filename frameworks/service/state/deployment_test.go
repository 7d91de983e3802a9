package state

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"troupe/frameworks/service/app"
	"troupe/frameworks/service/rollout"
	"troupe/messages/mesos"
)

func TestCreateScaleUpgradeDelete(t *testing.T) {
	w := newWorld(t, 3, Options{})
	a := w.mustPut(plain("/a", 3, "x"))
	if a.Deployment == "" || a.Version == 0 || len(w.deployments) != 1 || w.deployments[0].ID != a.Deployment {
		t.Fatalf("answer %+v, deployments %v", a, w.deployments)
	}
	w.rounds()
	if got := w.commands("/a"); got != "3 x" {
		t.Fatalf("after the creation %s runs", got)
	}
	if v := w.views["/a"]; v.Counts != (Counts{Running: 3}) || v.Queue != nil || len(v.Deployments) != 0 {
		t.Fatalf("view %+v", v)
	}
	first := w.live("/a")
	w.mustPut(plain("/a", 5, "x"))
	w.rounds()
	if got := w.commands("/a"); got != "5 x" {
		t.Fatalf("after scaling up %s runs", got)
	}
	w.mustPut(plain("/a", 2, "x"))
	w.rounds()
	if got := w.live("/a"); len(got) != 2 || got[0] != first[0] || got[1] != first[1] {
		t.Fatalf("after scaling down %s run, the oldest are %s", got, first)
	}
	w.mustPut(plain("/a", 2, "y"))
	w.rounds()
	if got := w.commands("/a"); got != "2 y" {
		t.Fatalf("after the upgrade %s runs", got)
	}
	if a := w.remove("/a", false); a.Err != nil {
		t.Fatal(a.Err)
	}
	w.rounds()
	if got := w.commands("/a"); got != "" || w.views["/a"] != nil || w.root.App("/a") != nil {
		t.Fatalf("after the removal %s runs, view %v", got, w.views["/a"])
	}
	occasions := map[Occasion]int{}
	for _, e := range w.events {
		occasions[e.Occasion]++
	}
	if occasions[DeploymentSucceeded] != 5 || occasions[GroupChanged] != 5 || occasions[AppTerminated] != 1 {
		t.Errorf("events %v", occasions)
	}
}

func TestRollingUpgradeInLayers(t *testing.T) {
	w := newWorld(t, 3, Options{})
	db, web := plain("/db", 2, "x"), plain("/web", 2, "x")
	web.Dependencies = []app.Path{"/db"}
	w.edit(false, func(root *app.Group, _ app.Version) *app.Group { return root.With(db).With(web) })
	w.offer()
	w.settle()
	if got := w.commands("/web"); got != "" || w.commands("/db") != "2 x" {
		t.Fatalf("%s of /web run before what it depends on", got)
	}
	w.rounds()
	if got := w.commands("/web"); got != "2 x" {
		t.Fatalf("%s of /web run", got)
	}
	db, web = plain("/db", 2, "y"), plain("/web", 3, "y")
	web.Dependencies = []app.Path{"/db"}
	db.Upgrade = app.Upgrade{MinimumHealth: 0.5}
	w.edit(false, func(root *app.Group, _ app.Version) *app.Group { return root.With(db).With(web) })
	w.tell(w.live("/web")[0], mesos.TaskState_TASK_FAILED)
	w.pass(2 * time.Second)
	w.offer()
	w.settle()
	if got := w.commands("/web"); got != "2 x" {
		t.Fatalf("%s of /web run before its turn; one that fails is replaced by its like", got)
	}
	w.rounds()
	if got := w.commands("/db") + " " + w.commands("/web"); got != "2 y 3 y" {
		t.Fatalf("%s run", got)
	}
}

func TestLocks(t *testing.T) {
	w := newWorld(t, 1, Options{})
	first := w.mustPut(plain("/a", 1, "x"))
	var locked *LockedError
	if a := w.put(plain("/a", 2, "x")); !errors.As(a.Err, &locked) || len(locked.Deployments) != 1 || locked.Deployments[0] != first.Deployment || a.Deployment != "" {
		t.Fatalf("answer %+v", a)
	}
	if w.root.App("/a").Instances != 1 {
		t.Fatal("what is refused has happened")
	}
	if a := w.put(plain("/b", 1, "x")); a.Err != nil {
		t.Fatalf("another app is locked, too: %v", a.Err)
	}
	a := w.edit(true, func(root *app.Group, _ app.Version) *app.Group { return root.With(plain("/a", 2, "y")) })
	if a.Err != nil || len(w.deployments) != 2 {
		t.Fatalf("answer %+v, deployments %v", a, w.deployments)
	}
	w.rounds()
	if got := w.commands("/a") + " " + w.commands("/b"); got != "2 y 1 x" {
		t.Fatalf("%s run", got)
	}
}

func TestDryRunAndNothing(t *testing.T) {
	w := newWorld(t, 1, Options{})
	a := w.ask(func(n uint64) Input {
		return Update{Request: n, DryRun: true, Edit: func(root *app.Group, _ app.Version) (*app.Group, error) {
			return root.With(plain("/a", 1, "x")), nil
		}}
	})
	if a.Err != nil || len(a.Plan.Steps) != 2 || a.Deployment != "" || w.root.App("/a") != nil || len(w.disk) != 0 {
		t.Fatalf("answer %+v, disk %v", a, w.disk)
	}
	w.mustPut(plain("/a", 1, "x"))
	w.rounds()
	was, root := w.live("/a"), w.root
	a = w.mustPut(plain("/a", 1, "x"))
	if a.Deployment == "" || len(a.Plan.Steps) != 0 || w.root != root || len(w.deployments) != 0 {
		t.Fatalf("to change nothing is %+v", a)
	}
	bad := errors.New("no")
	if a := w.ask(func(n uint64) Input {
		return Update{Request: n, Edit: func(*app.Group, app.Version) (*app.Group, error) { return nil, bad }}
	}); !errors.Is(a.Err, bad) {
		t.Errorf("answer %+v", a)
	}
	var problems app.Problems
	if a := w.put(plain("/a/b", 1, "x")); !errors.As(a.Err, &problems) {
		t.Errorf("an app within an app: %+v", a)
	}
	if got := w.live("/a"); len(got) != 1 || got[0] != was[0] {
		t.Errorf("%s run", got)
	}
}

func TestEditInPlaceIsSeenAtOnce(t *testing.T) {
	w := newWorld(t, 1, Options{})
	a := plain("/a", 2, "x")
	a.Labels = map[string]string{app.LabelInPlace: "true"}
	w.mustPut(a)
	w.rounds()
	was := w.live("/a")
	edited := a.Clone()
	edited.Labels = map[string]string{app.LabelInPlace: "true", "v": "2"}
	x := w.mustPut(edited)
	if len(x.Plan.Steps) != 0 || w.views["/a"].App.Labels["v"] != "2" || len(w.deployments) != 0 {
		t.Fatalf("answer %+v, view %+v", x, w.views["/a"].App)
	}
	if got := w.live("/a"); fmt.Sprint(got) != fmt.Sprint(was) || w.views["/a"].Instances[0].Outdated {
		t.Fatalf("%s run, were %s", got, was)
	}
}

func TestRollback(t *testing.T) {
	w := newWorld(t, 2, Options{})
	w.mustPut(plain("/a", 4, "x"))
	w.rounds()
	was := w.live("/a")
	up := plain("/a", 4, "y")
	up.Upgrade = app.Upgrade{MinimumHealth: 0.5, MaximumOver: 0}
	d := w.mustPut(up)
	w.settle()
	for _, id := range was {
		if w.tasks[id].kills > 0 {
			w.tell(id, mesos.TaskState_TASK_KILLED)
		}
	}
	w.settle()
	w.offer()
	w.settle()
	if got := w.commands("/a"); got != "2 x, 2 y" {
		t.Fatalf("in the middle %s run", got)
	}
	a := w.ask(func(n uint64) Input { return Cancel{Request: n, Deployment: d.Deployment} })
	if a.Err != nil || a.Deployment == "" || a.Deployment == d.Deployment {
		t.Fatalf("answer %+v", a)
	}
	w.rounds()
	if got := w.commands("/a"); got != "4 x" {
		t.Fatalf("afterwards %s run", got)
	}
	kept := 0
	for _, id := range was {
		if !w.tasks[id].over() {
			kept++
		}
	}
	if kept != 2 {
		t.Errorf("%d of those that were there are kept, want 2", kept)
	}
	var none *NotFoundError
	if a := w.ask(func(n uint64) Input { return Cancel{Request: n, Deployment: d.Deployment} }); !errors.As(a.Err, &none) {
		t.Errorf("of what is over: %+v", a)
	}
}

func TestCancelByForceThenGoOn(t *testing.T) {
	w := newWorld(t, 2, Options{})
	w.mustPut(plain("/a", 4, "x"))
	w.rounds()
	up := plain("/a", 4, "y")
	up.Upgrade = app.Upgrade{MinimumHealth: 1, MaximumOver: 0.5}
	d := w.mustPut(up)
	w.offer()
	w.settle()
	if a := w.ask(func(n uint64) Input { return Cancel{Request: n, Deployment: d.Deployment, Force: true} }); a.Err != nil || len(w.deployments) != 0 {
		t.Fatalf("answer %+v", a)
	}
	w.rounds()
	if got := w.commands("/a"); got != "4 y" && got != "2 x, 2 y" {
		t.Fatalf("%s run", got)
	}
	five := up.Clone()
	five.Instances = 5
	x := w.mustPut(five)
	if k := x.Plan.Steps[0][0].Kind; w.commands("/a") != "4 y" && k != rollout.Restart {
		t.Errorf("what was left behind is not replaced: %v", x.Plan.Steps)
	}
	w.rounds()
	if got := w.commands("/a"); got != "5 y" {
		t.Errorf("%s run", got)
	}
}

func TestRestart(t *testing.T) {
	w := newWorld(t, 2, Options{})
	w.mustPut(plain("/a", 2, "x"))
	w.rounds()
	was := w.live("/a")
	if a := w.ask(func(n uint64) Input { return Restart{Request: n, Apps: []app.Path{"/a"}} }); a.Err != nil {
		t.Fatal(a.Err)
	}
	w.rounds()
	for _, id := range was {
		if !w.tasks[id].over() {
			t.Errorf("%s is still there", id)
		}
	}
	if got := w.commands("/a"); got != "2 x" {
		t.Errorf("%s run", got)
	}
	var none *NotFoundError
	if a := w.ask(func(n uint64) Input { return Restart{Request: n, Apps: []app.Path{"/b"}} }); !errors.As(a.Err, &none) {
		t.Errorf("answer %+v", a)
	}
}
