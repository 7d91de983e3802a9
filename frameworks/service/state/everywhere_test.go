package state

import (
	"slices"
	"testing"
	"time"

	"troupe/frameworks/service/app"
	"troupe/messages/mesos"
	"troupe/messages/resources"
)

// everywhere is an app that is on all agents.
func everywhere() *app.App {
	a := plain("/a", 1, "x")
	a.Labels = map[string]string{app.LabelEverywhere: "true"}
	a.Placement.Constraints = []app.Constraint{{Field: "hostname", Operator: "UNIQUE"}}
	return a
}

// on are the agents with a live task of an app, which must be one each.
func (w *world) on(id app.Path) []string {
	w.t.Helper()
	var agents []string
	for _, task := range w.live(id) {
		if agent := w.tasks[task].agent; slices.Contains(agents, agent) {
			w.t.Fatalf("%s has two", agent)
		} else {
			agents = append(agents, agent)
		}
	}
	slices.Sort(agents)
	return agents
}

func (w *world) awaits(want ...string) {
	w.t.Helper()
	for range 20 {
		w.rounds()
		w.pass(followed)
	}
	w.rounds()
	if got := w.on("/a"); !slices.Equal(got, want) {
		w.t.Fatalf("they are on %v, want %v", got, want)
	}
	if n := w.root.App("/a").Instances; n != max(len(want), 1) && len(want) > 0 {
		w.t.Errorf("%d instances, want %d", n, len(want))
	}
}

// TestEverywhere: instances follow the agents, through the framework's death, and
// nobody is kept from changing the app meanwhile.
func TestEverywhere(t *testing.T) {
	w := newWorld(t, 3, Options{Declined: time.Second})
	w.mustPut(everywhere())
	w.awaits("S0", "S1", "S2")

	w.agents["S3"] = &node{free: resources.MustParse("cpus:100;mem:100000;disk:100000;ports:[31000-32000]")}
	w.awaits("S0", "S1", "S2", "S3")
	if w.quiet {
		t.Error("nobody would hear of the next agent")
	}

	w.start()
	w.awaits("S0", "S1", "S2", "S3")

	for _, task := range w.live("/a") {
		if w.tasks[task].agent == "S1" {
			w.agents["S1"].gone = true
			w.step(Lost{"S1"})
			w.tell(task, mesos.TaskState_TASK_GONE)
		}
	}
	w.awaits("S0", "S2", "S3")

	again := everywhere() // as a file has it, that says nothing of how many
	again.Process.Command = "y"
	w.mustPut(again)
	w.awaits("S0", "S2", "S3")
	if got := w.commands("/a"); got != "3 y" {
		t.Errorf("%s run", got)
	}

	none := everywhere()
	none.Process.Command, none.Instances = "y", 0
	w.mustPut(none)
	w.awaits()
	w.mustPut(again)
	w.awaits("S0", "S2", "S3")
}

// TestEverywhereItMay: agents that constraints rule out do not count, and one
// without room keeps nobody from a change.
func TestEverywhereItMay(t *testing.T) {
	w := newWorld(t, 3, Options{})
	w.agents["S2"].free = resources.MustParse("cpus:0.001;mem:1")
	not := "host-S1"
	a := everywhere()
	a.Placement.Constraints = append(a.Placement.Constraints, app.Constraint{Field: "hostname", Operator: "UNLIKE", Value: &not})
	w.mustPut(a)
	w.obeyFor(10 * time.Second)
	if got := w.on("/a"); !slices.Equal(got, []string{"S0"}) || w.root.App("/a").Instances != 2 {
		t.Errorf("on %v, %d instances", got, w.root.App("/a").Instances)
	}
	if len(w.deployments) != 0 || w.views["/a"].Queue == nil {
		t.Errorf("%d deployments, queue %v", len(w.deployments), w.views["/a"].Queue)
	}
	changed := a.Clone()
	changed.Process.Command = "y"
	w.mustPut(changed)
}

func TestEverywhereIsUniqueByHost(t *testing.T) {
	a := everywhere()
	a.Placement.Constraints = nil
	wrong := a.Validate(app.Rules{})
	if !slices.ContainsFunc(wrong, func(p app.Problem) bool { return p.Path == "/constraints" }) {
		t.Errorf("%v", wrong)
	}
}
