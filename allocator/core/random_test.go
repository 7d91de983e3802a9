package core

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/messages/names"
	"troupe/messages/resources"
)

// oracle does what a pass does as one would first write it: before each agent
// it computes every share from nothing but the list of what is held.
type oracle struct {
	a      *Allocator
	total  map[string]resources.Milli
	held   map[string]map[string]resources.Milli // by role/framework
	counts map[string]int
}

// expect returns what a pass over the agents, in that order, must hand out.
func (o *oracle) expect(agents []*agent) (out []string) {
	for _, g := range agents {
		rest := g.free.all
		var given []*leaf
		var amounts []resources.Resources
		for _, l := range o.ascending() {
			offer := rest.Filter(func(e resources.Entry) bool {
				return e.Role() == "*" || names.Within(l.role, e.Role())
			})
			enough := offer.Scalar("cpus") >= 10 || offer.Scalar("mem") >= 32_000
			if !g.active || !enough || o.refused(g, l, offer) {
				continue
			}
			given, amounts = append(given, l), append(amounts, offer)
			rest = rest.Without(offer)
			out = append(out, fmt.Sprintf("%s to %s/%s: %s", g.id, l.framework.id, l.role, offer))
		}
		for i, l := range given {
			o.count(l, amounts[i])
		}
	}
	return out
}

func (o *oracle) refused(g *agent, l *leaf, offer resources.Resources) bool {
	return slices.ContainsFunc(g.filters.list, func(f filter) bool {
		return f.client == l.number && f.expires > o.a.instant(o.a.now) && f.refused.all.Contains(offer)
	})
}

func key(l *leaf) string { return l.role + "/./" + string(l.framework.id) }

func (o *oracle) count(l *leaf, amount resources.Resources) {
	if o.held[key(l)] == nil {
		o.held[key(l)] = make(map[string]resources.Milli)
	}
	for e := range amount.All() {
		o.held[key(l)][e.Name()] += e.Amount()
	}
	o.counts[key(l)]++
}

// ascending lists the active leaves: siblings at each level by weighted share
// of their subtrees, then by count, then by name.
func (o *oracle) ascending() []*leaf {
	var list []*leaf
	for _, f := range o.a.frameworks {
		for _, l := range f.leaves {
			if f.active && l.subscribed && !l.suppressed {
				list = append(list, l)
			}
		}
	}
	slices.SortFunc(list, func(x, y *leaf) int {
		xs, ys := strings.Split(key(x), "/"), strings.Split(key(y), "/")
		depth := 0
		for depth < len(xs)-1 && depth < len(ys)-1 && xs[depth] == ys[depth] {
			depth++
		}
		xp, yp := strings.Join(xs[:depth+1], "/"), strings.Join(ys[:depth+1], "/")
		xShare, xCount := o.subtree(xp)
		yShare, yCount := o.subtree(yp)
		return cmp.Or(cmp.Compare(xShare, yShare), cmp.Compare(xCount, yCount), cmp.Compare(xs[depth], ys[depth]))
	})
	return list
}

func (o *oracle) subtree(path string) (share float64, count int) {
	sum := make(map[string]resources.Milli)
	for k, held := range o.held {
		if k != path && !strings.HasPrefix(k, path+"/") {
			continue
		}
		for name, amount := range held {
			sum[name] += amount
		}
	}
	for k, n := range o.counts {
		if k == path || strings.HasPrefix(k, path+"/") {
			count += n
		}
	}
	for name, amount := range sum {
		if o.total[name] > 0 {
			share = max(share, float64(amount)/float64(o.total[name]))
		}
	}
	if w, ok := weights[path]; ok {
		share /= w
	}
	return share, count
}

var weights = map[string]float64{"a": 2, "a/x": 0.5, "b": 3}

