package reserve

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"troupe/messages/mesos"
	"troupe/messages/operations"
	"troupe/messages/resources"
)

// world is agents with what their tasks use, which plans know nothing of.
type world struct {
	total, used, offered []resources.Resources
}

func (w *world) agents() []Agent {
	list := make([]Agent, len(w.total))
	for i := range list {
		free := w.total[i].Without(w.used[i])
		list[i] = Agent{Total: w.total[i], Free: free, Idle: free.Without(w.offered[i])}
	}
	return list
}

// carry carries out a plan, each move on what is free.
func (w *world) carry(t interface{ Fatalf(string, ...any) }, moves []Move) {
	for _, move := range moves {
		free := w.total[move.Agent].Without(w.used[move.Agent])
		after, err := operations.Apply(move.Operation, free)
		if err != nil {
			t.Fatalf("%v on %s, of which %s is used: %v", move.Operation, w.total[move.Agent], w.used[move.Agent], err)
		}
		w.total[move.Agent] = after.Add(w.used[move.Agent])
		w.offered[move.Agent] = resources.Resources{}
	}
}

func worldOf(texts ...string) *world {
	w := &world{used: make([]resources.Resources, len(texts)), offered: make([]resources.Resources, len(texts))}
	for _, text := range texts {
		w.total = append(w.total, resources.MustParse(text))
	}
	return w
}

// reserved is what a rule has, as text.
func (w *world) reserved(id string) string {
	var all resources.Resources
	for _, total := range w.total {
		all = all.Add(total.Filter(func(e resources.Entry) bool { who, ok := ownerOf(e); return ok && who.id == id }))
	}
	return fmt.Sprintf("cpus:%s mem:%s gpus:%s", all.Scalar("cpus"), all.Scalar("mem"), all.Scalar("gpus"))
}

func amountOf(name string, units int64) Share {
	return Share{Name: name, Amount: resources.Milli(units * 1000)}
}

func percentOf(name string, percent int64) Share {
	return Share{Name: name, Percent: resources.Milli(percent * 1000)}
}

func TestAmounts(t *testing.T) {
	w := worldOf("cpus:4;mem:100", "cpus:8;mem:50", "cpus:2")
	rule := Rule{ID: "r", Role: "web", Principal: "ops", Shares: []Share{amountOf("cpus", 9), amountOf("mem", 120)}}
	moves := Plan([]Rule{rule}, w.agents())
	w.carry(t, moves)
	if got := w.reserved("r"); got != "cpus:9 mem:120 gpus:0" || len(moves) != 2 {
		t.Errorf("%d moves reserve %s", len(moves), got)
	}
	if again := Plan([]Rule{rule}, w.agents()); len(again) > 0 {
		t.Errorf("and then %v", again)
	}
	rule.Shares[0].Amount = 3000
	w.carry(t, Plan([]Rule{rule}, w.agents()))
	if got := w.reserved("r"); got != "cpus:3 mem:120 gpus:0" {
		t.Errorf("less is %s", got)
	}
	w.carry(t, Plan(nil, w.agents()))
	if got := w.total[0].String() + "|" + w.total[1].String(); got != "cpus:4; mem:100|cpus:8; mem:50" {
		t.Errorf("removed, there is %s", got)
	}
}

// TestPercentFollowsTheCluster: agents come and go.
func TestPercentFollowsTheCluster(t *testing.T) {
	w := worldOf("cpus:10;gpus:3", "cpus:10;gpus:2")
	rules := []Rule{{ID: "r", Role: "web", Shares: []Share{percentOf("cpus", 25), percentOf("gpus", 50)}}}
	for _, step := range []struct {
		change func()
		want   string
	}{
		{func() {}, "cpus:5 mem:0 gpus:2"},
		{func() {
			more := worldOf("cpus:20;gpus:5")
			w.total, w.used, w.offered = append(w.total, more.total...), append(w.used, more.used...), append(w.offered, more.offered...)
		}, "cpus:10 mem:0 gpus:5"},
		{func() { w.total, w.used, w.offered = w.total[:2], w.used[:2], w.offered[:2] }, "cpus:5 mem:0 gpus:2"},
	} {
		step.change()
		w.carry(t, Plan(rules, w.agents()))
		if got := w.reserved("r"); got != step.want {
			t.Errorf("got %s, want %s", got, step.want)
		}
	}
}

// TestWhatIsOfferedStaysIfItCan: agents that offer nothing come first.
func TestWhatIsOfferedStaysIfItCan(t *testing.T) {
	w := worldOf("cpus:8", "cpus:4")
	w.offered[0] = w.total[0]
	moves := Plan([]Rule{{ID: "r", Role: "web", Shares: []Share{amountOf("cpus", 4)}}}, w.agents())
	if len(moves) != 1 || moves[0].Agent != 1 {
		t.Errorf("got %v", moves)
	}
}

// TestRefinedAndVolumesStay: what others built on a standing reservation is
// counted, and not taken from under them.
func TestRefinedAndVolumesStay(t *testing.T) {
	w := worldOf("cpus:4")
	rules := []Rule{{ID: "r", Role: "web", Shares: []Share{amountOf("cpus", 4)}}}
	w.carry(t, Plan(rules, w.agents()))
	w.total[0] = w.total[0].Convert(func(m *mesos.Resource) {
		m.Reservations = append(m.Reservations, &mesos.Resource_ReservationInfo{
			Type: mesos.Resource_ReservationInfo_DYNAMIC.Enum(), Role: new("web/a"),
		})
	})
	if moves := Plan(rules, w.agents()); len(moves) > 0 {
		t.Errorf("got %v", moves)
	}
	if moves := Plan(nil, w.agents()); len(moves) > 0 || !Standing(w.total[0]) {
		t.Errorf("got %v", moves)
	}
}

