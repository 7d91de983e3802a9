package allocation

import (
	"fmt"

	"troupe/allocator/drf"
	"troupe/messages/resources"
)

// FullSort counts allocations of agents for clients of one role, round robin,
// puts the clients in order, and takes all back.
func FullSort(s Size) []Figure {
	tree := drf.New()
	leaves := make([]*drf.Leaf, s.Frameworks)
	for i := range leaves {
		leaves[i] = tree.Add("*", fmt.Sprint("framework", i))
		tree.SetActive(leaves[i], true)
	}
	return sorted(tree, leaves, s.Agents)
}

// HierarchyFullSort is FullSort with a client in each role of a tree of the
// height, every role of which has so many below it.
func HierarchyFullSort(agents, height, below int) []Figure {
	tree := drf.New()
	var leaves []*drf.Leaf
	var grow func(path string, depth int)
	grow = func(path string, depth int) {
		for i := range below {
			role := fmt.Sprint(path, i)
			leaf := tree.Add(role, "framework")
			tree.SetActive(leaf, true)
			leaves = append(leaves, leaf)
			if depth > 1 {
				grow(role+"/", depth-1)
			}
		}
	}
	grow("", height-1)
	return sorted(tree, leaves, agents)
}

func sorted(tree *drf.Tree, leaves []*drf.Leaf, agents int) []Figure {
	whole := resources.Quantities{24_000, 4096_000, 4096_000}
	part := resources.Quantities{16_000, 2014_000, 1024_000}
	each := func(f func(l *drf.Leaf)) func() {
		return func() {
			for i := range agents {
				f(leaves[i%len(leaves)])
			}
		}
	}
	look := func() {
		for range tree.Ascend() {
			break
		}
	}
	return []Figure{
		{What: "add agents", Took: timed(each(func(*drf.Leaf) { tree.AddTotal(whole) }))},
		{What: "allocate all", Took: timed(each(func(l *drf.Leaf) { tree.Allocate(l, part) }))},
		{What: "full sort", Took: timed(look)},
		{What: "sort again", Took: timed(look)},
		{What: "release all", Took: timed(each(func(l *drf.Leaf) { tree.Release(l, part) }))},
		{What: "remove agents", Took: timed(each(func(*drf.Leaf) { tree.SubtractTotal(whole) }))},
	}
}