// drawAgent makes an agent of which some may be reserved.
func drawAgent(t *rapid.T, id string) *cluster.AddAgent {
	total := fmt.Sprintf("cpus:%d;mem:%d", rapid.IntRange(0, 16).Draw(t, "cpus"), rapid.IntRange(1, 64).Draw(t, "mem")*16)
	if rapid.Bool().Draw(t, "ports") {
		total += ";ports:[31000-31009]"
	}
	m := addAgent(id, total)
	if role := rapid.SampledFrom([]string{"", "", "a", "a/x", "b"}).Draw(t, "reserved"); role != "" {
		part := list(fmt.Sprintf("cpus:%d", rapid.IntRange(1, 8).Draw(t, "part")))[0]
		part.Reservations = []*mesos.Resource_ReservationInfo{
			{Type: mesos.Resource_ReservationInfo_STATIC.Enum(), Role: &role},
		}
		m.Agent.Resources = append(m.Agent.Resources, part)
	}
	return m
}

var testRoles = []string{"a", "b", "a/x", "a/y", "*"}

// commands are everything a master may say, drawn at random, most of it
// sensible.
type commands struct {
	r          *rig
	agents     int
	frameworks int
	held       []*cluster.Allocations_Allocation
	quotas     bool // are set, too
}

func (c *commands) pickAgent(t *rapid.T) string {
	return fmt.Sprint("s", rapid.IntRange(0, c.agents).Draw(t, "agent"))
}

func (c *commands) pickFramework(t *rapid.T) string {
	return fmt.Sprint("f", rapid.IntRange(0, c.frameworks).Draw(t, "framework"))
}

func (c *commands) pickRoles(t *rapid.T) []string {
	return rapid.SliceOfNDistinct(rapid.SampledFrom(testRoles), 1, 2, rapid.ID[string]).Draw(t, "roles")
}

// drawRecovery gives back all or some of what was handed out.
func (c *commands) drawRecovery(t *rapid.T) proto.Message {
	c.held = append(c.held, c.r.given...)
	c.r.given = nil
	if len(c.held) == 0 {
		return &cluster.RequestResources{FrameworkId: frameworkIDOf("f0")}
	}
	i := rapid.IntRange(0, len(c.held)-1).Draw(t, "held")
	h := c.held[i]
	m := &cluster.RecoverResources{FrameworkId: h.FrameworkId, AgentId: h.AgentId, Role: h.Role, Resources: h.Resources}
	if n := rapid.IntRange(1, len(h.Resources)).Draw(t, "part"); n < len(h.Resources) {
		m.Resources = h.Resources[:n]
		c.held[i] = &cluster.Allocations_Allocation{FrameworkId: h.FrameworkId, AgentId: h.AgentId, Role: h.Role, Resources: h.Resources[n:]}
	} else if rapid.IntRange(0, 9).Draw(t, "keep") > 0 { // now and then it comes again
		c.held = slices.Delete(c.held, i, i+1)
	}
	if rapid.Bool().Draw(t, "refused") {
		m.Filters = &mesos.Filters{RefuseSeconds: proto.Float64(rapid.SampledFrom([]float64{0, 1, 5, 100}).Draw(t, "seconds"))}
	}
	return m
}

func (c *commands) draw(t *rapid.T) proto.Message {
	if c.quotas && rapid.IntRange(0, 5).Draw(t, "quota") == 0 {
		return drawQuota(t)
	}
	switch rapid.IntRange(0, 12).Draw(t, "command") {
	case 0, 1:
		c.agents++
		return drawAgent(t, fmt.Sprint("s", c.agents))
	case 2:
		return drawAgent(t, c.pickAgent(t))
	case 3:
		return &cluster.UpdateAgent{Agent: drawAgent(t, c.pickAgent(t)).Agent, Active: proto.Bool(rapid.Bool().Draw(t, "active"))}
	case 4:
		return &cluster.RemoveAgent{AgentId: agentIDOf(c.pickAgent(t))}
	case 5:
		c.frameworks++
		return addFramework(fmt.Sprint("f", c.frameworks), c.pickRoles(t)...)
	case 6:
		return addFramework(c.pickFramework(t), c.pickRoles(t)...)
	case 7:
		return &cluster.DeactivateFramework{FrameworkId: frameworkIDOf(c.pickFramework(t))}
	case 8:
		return &cluster.RemoveFramework{FrameworkId: frameworkIDOf(c.pickFramework(t))}
	case 9:
		return &cluster.SuppressOffers{FrameworkId: frameworkIDOf(c.pickFramework(t))}
	case 10:
		return &cluster.ReviveOffers{FrameworkId: frameworkIDOf(c.pickFramework(t))}
	}
	return c.drawRecovery(t)
}

