package simulate

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestEventsComeInOrder holds the heap against a list that is sorted anew.
func TestEventsComeInOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var heap events
		var list []event
		seq := uint64(0)
		t.Repeat(map[string]func(*rapid.T){
			"push": func(t *rapid.T) {
				seq++
				e := event{at: time.Duration(rapid.IntRange(0, 9).Draw(t, "at")), seq: seq}
				heap.push(e)
				list = append(list, e)
			},
			"pop": func(t *rapid.T) {
				if len(list) == 0 {
					return
				}
				slices.SortStableFunc(list, func(a, b event) int { return int(a.at - b.at) })
				if got := heap.pop(); got.at != list[0].at || got.seq != list[0].seq {
					t.Fatalf("event %d of %d, want %d of %d", got.seq, got.at, list[0].seq, list[0].at)
				}
				list = list[1:]
			},
			"": func(t *rapid.T) {
				if len(heap) != len(list) {
					t.Fatalf("%d events, want %d", len(heap), len(list))
				}
			},
		})
	})
}
