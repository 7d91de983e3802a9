package gang

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"troupe/messages/mesos"
)

// cluster is a toy: agents that run one member each, offered to several
// frameworks by chance, on a clock of its own.
type cluster struct {
	t          fataler
	now        time.Duration
	agents     []string // offer or task on each; "" when free
	frameworks []*framework
	events     []event
	offers     int
	runs       time.Duration
}

type fataler interface {
	Fatalf(format string, args ...any)
}

type framework struct {
	machine *Machine
	members int
	done    int
	quiet   bool
	// refused is until when an agent is not offered.
	refused map[int]time.Duration
}

type event struct {
	at time.Duration
	do func()
}

func (c *cluster) after(d time.Duration, do func()) {
	c.events = append(c.events, event{c.now + d, do})
}

func (c *cluster) step(f *framework, in Input) {
	launched := 0
	for _, e := range f.machine.Step(time.Time{}.Add(c.now), in) {
		switch e := e.(type) {
		case Launch:
			at := slices.Index(c.agents, e.Offer.GetId().GetValue())
			if at < 0 || len(e.Tasks) != 1 {
				c.t.Fatalf("%d tasks on offer %s, which is void: %v", len(e.Tasks), e.Offer.GetId().GetValue(), c.agents)
			}
			launched++
			id := e.Tasks[0].GetTaskId().GetValue()
			c.agents[at] = id
			c.after(0, func() { c.step(f, news(id, running)) })
			c.after(c.runs, func() {
				c.agents[at] = ""
				c.step(f, news(id, finished))
			})
		case Decline:
			for _, o := range e.Offers {
				c.free(f, o.GetValue(), e.Refuse)
			}
		case Unused:
			for _, o := range e.Offers {
				c.free(f, o.GetId().GetValue(), 5*time.Second)
			}
		case Suppress:
			f.quiet = true
		case Revive:
			f.quiet = false
			clear(f.refused)
		case SetTimer:
			c.after(e.After, func() { c.step(f, TimerFired{e.Key}) })
		case Report:
			if e.Report.Final {
				f.done++
			}
		}
	}
	if launched != 0 && launched != f.members {
		c.t.Fatalf("%d of %d members are launched", launched, f.members)
	}
}

func news(id string, st mesos.TaskState) Updated {
	return Updated{&mesos.TaskStatus{TaskId: &mesos.TaskID{Value: &id}, State: st.Enum()}}
}

func (c *cluster) free(f *framework, offer string, refuse time.Duration) {
	at := slices.Index(c.agents, offer)
	if at < 0 {
		c.t.Fatalf("offer %s is not there: %v", offer, c.agents)
	}
	c.agents[at] = ""
	f.refused[at] = c.now + refuse
}

// allocate offers every free agent to a framework that takes offers of it.
func (c *cluster) allocate(choose func(n int) int) {
	lists := make([]Offers, len(c.frameworks))
	for at, on := range c.agents {
		var takers []int
		for i, f := range c.frameworks {
			if !f.quiet && f.refused[at] <= c.now {
				takers = append(takers, i)
			}
		}
		if on != "" || len(takers) == 0 {
			continue
		}
		c.offers++
		id := fmt.Sprintf("O%d", c.offers)
		c.agents[at] = id
		to := takers[choose(len(takers))]
		lists[to].Offers = append(lists[to].Offers, offer(id, "cpus:2"))
	}
	for i, l := range lists {
		if len(l.Offers) > 0 {
			c.step(c.frameworks[i], l)
		}
	}
}

// run lets time pass, a second at a time, until all are done or it is late.
func (c *cluster) run(limit time.Duration, choose func(n int) int) bool {
	for ; c.now < limit; c.now += time.Second {
		for {
			i := slices.IndexFunc(c.events, func(e event) bool { return e.at <= c.now })
			if i < 0 {
				break
			}
			due := c.events[i]
			c.events = slices.Delete(c.events, i, i+1)
			due.do()
		}
		if !slices.ContainsFunc(c.frameworks, func(f *framework) bool { return f.done < f.members }) {
			return true
		}
		c.allocate(choose)
	}
	return false
}

// newCluster is agents with frameworks that each have a gang of so many
// members.
func newCluster(t fataler, agents int, seed uint64, hold time.Duration, members ...int) *cluster {
	c := &cluster{t: t, agents: make([]string, agents), runs: time.Minute}
	for i, n := range members {
		f := &framework{machine: New(seed + uint64(i)), members: n, refused: map[int]time.Duration{}}
		c.frameworks = append(c.frameworks, f)
		var ids []string
		for k := range n {
			ids = append(ids, fmt.Sprintf("F%d-%d", i, k))
		}
		g := gangOf(fmt.Sprintf("G%d", i), ids...)
		g.Hold = hold
		c.step(f, Add{g})
	}
	return c
}

// Two gangs that each need 60 % of a cluster both get done, whoever is offered
// what; so do three, and gangs that need all of it.
func TestHoardersBothGetDone(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		members := rapid.SampledFrom([][]int{{6, 6}, {6, 6, 6}, {10, 10}, {6, 10}}).Draw(rt, "members")
		c := newCluster(rt, 10, rapid.Uint64().Draw(rt, "seed"), DefaultHold, members...)
		chance := New(rapid.Uint64().Draw(rt, "chance"))
		if !c.run(2*time.Hour, func(n int) int { return int(chance.next() % uint64(n)) }) {
			rt.Fatalf("not done: %v", c.agents)
		}
	})
}

// It is giving back that does it: who holds on starves with the other.
func TestWhoHoldsOnStarves(t *testing.T) {
	for _, c := range []struct {
		hold time.Duration
		done bool
	}{{DefaultHold, true}, {1000 * time.Hour, false}} {
		turn := 0
		alternate := func(n int) int {
			turn++
			return turn % n
		}
		if done := newCluster(t, 10, 7, c.hold, 6, 6).run(2*time.Hour, alternate); done != c.done {
			t.Errorf("holding for %s, done: %t", c.hold, done)
		}
	}
}

// Waits grow to their bound and differ.
func TestWaits(t *testing.T) {
	m := New(3)
	b := &band{gang: &Gang{Wait: time.Second, WaitMax: 10 * time.Second}}
	seen := map[time.Duration]bool{}
	for n := range 60 {
		most := min(time.Second<<min(n, 10), 10*time.Second)
		w := m.wait(b)
		if w < most/8 || w >= most || seen[w] {
			t.Errorf("wait %d is %s, of at most %s", n, w, most)
		}
		seen[w] = true
	}
	if w := New(1).wait(&band{gang: &Gang{Wait: 1<<62 + 1, WaitMax: 1<<63 - 1}, vain: 5}); w <= 0 {
		t.Error(w)
	}
}

func BenchmarkCollect(b *testing.B) {
	var ids []string
	for i := range MaxMembers {
		ids = append(ids, fmt.Sprintf("T%d", i))
	}
	var list Offers
	for i := range MaxMembers {
		list.Offers = append(list.Offers, offer(fmt.Sprintf("O%d", i), "cpus:3"))
	}
	for b.Loop() {
		m := New(0)
		m.Step(time.Time{}, Add{gangOf("g", ids...)})
		m.Step(time.Time{}, list)
		if m.Collecting() {
			b.Fatal("not launched")
		}
	}
}
