package core

import (
	"slices"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/messages/names"
	"troupe/messages/resources"
)

var lending = Options{LendReservations: true}

// borrower is a framework that takes what is revocable.
func borrower(id string, roles ...string) *cluster.AddFramework {
	m := addFramework(id, roles...)
	m.Framework.Capabilities = append(m.Framework.Capabilities, capabilities(mesos.FrameworkInfo_Capability_REVOCABLE_RESOURCES)...)
	return m
}

func revive(id string) *cluster.ReviveOffers {
	return &cluster.ReviveOffers{FrameworkId: frameworkIDOf(id)}
}

// gaveBack recovers what was lent.
func gaveBack(id, role, agent, amount string) *cluster.RecoverResources {
	m := recoverFrom(id, role, agent, "")
	m.Resources = resources.MustParse(amount).Lent().Proto()
	return m
}

func TestReservationsAreLent(t *testing.T) {
	volume := addAgent("a", "disk(x):100")
	volume.Agent.Resources[0].Disk = &mesos.Resource_DiskInfo{Persistence: &mesos.Resource_DiskInfo_Persistence{Id: proto.String("v")}}
	refined := addAgent("a", "cpus(x):4")
	refined.Agent.Resources[0].Reservations = append(refined.Agent.Resources[0].Reservations, &mesos.Resource_ReservationInfo{
		Type: mesos.Resource_ReservationInfo_DYNAMIC.Enum(), Role: proto.String("x/y"),
	})
	asleep := addFramework("owner", "x")
	asleep.SuppressedRoles = []string{"x"}
	picky := addFramework("owner", "x")
	picky.OfferConstraints = onHost(t, "elsewhere")
	picky.OfferConstraints.RoleConstraints["x"] = picky.OfferConstraints.RoleConstraints["*"]
	for name, c := range map[string]struct {
		options Options
		given   []proto.Message
		want    []string
	}{
		"off":                 {Options{}, []proto.Message{addAgent("a", "cpus(x):4"), borrower("b", "r")}, nil},
		"nobody in it":        {lending, []proto.Message{addAgent("a", "cpus(x):4"), borrower("b", "r")}, []string{"a to b/r: cpus(x){REV}:4"}},
		"beside what is free": {lending, []proto.Message{addAgent("a", "cpus(x):4;cpus:1"), borrower("b", "r")}, []string{"a to b/r: cpus:1; cpus(x){REV}:4"}},
		"cannot take it":      {lending, []proto.Message{addAgent("a", "cpus(x):4"), addFramework("f", "r")}, nil},
		"owner wants it":      {lending, []proto.Message{addAgent("a", "cpus(x):4"), borrower("b", "r"), addFramework("owner", "x")}, []string{"a to owner/x: cpus(x):4"}},
		"owner below":         {lending, []proto.Message{addAgent("a", "cpus(x):4"), borrower("b", "r"), addFramework("owner", "x/y")}, []string{"a to owner/x/y: cpus(x):4"}},
		"sibling's role":      {lending, []proto.Message{addAgent("a", "cpus(x/y):4"), borrower("b", "x/z")}, []string{"a to b/x/z: cpus(x/y){REV}:4"}},
		"its own":             {lending, []proto.Message{addAgent("a", "cpus(x):4"), borrower("b", "x")}, []string{"a to b/x: cpus(x):4"}},
		"owner suppressed":    {lending, []proto.Message{addAgent("a", "cpus(x):4"), asleep, borrower("b", "r")}, []string{"a to b/r: cpus(x){REV}:4"}},
		"owner's constraint":  {lending, []proto.Message{addAgent("a", "cpus(x):4"), picky, borrower("b", "r")}, []string{"a to b/r: cpus(x){REV}:4"}},
		"volumes":             {lending, []proto.Message{volume, borrower("b", "r")}, nil},
		"refinements":         {lending, []proto.Message{refined, borrower("b", "r")}, nil},
		"two roles":           {lending, []proto.Message{addAgent("a", "cpus(x):4;cpus(y):2"), addFramework("owner", "y"), borrower("b", "r")}, []string{"a to b/r: cpus(x){REV}:4", "a to owner/y: cpus(y):2"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, c.options)
			r.send(c.given...)
			r.want(c.want...)
		})
	}
}

