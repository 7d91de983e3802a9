package drf

import (
	"cmp"
	"iter"
	"slices"
	"strings"

	"troupe/messages/resources"
)

// key is what siblings are in order by.
type key struct {
	rank  float64 // lower comes before any share; 0 unless the order is Priority
	share float64 // the last computed
	count uint64  // allocations made to the subtree
	name  string
}

// node is a role, the group of a role's own clients, or a client.
type node struct {
	key
	number    uint64 // differs from that of every other node of the tree
	parent    *node  // nil for the root
	depth     int    // 0 for the root
	leaf      *Leaf  // of a client; nil for roles and groups
	weight    float64
	allocated resources.Quantities // held by the subtree
	active    int                  // active clients in the subtree
	kids      int                  // children, active or not
	children  siblings             // those with active clients, in order
	root      *Root                // of a role at the top; nil for others
}

// siblings are nodes in order.
type siblings []*node

// compare is the order of siblings: lower rank, then lower share, then fewer
// allocations, then the name, so that no two orders are equally right.
func (k *key) compare(o *key) int {
	switch {
	case k.rank != o.rank:
		return cmp.Compare(k.rank, o.rank)
	case k.share != o.share:
		return cmp.Compare(k.share, o.share)
	case k.count != o.count:
		return cmp.Compare(k.count, o.count)
	}
	return strings.Compare(k.name, o.name)
}

func compare(a, b *node) int { return a.key.compare(&b.key) }

// place returns the index at which a node with the key belongs.
func (s siblings) place(k *key) int {
	low, high := 0, len(s)
	for low < high {
		middle := int(uint(low+high) / 2)
		if s[middle].key.compare(k) < 0 {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low
}

// find returns the index of a node that had the key when the list was put in
// order. Who was just served is mostly the first. The order may be out of date,
// then find looks at each.
func (s siblings) find(n *node, had *key) int {
	if len(s) > 0 && s[0] == n {
		return 0
	}
	low, high := 0, len(s)
	for low < high {
		middle := int(uint(low+high) / 2)
		switch other := s[middle]; {
		case other == n:
			return middle
		case other.key.compare(had) < 0:
			low = middle + 1
		default:
			high = middle
		}
	}
	return slices.Index(s, n)
}

func (s *siblings) insert(n *node) { *s = slices.Insert(*s, s.place(&n.key), n) }

func (s *siblings) take(n *node) {
	at := s.find(n, &n.key)
	*s = slices.Delete(*s, at, at+1)
}

// move brings a node to its place that had another key when the list was put in
// order.
func (s siblings) move(n *node, had *key) {
	at := s.find(n, had)
	if last := len(s) - 1; at < last && compare(s[at+1], n) < 0 {
		to := last
		if compare(s[last], n) > 0 { // who was just served is mostly the last
			to = at + s[at+1:last].place(&n.key)
		}
		copy(s[at:], s[at+1:to+1])
		s[to] = n
		return
	}
	to := s[:at].place(&n.key)
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
