package core

import (
	"fmt"
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

func takes(id, role, agent, amount string) *cluster.TakeResources {
	return &cluster.TakeResources{
		FrameworkId: frameworkIDOf(id), AgentId: agentIDOf(agent), Role: &role, Resources: list(amount),
	}
}

func returned(m *cluster.RecoverResources) *cluster.RecoverResources {
	m.Offered = proto.Bool(true)
	return m
}

func TestOverlappingOffersGoToAsManyAsMayBe(t *testing.T) {
	for overlap, want := range map[int][]string{
		1:          {"s to f1/a: cpus:4; mem:1024"},
		2:          {"s to f1/a: cpus:4; mem:1024", "s to f2/a: cpus:4; mem:1024"},
		OverlapAll: {"s to f1/a: cpus:4; mem:1024", "s to f2/a: cpus:4; mem:1024", "s to f3/a: cpus:4; mem:1024"},
	} {
		r := newRig(t, Options{Overlap: overlap})
		r.send(addFramework("f1", "a"), addFramework("f2", "a"), addFramework("f3", "a"), addAgent("s", "cpus:4;mem:1024"))
		r.want(want...)
	}
}

// Who takes a part of it leaves the rest for all, and the one who lost hears of
// no more than is left.
func TestWhatIsLeftOfAnOfferIsOfferedAgain(t *testing.T) {
	r := newRig(t, Options{Overlap: 2})
	r.send(addFramework("f1", "a"), addFramework("f2", "a"), addAgent("s", "cpus:4;mem:1024"))
	r.want("s to f1/a: cpus:4; mem:1024", "s to f2/a: cpus:4; mem:1024")
	r.send(
		takes("f1", "a", "s", "cpus:1;mem:512"),
		returned(recoverFrom("f2", "a", "s", "cpus:4;mem:1024")),
		returned(decline("f1", "a", "s", "cpus:3;mem:512", 100)))
	r.want("s to f2/a: cpus:3; mem:512")
	r.send(recoverFrom("f1", "a", "s", "cpus:1;mem:512")) // its task ended
	r.want("s to f1/a: cpus:4; mem:1024", "s to f2/a: cpus:1; mem:512")
}

// A framework in two roles is not offered the same in both.
func TestNobodyIsOfferedTheSameTwice(t *testing.T) {
	r := newRig(t, Options{Overlap: OverlapAll})
	r.send(addFramework("f1", "a", "b"), addFramework("f2", "b"), addAgent("s", "cpus:4;mem:1024"))
	r.want("s to f1/a: cpus:4; mem:1024", "s to f2/b: cpus:4; mem:1024")
}

// Offers of the same count in full: together they are below the limit, so that
// whoever accepts first cannot break it.
func TestOverlappingOffersKeepTheLimit(t *testing.T) {
	r := newRig(t, Options{Overlap: OverlapAll})
	r.send(quotaOf("a", "", "cpus:6;mem:4096"), addFramework("f1", "a"), addFramework("f2", "a"), addFramework("f3", "b"))
	r.send(addAgent("s", "cpus:4;mem:1024"))
	r.want("s to f1/a: cpus:4; mem:1024", "s to f2/a: cpus:2; mem:1024", "s to f3/b: cpus:4; mem:1024")
	r.send(returned(decline("f1", "a", "s", "cpus:4;mem:1024", 100)))
	r.want("s to f2/a: cpus:2")
}

// What a guarantee is met with is on offer to nobody else, and what others are
// offered leaves enough for it.
func TestOverlappingOffersLeaveGuarantees(t *testing.T) {
	r := newRig(t, Options{Overlap: OverlapAll})
	r.send(quotaOf("a", "cpus:4;mem:1024", ""), addFramework("f1", "a"), addFramework("f2", "b"), addFramework("f3", "b"))
	r.send(addAgent("s1", "cpus:4;mem:1024"))
	r.want("s1 to f1/a: cpus:4; mem:1024")
	r.send(addAgent("s2", "cpus:4;mem:1024"))
	r.want("s2 to f2/b: cpus:4; mem:1024", "s2 to f3/b: cpus:4; mem:1024")
}

// A refusal keeps what was refused away, also when it is on offer to others, and
// a revival shows it.
func TestRefusedOverlapsComeBackByRevival(t *testing.T) {
	r := newRig(t, Options{Overlap: 2})
	r.send(addFramework("f1", "a"), addFramework("f2", "a"), addAgent("s", "cpus:4;mem:1024"))
	r.want("s to f1/a: cpus:4; mem:1024", "s to f2/a: cpus:4; mem:1024")
	r.send(returned(decline("f2", "a", "s", "cpus:4;mem:1024", 100)))
	r.want()
	r.send(&cluster.ReviveOffers{FrameworkId: frameworkIDOf("f2")})
	r.want("s to f2/a: cpus:4; mem:1024")
	r.send(returned(decline("f2", "a", "s", "cpus:4;mem:1024", 1)))
	r.advance(900 * time.Millisecond)
	r.want()
	r.advance(100 * time.Millisecond)
	r.want("s to f2/a: cpus:4; mem:1024")
}

// An agent that is told anew is known with what is on offer there, in layers.
func TestOffersAreKnownAgain(t *testing.T) {
	r := newRig(t, Options{Overlap: 2})
	r.send(addFramework("f1", "a"), addFramework("f2", "a"), addFramework("f3", "a"))
	m := addAgent("s", "cpus:4;mem:1024")
	for _, id := range []string{"f1", "f2"} {
		m.Used = append(m.Used, &cluster.AddAgent_Used{
			FrameworkId: frameworkIDOf(id), Role: proto.String("a"), Resources: list("cpus:4;mem:1024"), Offered: proto.Bool(true),
		})
	}
	r.send(m)
	r.want()
	r.send(returned(recoverFrom("f1", "a", "s", "cpus:4;mem:1024")))
	r.want("s to f3/a: cpus:4; mem:1024")
}

func TestExplainTellsWhoseTurnItIsWithOverlap(t *testing.T) {
	r := newRig(t, Options{Overlap: 2})
	r.send(addFramework("f1", "a"), addFramework("f2", "a"), addFramework("f3", "a"), addAgent("s", "cpus:4;mem:1024"))
	r.advance(2 * settling)
	for id, want := range map[string]cluster.OffersExplained_Reason{
		"f1": cluster.OffersExplained_OWN, "f2": cluster.OffersExplained_OWN, "f3": cluster.OffersExplained_OTHERS,
	} {
		if got := r.a.Explain(r.now, id).Roles[0].Agents[0].GetReason(); got != want {
			t.Errorf("%s: %s, want %s", id, got, want)
		}
	}
}

// broker does what a master does with overlapping offers: it takes the first
// acceptance, and takes back what is no longer there.
type broker struct {
	commands
	used map[string]resources.Resources // by agent
	open []*cluster.Allocations_Allocation
}

func (b *broker) collect() {
	b.open = append(b.open, b.r.given...)
	b.r.given = nil
}

func amountOf(m *cluster.Allocations_Allocation) resources.Resources {
	r, err := resources.New(m.Resources...)
	if err != nil {
		panic(err)
	}
	return r
}

// accept lets the holder of an offer take some of it, if it is still there.
func (b *broker) accept(t *rapid.T) {
	if len(b.open) == 0 {
		return
	}
	i := rapid.IntRange(0, len(b.open)-1).Draw(t, "offer")
	o := b.open[i]
	g := b.r.a.byID[agentID(o.AgentId.GetValue())]
	b.open = slices.Delete(b.open, i, i+1)
	if g == nil {
		return
	}
	what := amountOf(o)
	part := what.Shrink(func(e resources.Entry) resources.Milli {
		return e.Total() * resources.Milli(rapid.IntRange(0, 2).Draw(t, "part")) / 2
	})
	id := string(g.id)
	if !g.total.all.Without(b.used[id]).Contains(what) {
		t.Fatalf("%s is on offer to %s of %s, where %s of %s is used", what, o.FrameworkId.GetValue(), id, b.used[id], g.total.all)
	}
	b.used[id] = b.used[id].Add(part)
	b.r.send(&cluster.TakeResources{FrameworkId: o.FrameworkId, AgentId: o.AgentId, Role: o.Role, Resources: part.Proto()})
	b.settle(g)
	b.r.send(giveBack(o, what.Without(part)))
}

func giveBack(o *cluster.Allocations_Allocation, what resources.Resources) *cluster.RecoverResources {
	return &cluster.RecoverResources{
		FrameworkId: o.FrameworkId, AgentId: o.AgentId, Role: o.Role, Resources: what.Proto(), Offered: new(!o.GetAlone()),
	}
}

// settle takes back what is on offer of an agent and no longer there.
func (b *broker) settle(g *agent) {
	left := make(map[string]resources.Resources)
	rest := g.total.all.Without(b.used[string(g.id)])
	for _, o := range b.open {
		if o.GetAlone() && o.AgentId.GetValue() == string(g.id) {
			rest = rest.Without(amountOf(o))
		}
	}
	b.open = slices.DeleteFunc(b.open, func(o *cluster.Allocations_Allocation) bool {
		if o.AgentId.GetValue() != string(g.id) || o.GetAlone() {
			return false
		}
		f, what := o.FrameworkId.GetValue(), amountOf(o)
		if _, known := left[f]; !known {
			left[f] = rest
		}
		if left[f].Contains(what) {
			left[f] = left[f].Without(what)
			return false
		}
		b.r.send(giveBack(o, what))
		return true
	})
}

func (b *broker) refuse(t *rapid.T) {
	if len(b.open) == 0 {
		return
	}
	i := rapid.IntRange(0, len(b.open)-1).Draw(t, "offer")
	o := b.open[i]
	b.open = slices.Delete(b.open, i, i+1)
	m := giveBack(o, amountOf(o))
	if rapid.Bool().Draw(t, "filtered") {
		m.Filters = &mesos.Filters{RefuseSeconds: proto.Float64(rapid.SampledFrom([]float64{0, 1, 5}).Draw(t, "seconds"))}
	}
	b.r.send(m)
}

// step does one thing: agents and frameworks stay once they came.
func (b *broker) step(t *rapid.T) {
	b.collect()
	switch rapid.IntRange(0, 8).Draw(t, "step") {
	case 0:
		b.agents++
		b.r.send(drawAgent(t, fmt.Sprint("s", b.agents)))
	case 1:
		b.frameworks++
		b.r.send(addFramework(fmt.Sprint("f", b.frameworks), b.pickRoles(t)...))
	case 2:
		b.r.send(&cluster.ReviveOffers{FrameworkId: frameworkIDOf(b.pickFramework(t))})
	case 3:
		if b.quotas {
			b.r.send(drawQuota(t))
		}
	case 4, 5, 6:
		b.accept(t)
	default:
		b.refuse(t)
	}
}

// placed checks that what was given in the last pass is in a layer that has it,
// and that nobody was offered the same twice.
func placed(t *rapid.T, a *Allocator, given []*cluster.Allocations_Allocation) {
	fresh := make(map[string]bool)
	for _, o := range given {
		fresh[o.AgentId.GetValue()+" "+o.FrameworkId.GetValue()+" "+o.GetRole()] = true
	}
	for _, g := range a.agents {
		layers := make(map[int]resources.Resources)
		own := make(map[frameworkID]resources.Resources)
		for _, h := range g.held {
			if h.layer != alone {
				layers[h.layer] = layers[h.layer].Add(h.amount.all)
				own[h.leaf.framework.id] = own[h.leaf.framework.id].Add(h.amount.all)
			}
		}
		for _, h := range g.held {
			if h.layer == alone || !fresh[string(g.id)+" "+string(h.leaf.framework.id)+" "+h.leaf.role] {
				continue
			}
			if !g.unused.all.Contains(own[h.leaf.framework.id]) {
				t.Fatalf("%s is offered %s of %s, of which %s is unused", h.leaf.framework.id, own[h.leaf.framework.id], g.id, g.unused.all)
			}
		}
		if len(layers) > a.options.Overlap {
			t.Fatalf("%d layers on %s", len(layers), g.id)
		}
	}
}

// Whatever happens, the allocator's sums add up, and each offer is there when it
// is accepted, whoever accepts first.
func TestOverlappingOffersAreThere(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		overlap := rapid.SampledFrom([]int{2, 3, OverlapAll}).Draw(t, "overlap")
		r := randomRig(t, Options{Overlap: overlap})
		b := &broker{commands: commands{r: r, quotas: rapid.Bool().Draw(t, "quotas")}, used: make(map[string]resources.Resources)}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			b.step(t)
			if err := r.a.Check(); err != nil {
				t.Fatal(err)
			}
			r.advance(time.Duration(rapid.IntRange(0, 1500).Draw(t, "ms")) * time.Millisecond)
			if err := r.a.Check(); err != nil {
				t.Fatal(err)
			}
			placed(t, r.a, r.given)
		}
	})
}