// aWorld draws agents, rules, and what is used and offered after plans for
// other rules were carried out.
func aWorld(t *rapid.T) (*world, []Rule) {
	var texts []string
	for range rapid.IntRange(0, 6).Draw(t, "agents") {
		texts = append(texts, fmt.Sprintf("cpus:%d;mem:%d;gpus:%d;cpus(eng):2;disk:10;ports:[1-5]",
			rapid.IntRange(0, 16).Draw(t, "cpus"), rapid.IntRange(0, 64).Draw(t, "mem"), rapid.IntRange(0, 4).Draw(t, "gpus")))
	}
	w := worldOf(texts...)
	for range rapid.IntRange(0, 2).Draw(t, "earlier plans") {
		w.carry(t, Plan(someRules(t), w.agents()))
	}
	for i := range w.total {
		var list []*mesos.Resource
		for e := range w.total[i].All() {
			if e.Kind() == mesos.Value_SCALAR && rapid.Bool().Draw(t, "in use") {
				used := resources.Milli(rapid.Int64Range(1, int64(e.Amount())).Draw(t, "used"))
				if e.Name() == resources.GPUs {
					used = max(1000, used-used%1000)
				}
				list = append(list, some(e, used))
			}
		}
		used, err := resources.New(list...)
		if err != nil {
			t.Fatal(err)
		}
		w.used[i] = used
		if rapid.Bool().Draw(t, "offered") {
			w.offered[i] = w.total[i].Without(used)
		}
	}
	return w, someRules(t)
}

func someRules(t *rapid.T) []Rule {
	var rules []Rule
	for _, id := range []string{"a", "b", "c"} {
		if !rapid.Bool().Draw(t, "rule") {
			continue
		}
		rule := Rule{ID: id, Role: rapid.SampledFrom([]string{"web", "ads"}).Draw(t, "role")}
		for _, name := range []string{"cpus", "mem", "gpus"} {
			switch rapid.IntRange(0, 2).Draw(t, name) {
			case 1:
				rule.Shares = append(rule.Shares, amountOf(name, rapid.Int64Range(1, 40).Draw(t, "amount")))
			case 2:
				rule.Shares = append(rule.Shares, percentOf(name, rapid.Int64Range(1, 100).Draw(t, "percent")))
			}
		}
		rules = append(rules, rule)
	}
	return rules
}

// TestPlans: a plan takes nothing that is used, moves nothing in vain, has one
// operation of a kind per agent, and is done at once: the next plan is empty,
// unless something changes. With nothing used, every rule has what it wants, or
// the cluster has no more to give.
func TestPlans(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, rules := aWorld(t)
		moves := Plan(rules, w.agents())
		seen := map[string]bool{}
		for _, move := range moves {
			key := fmt.Sprint(move.Agent, move.Operation.GetType())
			if seen[key] {
				t.Fatalf("two of %s", key)
			}
			seen[key] = true
		}
		w.carry(t, moves) // fails for what is used
		if again := Plan(rules, w.agents()); len(again) > 0 {
			t.Fatalf("after %v there is %v", moves, again)
		}
		for i := range w.used {
			w.used[i] = resources.Resources{}
		}
		w.carry(t, Plan(rules, w.agents()))
		w.settled(t, rules)
	})
}

// settled checks that rules are met as far as that is possible.
func (w *world) settled(t *rapid.T, rules []Rule) {
	p := w.survey()
	known := map[owner]bool{}
	for _, rule := range rules {
		who := owner{rule.ID, rule.Role}
		known[who] = true
		for name, want := range p.targets(rule) {
			has := p.has[who][name]
			if has > want {
				t.Fatalf("%v has %s of %s, more than %s", who, has, name, want)
			}
			var left resources.Milli
			for _, total := range w.total {
				left += total.Filter(resources.Entry.Plain).Scalar(name)
			}
			if has < want && left > 0 {
				t.Fatalf("%v has %s of %s, less than %s, and %s is left", who, has, name, want, left)
			}
		}
	}
	for who, has := range p.has {
		for name, amount := range has {
			if amount > 0 && !known[who] {
				t.Fatalf("%v, which is no more, has %s of %s", who, amount, name)
			}
		}
	}
}

func BenchmarkPlanSettled(b *testing.B) {
	w, rules := settledWorld(b, 10_000)
	agents := w.agents()
	b.ReportAllocs()
	for b.Loop() {
		if len(Plan(rules, agents)) > 0 {
			b.Fatal("not settled")
		}
	}
}

// settledWorld has a tenth of all reserved, as rules want it.
func settledWorld(b *testing.B, agents int) (*world, []Rule) {
	texts := make([]string, agents)
	for i := range texts {
		texts[i] = "cpus:16;mem:65536;disk:100000;ports:[31000-32000]"
	}
	w := worldOf(texts...)
	rules := []Rule{{ID: "r", Role: "web", Shares: []Share{percentOf("cpus", 10), percentOf("mem", 10)}}}
	w.carry(b, Plan(rules, w.agents()))
	return w, rules
}
