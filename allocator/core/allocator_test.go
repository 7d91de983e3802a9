package core

import (
	"fmt"
	"math"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/messages/mesos/quota"
)

const whole = "cpus:4;mem:1024"

func TestEventsAreFollowedByOffers(t *testing.T) {
	r := newRig(t, Options{})
	r.send(addFramework("f", "*"))
	r.want()
	r.send(addAgent("s1", whole))
	r.want("s1 to f/*: cpus:4; mem:1024")
	r.send(recoverFrom("f", "*", "s1", whole))
	r.want("s1 to f/*: cpus:4; mem:1024")
	r.send(recoverFrom("f", "*", "s1", "cpus:1;mem:24"))
	r.want("s1 to f/*: cpus:1; mem:24")
	r.send(&cluster.UpdateAgent{Agent: agentInfo("s1", "cpus:6;mem:1024")})
	r.want("s1 to f/*: cpus:2")
}

func TestIdleAllocatorSetsNoTimers(t *testing.T) {
	r := newRig(t, Options{})
	r.send(addFramework("f", "*"), addAgent("s1", whole))
	r.advance(time.Second)
	if len(r.timers) != 0 {
		t.Errorf("timers %v are set with nothing to wait for", r.timers)
	}
}

func TestFairnessGoesByAgent(t *testing.T) {
	r := newRig(t, Options{})
	r.send(addFramework("f", "a"), addFramework("g", "b"))
	for i := range 6 {
		r.send(addAgent(fmt.Sprint("s", i), whole))
	}
	r.advance(time.Second)
	got := make(map[string]int)
	for _, g := range r.given {
		got[g.FrameworkId.GetValue()]++
	}
	if got["f"] != 3 || got["g"] != 3 {
		t.Errorf("f and g got %v agents, want 3 each", got)
	}
}

func TestWeightsSetProportions(t *testing.T) {
	r := newRig(t, Options{})
	r.send(&cluster.UpdateWeights{Weights: []*cluster.StartAllocator_Weight{
		{Role: proto.String("b"), Weight: proto.Float64(2)},
	}})
	r.send(addFramework("f", "a"), addFramework("g", "b"))
	for i := range 9 {
		r.send(addAgent(fmt.Sprint("s", i), whole))
	}
	r.advance(time.Second)
	got := make(map[string]int)
	for _, g := range r.given {
		got[g.FrameworkId.GetValue()]++
	}
	if got["f"] != 3 || got["g"] != 6 {
		t.Errorf("f and g got %v agents, want 3 and 6", got)
	}
}

func TestSuppressAndRevive(t *testing.T) {
	r := newRig(t, Options{})
	r.send(addFramework("f", "a", "b"))
	r.send(&cluster.SuppressOffers{FrameworkId: frameworkIDOf("f"), Roles: []string{"a"}})
	r.send(addAgent("s1", whole))
	r.want("s1 to f/b: cpus:4; mem:1024")
	r.send(&cluster.SuppressOffers{FrameworkId: frameworkIDOf("f")})
	r.send(recoverFrom("f", "b", "s1", whole))
	r.want()
	r.send(&cluster.ReviveOffers{FrameworkId: frameworkIDOf("f"), Roles: []string{"a"}})
	r.want("s1 to f/a: cpus:4; mem:1024")
	r.send(&cluster.SuppressOffers{FrameworkId: frameworkIDOf("f")}, recoverFrom("f", "a", "s1", whole))
	r.want()
	r.send(&cluster.ReviveOffers{FrameworkId: frameworkIDOf("f")})
	r.advance(settling)
	if len(r.take()) != 1 {
		t.Error("no offer after a revival of all roles")
	}
}

func TestSubscribingSuppressed(t *testing.T) {
	r := newRig(t, Options{})
	m := addFramework("f", "a", "b")
	m.SuppressedRoles = []string{"b"}
	r.send(m, addAgent("s1", whole), addAgent("s2", whole))
	r.want("s1 to f/a: cpus:4; mem:1024", "s2 to f/a: cpus:4; mem:1024")
	m = addFramework("f", "a", "b")
	m.SuppressedRoles = []string{"a"}
	r.send(m, recoverFrom("f", "a", "s1", whole))
	r.want("s1 to f/b: cpus:4; mem:1024")
}

