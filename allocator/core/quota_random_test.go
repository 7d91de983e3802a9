package core

import (
	"fmt"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"troupe/messages/names"
	"troupe/messages/resources"
)

// drawQuota makes a quota of a role, or takes it away.
func drawQuota(t *rapid.T) proto.Message {
	role := rapid.SampledFrom([]string{"a", "b", "*"}).Draw(t, "role")
	amounts := func(label string, least int) string {
		var text string
		for _, name := range []string{"cpus", "mem"} {
			if rapid.Bool().Draw(t, label) {
				text += fmt.Sprintf(";%s:%d", name, rapid.IntRange(least, least+20).Draw(t, name)*map[string]int{"cpus": 1, "mem": 32}[name])
			}
		}
		return text
	}
	return quotaOf(role, amounts("guaranteed", 0), amounts("limited", 20))
}

// ledger is what the sums behind quota should be, counted from nothing but what
// agents have and clients hold.
type ledger struct {
	consumed           map[string]map[string]resources.Milli // by role at the top, by resource
	headroom, required map[string]resources.Milli
}

func ledgerOf(a *Allocator) ledger {
	l := ledger{make(map[string]map[string]resources.Milli), make(map[string]resources.Milli), make(map[string]resources.Milli)}
	add := func(role string, e resources.Entry) {
		top := topName(role)
		if l.consumed[top] == nil {
			l.consumed[top] = make(map[string]resources.Milli)
		}
		l.consumed[top][e.Name()] += e.Amount()
	}
	for _, g := range a.agents {
		for e := range g.total.all.All() {
			if e.Role() != "*" {
				add(e.Role(), e)
			}
		}
		for _, h := range g.held {
			for e := range h.amount.all.All() {
				if e.Role() == "*" {
					add(h.leaf.role, e)
				}
			}
		}
		for e := range g.free.all.All() {
			if e.Role() == "*" && g.active {
				l.headroom[e.Name()] += e.Amount()
			}
		}
	}
	for role, t := range a.tops {
		for n, guarantee := range t.guarantees {
			name := a.bundles.index.Name(n)
			l.required[name] += max(0, guarantee-l.consumed[role][name])
		}
	}
	return l
}

// may returns how much more of a resource a role may get.
func (l ledger) may(a *Allocator, role, name string) resources.Milli {
	t, n := a.tops[topName(role)], a.bundles.index.Number(name)
	consumed := l.consumed[topName(role)][name]
	lack := max(0, t.guarantees.Of(n)-consumed)
	may := max(0, l.headroom[name]-l.required[name]) + lack
	if limit, ok := t.limits.of(n); ok {
		may = min(may, max(0, limit-consumed))
	}
	return may
}

// waiting returns a client that something could be given to, or "".
func (l ledger) waiting(a *Allocator) string {
	for _, g := range a.agents {
		for _, f := range a.frameworks {
			for _, c := range f.leaves {
				resting := g.wake.index >= 0 && g.refused.times > 0 // refused for no time, so looked at a little later
				if resting || !g.active || !f.active || !c.subscribed || c.suppressed {
					continue
				}
				offer := g.free.all.Filter(func(e resources.Entry) bool { return e.Role() == "*" || names.Within(c.role, e.Role()) })
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
	return ""
}

// Passes give no role more than its limit, and take nothing of what guarantees
// of others require.
func TestQuotaIsKeptByEveryPass(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := newRandomRig(t)
		c := &commands{r: r, quotas: true}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			r.send(c.draw(t))
			if err := r.a.Check(); err != nil {
				t.Fatal(err)
			}
			if _, due := r.timers[passKey]; !due || rapid.Bool().Draw(t, "more") {
				continue
			}
			before := ledgerOf(r.a)
			delete(r.timers, passKey)
			r.now = r.now.Add(time.Duration(rapid.IntRange(0, 3000).Draw(t, "ms")) * time.Millisecond)
			r.step(TimerFired{passKey})
			if err := r.a.Check(); err != nil {
				t.Fatal(err)
			}
			compareLedgers(t, r.a, before, ledgerOf(r.a))
		}
	})
}

func compareLedgers(t *rapid.T, a *Allocator, before, after ledger) {
	for role, top := range a.tops {
		for n := range top.limits {
			name := a.bundles.index.Name(n)
			is, was := after.consumed[role][name], before.consumed[role][name]
			if limit, ok := top.limits.of(n); ok && is > was && is > limit {
				t.Fatalf("role %s consumed %s of %s, consumes %s now; its limit is %s", role, was, name, is, limit)
			}
		}
	}
	for _, name := range []string{"cpus", "mem"} {
		is, was := after.headroom[name]-after.required[name], before.headroom[name]-before.required[name]
		if is < min(0, was) {
			t.Fatalf("beyond guarantees there was %s of %s, and is %s", was, name, is)
		}
	}
}

// When it is quiet, there is nobody to whom anything could be given.
func TestNobodyIsForgotten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := newRandomRig(t)
		c := &commands{r: r, quotas: true}
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			for range rapid.IntRange(1, 4).Draw(t, "messages") {
				r.send(c.draw(t))
			}
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
			if waiting := ledgerOf(r.a).waiting(r.a); waiting != "" {
				t.Fatalf("quiet, but there is %s", waiting)
			}
			r.advance(time.Duration(rapid.IntRange(0, 2000).Draw(t, "ms")) * time.Millisecond)
		}
	})
}

// Guarantees that the cluster has room for are met by those who take all that
// they are offered, whoever else is there, once what they lack is free.
func TestGuaranteesAreMet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := newRandomRig(t)
		left := rapid.IntRange(4, 12).Draw(t, "agents")
		agents := left
		for _, role := range []string{"a", "b"} {
			n := rapid.IntRange(0, left).Draw(t, "guaranteed")
			left -= n
			r.send(quotaOf(role, fmt.Sprintf("cpus:%d;mem:%d", 4*n, 1024*n), ""))
		}
		order := rapid.Permutation([]string{"a", "b", "*", "c"}).Draw(t, "order")
		for i, role := range order {
			r.send(addFramework(fmt.Sprint("f", i), role))
			for range agents / len(order) {
				agents--
				r.send(addAgent(fmt.Sprint("s", agents), whole))
			}
			r.advance(time.Second)
		}
		for ; agents > 0; agents-- {
			r.send(addAgent(fmt.Sprint("t", agents), whole))
		}
		r.advance(time.Second)
		for role, top := range r.a.tops {
			if top.isHungry() {
				t.Fatalf("role %s consumes %v, guaranteed are %v", role, top.consumed, top.guarantees)
			}
		}
	})
}