// What the owner does not want any more is lent at once, and asked back as soon
// as he wants it.
func TestWhatIsLentIsAskedBack(t *testing.T) {
	r := newRig(t, lending)
	r.send(addAgent("a", "cpus(x):4;mem(x):64"), addFramework("owner", "x"), borrower("b", "r"))
	r.want("a to owner/x: cpus(x):4; mem(x):64")
	r.send(recoverFrom("owner", "x", "a", "cpus(x):3;mem(x):64"), suppress("owner"))
	r.want("a to b/r: cpus(x){REV}:3; mem(x){REV}:64")
	wantPreempted(r, time.Hour)
	r.send(gaveBack("b", "r", "a", "cpus(x):1")) // which it is offered again
	r.want("a to b/r: cpus(x){REV}:1")

	r.send(revive("owner"))
	wantExplained(r, "owner", "LENT 1 agent: what is reserved for it is lent to others, who are asked to give it back: b in role r on 1 (share 1.000)")
	wantPreempted(r, 2*time.Second, "a of b/r: cpus(x){REV}:3; mem(x){REV}:64")
	wantPreempted(r, preemptPatience-5*time.Second)
	r.send(gaveBack("b", "r", "a", "cpus(x):2"))
	r.want("a to owner/x: cpus(x):2")
	wantPreempted(r, preemptPatience, "a of b/r: cpus(x){REV}:1; mem(x){REV}:64") // it insists
	r.send(gaveBack("b", "r", "a", "cpus(x):1;mem(x):64"))
	r.want("a to owner/x: cpus(x):1; mem(x):64")
	wantPreempted(r, 2*preemptPatience)
	if n := len(r.a.loans.lenders) + len(r.a.loans.recalls); n != 0 {
		t.Errorf("all is back, and %d loans are remembered", n)
	}
}

// Only a refusal that lasts makes a loan, which is called back when it lapses.
func TestWhatIsRefusedIsLent(t *testing.T) {
	r := newRig(t, lending)
	r.send(addAgent("a", "cpus(x):4"), addFramework("owner", "x"), borrower("b", "r"))
	r.want("a to owner/x: cpus(x):4")
	r.send(decline("owner", "x", "a", "cpus(x):4", 30))
	r.want()
	r.advance(31 * time.Second)
	r.want("a to owner/x: cpus(x):4")
	r.send(decline("owner", "x", "a", "cpus(x):4", 120))
	r.want("a to b/r: cpus(x){REV}:4")
	wantPreempted(r, 119*time.Second)
	wantPreempted(r, 3*time.Second, "a of b/r: cpus(x){REV}:4")
	// What is on its way when it is refused again is not asked for any more.
	r.send(gaveBack("b", "r", "a", "cpus(x):4"))
	r.want("a to owner/x: cpus(x):4")
}

// An owner that wants something gets one agent back first: that may be enough.
func TestLoansAreCalledInByAndBy(t *testing.T) {
	r := newRig(t, lending)
	for _, id := range []string{"a", "b", "c", "d", "e"} {
		r.send(addAgent(id, "cpus(x):4"))
	}
	r.send(borrower("g", "r"))
	r.advance(2 * settling)
	r.send(addFramework("owner", "x"))
	lent := func(agent string) string { return agent + " of g/r: cpus(x){REV}:4" }
	wantPreempted(r, time.Second+settling, lent("a"))
	wantPreempted(r, time.Second, lent("b"), lent("c"))
	r.send(suppress("owner"))
	wantPreempted(r, time.Hour)
	r.send(revive("owner"))
	wantPreempted(r, time.Second+settling, lent("a"))
}

// After a failover nothing is lent before owners had time to come back.
func TestNothingIsLentTooSoon(t *testing.T) {
	r := newRig(t, lending)
	r.send(&cluster.StartAllocator{Epoch: proto.Uint64(2), ExpectedAgents: proto.Uint32(1)}, addAgent("a", "cpus(x):4"), borrower("b", "r"))
	r.advance(leastLoan - time.Second)
	r.want()
	r.advance(time.Second)
	r.want("a to b/r: cpus(x){REV}:4")
}

// An agent's own cannot be what only the allocator makes of it.
func TestTotalsAreNotLent(t *testing.T) {
	r := newRig(t, lending)
	m := addAgent("a", "cpus:4")
	m.Agent.Resources = append(m.Agent.Resources, resources.MustParse("mem(x):64").Lent().Proto()...)
	r.refuses(m, "agent.resources: mem(x){REV}:64: must not be both reserved and revocable")
}

// What a master that does not lend any more tells of loans is asked back.
func TestLoansOutliveTheFlag(t *testing.T) {
	r := newRig(t, Options{})
	m := addAgent("a", "cpus(x):4")
	m.Used = []*cluster.AddAgent_Used{{
		FrameworkId: frameworkIDOf("b"), Role: proto.String("r"), Resources: resources.MustParse("cpus(x):3").Lent().Proto(),
	}}
	r.send(m, addFramework("owner", "x"))
	r.want("a to owner/x: cpus(x):1")
	wantPreempted(r, 2*time.Second, "a of b/r: cpus(x){REV}:3")
}

