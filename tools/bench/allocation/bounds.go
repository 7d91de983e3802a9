package allocation

import (
	"fmt"
	"runtime"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/messages/cluster"
	"troupe/messages/mesos"
)

// Bound is a figure that is held against a bound of its own, not against Mesos.
type Bound struct {
	What, Unit string
	Value      float64
	AtMost     float64 // 0 when there is no bound
}

// BoundWork is a work with such figures.
type BoundWork struct {
	Name string
	Run  func() []Bound
}

// Bounds returns the works that show what has a bound, in clusters of a part of
// the full size.
func Bounds(scale int) []BoundWork {
	list := []BoundWork{
		fullPass(Size{50_000 / scale, max(1, 1000/scale)}),
		steadyPass(Size{max(1, 1000/scale), max(1, 50/scale)}),
		idleAgent(50_000 / scale),
	}
	for _, s := range []struct{ agents, frameworks, roles int }{{1000, 50, 10}, {50_000, 1000, 3000}, {50_000, 6000, 10}} {
		size := Size{max(10, s.agents/scale), max(10, s.frameworks/scale)}
		list = append(list, passAfterAChange(size, max(10, s.roles/scale)))
	}
	return list
}

const ordinaryAgent = "cpus:8;mem:32768;disk:409600;ports:[31000-32000]"

// inRoles tells of frameworks, one after the other in so many roles.
func (r *rig) inRoles(frameworks, roles int) {
	for i := range frameworks {
		r.tell(framework(i, fmt.Sprint("role", i%roles)))
	}
}

func (r *rig) ordinaryAgents(n int) {
	for i := range n {
		r.tell(agent(i, ordinaryAgent))
	}
}

// fullPass gives all agents away, each to somebody.
func fullPass(s Size) BoundWork {
	return BoundWork{"FullPass/" + s.String(), func() []Bound {
		r := newRig()
		r.ordinaryAgents(s.Agents)
		r.inRoles(s.Frameworks, 10)
		var took []time.Duration
		var bytes uint64
		for range 4 {
			bytes = allocated(func() { took = append(took, r.allocate()) })
			r.giveBack(r.take(), 0)
		}
		return []Bound{
			{"least of 4", "ms", slices.Min(took).Seconds() * 1000, 1000},
			{"allocated with what is sent", "B/offer", float64(bytes) / float64(s.Agents), 0},
		}
	}}
}

// steadyPass looks at all agents for all frameworks, of which each refused each.
func steadyPass(s Size) BoundWork {
	return BoundWork{"SteadyPass/" + s.String(), func() []Bound {
		r := newRig()
		r.ordinaryAgents(s.Agents)
		r.inRoles(s.Frameworks, 10)
		for range s.Frameworks {
			r.allocateAll()
			r.giveBack(r.take(), ever)
		}
		r.allocateAll()
		const passes = 20
		var bytes uint64
		for range passes {
			r.inRoles(s.Frameworks, 10) // told anew they keep their filters, and all is looked at
			bytes += allocated(r.allocateAll)
		}
		return []Bound{{"allocated", "B/pass", float64(bytes) / passes, 100}}
	}}
}

// idleAgent adds agents that came over the wire and are held by nobody.
func idleAgent(agents int) BoundWork {
	return BoundWork{fmt.Sprint("IdleAgent/agents=", agents), func() []Bound {
		r := newRig()
		before := heap()
		for i := range agents {
			m := agent(i, ordinaryAgent)
			m.Agent.Id = &mesos.AgentID{Value: proto.String(fmt.Sprint("20260101-000000-16777343-5050-1-S", i))}
			r.tell(decoded(m))
		}
		r.allocateAll()
		after := heap()
		runtime.KeepAlive(r)
		return []Bound{{"memory", "B/agent", float64(after-before) / float64(agents), 2048}}
	}}
}

// decoded is m as it comes over the wire.
func decoded(m *cluster.AddAgent) *cluster.AddAgent { return proto.CloneOf(m) }

// allocated is what f allocates, in bytes.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// heap is what lives on the heap, in bytes.
func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// passAfterAChange has a busy cluster: all is handed out but for rests that are
// refused, and a third of the roles has a limit that is reached. Then one thing
// changes, in each of several ways, and a pass follows.
func passAfterAChange(s Size, roles int) BoundWork {
	return BoundWork{fmt.Sprintf("PassAfterAChange/%s/roles=%d", s, roles), func() []Bound {
		r := newRig()
		for i := range roles {
			if i%3 == 0 {
				r.tell(limitOf(fmt.Sprint("role", i), 0))
			}
		}
		r.inRoles(s.Frameworks, roles)
		r.ordinaryAgents(s.Agents)
		r.allocateAll()
		given := r.take()
		var list []Bound
		for _, c := range changes(given) {
			var took []time.Duration
			for i := range 21 {
				took = append(took, timed(func() { r.tell(c.change(i)); r.allocateOnce() }))
			}
			slices.Sort(took)
			list = append(list, Bound{c.what, "ms", took[len(took)/2].Seconds() * 1000, 1})
		}
		return list
	}}
}

type change struct {
	what   string
	change func(i int) proto.Message
}

// changes are the ways in which one thing changes; given is who holds what.
func changes(given []*cluster.Allocations_Allocation) []change {
	part := func(i int) *cluster.RecoverResources {
		g := given[i%len(given)]
		return &cluster.RecoverResources{FrameworkId: g.FrameworkId, AgentId: g.AgentId, Role: g.Role, Resources: listed("cpus:0.1;mem:32")}
	}
	years := 1e8
	return []change{
		{"some is recovered", func(i int) proto.Message { return part(i) }},
		{"some is refused", func(i int) proto.Message {
			m := part(i)
			m.Filters = &mesos.Filters{RefuseSeconds: &years}
			return m
		}},
		{"an agent joins", func(i int) proto.Message { return agent(1_000_000+i, ordinaryAgent) }},
		{"a framework joins", func(i int) proto.Message { return framework(1_000_000+i, "role1") }},
		{"a framework revives", func(i int) proto.Message {
			return &cluster.ReviveOffers{FrameworkId: given[i%len(given)].FrameworkId}
		}},
		{"a quota changes", func(i int) proto.Message { return limitOf("role0", i%2) }},
	}
}
