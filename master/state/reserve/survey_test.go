package reserve

import (
	"testing"

	"pgregory.net/rapid"

	"troupe/messages/resources"
)

// survey counts all agents anew.
func (w *world) survey() *Survey {
	s := &Survey{}
	for _, total := range w.total {
		s.Add(total)
	}
	return s
}

// TestSettledHasNothingToPlan: where a survey says so, a plan is empty; and with
// everything free, a plan that is empty is settled, or the cluster has no more.
func TestSettledHasNothingToPlan(t *testing.T) {
	settled := 0
	rapid.Check(t, func(t *rapid.T) {
		w, rules := aWorld(t)
		for range 2 {
			moves := Plan(rules, w.agents())
			if w.survey().Settled(rules) {
				settled++
				if len(moves) > 0 {
					t.Fatalf("settled, and yet %v", moves)
				}
			}
			w.carry(t, moves)
		}
	})
	if settled == 0 {
		t.Error("no world was settled")
	}
}

// TestSurveyFollowsAgents: one that is kept is the same as one made anew.
func TestSurveyFollowsAgents(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, rules := aWorld(t)
		kept := w.survey()
		before := append([]resources.Resources(nil), w.total...)
		w.carry(t, Plan(rules, w.agents()))
		for i, total := range w.total {
			kept.Remove(before[i])
			kept.Add(total)
		}
		if len(w.total) > 1 {
			kept.Remove(w.total[0])
			w.total, w.used, w.offered = w.total[1:], w.used[1:], w.offered[1:]
		}
		anew := w.survey()
		if !kept.Equal(anew) || !anew.Equal(kept) {
			t.Fatalf("kept %v, made anew %v", kept, anew)
		}
		if kept.Standing() != anew.Standing() || kept.Settled(rules) != anew.Settled(rules) {
			t.Fatal("kept and made anew say different things")
		}
	})
}

// What a look costs while everybody has what it wants, however many agents.
func BenchmarkSettled(b *testing.B) {
	w, rules := settledWorld(b, 10_000)
	s := w.survey()
	b.ReportAllocs()
	for b.Loop() {
		if !s.Settled(rules) {
			b.Fatal("not settled")
		}
	}
}
