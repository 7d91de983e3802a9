package core_test

import (
	"strings"
	"testing"

	"troupe/tools/bench/allocation"
)

// The works of Mesos's own benchmarks, in all their sizes; -bench chooses:
//
//	go test -bench 'Mesos/DeclineOffers/agents=1000/frameworks=50$' -benchtime 1x ./allocator/core
func BenchmarkMesos(b *testing.B) {
	for _, w := range allocation.Grid() {
		b.Run(w.Name, func(b *testing.B) {
			sums := make(map[string]float64)
			for b.Loop() {
				figures, err := w.Run()
				if err != nil {
					b.Fatal(err)
				}
				for _, f := range figures {
					sums[strings.ReplaceAll(f.What, " ", "-")+"-ms"] += f.Took.Seconds() * 1000
				}
			}
			for what, sum := range sums {
				b.ReportMetric(sum/float64(b.N), what)
			}
		})
	}
}

// What has a bound of its own: a full pass, what a steady one allocates, the
// memory of an idle agent, and the pass after a single change.
func BenchmarkBounds(b *testing.B) {
	for _, w := range allocation.Bounds(1) {
		b.Run(w.Name, func(b *testing.B) {
			var bounds []allocation.Bound
			for b.Loop() {
				bounds = w.Run()
			}
			for _, each := range bounds {
				b.ReportMetric(each.Value, strings.ReplaceAll(each.What, " ", "-")+"-"+each.Unit)
			}
		})
	}
}

// The works do what they say: all agents are offered, and nothing in vain.
func TestMesosWorks(t *testing.T) {
	for _, w := range allocation.Grid() {
		if !strings.Contains(w.Name, "agents=1000/frameworks=50") || strings.Contains(w.Name, "frameworks=500") {
			continue
		}
		figures, err := w.Run()
		if err != nil {
			t.Errorf("%s: %v", w.Name, err)
		}
		if len(figures) == 0 {
			t.Errorf("%s measures nothing", w.Name)
		}
	}
}
