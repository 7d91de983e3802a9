package drf

import (
	"cmp"
	"iter"
	"slices"

	"troupe/messages/resources"
)

// node is a role, the group of a role's own clients, or a client.
type node struct {
	name      string
	parent    *node // nil for the root
	leaf      *Leaf // of a client; nil for roles and groups
	weight    float64
	allocated resources.Quantities // held by the subtree
	share     float64              // the last computed; what children is ordered by
	count     uint64               // allocations made to the subtree
	active    int                  // active clients in the subtree
	kids      int                  // children, active or not
	children  []*node              // those with active clients, in order
}

// compare is the order of siblings: lower share, then fewer allocations, then
// the name, so that no two orders are equally right.
func compare(a, b *node) int {
	return cmp.Or(cmp.Compare(a.share, b.share), cmp.Compare(a.count, b.count), cmp.Compare(a.name, b.name))
}

// find returns the index of a child. The order may be out of date, then it
// looks at each.
func (n *node) find(child *node) int {
	at, _ := slices.BinarySearchFunc(n.children, child, compare)
	if at < len(n.children) && n.children[at] == child {
		return at
	}
	return slices.Index(n.children, child)
}

func (n *node) insert(child *node) {
	at, _ := slices.BinarySearchFunc(n.children, child, compare)
	n.children = slices.Insert(n.children, at, child)
}

func (n *node) take(child *node) {
	at := n.find(child)
	n.children = slices.Delete(n.children, at, at+1)
}

// move brings the child at an index, whose key changed, to its place.
func (n *node) move(at int) {
	child := n.children[at]
	if at+1 < len(n.children) && compare(n.children[at+1], child) < 0 {
		to, _ := slices.BinarySearchFunc(n.children[at+1:], child, compare)
		copy(n.children[at:], n.children[at+1:at+1+to])
		n.children[at+to] = child
		return
	}
	to, _ := slices.BinarySearchFunc(n.children[:at], child, compare)
	copy(n.children[to+1:at+1], n.children[to:at])
	n.children[to] = child
}

// Ascend yields the active leaves: at each level of the tree the subtree with
// the lowest weighted share first. The tree must not change before the loop
// ends.
func (t *Tree) Ascend() iter.Seq[*Leaf] {
	return func(yield func(*Leaf) bool) {
		root := t.nodes[""]
		if t.stale {
			t.order(root)
			t.stale = false
		}
		root.ascend(yield)
	}
}

func (t *Tree) order(n *node) {
	for _, child := range n.children {
		child.share = t.share(child)
		t.order(child)
	}
	slices.SortFunc(n.children, compare)
}

func (n *node) ascend(yield func(*Leaf) bool) bool {
	if n.leaf != nil {
		return yield(n.leaf)
	}
	for _, child := range n.children {
		if !child.ascend(yield) {
			return false
		}
	}
	return true
}
