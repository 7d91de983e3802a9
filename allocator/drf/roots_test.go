package drf

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"troupe/messages/resources"
)

func rootsOf(t *Tree, s Subset) (names []string) {
	t.EachRoot(s, func(r *Root) bool {
		names = append(names, r.node.name)
		return true
	})
	return names
}

// Whatever happens to the tree, a subset is what of all roots is in it, in the
// same order; and Compare agrees with Ascend.
func TestSubsetsKeepTheOrderOfAll(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tree := New()
		tree.AddTotal(amounts(1000, 1000))
		var leaves []*Leaf
		in := make(map[string]bool)
		for i := range rapid.IntRange(1, 60).Draw(t, "steps") {
			if len(leaves) == 0 || rapid.IntRange(0, 4).Draw(t, "add") == 0 {
				l := tree.Add(rapid.SampledFrom([]string{"a", "b", "b/x", "c", "d/y"}).Draw(t, "role"), fmt.Sprint("f", i))
				if tree.RootOf(l).in[0] != in[l.role[:1]] {
					tree.Put(0, tree.RootOf(l), in[l.role[:1]])
				}
				leaves = append(leaves, l)
			}
			at := rapid.IntRange(0, len(leaves)-1).Draw(t, "leaf")
			l := leaves[at]
			switch rapid.IntRange(0, 5).Draw(t, "change") {
			case 0:
				tree.SetActive(l, rapid.Bool().Draw(t, "active"))
			case 1:
				in[l.role[:1]] = rapid.Bool().Draw(t, "in")
				tree.Put(0, tree.RootOf(l), in[l.role[:1]])
			case 2:
				tree.AddTotal(resources.Quantities{1, 2})
			case 3:
				tree.Remove(l)
				leaves = slices.Delete(leaves, at, at+1)
			default:
				tree.Allocate(l, amounts(resources.Milli(rapid.IntRange(0, 9).Draw(t, "cpus")), 1))
			}
			compareSubset(t, tree, in)
		}
	})
}

func compareSubset(t *rapid.T, tree *Tree, in map[string]bool) {
	all := rootsOf(tree, Everything)
	want := slices.DeleteFunc(slices.Clone(all), func(name string) bool { return !in[name] })
	if got := rootsOf(tree, 0); !slices.Equal(got, want) {
		t.Fatalf("the subset is %v, of all %v it should be %v", got, all, want)
	}
	if tree.CountRoots() != len(all) || tree.CountOf(0) != len(want) {
		t.Fatalf("%d and %d roots are counted, there are %v and %v", tree.CountRoots(), tree.CountOf(0), all, want)
	}
	order := slices.Collect(tree.Ascend())
	if !slices.IsSortedFunc(order, tree.Compare) {
		t.Fatalf("Compare disagrees with Ascend about %d leaves", len(order))
	}
	var clients []*Leaf
	tree.EachRoot(Everything, func(r *Root) bool {
		tree.EachClient(r, func(l *Leaf) bool {
			clients = append(clients, l)
			return true
		})
		return true
	})
	if !slices.Equal(clients, order) {
		t.Fatalf("the clients of all roots are not those of Ascend")
	}
}
