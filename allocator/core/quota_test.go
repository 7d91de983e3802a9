package core

import (
	"fmt"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/messages/mesos/quota"
)

func TestLimits(t *testing.T) {
	tests := []struct {
		name, limits string
		want         []string
	}{
		{"none", "", []string{"s1 to f/a: cpus:4; mem:1024"}},
		{"of one resource", "cpus:1", []string{"s1 to f/a: cpus:1; mem:1024"}},
		{"three decimals", "cpus:0.123;mem:64", []string{"s1 to f/a: cpus:0.123; mem:64"}},
		{"beyond the cluster", "cpus:100", []string{"s1 to f/a: cpus:4; mem:1024"}},
		{"of all that matters", "cpus:0;mem:0", nil},
		{"too little of all", "cpus:0.009;mem:31", nil},
		{"nothing of one", "cpus:0", []string{"s1 to f/a: mem:1024"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := newRig(t, Options{})
			r.send(quotaOf("a", "", test.limits), addFramework("f", "a"), addAgent("s1", whole))
			r.want(test.want...)
		})
	}
}

func TestALimitIsOfAllBelowARole(t *testing.T) {
	r := newRig(t, Options{})
	r.send(quotaOf("a", "", "cpus:3;mem:0"), addFramework("f", "a/x"), addFramework("g", "a/y"),
		addAgent("s1", "cpus:2"), addAgent("s2", "cpus:2"))
	r.advance(time.Second)
	if got := fmt.Sprint(r.take()); got != "[s1 to f/a/x: cpus:1 s2 to g/a/y: cpus:2]" && got != "[s1 to f/a/x: cpus:2 s2 to g/a/y: cpus:1]" &&
		got != "[s1 to g/a/y: cpus:1 s2 to f/a/x: cpus:2]" && got != "[s1 to g/a/y: cpus:2 s2 to f/a/x: cpus:1]" {
		t.Errorf("handed out %s, want 3 cpus", got)
	}
	r.want()
}

func TestWhatALimitLeavesGoesToOthers(t *testing.T) {
	r := newRig(t, Options{})
	r.send(quotaOf("a", "", "cpus:1;mem:512"), addFramework("f", "a"), addFramework("g", "b"), addAgent("s1", whole))
	r.want("s1 to f/a: cpus:1; mem:512", "s1 to g/b: cpus:3; mem:512")
}

func TestRoomUnderALimitIsFilledAtOnce(t *testing.T) {
	r := newRig(t, Options{})
	r.send(quotaOf("a", "", "cpus:4;mem:1024"), addFramework("f", "a"))
	for i := range 5 {
		r.send(addAgent(fmt.Sprint("s", i), whole))
	}
	r.advance(time.Second)
	first := r.given[0].AgentId.GetValue()
	if n := len(r.take()); n != 1 {
		t.Fatalf("%d allocations, want 1", n)
	}
	r.send(decline("f", "a", first, whole, 3600))
	r.advance(time.Second)
	if got := r.given; len(got) != 1 || got[0].AgentId.GetValue() == first {
		t.Errorf("after a refusal %v was handed out, want all of another agent", r.take())
	}
}

func TestGuaranteesAreLaidAside(t *testing.T) {
	r := newRig(t, Options{})
	r.send(quotaOf("a", "cpus:4;mem:1024", ""), addFramework("g", "b"), addAgent("s1", whole), addAgent("s2", whole))
	r.advance(time.Second)
	if n := len(r.take()); n != 1 {
		t.Fatalf("%d of two agents were handed out although one is guaranteed to others", n)
	}
	r.send(addFramework("f", "a"))
	r.advance(time.Second)
	if got := r.take(); len(got) != 1 || got[0][3:] != "to f/a: cpus:4; mem:1024" {
		t.Fatalf("%v was handed out, want f to get what is guaranteed", got)
	}
}

func TestWhatIsNoLongerGuaranteedIsOffered(t *testing.T) {
	r := newRig(t, Options{})
	r.send(quotaOf("a", "cpus:4;mem:1024", ""), addFramework("g", "b"), addAgent("s1", whole))
	r.want()
	r.send(quotaOf("a", "cpus:1", ""))
	r.want("s1 to g/b: cpus:3; mem:1024")
	r.send(quotaOf("a", "", ""))
	r.want("s1 to g/b: cpus:1")
}

func TestWhatJoinsBeyondAGuaranteeFreesWhatWasKept(t *testing.T) {
	r := newRig(t, Options{})
	r.send(quotaOf("a", "cpus:4;mem:1024", ""), addFramework("g", "b"), addAgent("s1", whole))
	r.want()
	r.send(addAgent("s2", whole))
	r.advance(time.Second)
	if n := len(r.take()); n != 1 {
		t.Errorf("%d allocations, want one agent kept and one handed out", n)
	}
	r.send(addAgent("s3", whole))
	r.advance(time.Second)
	if n := len(r.take()); n != 1 {
		t.Errorf("%d allocations after another joined, want 1", n)
	}
}