func TestInactiveFrameworksAndAgentsAreLeftOut(t *testing.T) {
	r := newRig(t, Options{})
	r.send(addFramework("f", "*"), addAgent("s1", whole))
	r.want("s1 to f/*: cpus:4; mem:1024")
	r.send(&cluster.DeactivateFramework{FrameworkId: frameworkIDOf("f")}, recoverFrom("f", "*", "s1", whole))
	r.want()
	r.send(addFramework("f", "*"))
	r.want("s1 to f/*: cpus:4; mem:1024")
	r.send(&cluster.UpdateAgent{Agent: agentInfo("s1", whole), Active: proto.Bool(false)})
	r.send(recoverFrom("f", "*", "s1", whole))
	r.want()
	r.send(&cluster.UpdateAgent{Agent: agentInfo("s1", whole)})
	r.want("s1 to f/*: cpus:4; mem:1024")
}

func TestRemovals(t *testing.T) {
	r := newRig(t, Options{})
	r.send(addFramework("f", "*"), addAgent("s1", whole))
	r.want("s1 to f/*: cpus:4; mem:1024")
	r.send(addFramework("g", "*"), &cluster.RemoveFramework{FrameworkId: frameworkIDOf("f")})
	r.want("s1 to g/*: cpus:4; mem:1024")
	r.send(&cluster.RemoveAgent{AgentId: agentIDOf("s1")})
	r.send(recoverFrom("g", "*", "s1", whole), recoverFrom("f", "*", "s1", whole))
	r.want()
	if s := r.a.Stats(); s.Agents != 0 || s.Frameworks != 1 {
		t.Errorf("%d agents and %d frameworks are known, want 0 and 1", s.Agents, s.Frameworks)
	}
}

func TestUsedResourcesAreKnownBeforeTheirFramework(t *testing.T) {
	r := newRig(t, Options{})
	m := addAgent("s1", whole)
	m.Used = []*cluster.AddAgent_Used{{FrameworkId: frameworkIDOf("f"), Role: proto.String("a"), Resources: list("cpus:1")}}
	r.send(m, addFramework("g", "b"))
	r.want("s1 to g/b: cpus:3; mem:1024")
	r.send(addFramework("f", "a"), recoverFrom("g", "b", "s1", "cpus:3;mem:1024"))
	// f has a quarter already.
	r.want("s1 to g/b: cpus:3; mem:1024")
	r.send(recoverFrom("f", "a", "s1", "cpus:1"))
	r.want("s1 to f/a: cpus:1")
}

func TestUnknownFrameworkIsForgottenWithItsLastResources(t *testing.T) {
	r := newRig(t, Options{})
	m := addAgent("s1", whole)
	m.Used = []*cluster.AddAgent_Used{{FrameworkId: frameworkIDOf("f"), Role: proto.String("a"), Resources: list("cpus:1")}}
	r.send(m, recoverFrom("f", "a", "s1", "cpus:1"))
	if s := r.a.Stats(); s.Frameworks != 0 {
		t.Errorf("%d frameworks are known, want 0", s.Frameworks)
	}
}

func TestLeavingARoleKeepsWhatIsHeldThere(t *testing.T) {
	r := newRig(t, Options{})
	r.send(addFramework("f", "a"), addAgent("s1", whole))
	r.want("s1 to f/a: cpus:4; mem:1024")
	r.send(addFramework("f", "b"))
	r.want()
	r.send(recoverFrom("f", "a", "s1", "cpus:2"))
	r.want("s1 to f/b: cpus:2")
	r.send(recoverFrom("f", "a", "s1", "cpus:2;mem:1024"))
	r.want("s1 to f/b: cpus:2; mem:1024")
	r.refuses(recoverFrom("f", "a", "s1", "cpus:1"), "a")
}

