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
	number    uint64 // differs from that of every other node of the tree
	parent    *node  // nil for the root
	depth     int    // 0 for the root
	leaf      *Leaf  // of a client; nil for roles and groups
	weight    float64
	allocated resources.Quantities // held by the subtree
	rank      float64              // lower comes before any share; 0 unless the order is Priority
	share     float64              // the last computed; what children is ordered by
	count     uint64               // allocations made to the subtree
	active    int                  // active clients in the subtree
	kids      int                  // children, active or not
	children  siblings             // those with active clients, in order
	root      *Root                // of a role at the top; nil for others
}

// siblings are nodes in order.
type siblings []*node

// compare is the order of siblings: lower rank, then lower share, then fewer
// allocations, then the name, so that no two orders are equally right.
func compare(a, b *node) int {
	return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(a.share, b.share), cmp.Compare(a.count, b.count), cmp.Compare(a.name, b.name))
}

// find returns the index of a node. The order may be out of date, then it
// looks at each.
func (s siblings) find(n *node) int {
	at, _ := slices.BinarySearchFunc(s, n, compare)
	if at < len(s) && s[at] == n {
		return at
	}
	return slices.Index(s, n)
}

func (s *siblings) insert(n *node) {
	at, _ := slices.BinarySearchFunc(*s, n, compare)
	*s = slices.Insert(*s, at, n)
}

func (s *siblings) take(n *node) {
	at := s.find(n)
	*s = slices.Delete(*s, at, at+1)
}

// move brings the node at an index, whose key changed, to its place.
func (s siblings) move(at int) {
	n := s[at]
	if at+1 < len(s) && compare(s[at+1], n) < 0 {
		to, _ := slices.BinarySearchFunc(s[at+1:], n, compare)
		copy(s[at:], s[at+1:at+1+to])
		s[at+to] = n
		return
	}
	to, _ := slices.BinarySearchFunc(s[:at], n, compare)
	copy(s[to+1:at+1], s[to:at])
	s[to] = n
}

func (s siblings) sort() { slices.SortFunc(s, compare) }

// Ascend yields the active leaves: at each level of the tree the subtree with
// the lowest weighted share first. The tree must not change before the loop
// ends.
func (t *Tree) Ascend() iter.Seq[*Leaf] {
	return func(yield func(*Leaf) bool) {
		t.refresh()
		t.nodes[""].ascend(yield)
	}
}

// refresh orders everything anew when that is due.
func (t *Tree) refresh() {
	if !t.stale {
		return
	}
	t.order(t.nodes[""])
	for i := range t.subsets {
		t.subsets[i].sort()
	}
	t.stale = false
}

func (t *Tree) order(n *node) {
	for _, child := range n.children {
		child.share = t.share(child)
		t.order(child)
	}
	n.children.sort()
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