func TestGuaranteesComeFirst(t *testing.T) {
	r := newRig(t, Options{})
	r.send(quotaOf("z", "cpus:4;mem:1024", ""), addFramework("f", "a"), addFramework("g", "z"), addAgent("s1", whole))
	r.want("s1 to g/z: cpus:4; mem:1024")
}

func TestARefusedGuaranteeIsKeptAllTheSame(t *testing.T) {
	r := newRig(t, Options{})
	r.send(quotaOf("z", "cpus:4;mem:1024", ""), addFramework("f", "a"), addFramework("g", "z"), addAgent("s1", whole))
	r.want("s1 to g/z: cpus:4; mem:1024")
	r.send(decline("g", "z", "s1", whole, 60))
	r.want()
	r.advance(time.Minute)
	if got := r.take(); len(got) != 1 || got[0] != "s1 to g/z: cpus:4; mem:1024" {
		t.Errorf("when the filter lapsed %v was handed out", got)
	}
}

func TestReservationsCountAsConsumed(t *testing.T) {
	reserved := addAgent("s1", whole)
	reserved.Agent.Resources = append(reserved.Agent.Resources, reservedFor("a/x", "cpus:3")...)
	r := newRig(t, Options{})
	r.send(quotaOf("a", "cpus:4", "cpus:4"), addFramework("f", "a"), reserved)
	r.want("s1 to f/a: cpus:1; mem:1024")
	r.send(addFramework("g", "a/x"))
	r.want("s1 to g/a/x: cpus(a/x):3")
}

func TestWhatIsReservedForOthersIsNoHeadroom(t *testing.T) {
	reserved := addAgent("s1", "cpus:1")
	reserved.Agent.Resources = append(reserved.Agent.Resources, reservedFor("c", "cpus:9")...)
	r := newRig(t, Options{})
	r.send(quotaOf("a", "cpus:1", ""), addFramework("g", "b"), reserved)
	r.want()
	r.send(addFramework("h", "c"))
	r.want("s1 to h/c: cpus(c):9")
}

func TestAWholeDiskIsGivenWholeOrNot(t *testing.T) {
	mount := list("disk:100")[0]
	mount.Disk = &mesos.Resource_DiskInfo{Source: &mesos.Resource_DiskInfo_Source{
		Type:  mesos.Resource_DiskInfo_Source_MOUNT.Enum(),
		Mount: &mesos.Resource_DiskInfo_Source_Mount{Root: proto.String("/a")},
	}}
	for limit, want := range map[string]string{
		"disk:99":  "s1 to f/a: cpus:4; mem:1024",
		"disk:100": "s1 to f/a: cpus:4; disk[MOUNT:/a]:100; mem:1024",
	} {
		m := addAgent("s1", whole)
		m.Agent.Resources = append(m.Agent.Resources, mount)
		r := newRig(t, Options{})
		r.send(quotaOf("a", "", limit), addFramework("f", "a"), m)
		r.want(want)
	}
}

func TestOwnMinimumsAreHeededUnderALimit(t *testing.T) {
	m := addFramework("f", "a")
	m.Framework.OfferFilters = map[string]*mesos.OfferFilters{"a": {MinAllocatableResources: &mesos.OfferFilters_MinAllocatableResources{}}}
	r := newRig(t, Options{})
	r.send(quotaOf("a", "", "cpus:0;mem:0"), m, addAgent("s1", "cpus:1;ports:[1-2]"))
	r.want("s1 to f/a: ports:[1-2]")
}

func TestNothingIsOfferedBeforeEnoughAgentsAreBack(t *testing.T) {
	begin := func(t *testing.T, quotas ...*quota.QuotaConfig) *rig {
		r := newRig(t, Options{})
		r.send(&cluster.StartAllocator{Epoch: proto.Uint64(2), Quotas: quotas, ExpectedAgents: proto.Uint32(5)}, addFramework("f", "b"))
		for i := range 3 {
			r.send(addAgent(fmt.Sprint("s", i), whole))
		}
		r.advance(time.Minute)
		return r
	}
	some := quotaOf("a", "cpus:1", "").Configs[0]
	if n := len(begin(t).take()); n != 3 {
		t.Errorf("without quotas %d of three agents were handed out", n)
	}
	r := begin(t, some)
	if n := len(r.take()); n != 0 {
		t.Errorf("with 3 of 5 agents %d were handed out", n)
	}
	r.send(addAgent("s3", whole))
	r.advance(time.Second)
	if n := len(r.take()); n != 4 {
		t.Errorf("with 4 of 5 agents there were %d allocations, want 4", n)
	}
	r = begin(t, some)
	r.advance(longestRecovery)
	if n := len(r.take()); n != 3 {
		t.Errorf("after %s there were %d allocations, want 3", longestRecovery, n)
	}
}

func reservedFor(role, text string) []*mesos.Resource {
	reserved := list(text)
	for _, r := range reserved {
		r.Reservations = []*mesos.Resource_ReservationInfo{
			{Type: mesos.Resource_ReservationInfo_STATIC.Enum(), Role: &role},
		}
	}
	return reserved
}
