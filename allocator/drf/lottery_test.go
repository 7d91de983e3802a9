package drf

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"troupe/messages/resources"
)

// firsts counts, for each client, how often it comes first in so many draws.
func firsts(y *Lottery, draws uint64) map[string]float64 {
	count := make(map[string]float64)
	for i := range draws {
		y.Draw(i)
		y.EachRoot(Everything, func(r *Root) bool {
			y.EachClient(r, func(l *Leaf) bool {
				count[l.Client()] += 1 / float64(draws)
				return false
			})
			return false
		})
	}
	return count
}

func lottery(t testing.TB, weights map[string]float64, clients map[string][]string) *Lottery {
	t.Helper()
	y := NewLottery(New(), true, true)
	for _, role := range slices.Sorted(maps(weights)) {
		if err := y.SetWeight(role, weights[role]); err != nil {
			t.Fatal(err)
		}
	}
	for _, role := range slices.Sorted(maps(clients)) {
		for _, client := range clients[role] {
			y.RootOf(addActive(y.Tree, role, client))
		}
	}
	return y
}

func maps[V any](m map[string]V) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// Who comes first does so in proportion to the product of its relative weights
// at each level.
func TestLotteryIsInProportionToWeights(t *testing.T) {
	for name, c := range map[string]struct {
		weights map[string]float64
		clients map[string][]string
		want    map[string]float64
	}{
		"roles":   {map[string]float64{"a": 1, "b": 3}, map[string][]string{"a": {"x"}, "b": {"y"}}, map[string]float64{"x": .25, "y": .75}},
		"clients": {nil, map[string][]string{"a": {"x", "y"}, "b": {"z"}}, map[string]float64{"x": .25, "y": .25, "z": .5}},
		"levels": {
			map[string]float64{"a": 2, "a/b": 3},
			map[string][]string{"a": {"x"}, "a/b": {"y"}, "c": {"z"}},
			map[string]float64{"x": 2. / 3 / 4, "y": 2. / 3 * 3 / 4, "z": 1. / 3},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := firsts(lottery(t, c.weights, c.clients), 20_000)
			for client, share := range c.want {
				if math.Abs(got[client]-share) > 0.015 { // above four standard deviations
					t.Errorf("%s came first in %.3f of the draws, want %.3f", client, got[client], share)
				}
			}
		})
	}
}

// What an allocation changes is no matter to lots.
func TestLotteryDoesNotHeedShares(t *testing.T) {
	y := lottery(t, nil, map[string][]string{"a": {"x"}, "b": {"z"}})
	y.AddTotal(resources.Quantities{1000})
	y.Allocate(addActive(y.Tree, "a", "y"), resources.Quantities{900})
	if got := firsts(y, 20_000); math.Abs(got["z"]-.5) > 0.015 {
		t.Errorf("z came first in %.3f of the draws", got["z"])
	}
}

func walk(y *Lottery) (list []*Leaf) {
	y.EachRoot(Everything, func(r *Root) bool {
		y.EachClient(r, func(l *Leaf) bool {
			list = append(list, l)
			return true
		})
		return true
	})
	return list
}

// Each active leaf comes exactly once, in the order that Compare tells, and in
// the same for the same chance; where no lots are drawn, in that of shares.
func TestLotteryShowsEveryActiveLeafOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		y := NewLottery(New(), rapid.Bool().Draw(t, "roles"), rapid.Bool().Draw(t, "clients"))
		y.AddTotal(resources.Quantities{1000})
		active := make(map[*Leaf]bool)
		for i := range rapid.IntRange(0, 12).Draw(t, "leaves") {
			role := rapid.SampledFrom([]string{"a", "a/b", "a/c", "b", "b/c/d", "c"}).Draw(t, "role")
			l := y.Add(role, string(rune('a'+i)))
			y.RootOf(l)
			y.Allocate(l, resources.Quantities{resources.Milli(rapid.IntRange(0, 50).Draw(t, "held"))})
			if rapid.Bool().Draw(t, "active") {
				y.SetActive(l, true)
				active[l] = true
			}
		}
		chance := rapid.Uint64().Draw(t, "chance")
		y.Draw(chance)
		list := walk(y)
		if len(list) != len(active) {
			t.Fatalf("%d leaves are shown, %d are active", len(list), len(active))
		}
		for i, l := range list {
			if !active[l] {
				t.Fatalf("%s is shown twice, or not active", l.Client())
			}
			delete(active, l)
			if i > 0 && y.Compare(list[i-1], l) >= 0 {
				t.Fatalf("%s comes before %s, not so by Compare", list[i-1].Client(), l.Client())
			}
		}
		y.Draw(chance + 1)
		walk(y)
		y.Draw(chance)
		if !slices.Equal(walk(y), list) {
			t.Fatal("the same chance drew another order")
		}
		if !y.roles && !y.clients && !slices.Equal(list, slices.Collect(y.Ascend())) {
			t.Fatal("without lots the order is not that of the tree")
		}
	})
}

func TestLotteryIsHeededBySubsets(t *testing.T) {
	y := lottery(t, map[string]float64{"a": 1, "b": 1, "c": 1000}, map[string][]string{"a": {"x"}, "b": {"y"}, "c": {"z"}})
	for l := range y.Ascend() {
		y.Put(1, y.RootOf(l), l.Role() != "c")
	}
	seen := make(map[string]int)
	for i := range uint64(1000) {
		y.Draw(i)
		y.EachRoot(1, func(r *Root) bool { seen[r.node.name]++; return false })
	}
	if seen["a"] < 400 || seen["b"] < 400 || seen["c"] != 0 {
		t.Errorf("of 1000 draws came first: %v", seen)
	}
}

func BenchmarkLottery(b *testing.B) {
	y := NewLottery(New(), true, true)
	for i := range 1000 {
		y.RootOf(addActive(y.Tree, "r"+string(rune('0'+i%50)), string(rune('a'+i))))
	}
	var chance uint64
	for b.Loop() {
		chance++
		y.Draw(chance)
		y.EachRoot(Everything, func(r *Root) bool {
			y.EachClient(r, func(*Leaf) bool { return false })
			return false
		})
	}
}
