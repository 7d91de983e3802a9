package core

import (
	"fmt"
	"testing"

	"google.golang.org/protobuf/proto"

	"troupe/messages/cluster"
	"troupe/messages/mesos"
)

// busy is a rig of a large cluster in which everything is handed out, but for
// a rest on every agent that quota or refusals keep from all: half of the
// frameworks are in roles of their own, of which a third has a limit that is
// reached.
func busy(b *testing.B, agents, frameworks, roles int) *rig {
	r := newRig(b, Options{})
	for i := range roles {
		if i%3 == 0 {
			r.send(quotaOf(fmt.Sprint("role", i), "", "cpus:0;mem:0"))
		}
	}
	for i := range frameworks {
		r.send(addFramework(fmt.Sprint("f", i), fmt.Sprint("role", i%roles)))
	}
	for i := range roles - frameworks { // roles with quota and without frameworks
		r.send(quotaOf(fmt.Sprint("role", frameworks+i), "cpus:1", "cpus:2;mem:2048"))
	}
	for i := range agents {
		r.send(addAgent(fmt.Sprint("s", i), benchAgent))
	}
	for r.timers[passKey] != r.now.Add(-1) {
		if _, due := r.timers[passKey]; !due {
			break
		}
		r.fire()
	}
	return r
}

// A pass after a single change, in clusters of all sizes.
func BenchmarkPassAfterAChange(b *testing.B) {
	for _, size := range [][3]int{{1000, 50, 10}, {50_000, 1000, 10}, {50_000, 1000, 3000}, {50_000, 6000, 3000}} {
		r := busy(b, size[0], size[1], size[2])
		given := r.given
		for name, change := range changes(r, given) {
			b.Run(fmt.Sprintf("agents=%d/frameworks=%d/roles=%d/%s", size[0], size[1], size[2], name), func(b *testing.B) {
				b.ReportAllocs()
				i := 0
				for b.Loop() {
					i++
					change(i)
					r.fire()
					r.given, r.sent, r.notes = nil, nil, nil
				}
			})
		}
	}
}

func changes(r *rig, given []*cluster.Allocations_Allocation) map[string]func(int) {
	part := func(i int) *cluster.RecoverResources {
		g := given[i%len(given)]
		m := recoverFrom(g.FrameworkId.GetValue(), g.GetRole(), g.AgentId.GetValue(), "cpus:0.1;mem:32")
		return m
	}
	return map[string]func(int){
		"recovered": func(i int) { r.send(part(i)) },
		"refused": func(i int) {
			m := part(i)
			m.Filters = &mesos.Filters{RefuseSeconds: proto.Float64(1e6)}
			r.send(m)
		},
		"agent-joins":     func(i int) { r.send(addAgent(fmt.Sprint("t", i), benchAgent)) },
		"framework-joins": func(i int) { r.send(addFramework(fmt.Sprint("g", i), "role1")) },
		"framework-revives": func(i int) {
			r.send(&cluster.ReviveOffers{FrameworkId: given[i%len(given)].FrameworkId})
		},
		"quota-changes": func(i int) {
			r.send(quotaOf("role0", "", fmt.Sprintf("cpus:%d;mem:0", i%2)), addFramework("f0", "role0"))
		},
	}
}
