package core

import (
	"cmp"
	"math"
	"slices"
	"time"

	"troupe/messages/cluster"
	"troupe/messages/mesos"
)

const (
	// explainLooks bounds what one explanation costs: of more agents, only
	// every second, third and so on is looked at.
	explainLooks = 20_000
	// explainExamples is how many agents are named for one reason.
	explainExamples = 5
)

// Explain says why a framework is offered nothing, or no more, by asking of
// each agent what a pass would. Nothing changes by it.
func (a *Allocator) Explain(now time.Time, id string) *cluster.OffersExplained {
	a.now = now
	out := &cluster.OffersExplained{
		FrameworkId: &mesos.FrameworkID{Value: &id}, Known: new(false),
		Agents: new(uint32(len(a.agents))), LookedAt: new(uint32(0)),
	}
	if a.holding {
		out.Hold = new(a.holdText())
	}
	f, ok := a.frameworks[frameworkID(id)]
	if !ok {
		return out
	}
	out.Known = new(true)
	leaves := f.byRole()
	step := max(1, (len(a.agents)*len(leaves)+explainLooks-1)/explainLooks)
	out.LookedAt = new(uint32((len(a.agents) + step - 1) / step))
	for _, l := range leaves {
		out.Roles = append(out.Roles, a.explainRole(l, step))
	}
	return out
}

func (a *Allocator) explainRole(l *leaf, step int) *cluster.OffersExplained_Role {
	r := &cluster.OffersExplained_Role{
		Role: &l.role, Share: new(a.order.Share(l.node)), RoleShare: new(a.order.RoleShare(l.role)), Before: new(a.before(l)),
	}
	if text := l.idleText(); text != "" {
		r.Idle = &text
		return r
	}
	tallies := make(map[cluster.OffersExplained_Reason]*tally)
	var c cut
	for i := 0; i < len(a.agents); i += step {
		g := a.agents[i]
		why, until := a.verdictOn(g, l, &c)
		t, ok := tallies[why]
		if !ok {
			t = newTally()
			tallies[why] = t
		}
		t.add(g, why, l, until)
	}
	for why, t := range tallies {
		r.Agents = append(r.Agents, a.tell(l, why, t))
	}
	slices.SortFunc(r.Agents, func(x, y *cluster.OffersExplained_Agents) int {
		return cmp.Or(cmp.Compare(y.GetAgents(), x.GetAgents()), cmp.Compare(x.GetReason(), y.GetReason()))
	})
	return r
}

// before counts the clients that something free is shown to before the leaf.
func (a *Allocator) before(l *leaf) (n uint32) {
	for _, other := range a.clients {
		if other != l && other.node.Active() && a.order.Compare(other.node, l.node) < 0 {
			n++
		}
	}
	return n
}

// verdictOn says why the client gets nothing of an agent, and until when at
// least if it refused what there is.
func (a *Allocator) verdictOn(g *agent, l *leaf, c *cut) (cluster.OffersExplained_Reason, int64) {
	switch {
	case !g.active:
		return cluster.OffersExplained_INACTIVE, 0
	case g.unused.isEmpty():
		if lent, until := a.lentOf(g, l); until > 0 {
			return cluster.OffersExplained_REFUSED, until
		} else if lent {
			return cluster.OffersExplained_LENT, 0
		}
		return a.turnOf(g, l), 0
	}
	a.appraise(g)
	a.cutFor(c, g.free, l.top)
	v := a.judge(g, g.free, l, c)
	if a.overlaps() && v.why != Granted {
		if over, _ := a.judgeAgain(g, l, a.layersOf(g), c); over.why != Spoken || g.free.isEmpty() {
			v = over
		}
	}
	if v.why == Nothing || v.why == BelowMinimum || v.why == Spoken {
		if lent, until := a.lentOf(g, l); until > 0 {
			return cluster.OffersExplained_REFUSED, until
		} else if lent {
			return cluster.OffersExplained_LENT, 0
		}
	}
	if v.why == Spoken {
		return a.turnOf(g, l), 0
	}
	return reasons[v.why], v.until
}

// turnOf says who has an agent of which nothing is left for the client.
func (a *Allocator) turnOf(g *agent, l *leaf) cluster.OffersExplained_Reason {
	if a.heldBy(g, l).isEmpty() {
		return cluster.OffersExplained_OTHERS
	}
	return cluster.OffersExplained_OWN
}

var reasons = [...]cluster.OffersExplained_Reason{
	Granted:      cluster.OffersExplained_NEXT,
	Unwanted:     cluster.OffersExplained_UNWANTED,
	NeedsGPUs:    cluster.OffersExplained_NEEDS_GPUS,
	Remote:       cluster.OffersExplained_REMOTE,
	Nothing:      cluster.OffersExplained_RESERVED,
	OverLimit:    cluster.OffersExplained_OVER_LIMIT,
	Guaranteed:   cluster.OffersExplained_GUARANTEED,
	BelowMinimum: cluster.OffersExplained_BELOW_MINIMUM,
	Refused:      cluster.OffersExplained_REFUSED,
	Spoken:       cluster.OffersExplained_OTHERS,
}

// tally is what the agents have in common of which a client gets nothing for
// one reason.
type tally struct {
	agents      uint32
	examples    []*mesos.AgentID
	first, last int64          // lapse of refusals
	roles       map[string]int // that something is reserved for
	holders     map[*leaf]int  // who has all of it
}

func newTally() *tally {
	return &tally{first: math.MaxInt64, roles: make(map[string]int), holders: make(map[*leaf]int)}
}

func (t *tally) add(g *agent, why cluster.OffersExplained_Reason, l *leaf, until int64) {
	t.agents++
	if len(t.examples) < explainExamples {
		t.examples = append(t.examples, g.name)
	}
	switch why {
	case cluster.OffersExplained_REFUSED:
		t.first, t.last = min(t.first, until), max(t.last, until)
	case cluster.OffersExplained_RESERVED:
		for e := range g.unused.all.All() {
			if !l.view.admits(e) {
				t.roles[e.Role()]++
			}
		}
	case cluster.OffersExplained_OTHERS, cluster.OffersExplained_OWN, cluster.OffersExplained_LENT:
		for _, h := range g.held {
			if h.leaf != l && (why != cluster.OffersExplained_LENT || h.amount.borrows()) {
				t.holders[h.leaf]++
			}
		}
	}
}
