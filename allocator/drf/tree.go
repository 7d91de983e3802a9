package drf

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"troupe/messages/field"
	"troupe/messages/resources"
)

// Tree holds the cluster's total and what each client has of it. The zero
// value is not ready; use New.
type Tree struct {
	total    resources.Quantities
	scratch  resources.Quantities // of negative
	excluded []int                // numbers of resources that count for no share
	counted  []float64            // the total of those that do, 0 of others
	nodes    map[string]*node     // roles and groups by path; "" is the root
	weights  map[string]float64
	subsets  [Subsets]siblings
	stale    bool // a total or a weight changed since the shares were computed
	ranked   bool // by weight, before shares
	numbers  uint64
}

// New returns an empty tree. All its quantities are by the numbers of one
// resources.Index; those in excluded count for no share.
func New(excluded ...int) *Tree {
	return &Tree{
		excluded: excluded,
		nodes:    map[string]*node{"": {weight: 1}},
		weights:  make(map[string]float64),
	}
}

// NewPriority is New of a tree in which, of sibling roles, the one with the
// greater weight always comes first, and shares decide only among equal ones. A
// role's own clients count as a child of it with weight 1.
func NewPriority(excluded ...int) *Tree {
	t := New(excluded...)
	t.ranked = true
	return t
}

// child returns a new node.
func (t *Tree) child(name string, parent *node) *node {
	t.numbers++
	n := &node{key: key{name: name}, number: t.numbers, parent: parent, depth: parent.depth + 1}
	t.weigh(n, 1)
	return n
}

func (t *Tree) weigh(n *node, weight float64) {
	n.weight = weight
	if t.ranked {
		n.rank = -weight
	}
}

// Leaf is one client in one role. It belongs to the tree that made it.
type Leaf struct {
	// What the leaf stands for, for whoever added it.
	Owner any

	node *node
	role string
}

// Role returns the path of the role that the leaf is in.
func (l *Leaf) Role() string { return l.role }

// Client returns the client's name.
func (l *Leaf) Client() string { return l.node.name }

// Active reports whether Ascend shows the leaf.
func (l *Leaf) Active() bool { return l.node.active > 0 }

// group names the node between a role and its own clients: beside the role's
// children it is one more, of weight 1. It is no valid name of a role.
const group = "."

// Add makes a leaf for client in the role at the given path ("a/b" is b under
// a). The leaf is not active and holds nothing. Adding the same pair twice
// makes two leaves; the caller keeps them apart.
func (t *Tree) Add(role, client string) *Leaf {
	parent := t.place(role + "/" + group)
	parent.kids++
	l := &Leaf{node: t.child(client, parent), role: role}
	l.node.leaf = l
	return l
}

// Remove takes the leaf and what it still holds out of the tree, and roles
// that are then empty with it. The leaf must not be used again.
func (t *Tree) Remove(l *Leaf) {
	t.SetActive(l, false)
	t.shift(l.node, t.negative(l.node.allocated), -l.node.count)
	path := l.role + "/" + group
	for n := l.node.parent; n != nil; n = n.parent {
		n.kids--
		if n.kids > 0 || n.parent == nil {
			return
		}
		delete(t.nodes, path)
		path = parentPath(path)
	}
}

// place returns the node at path and makes those that are missing.
func (t *Tree) place(path string) *node {
	if n, ok := t.nodes[path]; ok {
		return n
	}
	up := parentPath(path)
	parent := t.place(up)
	n := t.child(strings.TrimPrefix(path[len(up):], "/"), parent)
	if w, ok := t.weights[path]; ok {
		t.weigh(n, w)
	}
	parent.kids++
	t.nodes[path] = n
	return n
}

func parentPath(path string) string {
	return path[:max(strings.LastIndexByte(path, '/'), 0)]
}

// SetActive decides whether Ascend shows the leaf. What an inactive leaf holds
// still counts for its role.
func (t *Tree) SetActive(l *Leaf, active bool) {
	if l.Active() == active {
		return
	}
	step := 1
	if !active {
		step = -1
	}
	for n := l.node; n.parent != nil; n = n.parent {
		shown := n.active > 0
		n.active += step
		switch {
		case shown && n.active == 0:
			n.parent.children.take(n)
			t.shown(n, false)
		case !shown:
			n.share = t.share(n)
			n.parent.children.insert(n)
			t.shown(n, true)
		}
	}
}

