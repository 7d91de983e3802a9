package core

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"troupe/messages/cluster"
	"troupe/messages/mesos"
)

// explained is what an explanation of a framework's only role says, a line for
// each reason.
func explained(r *rig, id string) string {
	r.t.Helper()
	x := r.a.Explain(r.now, id)
	if !x.GetKnown() || len(x.Roles) != 1 {
		r.t.Fatalf("the explanation is %v", x)
	}
	lines := []string{x.GetHold(), x.Roles[0].GetIdle()}
	for _, each := range x.Roles[0].Agents {
		lines = append(lines, each.GetReason().String()+" "+each.GetText())
	}
	return strings.Join(slices.DeleteFunc(lines, func(s string) bool { return s == "" }), "\n")
}

func wantExplained(r *rig, id, want string) {
	r.t.Helper()
	if got := explained(r, id); got != want {
		r.t.Fatalf("the explanation is\n %s\nwant\n %s", strings.ReplaceAll(got, "\n", "\n "), strings.ReplaceAll(want, "\n", "\n "))
	}
}

func TestExplainNamesEachReason(t *testing.T) {
	inactive := addAgent("away", "cpus:4;mem:1024")
	inactive.Active = proto.Bool(false)
	far := addAgent("far", "cpus:4;mem:1024")
	far.Agent.Domain = inRegion("elsewhere")
	gated := addFramework("f", "*")
	gated.OfferConstraints = onHost(t, "here")
	suppressed := addFramework("f", "r")
	suppressed.SuppressedRoles = []string{"r"}
	for name, c := range map[string]struct {
		given []proto.Message
		want  string
	}{
		"nobody else": {
			[]proto.Message{addAgent("a", "cpus:4;mem:1024"), addFramework("f", "r")},
			"OWN 1 agent: all of it is offered to the framework, or in use by it and others",
		},
		"others": {
			[]proto.Message{addFramework("g", "s"), addAgent("a", "cpus:4;mem:1024"), addAgent("b", "cpus:4;mem:1024"), suppress("g"), addFramework("f", "r")},
			"OTHERS 2 agents: it was the turn of others, who were offered or use all of it: g in role s on 2 (share 1.000)",
		},
		"nothing there": {
			[]proto.Message{addAgent("a", ""), addFramework("f", "r")},
			"OTHERS 1 agent: it was the turn of others, who were offered or use all of it: nobody has anything of it, it has nothing",
		},
		"constraints": {
			[]proto.Message{addAgent("a", "cpus:4;mem:1024"), gated},
			"UNWANTED 1 agent: excluded by the offer constraints that it subscribed with",
		},
		"gpus": {
			[]proto.Message{addAgent("a", "cpus:4;mem:1024;gpus:1"), addFramework("f", "r")},
			"NEEDS_GPUS 1 agent: with GPUs, which are for frameworks with the capability GPU_RESOURCES",
		},
		"region": {
			[]proto.Message{
				&cluster.StartAllocator{Epoch: proto.Uint64(2), Domain: inRegion("here")}, far, addFramework("f", "r"),
			},
			"REMOTE 1 agent: in another region than the masters, for frameworks with the capability REGION_AWARE",
		},
		"reserved": {
			[]proto.Message{addAgent("a", "cpus(x):4;mem(y):1024;disk(y):7"), addAgent("b", "cpus(y):1"), addFramework("f", "r")},
			"RESERVED 2 agents: what is free is reserved for y, x",
		},
		"limit": {
			[]proto.Message{quotaOf("r", "", "cpus:1"), addAgent("a", "cpus:4"), addFramework("f", "r")},
			"OVER_LIMIT 1 agent: the quota of role r is used up: 1 of 1 cpus",
		},
		"guarantee": {
			[]proto.Message{quotaOf("s", "cpus:8", ""), addAgent("a", "cpus:4"), addFramework("f", "r")},
			"GUARANTEED 1 agent: what is free is kept for roles whose guarantee is not met, which lack cpus:8",
		},
		"minimum": {
			[]proto.Message{addAgent("a", "cpus:0.001;mem:4"), addFramework("f", "r")},
			"BELOW_MINIMUM 1 agent: less is free than is worth offering: cpus:0.01 or mem:32",
		},
		"inactive": {
			[]proto.Message{inactive, addFramework("f", "r")},
			"INACTIVE 1 agent: deactivated, draining, away, or not in the masters' whitelist",
		},
		"suppressed": {
			[]proto.Message{addAgent("a", "cpus:4"), suppressed},
			"the framework has suppressed offers in the role; REVIVE asks for them again",
		},
		"disconnected": {
			[]proto.Message{addAgent("a", "cpus:4"), addFramework("f", "r"), &cluster.DeactivateFramework{FrameworkId: frameworkIDOf("f")}},
			"the framework is not connected",
		},
		"recovery": {
			[]proto.Message{
				&cluster.StartAllocator{Epoch: proto.Uint64(2), Quotas: quotaOf("s", "cpus:8", "").Configs, ExpectedAgents: proto.Uint32(10)},
				addAgent("a", "cpus:4"), addFramework("f", "s"),
			},
			"nothing is offered yet: there are quotas, and after the master's failover 1 of 10 agents are back; " +
				"offers begin with 80 % of them, or after 10m0s\n" +
				"NEXT 1 agent: something is free for it, which the next look offers",
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, Options{})
			for _, m := range c.given {
				r.send(m)
				r.advance(2 * settling)
			}
			wantExplained(r, "f", c.want)
		})
	}
}