func TestMinimums(t *testing.T) {
	own := func(minimums ...string) *cluster.AddFramework {
		m := addFramework("f", "*")
		q := &mesos.OfferFilters_MinAllocatableResources{}
		for _, text := range minimums {
			amounts := make(map[string]*mesos.Value_Scalar)
			for _, r := range list(text) {
				amounts[r.GetName()] = r.Scalar
			}
			q.Quantities = append(q.Quantities, &mesos.OfferFilters_ResourceQuantities{Quantities: amounts})
		}
		m.Framework.OfferFilters = map[string]*mesos.OfferFilters{"*": {MinAllocatableResources: q}}
		return m
	}
	tests := []struct {
		name    string
		options Options
		add     *cluster.AddFramework
		agent   string
		offered bool
	}{
		{"too little of both", Options{}, addFramework("f", "*"), "cpus:0.009;mem:31", false},
		{"enough cpus", Options{}, addFramework("f", "*"), "cpus:0.01", true},
		{"enough mem", Options{}, addFramework("f", "*"), "mem:32", true},
		{"neither", Options{}, addFramework("f", "*"), "ports:[1-9]", false},
		{"anything goes", Options{Minimums: []Minimum{}}, addFramework("f", "*"), "ports:[1-9]", true},
		{"both wanted", Options{Minimums: []Minimum{{"cpus": 1000, "mem": 1000}}}, addFramework("f", "*"), "cpus:8", false},
		{"a framework's own", Options{}, own("cpus:2"), "cpus:1;mem:64", false},
		{"a framework's own is met", Options{}, own("cpus:2", "mem:64"), "cpus:1;mem:64", true},
		{"a framework takes anything", Options{}, own(), "ports:[1-9]", true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := newRig(t, test.options)
			r.send(test.add, addAgent("s1", test.agent))
			r.advance(time.Second)
			if got := len(r.take()) > 0; got != test.offered {
				t.Errorf("offered: %v, want %v", got, test.offered)
			}
		})
	}
}

func TestCapabilityGates(t *testing.T) {
	type capability = mesos.FrameworkInfo_Capability_Type
	revocable := agentInfo("s1", "cpus:1;mem:64")
	revocable.Resources[0].Revocable = &mesos.Resource_RevocableInfo{}
	tests := []struct {
		name    string
		agent   *mesos.AgentInfo
		has     []capability
		options Options
		want    []string
	}{
		{"no gpus for everybody", agentInfo("s1", "cpus:1;gpus:1"), nil, Options{}, nil},
		{"gpus for the capable", agentInfo("s1", "cpus:1;gpus:1"), []capability{mesos.FrameworkInfo_Capability_GPU_RESOURCES}, Options{}, []string{"s1 to f/*: cpus:1; gpus:1"}},
		{"gpus for all", agentInfo("s1", "cpus:1;gpus:1"), nil, Options{GPUsForAll: true}, []string{"s1 to f/*: cpus:1; gpus:1"}},
		{"revocable is left out", revocable, nil, Options{}, []string{"s1 to f/*: mem:64"}},
		{"revocable for the capable", revocable, []capability{mesos.FrameworkInfo_Capability_REVOCABLE_RESOURCES}, Options{}, []string{"s1 to f/*: cpus{REV}:1; mem:64"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := newRig(t, test.options)
			m := addFramework("f")
			m.Framework.Capabilities = capabilities(test.has...)
			r.send(m, &cluster.AddAgent{Agent: test.agent})
			r.want(test.want...)
		})
	}
}

func TestReservedResourcesStayInTheirRole(t *testing.T) {
	r := newRig(t, Options{})
	info := agentInfo("s1", "cpus:4;mem:1024")
	reserved := list("cpus:2")[0]
	reserved.Reservations = []*mesos.Resource_ReservationInfo{
		{Type: mesos.Resource_ReservationInfo_STATIC.Enum(), Role: proto.String("eng")},
	}
	info.Resources = append(info.Resources, reserved)
	r.send(addFramework("sales", "sales"), &cluster.AddAgent{Agent: info})
	r.want("s1 to sales/sales: cpus:4; mem:1024")
	r.send(addFramework("web", "eng/web"))
	r.want("s1 to web/eng/web: cpus(eng):2")
	r.send(recoverFrom("sales", "sales", "s1", "cpus:4;mem:1024"))
	r.advance(time.Second)
	if got := len(r.take()); got != 1 {
		t.Errorf("%d allocations of what is not reserved, want 1", got)
	}
}

