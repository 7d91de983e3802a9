package drf

import (
	"cmp"
	"math"
)

// Lottery is a tree whose order is drawn by lot, at each level of the roles, of
// the clients, or both: who weighs twice as much comes first twice as often.
// Where no lots are drawn, the order is the tree's.
type Lottery struct {
	*Tree
	roles, clients bool
	chance         uint64
	drawn          []lot // of the levels that are gone through
}

// NewLottery draws lots among the nodes of a tree: among sibling roles, where a
// role's own clients count as one more of weight 1, and among clients of one
// role, which weigh the same. The tree is the lottery's from now on.
func NewLottery(t *Tree, roles, clients bool) *Lottery {
	return &Lottery{Tree: t, roles: roles, clients: clients}
}

// lot is a node with its lot; lower comes first.
type lot struct {
	node *node
	key  float64
}

// Draw draws anew. All that is asked of the lottery until the next draw agrees
// on who comes first; the same chance draws the same lots for the same nodes.
func (y *Lottery) Draw(chance uint64) { y.chance = chance }

// lotOf draws a node's lot. Exponentially distributed ones of rate weight, in
// ascending order, are a drawing without replacement in proportion to weights
// (Efraimidis and Spirakis, 2006).
func (y *Lottery) lotOf(n *node) lot {
	if n.leaf != nil && !y.clients || n.leaf == nil && !y.roles {
		return lot{node: n} // then compare decides
	}
	u := float64(mix(y.chance+mix(n.number))>>11+1) / (1 << 53) // above 0, at most 1
	return lot{n, -math.Log(u) / n.weight}
}

// mix spreads a number over all 64 bits (the end of splitmix64).
func mix(z uint64) uint64 {
	z += 0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

func (a lot) compare(b lot) int { return cmp.Or(cmp.Compare(a.key, b.key), compare(a.node, b.node)) }

// EachRoot is Tree's, in the order of the lots.
func (y *Lottery) EachRoot(s Subset, yield func(*Root) bool) {
	y.refresh()
	list := y.nodes[""].children
	if s != Everything {
		list = y.subsets[s]
	}
	y.each(list, func(n *node) bool { return n.root == nil || yield(n.root) })
}

// EachClient is Tree's, in the order of the lots.
func (y *Lottery) EachClient(r *Root, yield func(*Leaf) bool) {
	y.refresh()
	y.ascend(r.node, yield)
}

func (y *Lottery) ascend(n *node, yield func(*Leaf) bool) bool {
	if n.leaf != nil {
		return yield(n.leaf)
	}
	return y.each(n.children, func(child *node) bool { return y.ascend(child, yield) })
}

// each yields siblings in the order of their lots, until yield is false. It
// sorts no further than it is listened to: who comes first mostly takes all.
func (y *Lottery) each(list siblings, yield func(*node) bool) bool {
	base := len(y.drawn)
	for _, n := range list {
		y.drawn = append(y.drawn, y.lotOf(n))
	}
	defer func() {
		clear(y.drawn[base : base+len(list)])
		y.drawn = y.drawn[:base]
	}()
	for i := len(list)/2 - 1; i >= 0; i-- {
		sink(y.drawn[base:base+len(list)], i)
	}
	for left := len(list); left > 0; left-- {
		heap := y.drawn[base : base+left] // yield may move what is drawn
		first := heap[0]
		heap[0], heap[left-1] = heap[left-1], first
		sink(heap[:left-1], 0)
		if !yield(first.node) {
			return false
		}
	}
	return true
}

// sink moves the lot at an index of a heap down to its place.
func sink(heap []lot, at int) {
	for {
		least := at
		for _, child := range [2]int{2*at + 1, 2*at + 2} {
			if child < len(heap) && heap[child].compare(heap[least]) < 0 {
				least = child
			}
		}
		if least == at {
			return
		}
		heap[at], heap[least] = heap[least], heap[at]
		at = least
	}
}

// Compare is Tree's, in the order of the lots.
func (y *Lottery) Compare(a, b *Leaf) int {
	y.refresh()
	n, m := fork(a.node, b.node)
	return y.lotOf(n).compare(y.lotOf(m))
}
