// Package allocation does the work of Mesos's own benchmarks of its allocator,
// with their names and parameters, on this one's core. The benchmarks beside
// the core run it, and tools/bench, which prints it beside Mesos's figures.
package allocation

import (
	"fmt"
	"math"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/allocator/core"
	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/messages/resources"
)

// Figure is a time that was measured: that of the clock or, where it is less,
// the CPU time of all of the process. Without other load the first is the time
// that the work takes; with it, the second is no less than that, since one
// goroutine works and the garbage collector beside it counts.
type Figure struct {
	What string
	Took time.Duration
	// What Mesos took for the same on the machine of the reference; 0 when that
	// is not known.
	Mesos time.Duration
	// How many times as fast as Mesos it shall be.
	Times float64
}

// Size is how large the cluster of a work is.
type Size struct{ Agents, Frameworks int }

func (s Size) String() string { return fmt.Sprintf("agents=%d/frameworks=%d", s.Agents, s.Frameworks) }

const (
	master core.Peer = "master@bench:5050"
	pass             = "allocation" // the timer of a pass
	ever             = math.MaxInt32
)

// rig is an allocator under a virtual clock, and what it handed out since the
// last look.
type rig struct {
	core  *core.Allocator
	now   time.Time
	due   bool
	given []*cluster.Allocations_Allocation
}

func newRig() *rig { return newRigOf(core.Options{}) }

func newRigOf(o core.Options) *rig {
	r := &rig{core: core.New(o), now: time.Unix(1e9, 0)}
	r.tell(&cluster.StartAllocator{Epoch: proto.Uint64(1)})
	return r
}

func (r *rig) step(in core.Input) {
	for _, e := range r.core.Step(r.now, in) {
		switch e := e.(type) {
		case core.Send:
			r.given = append(r.given, e.Message.(*cluster.Allocations).Allocations...)
		case core.SetTimer:
			r.due = r.due || e.Key == pass
		}
	}
}

func (r *rig) tell(messages ...proto.Message) {
	for _, m := range messages {
		r.step(core.Received{From: master, Message: m})
	}
}

// allocate makes passes until nothing is left to look at, and returns how long
// they took.
func (r *rig) allocate() time.Duration {
	w := watch()
	r.allocateAll()
	return w.took()
}

func (r *rig) allocateAll() {
	for r.due {
		r.allocateOnce()
	}
}

// allocateOnce makes the pass that is due.
func (r *rig) allocateOnce() {
	r.due = false
	r.now = r.now.Add(time.Second)
	r.step(core.TimerFired{Key: pass})
}

// take returns what was handed out since the last take.
func (r *rig) take() []*cluster.Allocations_Allocation {
	given := r.given
	r.given = nil
	return given
}

// giveBack returns what was handed out; with seconds, as refused for so long.
func (r *rig) giveBack(given []*cluster.Allocations_Allocation, seconds float64) {
	for _, g := range given {
		m := &cluster.RecoverResources{FrameworkId: g.FrameworkId, AgentId: g.AgentId, Role: g.Role, Resources: g.Resources}
		if seconds > 0 {
			m.Filters = &mesos.Filters{RefuseSeconds: &seconds}
		}
		r.tell(m)
	}
}

// messagesOf makes n messages.
func messagesOf[M proto.Message](n int, message func(i int) M) []proto.Message {
	list := make([]proto.Message, n)
	for i := range list {
		list[i] = message(i)
	}
	return list
}

func frameworkID(i int) *mesos.FrameworkID {
	return &mesos.FrameworkID{Value: proto.String(fmt.Sprint("framework", i))}
}

// framework is the i-th, in the roles named.
func framework(i int, roles ...string) *cluster.AddFramework {
	return &cluster.AddFramework{Framework: &mesos.FrameworkInfo{
		Id: frameworkID(i), User: proto.String("user"), Name: proto.String(fmt.Sprint("framework", i)), Roles: roles,
		Capabilities: []*mesos.FrameworkInfo_Capability{
			{Type: mesos.FrameworkInfo_Capability_MULTI_ROLE.Enum()},
			{Type: mesos.FrameworkInfo_Capability_SHARED_RESOURCES.Enum()},
		},
	}}
}

func everybody(n int, roles ...string) []proto.Message {
	return messagesOf(n, func(i int) *cluster.AddFramework { return framework(i, roles...) })
}

// agent is the i-th, with resources that are not shared with other messages.
func agent(i int, total string) *cluster.AddAgent {
	return &cluster.AddAgent{Agent: &mesos.AgentInfo{
		Id: &mesos.AgentID{Value: proto.String(fmt.Sprint("agent", i))}, Hostname: proto.String(fmt.Sprint("host", i)),
		Resources: listed(total),
	}}
}

// used is what a framework holds there, of role.
func used(f int, role string, held []*mesos.Resource) []*cluster.AddAgent_Used {
	return []*cluster.AddAgent_Used{{FrameworkId: frameworkID(f), Role: &role, Resources: held}}
}

func listed(text string) []*mesos.Resource { return clones(resources.MustParse(text).Proto()) }

// clones are what a master would decode from the wire.
func clones(list []*mesos.Resource) []*mesos.Resource {
	out := make([]*mesos.Resource, len(list))
	for i, r := range list {
		out[i] = proto.Clone(r).(*mesos.Resource)
	}
	return out
}

// fragmented is the ports from 31000 to 32000 in so many ranges: every second
// one, and what is left.
func fragmented(ranges int) string {
	text := "ports:["
	for i := range ranges - 1 {
		text += fmt.Sprintf("%d-%d,", 31000+2*i, 31000+2*i)
	}
	return fmt.Sprintf("%s%d-32000]", text, 31000+2*(ranges-1))
}

// reserve makes a list reserved for role.
func reserve(role string, list []*mesos.Resource, labels *mesos.Labels) []*mesos.Resource {
	kind := mesos.Resource_ReservationInfo_STATIC
	if labels != nil {
		kind = mesos.Resource_ReservationInfo_DYNAMIC
	}
	for _, r := range list {
		r.Reservations = []*mesos.Resource_ReservationInfo{{Type: &kind, Role: &role, Labels: labels}}
	}
	return list
}