// quiet lets rapid's failures end a rig.
type quiet struct{ *rapid.T }

func newRandomRig(t *rapid.T) *rig { return randomRig(t, Options{}) }

func randomRig(t *rapid.T, o Options) *rig {
	r := &rig{t: quiet{t}, a: New(o), now: time.Unix(1e9, 0), timers: make(map[string]time.Time)}
	start := &cluster.StartAllocator{Epoch: proto.Uint64(1)}
	for role, w := range weights {
		start.Weights = append(start.Weights, &cluster.StartAllocator_Weight{Role: &role, Weight: &w})
	}
	r.send(start)
	return r
}

// Whatever a master says, what is free and what is held is all there is.
func TestNothingIsLostOrGivenTwice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := newRandomRig(t)
		c := &commands{r: r}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			r.send(c.draw(t))
			if err := r.a.Check(); err != nil {
				t.Fatal(err)
			}
			r.advance(time.Duration(rapid.IntRange(0, 3000).Draw(t, "ms")) * time.Millisecond)
			if err := r.a.Check(); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// Every pass hands out what the oracle says.
func TestPassesMatchTheOracle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := newRandomRig(t)
		c := &commands{r: r}
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			for range rapid.IntRange(1, 4).Draw(t, "messages") {
				r.send(c.draw(t))
			}
			r.now = r.now.Add(time.Duration(rapid.IntRange(0, 3000).Draw(t, "ms")) * time.Millisecond)
			if _, due := r.timers[passKey]; !due {
				continue
			}
			delete(r.timers, passKey)
			want := expected(r)
			c.held = append(c.held, r.given...)
			r.given = nil
			r.step(TimerFired{passKey})
			var got []string
			for _, g := range r.given {
				amount, err := resources.New(g.Resources...)
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, fmt.Sprintf("%s to %s/%s: %s", g.AgentId.GetValue(), g.FrameworkId.GetValue(), g.GetRole(), amount))
			}
			if !slices.Equal(got, want) {
				t.Fatalf("handed out\n %s\nthe oracle says\n %s", strings.Join(got, "\n "), strings.Join(want, "\n "))
			}
		}
	})
}

// expected asks the oracle about the pass that is due.
func expected(r *rig) []string {
	a := r.a
	a.now = r.now
	o := &oracle{
		a: a, total: make(map[string]resources.Milli),
		held: make(map[string]map[string]resources.Milli), counts: make(map[string]int),
	}
	for _, g := range a.agents {
		for e := range g.total.all.All() {
			o.total[e.Name()] += e.Amount()
		}
		for _, h := range g.held {
			o.count(h.leaf, h.amount.all)
		}
	}
	for _, f := range a.frameworks {
		for _, l := range f.leaves {
			o.counts[key(l)] = int(a.order.Count(l.node))
		}
	}
	a.rouse() // whose filters lapsed
	// Asking everybody finds nobody but those who are to be asked.
	agents := slices.Clone(a.dirty)
	if len(a.fresh) > 0 {
		agents = append(agents, slices.DeleteFunc(slices.Clone(a.rest), func(g *agent) bool { return g.dirty })...)
	}
	chance := a.chance
	a.shuffle(agents)
	a.chance = chance
	return o.expect(slices.DeleteFunc(agents, func(g *agent) bool { return g.gone }))
}
