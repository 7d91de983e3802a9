package work

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"troupe/messages/mesos"
	"troupe/messages/resources"
)

// in is an offer of an agent of a rack.
func in(agent, rack string) *mesos.Offer {
	o := offer(agent, "cpus:9;mem:999")
	o.Hostname = proto.String(agent)
	list, err := resources.ParseAttributes("rack:" + rack)
	if err != nil {
		panic(err)
	}
	o.Attributes = list
	return o
}

func bound(id, group string, constraints ...[]string) Add {
	return Add{&Task{ID: id, Command: "true", Resources: "cpus:1", Group: group, Constraints: constraints}}
}

func TestConstraintsCountTheTasksOfAGroup(t *testing.T) {
	r := rig{t, New()}
	unique := []string{"hostname", "UNIQUE"}
	r.want(bound("a1", "a", unique), "revive")
	r.want(bound("a2", "a", unique))
	r.want(bound("a3", "a", unique))
	r.want(bound("b1", "b", unique), "revive")
	r.want(bound("a4", "a"), "revive")
	both := Offers{[]*mesos.Offer{in("h1", "x"), in("h2", "x")}}
	r.want(both, "launch on h1: a1 b1 a4", "launch on h2: a2")
	r.want(both, "decline for 5s: h1 h2")
	r.want(Updated{status("a1", failed)}, "a1 attempt 1 FAILED final")
	r.want(both, "decline for 5s: h1 h2")
	r.want(Updated{status("a4", failed)}, "a4 attempt 1 FAILED final")
	r.want(both, "launch on h1: a3", "decline for 10m0s: h2", "suppress")
}

// GROUP_BY waits for the rack that is known and empty, until it is known to be
// gone.
func TestGroupByKnowsTheAgents(t *testing.T) {
	r := rig{t, New()}
	r.want(Offers{[]*mesos.Offer{in("h1", "x"), in("h2", "y")}}, "decline for 10m0s: h1 h2", "suppress")
	for i := range 3 {
		r.m.Step(time.Time{}, bound(fmt.Sprintf("T%d", i), "", []string{"rack", "GROUP_BY"}))
	}
	r.want(Offers{[]*mesos.Offer{in("h1", "x")}}, "launch on h1: T0")
	r.want(Offers{[]*mesos.Offer{in("h1", "x")}}, "decline for 5s: h1")
	r.want(AgentGone{"S-h2"})
	r.want(Offers{[]*mesos.Offer{in("h1", "x")}}, "launch on h1: T1 T2", "suppress")
}

// Whatever fails: no two live attempts of a group share a host that must be
// unique, and in the end all run.
func TestConstraintsHold(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m := New()
		racks := rapid.IntRange(1, 4).Draw(rt, "racks")
		agents := racks * rapid.IntRange(1, 3).Draw(rt, "agents per rack")
		var all []*mesos.Offer
		for i := range agents {
			all = append(all, in(fmt.Sprintf("h%d", i), fmt.Sprintf("r%d", i%racks)))
		}
		for i := range rapid.IntRange(1, agents).Draw(rt, "tasks") {
			add := bound(fmt.Sprintf("T%d", i), "g", []string{"hostname", "UNIQUE"}, []string{"rack", "GROUP_BY"})
			add.Task.Retries = Forever
			m.Step(time.Time{}, add)
		}
		where := map[string]int{}
		launch := func(effects []Effect) {
			for _, e := range effects {
				l, ok := e.(Launch)
				if !ok {
					continue
				}
				for _, info := range l.Tasks {
					var host int
					if _, err := fmt.Sscanf(l.Offer.GetHostname(), "h%d", &host); err != nil {
						rt.Fatal(err)
					}
					where[info.GetTaskId().GetValue()] = host
				}
			}
			hosts := map[int]int{}
			for id, h := range where {
				if hosts[h]++; hosts[h] > 1 {
					rt.Fatalf("%s shares host %d: %v", id, h, where)
				}
			}
		}
		for range rapid.IntRange(1, 6).Draw(rt, "rounds") {
			launch(m.Step(time.Time{}, Offers{all}))
			for _, id := range slices.Sorted(maps.Keys(where)) {
				if rapid.Bool().Draw(rt, "fails") {
					delete(where, id)
					launch(m.Step(time.Time{}, Updated{status(id, failed)}))
					for _, j := range m.order {
						launch(m.Step(time.Time{}, TimerFired{timerRetry + j.task.ID}))
					}
					break
				}
			}
		}
		for range agents {
			launch(m.Step(time.Time{}, Offers{all}))
		}
		if m.queued > 0 || len(where) != len(m.order) {
			rt.Fatalf("%d wait, %d of %d run", m.queued, len(where), len(m.order))
		}
	})
}