func TestExplainSaysWhatIsLent(t *testing.T) {
	r := newRig(t, lending)
	r.send(addAgent("a", "cpus(x):4"), addFramework("f", "r"))
	r.advance(2 * settling)
	wantExplained(r, "f", "RESERVED 1 agent: what is free is reserved for x; what they do not want of it is lent, "+
		"to frameworks with the capability REVOCABLE_RESOURCES")
	r.send(addFramework("owner", "x"), borrower("f", "r"))
	r.want("a to owner/x: cpus(x):4")
	r.send(decline("owner", "x", "a", "cpus(x):4", 30))
	r.advance(2 * settling)
	wantExplained(r, "f", "RESERVED 1 agent: what is free is reserved for x; what they do not want of it is lent, which is none of this now")
	r.send(suppress("owner"))
	r.advance(2 * settling)
	r.send(addFramework("owner", "x"))
	r.send(suppress("owner"), revive("owner"))
	wantExplained(r, "owner", "LENT 1 agent: what is reserved for it is lent to others, who are asked to give it back: f in role r on 1 (share 1.000)")
}

// lendingCommands are commands of a cluster in which about half of the
// frameworks take what is lent.
type lendingCommands struct{ *commands }

func (c lendingCommands) draw(t *rapid.T) proto.Message {
	m := c.commands.draw(t)
	if f, ok := m.(*cluster.AddFramework); ok && rapid.Bool().Draw(t, "borrows") {
		return borrower(f.Framework.GetId().GetValue(), f.Framework.Roles...)
	}
	return m
}

// Whatever happens, what is lent is taken from what it stands for, goes to those
// that can give it back, is nothing that its owner would have had, and is asked
// back when he would.
func TestLoansAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := newRandomRig(t)
		r.a.options.LendReservations = true
		r.a.options.Overlap = rapid.SampledFrom([]int{1, 1, 2, OverlapAll}).Draw(t, "overlap")
		c := lendingCommands{&commands{r: r, quotas: rapid.Bool().Draw(t, "quotas")}}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			r.send(c.draw(t))
			before := len(r.given)
			r.advance(time.Duration(rapid.IntRange(0, 3000).Draw(t, "ms")) * time.Millisecond)
			if err := r.a.Check(); err != nil {
				t.Fatal(err)
			}
			for _, each := range r.given[min(before, len(r.given)):] {
				checkLoan(t, r.a, each)
			}
		}
		r.advance(2 * time.Second)
		checkRecalls(t, r.a)
	})
}

func checkLoan(t *rapid.T, a *Allocator, each *cluster.Allocations_Allocation) {
	given, err := resources.New(each.Resources...)
	if err != nil {
		t.Fatal(err)
	}
	for e := range given.Borrowed().All() {
		f := a.frameworks[frameworkID(each.FrameworkId.GetValue())]
		if f == nil || !f.revocable || names.Within(each.GetRole(), e.Role()) {
			t.Fatalf("lent to whom nothing may be: %v", each)
		}
		g := a.byID[agentID(each.AgentId.GetValue())]
		for _, l := range a.clients {
			stays := slices.ContainsFunc(g.filters.list, func(x filter) bool {
				return x.client == l.number && x.expires > a.instant(a.now) && x.refused.all.Contains(resources.Sum(e).Underlying())
			})
			if l.node.Active() && names.Within(l.role, e.Role()) && !stays && allocatable(a.bundles.of(resources.Sum(e)).sum, a.minimums) {
				t.Fatalf("%v, which %s/%s would have had", each, l.framework.id, l.role)
			}
		}
	}
}

// checkRecalls holds all that is lent against those it is reserved for: what
// somebody wants is asked back of one agent at least.
func checkRecalls(t *rapid.T, a *Allocator) {
	wanted, asked := map[string]bool{}, map[string]bool{}
	for _, g := range a.agents {
		for _, role := range g.lentRoles() {
			wanted[role] = wanted[role] || g.active && a.wanted(g, role, a.returned(g, role), a.now)
		}
	}
	for x := range a.loans.recalls {
		asked[x.role] = true
	}
	for role := range wanted {
		if wanted[role] && !asked[role] {
			t.Fatalf("what is lent of role %s is wanted, and not asked back", role)
		}
	}
}
