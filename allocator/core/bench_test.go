package core

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/messages/cluster"
	"troupe/messages/mesos"
)

const benchAgent = "cpus:8;mem:32768;disk:409600;ports:[31000-32000]"

// filled is a rig of so many agents and frameworks in roles of their own, with
// nothing handed out yet.
func filled(b testing.TB, agents, frameworks int) *rig {
	r := newRig(b, Options{})
	for i := range frameworks {
		m := addFramework(fmt.Sprint("f", i), fmt.Sprint("role", i%10))
		m.Active = proto.Bool(false)
		r.send(m)
	}
	for i := range agents {
		r.send(addAgent(fmt.Sprint("s", i), benchAgent))
	}
	r.advance(time.Minute)
	return r
}

func (r *rig) activate(frameworks int) {
	for i := range frameworks {
		r.send(addFramework(fmt.Sprint("f", i), fmt.Sprint("role", i%10)))
	}
}

// fire makes the pass that is due.
func (r *rig) fire() {
	r.now = r.timers[passKey]
	delete(r.timers, passKey)
	r.step(TimerFired{passKey})
}

func (r *rig) recoverAll() {
	given := r.given
	r.given, r.sent = nil, nil
	for _, g := range given {
		r.send(&cluster.RecoverResources{FrameworkId: g.FrameworkId, AgentId: g.AgentId, Role: g.Role, Resources: g.Resources})
	}
}

// Every agent is looked at and given away.
func BenchmarkFullPass(b *testing.B) {
	for _, size := range []struct{ agents, frameworks int }{{50_000, 1}, {1000, 50}, {50_000, 1000}} {
		b.Run(fmt.Sprintf("agents=%d/frameworks=%d", size.agents, size.frameworks), func(b *testing.B) {
			r := filled(b, size.agents, size.frameworks)
			r.activate(size.frameworks)
			for b.Loop() {
				r.fire()
				b.StopTimer()
				if len(r.given) != size.agents {
					b.Fatalf("%d allocations, want %d", len(r.given), size.agents)
				}
				r.recoverAll()
				b.StartTimer()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(size.agents), "ns/agent")
		})
	}
}

// refused is a rig whose frameworks all refused all agents, for years.
func refused(b testing.TB, agents, frameworks int) *rig {
	r := filled(b, agents, frameworks)
	r.activate(frameworks)
	for range frameworks {
		r.fire()
		given := r.given
		r.given = nil
		for _, g := range given {
			r.send(&cluster.RecoverResources{
				FrameworkId: g.FrameworkId, AgentId: g.AgentId, Role: g.Role, Resources: g.Resources,
				Filters: &mesos.Filters{RefuseSeconds: proto.Float64(1e9)},
			})
		}
	}
	return r
}

// Every agent is looked at for every framework, and all of them refused it.
func BenchmarkFilteredPass(b *testing.B) {
	r := refused(b, 1000, 50)
	for b.Loop() {
		r.a.markAll()
		r.a.pass()
	}
	if len(r.given) > 0 {
		b.Fatalf("%d allocations in spite of filters", len(r.given))
	}
}

// What is told of roles takes a look at every filter.
func BenchmarkRoles(b *testing.B) {
	const agents, frameworks = 1000, 50
	r := refused(b, agents, frameworks)
	for b.Loop() {
		filters := 0
		for _, role := range r.a.Roles(r.now) {
			filters += role.Filters
		}
		if filters != agents*frameworks {
			b.Fatalf("%d filters, want %d", filters, agents*frameworks)
		}
	}
}

// One task's resources come back and are handed out again.
func BenchmarkSingleChange(b *testing.B) {
	for _, size := range []struct{ agents, frameworks int }{{1000, 50}, {50_000, 1}, {50_000, 1000}} {
		b.Run(fmt.Sprintf("agents=%d/frameworks=%d", size.agents, size.frameworks), func(b *testing.B) {
			r := filled(b, size.agents, size.frameworks)
			r.activate(size.frameworks)
			r.fire()
			g := r.given[len(r.given)/2]
			m := recoverFrom(g.FrameworkId.GetValue(), g.GetRole(), g.AgentId.GetValue(), "cpus:1;mem:128")
			for b.Loop() {
				r.given, r.sent = nil, nil
				r.send(m)
				r.fire()
				m.FrameworkId, m.Role = r.given[0].FrameworkId, r.given[0].Role
			}
		})
	}
}

// What an idle agent costs, beside the message that it came in.
func TestMemoryPerIdleAgent(t *testing.T) {
	const agents = 20_000
	r := newRig(t, Options{})
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for i := range agents {
		m := addAgent(fmt.Sprint("20260101-000000-16777343-5050-1-S", i), benchAgent)
		wire, err := proto.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		decoded := &cluster.AddAgent{}
		if err := proto.Unmarshal(wire, decoded); err != nil {
			t.Fatal(err)
		}
		r.send(decoded)
	}
	r.advance(time.Minute)
	runtime.GC()
	runtime.ReadMemStats(&after)
	each := (after.HeapAlloc - before.HeapAlloc) / agents
	t.Logf("%d bytes per idle agent", each)
	if each > 2048 {
		t.Errorf("an idle agent takes %d bytes, want at most 2048", each)
	}
	runtime.KeepAlive(r)
}
