package drf

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"troupe/messages/resources"
)

// ranks are the weights of a leaf's roles from the top; its own clients count as a child of
// weight 1.
func (t *Tree) ranks(l *Leaf) (list []float64) {
	for n := l.node.parent; n.parent != nil; n = n.parent {
		list = append(list, n.weight)
	}
	slices.Reverse(list)
	return list
}

// At the first level where the weights of two leaves' roles differ, the greater
// comes first, whatever they hold; roles of equal weights go by share.
func TestPriorityComesBeforeShares(t *testing.T) {
	roles := []string{"a", "b", "c"}
	rapid.Check(t, func(t *rapid.T) {
		tree := NewPriority()
		tree.AddTotal(resources.Quantities{1000})
		for i := range rapid.IntRange(0, 30).Draw(t, "steps") {
			role := rapid.SampledFrom(roles).Draw(t, "role")
			switch rapid.IntRange(0, 2).Draw(t, "step") {
			case 0:
				if err := tree.SetWeight(role, float64(rapid.IntRange(1, 3).Draw(t, "weight"))); err != nil {
					t.Fatal(err)
				}
			case 1:
				tree.RootOf(addActive(tree, role, string(rune('a'+i))))
			case 2:
				if all := slices.Collect(tree.Ascend()); len(all) > 0 {
					tree.Allocate(rapid.SampledFrom(all).Draw(t, "leaf"), resources.Quantities{resources.Milli(rapid.IntRange(0, 50).Draw(t, "held"))})
				}
			}
		}
		all := slices.Collect(tree.Ascend())
		for i := 1; i < len(all); i++ {
			before, after := all[i-1], all[i]
			x, y := tree.ranks(before)[0], tree.ranks(after)[0]
			if x < y {
				t.Fatalf("role %s of weight %v comes before %s of %v", before.Role(), x, after.Role(), y)
			}
			if x == y && before.Role() != after.Role() && tree.RoleShare(before.Role()) > tree.RoleShare(after.Role()) {
				t.Fatalf("role %s of share %v comes before %s of %v, of equal weights",
					before.Role(), tree.RoleShare(before.Role()), after.Role(), tree.RoleShare(after.Role()))
			}
		}
	})
}

func TestPriorityByLevels(t *testing.T) {
	for name, c := range map[string]struct {
		weights map[string]float64
		want    []string
	}{
		"none":               {nil, []string{"a", "b", "b/c"}},
		"a role":             {map[string]float64{"b": 2}, []string{"b", "b/c", "a"}},
		"a role below":       {map[string]float64{"b/c": 2}, []string{"a", "b/c", "b"}},
		"less than its own":  {map[string]float64{"b": 2, "b/c": 0.5}, []string{"b", "b/c", "a"}},
		"only among sibling": {map[string]float64{"a": 2, "b/c": 9}, []string{"a", "b/c", "b"}},
	} {
		t.Run(name, func(t *testing.T) {
			tree := NewPriority()
			tree.AddTotal(resources.Quantities{1000})
			for _, role := range []string{"a", "b", "b/c"} {
				addActive(tree, role, "f")
			}
			for role, weight := range c.weights {
				if err := tree.SetWeight(role, weight); err != nil {
					t.Fatal(err)
				}
			}
			var got []string
			for l := range tree.Ascend() {
				got = append(got, l.Role())
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("order %v, want %v", got, c.want)
			}
		})
	}
}