// Random commands, also such as no master would give, lose nothing.
func TestOverlapLosesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := randomRig(t, Options{Overlap: rapid.SampledFrom([]int{2, OverlapAll}).Draw(t, "overlap")})
		c := &commands{r: r, quotas: true}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			m := c.draw(t)
			if recovery, ok := m.(*cluster.RecoverResources); ok {
				recovery.Offered = proto.Bool(rapid.Bool().Draw(t, "offered"))
				if rapid.Bool().Draw(t, "taken") {
					r.send(&cluster.TakeResources{
						FrameworkId: recovery.FrameworkId, AgentId: recovery.AgentId, Role: recovery.Role, Resources: recovery.Resources,
					})
				}
			}
			r.send(m)
			r.advance(time.Duration(rapid.IntRange(0, 3000).Draw(t, "ms")) * time.Millisecond)
			if err := r.a.Check(); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// forgotten returns a client to whom something could be offered again, or "".
func (l ledger) forgotten(a *Allocator) string {
	for _, g := range a.agents {
		layers := slices.Clone(a.layersOf(g))
		for _, f := range a.frameworks {
			for _, c := range f.leaves {
				resting := g.wake.index >= 0 && g.refused.times > 0
				if resting || !f.active || !c.subscribed || c.suppressed || !a.tops[topName(c.role)].guarantees.IsZero() {
					continue
				}
				for _, rest := range layers {
					offer := a.leftFor(g, f).all
					offer = offer.Without(offer.Without(rest.all)).Filter(func(e resources.Entry) bool {
						return e.Role() == "*" || names.Within(c.role, e.Role())
					})
					offer = offer.Shrink(func(e resources.Entry) resources.Milli {
						if e.Role() != "*" {
							return e.Amount()
						}
						return l.may(a, c.role, e.Name())
					})
					enough := offer.Scalar("cpus") >= 10 || offer.Scalar("mem") >= 32_000
					if enough && !(&oracle{a: a}).refused(g, c, offer) {
						return fmt.Sprintf("%s of %s to %s/%s", offer, g.id, f.id, c.role)
					}
				}
			}
		}
	}
	return ""
}

// When it is quiet, nobody is left who could be offered something again.
func TestNobodyIsForgottenWithOverlap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := randomRig(t, Options{Overlap: rapid.SampledFrom([]int{2, 3, OverlapAll}).Draw(t, "overlap")})
		b := &broker{commands: commands{r: r, quotas: rapid.Bool().Draw(t, "quotas")}, used: make(map[string]resources.Resources)}
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			b.step(t)
			for range 100 { // passes, in no time but what they wait
				if _, due := r.timers[passKey]; !due {
					break
				}
				r.now = r.timers[passKey]
				delete(r.timers, passKey)
				r.step(TimerFired{passKey})
			}
			if _, due := r.timers[passKey]; due {
				t.Fatal("it never gets quiet")
			}
			l := ledgerOf(r.a)
			if waiting := l.waiting(r.a) + l.forgotten(r.a); waiting != "" {
				t.Fatalf("quiet, but there is %s", waiting)
			}
			r.advance(time.Duration(rapid.IntRange(0, 2000).Draw(t, "ms")) * time.Millisecond)
		}
	})
}