func TestMessagesOfStrangersAndOldEpochsAreRefused(t *testing.T) {
	r := newRig(t, Options{})
	r.send(addFramework("f", "*"))
	r.step(Received{From: "stranger@x:1", Message: addAgent("s1", whole)})
	r.want()
	if len(r.notes) == 0 || r.a.Stats().Agents != 0 {
		t.Errorf("a stranger's agent was taken; notes %v", r.notes)
	}
	r.send(addAgent("s1", whole), &cluster.StartAllocator{Epoch: proto.Uint64(2)})
	r.want()
	if s := r.a.Stats(); s.Agents != 0 || s.Frameworks != 0 {
		t.Errorf("a new epoch knows %d agents and %d frameworks", s.Agents, s.Frameworks)
	}
	r.send(addFramework("f", "*"), addAgent("s2", whole))
	r.want("s2 to f/*: cpus:4; mem:1024")
	if got := r.sent[len(r.sent)-1].GetEpoch(); got != 2 {
		t.Errorf("epoch of the allocations is %d, want 2", got)
	}
	r.step(PeerExited{Peer: "stranger@x:1"})
	if r.a.Stats().Agents != 1 {
		t.Error("the exit of a stranger ended the epoch")
	}
	r.step(PeerExited{Peer: master})
	if r.a.Stats().Agents != 0 || len(r.timers) != 0 {
		t.Error("the exit of the master left something behind")
	}
}