func suppress(id string) *cluster.SuppressOffers {
	return &cluster.SuppressOffers{FrameworkId: frameworkIDOf(id)}
}

func inRegion(name string) *mesos.DomainInfo {
	return &mesos.DomainInfo{FaultDomain: &mesos.DomainInfo_FaultDomain{
		Region: &mesos.DomainInfo_FaultDomain_RegionInfo{Name: &name}, Zone: &mesos.DomainInfo_FaultDomain_ZoneInfo{Name: &name},
	}}
}

// Refusals are told with the time at which they lapse, and are gone by then.
func TestExplainTellsWhenRefusalsLapse(t *testing.T) {
	r := newRig(t, Options{})
	r.send(addAgent("a", "cpus:4"), addAgent("b", "cpus:4"), addFramework("f", "r"))
	r.advance(2 * settling)
	r.send(decline("f", "r", "a", "cpus:4", 60), decline("f", "r", "b", "cpus:4", 120))
	r.advance(2 * settling)
	wantExplained(r, "f", "REFUSED 2 agents: it refused as much; that holds until 2001-09-09T01:47:40Z on the first of them, "+
		"until 2001-09-09T01:48:40Z on the last")
	role := r.a.Explain(r.now, "f").Roles[0].Agents[0]
	if first, last := role.GetFirstLapse(), role.GetLastLapse(); last-first != int64(time.Minute) {
		t.Errorf("refusals lapse at %d and %d, want a minute between", first, last)
	}
	r.advance(61 * time.Second)
	wantExplained(r, "f", "REFUSED 1 agent: it refused as much; that holds until 2001-09-09T01:48:40Z\n"+
		"OWN 1 agent: all of it is offered to the framework, or in use by it and others")
}

// Reasons come by how many agents have them, with some of the agents.
func TestExplainCountsAndNamesAgents(t *testing.T) {
	r := newRig(t, Options{})
	for i := range 9 {
		r.send(addAgent(fmt.Sprintf("x%d", i), "cpus(x):4"))
	}
	for i := range 3 {
		r.send(addAgent(fmt.Sprintf("tiny%d", i), "mem:1"))
	}
	r.send(addFramework("f", "r"), addFramework("g", "x"))
	r.advance(2 * settling)
	x := r.a.Explain(r.now, "f")
	if x.GetAgents() != 12 || x.GetLookedAt() != 12 || len(x.Roles[0].Agents) != 2 {
		t.Fatalf("the explanation is %v", x)
	}
	most := x.Roles[0].Agents[0]
	if most.GetReason() != cluster.OffersExplained_OTHERS || most.GetAgents() != 9 || len(most.Examples) != explainExamples {
		t.Errorf("the first reason is %v", most)
	}
	if x.Roles[0].GetBefore() != 0 || r.a.Explain(r.now, "g").Roles[0].GetBefore() != 1 {
		t.Errorf("with nothing, f is not before g, which has all: %v", x)
	}
	if r.a.Explain(r.now, "nobody").GetKnown() {
		t.Error("a framework that nobody told of is known")
	}
}

// To be asked changes nothing, and whoever would get something next is offered
// something by the next pass.
func TestExplainChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := newRandomRig(t)
		c := &commands{r: r, quotas: true}
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			r.send(c.draw(t))
			if rapid.Bool().Draw(t, "wait") {
				r.advance(2 * settling)
			}
			before := r.a.Stats()
			for id := range r.a.frameworks {
				x := r.a.Explain(r.now, string(id))
				for _, role := range x.Roles {
					var told uint32
					for _, each := range role.Agents {
						told += each.GetAgents()
					}
					if role.Idle == nil && told != x.GetLookedAt() {
						t.Fatalf("%d agents were looked at, and %d explained: %v", x.GetLookedAt(), told, x)
					}
				}
			}
			if after := r.a.Stats(); after != before {
				t.Fatalf("explaining changed %v to %v", before, after)
			}
			if err := r.a.Check(); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// BenchmarkExplain: every third of 50,000 agents is looked at, all refused.
func BenchmarkExplain(b *testing.B) {
	r := refused(b, 50_000, 1)
	for b.Loop() {
		if x := r.a.Explain(r.now, "f0"); x.GetLookedAt() != 16_667 {
			b.Fatalf("%d agents were looked at", x.GetLookedAt())
		}
	}
}
