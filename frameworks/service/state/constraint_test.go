package state

import (
	"testing"

	"pgregory.net/rapid"

	"troupe/frameworks/service/app"
	"troupe/messages/resources"
)

// where counts the running tasks of an app by agent.
func (w *world) where(id app.Path) map[string]int {
	count := map[string]int{}
	for _, task := range w.live(id) {
		count[w.tasks[task].agent]++
	}
	return count
}

// TestConstraintsHold: with every instance where the others are counted, whoever
// dies and joins, each agent has one at most, and groups are even.
func TestConstraintsHold(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(rt, 3, Options{PerOffer: rapid.IntRange(1, 5).Draw(rt, "perOffer")})
		unique, even := plain("/u", 3, "x"), plain("/e", 3, "x")
		unique.Placement.Constraints = []app.Constraint{{Field: "hostname", Operator: "UNIQUE"}}
		unique.Upgrade = app.Upgrade{MinimumHealth: 0.5}
		even.Placement.Constraints = []app.Constraint{{Field: "rack", Operator: "GROUP_BY"}}
		w.mustPut(unique)
		w.mustPut(even)
		w.rounds()
		for range rapid.IntRange(1, 6).Draw(rt, "steps") {
			switch rapid.IntRange(0, 4).Draw(rt, "step") {
			case 0:
				w.agents["S3"] = &node{free: resources.MustParse("cpus:100;mem:100000;disk:100000;ports:[31000-32000]")}
			case 1:
				w.start()
			case 2:
				next := unique.Clone()
				next.Process.Command = rapid.SampledFrom([]string{"x", "y"}).Draw(rt, "command")
				w.mustPut(next)
			default:
				next := even.Clone()
				next.Instances = rapid.IntRange(0, 8).Draw(rt, "instances")
				w.mustPut(next)
			}
			w.rounds()
			w.evenly(rt)
		}
	})
}

func (w *world) evenly(t *rapid.T) {
	for agent, n := range w.where("/u") {
		if n > 1 {
			t.Fatalf("%d instances are on %s", n, agent)
		}
	}
	if n := len(w.live("/u")); n != 3 {
		t.Fatalf("%d instances run", n)
	}
	count := w.where("/e")
	if len(w.live("/e")) != w.root.App("/e").Instances {
		t.Fatalf("%d instances run, %d are wanted", len(w.live("/e")), w.root.App("/e").Instances)
	}
	most, least := 0, len(w.live("/e"))
	for _, agent := range []string{"S0", "S1", "S2"} { // a fourth may have come when all were placed
		most, least = max(most, count[agent]), min(least, count[agent])
	}
	if most > least+1 {
		t.Fatalf("instances by agent: %v", count)
	}
}