// CheckWeight returns an error unless weight is a finite number above 0.
func CheckWeight(weight float64) error {
	if !(weight > 0) || math.IsInf(weight, 1) {
		return field.Invalid("", weight, "must be finite and above 0")
	}
	return nil
}

// SetWeight gives the role at path a weight, also before the role exists. It
// fails when CheckWeight does.
func (t *Tree) SetWeight(path string, weight float64) error {
	if err := CheckWeight(weight); err != nil {
		return field.In("weight of role "+path, err)
	}
	t.weights[path] = weight
	if n, ok := t.nodes[path]; ok && path != "" {
		t.weigh(n, weight)
		t.stale = true
	}
	return nil
}

// AddTotal lets the cluster grow by q.
func (t *Tree) AddTotal(q resources.Quantities) {
	t.total.Add(q)
	t.recount()
}

// SubtractTotal lets the cluster shrink by q.
func (t *Tree) SubtractTotal(q resources.Quantities) {
	t.total.Sub(q)
	t.recount()
}

// recount notes that shares are of another total.
func (t *Tree) recount() {
	t.stale = true
	t.counted = t.counted[:0]
	for number, all := range t.total {
		if slices.Contains(t.excluded, number) {
			all = 0
		}
		t.counted = append(t.counted, float64(all))
	}
}

// Allocate counts q for the leaf, as one allocation: of equal shares, the one
// with fewer allocations comes first.
func (t *Tree) Allocate(l *Leaf, q resources.Quantities) { t.shift(l.node, q, 1) }

// Release takes q back from the leaf.
func (t *Tree) Release(l *Leaf, q resources.Quantities) {
	t.shift(l.node, t.negative(q), 0)
}

func (t *Tree) negative(q resources.Quantities) resources.Quantities {
	clear(t.scratch)
	t.scratch.Sub(q)
	return t.scratch
}

// shift adds delta and count along the path from n to the root and moves each
// node of it to its new place.
func (t *Tree) shift(n *node, delta resources.Quantities, count uint64) {
	for ; n.parent != nil; n = n.parent {
		had := n.key
		n.count += count
		n.allocated.Add(delta)
		if n.active == 0 || t.stale {
			continue
		}
		n.share = t.share(n)
		n.parent.children.move(n, &had)
		if n.root != nil {
			t.moved(n, &had)
		}
	}
}

// Share returns the leaf's dominant share of the cluster, between 0 and 1
// unless it holds more than there is.
func (t *Tree) Share(l *Leaf) float64 { return t.share(l.node) }

// RoleShare returns the dominant share of a role's subtree, divided by the
// role's weight; 0 for a role that has no clients.
func (t *Tree) RoleShare(path string) float64 {
	if n, ok := t.nodes[path]; ok {
		return t.share(n)
	}
	return 0
}

// RoleAllocated returns what a role's subtree holds, not to be changed.
func (t *Tree) RoleAllocated(path string) resources.Quantities {
	if n, ok := t.nodes[path]; ok {
		return n.allocated
	}
	return nil
}

// Total returns the cluster's total, not to be changed.
func (t *Tree) Total() resources.Quantities { return t.total }

func (t *Tree) share(n *node) float64 {
	var dominant float64
	for number, held := range n.allocated {
		if held > 0 && number < len(t.counted) && t.counted[number] > 0 {
			dominant = max(dominant, float64(held)/t.counted[number])
		}
	}
	return dominant / n.weight
}

// Allocated returns what the leaf holds, not to be changed.
func (t *Tree) Allocated(l *Leaf) resources.Quantities { return l.node.allocated }

// Check returns an error unless the total is the one given.
func (t *Tree) Check(total resources.Quantities) error {
	if !t.total.Equal(total) {
		return fmt.Errorf("the order of fairness counts a total of %v, there is %v", t.total, total)
	}
	return nil
}

// Compare is negative when a comes before b in Ascend, if both are active, and
// positive when b comes first.
func (t *Tree) Compare(a, b *Leaf) int {
	t.refresh()
	return compare(fork(a.node, b.node))
}

// fork returns the siblings that a and b are, or are below; both are the same
// when a and b are.
func fork(a, b *node) (x, y *node) {
	x, y = a, b
	for x.depth > y.depth {
		x = x.parent
	}
	for y.depth > x.depth {
		y = y.parent
	}
	for x != y && x.parent != y.parent {
		x, y = x.parent, y.parent
	}
	return x, y
}

// Count returns how many allocations were made to the leaf.
func (t *Tree) Count(l *Leaf) uint64 { return l.node.count }
