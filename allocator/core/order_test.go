package core

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"google.golang.org/protobuf/proto"

	"troupe/messages/cluster"
	"troupe/messages/mesos"
)

func TestParseSorter(t *testing.T) {
	for text, want := range map[string]Sorter{"drf": ByShare, "random": ByLot, "priority": ByPriority} {
		if got, err := ParseSorter(text); err != nil || got != want {
			t.Errorf("ParseSorter(%q) = %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "DRF", "fair"} {
		if _, err := ParseSorter(text); err == nil {
			t.Errorf("%q is a sorter", text)
		}
	}
}

func weight(role string, weight float64) *cluster.UpdateWeights {
	return &cluster.UpdateWeights{Weights: []*cluster.StartAllocator_Weight{{Role: &role, Weight: &weight}}}
}

// The role with the greater weight gets every agent, however much it holds,
// until it wants no more.
func TestPriorityServesTheGreaterWeightFirst(t *testing.T) {
	r := newRig(t, Options{Roles: ByPriority})
	r.send(weight("high", 2), addFramework("l", "low"), addFramework("h", "high"))
	r.send(addAgent("a1", "cpus:1;mem:100"))
	r.want("a1 to h/high: cpus:1; mem:100")
	r.send(addAgent("a2", "cpus:1;mem:100"))
	r.want("a2 to h/high: cpus:1; mem:100")
	r.send(&cluster.RecoverResources{
		FrameworkId: frameworkIDOf("h"), AgentId: agentIDOf("a2"), Role: proto.String("high"),
		Resources: list("cpus:1;mem:100"), Filters: &mesos.Filters{RefuseSeconds: proto.Float64(60)},
	})
	r.want("a2 to l/low: cpus:1; mem:100")
	// A weight that changes changes who comes first.
	r.send(weight("low", 3), addAgent("a3", "cpus:1;mem:100"))
	r.want("a3 to l/low: cpus:1; mem:100")
}

func TestPriorityOfEqualRolesGoesByShare(t *testing.T) {
	r := newRig(t, Options{Roles: ByPriority})
	r.send(addFramework("x", "a"), addFramework("y", "b"), addAgent("a1", "cpus:1;mem:100"))
	r.want("a1 to x/a: cpus:1; mem:100")
	r.send(addAgent("a2", "cpus:1;mem:100"))
	r.want("a2 to y/b: cpus:1; mem:100")
}

// drawn returns who got each of many agents, of a lottery with this seed.
func drawn(t *testing.T, o Options, seed uint64) (got []string) {
	r := newRig(t, o)
	r.step(Seeded{seed})
	r.send(weight("heavy", 3), addFramework("h", "heavy"), addFramework("l", "light"), addFramework("m", "light"))
	for i := range 2000 {
		r.send(addAgent(fmt.Sprintf("a%04d", i), "cpus:1;mem:100"))
	}
	r.advance(2 * settling)
	got = r.take()
	if err := r.a.Check(); err != nil {
		t.Fatal(err)
	}
	return got
}

func countTo(list []string, framework string) (share float64) {
	for _, line := range list {
		var agent, to string
		if _, err := fmt.Sscanf(line, "%s to %s", &agent, &to); err == nil && to[0] == framework[0] {
			share += 1 / float64(len(list))
		}
	}
	return share
}

// With lots, agents go to roles in proportion to weights, and within a role to
// its frameworks evenly; the same seed decides the same.
func TestLotsDecideByWeights(t *testing.T) {
	o := Options{Roles: ByLot, Frameworks: ByLot}
	got := drawn(t, o, 7)
	if len(got) != 2000 {
		t.Fatalf("%d agents are handed out", len(got))
	}
	for framework, want := range map[string]float64{"h": .75, "l": .125, "m": .125} {
		if share := countTo(got, framework); math.Abs(share-want) > 0.04 { // four standard deviations
			t.Errorf("%s got %.3f of the agents, want %.3f", framework, share, want)
		}
	}
	if !slices.Equal(got, drawn(t, o, 7)) {
		t.Error("the same seed decided otherwise")
	}
	if slices.Equal(got, drawn(t, o, 8)) {
		t.Error("another seed decided the same")
	}
}

// Roles by share and frameworks by lot: the roles get what is theirs exactly.
func TestLotsOfFrameworksLeaveRolesFair(t *testing.T) {
	got := drawn(t, Options{Frameworks: ByLot}, 8)
	if share := countTo(got, "h"); math.Abs(share-.75) > 0.001 {
		t.Errorf("h got %.4f of the agents", share)
	}
	l, m := countTo(got, "l"), countTo(got, "m")
	if math.Abs(l-m) < 0.001 || math.Abs(l-m) > 0.1 {
		t.Errorf("l got %.4f and m %.4f of the agents, by lot", l, m)
	}
}

// A framework that comes is shown what others do not want, by lot too.
func TestLotsAmongThoseThatAreNew(t *testing.T) {
	firsts := make(map[string]int)
	for seed := range uint64(40) {
		r := newRig(t, Options{Roles: ByLot, Frameworks: ByLot})
		r.step(Seeded{seed})
		r.send(addAgent("a1", "cpus:1;mem:100"))
		r.want()
		r.send(addFramework("x", "a"), addFramework("y", "b"))
		r.advance(2 * settling)
		for _, line := range r.take() {
			firsts[line]++
		}
	}
	if len(firsts) != 2 {
		t.Errorf("handed out: %v", firsts)
	}
}