func TestBadMessagesChangeNothing(t *testing.T) {
	bad := func(text string) *cluster.AddAgent {
		m := addAgent("s9", whole)
		m.Agent.Resources[0].Scalar.Value = proto.Float64(math.NaN())
		m.Agent.Hostname = &text
		return m
	}
	badUsed := addAgent("s9", whole)
	badUsed.Used = []*cluster.AddAgent_Used{{Role: proto.String("*")}}
	badRole := addAgent("s9", whole)
	badRole.Used = []*cluster.AddAgent_Used{{FrameworkId: frameworkIDOf("f"), Role: proto.String("a//b")}}
	badMinimum := addFramework("f9", "*")
	badMinimum.Framework.OfferFilters = map[string]*mesos.OfferFilters{"*": {
		MinAllocatableResources: &mesos.OfferFilters_MinAllocatableResources{
			Quantities: []*mesos.OfferFilters_ResourceQuantities{{Quantities: map[string]*mesos.Value_Scalar{"cpus": {Value: proto.Float64(-1)}}}},
		},
	}}
	tests := []struct {
		message proto.Message
		names   string
	}{
		{nil, "not a message"},
		{&cluster.Ping{}, "not a message"},
		{&cluster.AddAgent{}, "agent.id"},
		{bad("x"), "agent.resources"},
		{badUsed, "used[0].framework_id"},
		{badRole, "used[0].role"},
		{&cluster.UpdateAgent{Agent: agentInfo("s9", whole)}, "s9"},
		{&cluster.RemoveAgent{AgentId: agentIDOf("s9")}, "s9"},
		{&cluster.AddFramework{}, "framework.id"},
		{addFramework("f9", "a", "/"), "framework.roles"},
		{badMinimum, "min_allocatable_resources"},
		{&cluster.DeactivateFramework{}, "framework_id"},
		{&cluster.RemoveFramework{FrameworkId: frameworkIDOf("f9")}, "f9"},
		{&cluster.SuppressOffers{FrameworkId: frameworkIDOf("f9")}, "f9"},
		{&cluster.ReviveOffers{FrameworkId: frameworkIDOf("f"), Roles: []string{"*", "x"}}, "roles[1]"},
		{recoverFrom("f", "x", "s1", "cpus:1"), "role"},
		{recoverFrom("f", "*", "s1", "cpus:5"), "more recovered"},
		{decline("f", "*", "s1", "cpus:1", math.NaN()), "refuse_seconds"},
		{&cluster.UpdateWeights{Weights: []*cluster.StartAllocator_Weight{{Role: proto.String("a"), Weight: proto.Float64(0)}}}, "weights[0].weight"},
		{&cluster.UpdateWeights{Weights: []*cluster.StartAllocator_Weight{{Weight: proto.Float64(1)}}}, "weights[0].role"},
		{quotaOf("a/b", "cpus:1", ""), "configs[0].role"},
		{quotaOf("a//b", "cpus:1", ""), "configs[0].role"},
		{quotaOf("a", "cpus:2", "cpus:1"), "configs[0].limits.cpus"},
		{&cluster.UpdateQuota{Configs: []*quota.QuotaConfig{
			{Role: proto.String("a"), Guarantees: map[string]*mesos.Value_Scalar{"cpus": {Value: proto.Float64(-1)}}},
		}}, "configs[0].guarantees.cpus"},
		{&cluster.UpdateQuota{Configs: []*quota.QuotaConfig{
			{Role: proto.String("a"), Limits: map[string]*mesos.Value_Scalar{"c:": {Value: proto.Float64(1)}}},
		}}, "configs[0].limits"},
	}
	for _, test := range tests {
		t.Run(test.names, func(t *testing.T) {
			r := newRig(t, Options{})
			r.send(addFramework("f", "*"), addAgent("s1", whole))
			r.want("s1 to f/*: cpus:4; mem:1024")
			r.t = t
			r.refuses(test.message, test.names)
			if s := r.a.Stats(); s.Agents != 1 || s.Frameworks != 1 {
				t.Errorf("%d agents and %d frameworks are known afterwards", s.Agents, s.Frameworks)
			}
			if err := r.a.Check(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestBurstIsBatched(t *testing.T) {
	r := newRig(t, Options{})
	r.send(addFramework("f", "*"))
	const agents = 3000
	for i := range agents {
		r.send(addAgent(fmt.Sprint("s", i), whole))
		r.advance(50 * time.Microsecond)
	}
	r.advance(time.Second)
	if len(r.given) != agents {
		t.Errorf("%d allocations, want %d", len(r.given), agents)
	}
	if passes := r.a.Stats().Passes; passes > agents/15 {
		t.Errorf("%d passes for %d agents in 150 ms", passes, agents)
	}
	for _, m := range r.sent {
		if len(m.Allocations) > maxAllocations {
			t.Errorf("a message has %d allocations", len(m.Allocations))
		}
	}
}

func TestPassesLeaveTimeBetweenThem(t *testing.T) {
	r := newRig(t, Options{})
	for i := range 1000 {
		r.send(addAgent(fmt.Sprint("s", i), whole))
	}
	r.send(addFramework("f", "*"))
	r.advance(settling)
	if len(r.take()) != 1000 {
		t.Fatal("the first pass did not come at once")
	}
	r.send(recoverFrom("f", "*", "s1", whole))
	r.advance(4 * time.Millisecond)
	if len(r.take()) != 0 {
		t.Error("a pass of 1000 looks was followed by another at once")
	}
	r.advance(2 * time.Millisecond)
	if len(r.take()) != 1 {
		t.Error("the next pass came too late")
	}
}

func TestSameSeedSameEffects(t *testing.T) {
	run := func(seed uint64) (order []string) {
		r := newRig(t, Options{})
		r.step(Seeded{seed})
		r.send(addFramework("f", "*"), addFramework("g", "*"))
		for i := range 50 {
			r.send(addAgent(fmt.Sprint("s", i), whole))
		}
		r.advance(time.Second)
		for _, g := range r.given {
			order = append(order, g.String())
		}
		return order
	}
	if a, b := fmt.Sprint(run(7)), fmt.Sprint(run(7)); a != b {
		t.Error("the same seed gave two orders")
	}
	if a, b := fmt.Sprint(run(7)), fmt.Sprint(run(8)); a == b {
		t.Error("two seeds gave one order")
	}
}

// An allocation says by which AddAgent it knows its agent, so that the master
// can tell one that crossed with the next.
func TestAllocationsRepeatTheAgentsVersion(t *testing.T) {
	r := newRig(t, Options{})
	r.send(addFramework("f", "*"))
	for version := range uint64(2) {
		add := addAgent("s1", whole)
		add.Version = &version
		r.send(add)
		r.advance(2 * settling)
		if len(r.given) != 1 || r.given[0].GetAgentVersion() != version || r.given[0].AgentVersion == nil {
			t.Errorf("version %d: allocated %v", version, r.given)
		}
		r.take()
	}
}
