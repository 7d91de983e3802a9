package drf

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Tree holds the cluster's total and what each client has of it. The zero
// value is not ready; use New.
type Tree struct {
	names    []string // of the dimensions that vectors are indexed by
	total    []int64  // thousandths, by dimension
	delta    []int64  // scratch of account
	excluded map[string]bool
	nodes    map[string]*node // roles and groups by path; "" is the root
	weights  map[string]float64
	stale    bool // a total or a weight changed since the shares were computed
}

// New returns an empty tree. Resources named in excluded count for no share.
func New(excluded ...string) *Tree {
	t := &Tree{
		excluded: make(map[string]bool),
		nodes:    map[string]*node{"": {weight: 1}},
		weights:  make(map[string]float64),
	}
	for _, name := range excluded {
		t.excluded[name] = true
	}
	return t
}

// Leaf is one client in one role. It belongs to the tree that made it.
type Leaf struct {
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
	l := &Leaf{node: &node{name: client, parent: parent, weight: 1}, role: role}
	l.node.leaf = l
	return l
}

// Remove takes the leaf and what it still holds out of the tree, and roles
// that are then empty with it. The leaf must not be used again.
func (t *Tree) Remove(l *Leaf) {
	t.SetActive(l, false)
	delta := make([]int64, len(l.node.allocated))
	for d, held := range l.node.allocated {
		delta[d] = -held
	}
	t.shift(l.node, delta, -l.node.count)
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
	n := &node{name: strings.TrimPrefix(path[len(up):], "/"), parent: parent, weight: 1}
	if w, ok := t.weights[path]; ok {
		n.weight = w
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
			n.parent.take(n)
		case !shown:
			n.share = t.share(n)
			n.parent.insert(n)
		}
	}
}

// SetWeight gives the role at path a weight, also before the role exists. The
// error names a weight that is not a finite number above zero.
func (t *Tree) SetWeight(path string, weight float64) error {
	if !(weight > 0) || math.IsInf(weight, 1) {
		return fmt.Errorf("set weight of role %q: weight is %v, must be finite and above 0", path, weight)
	}
	t.weights[path] = weight
	if n, ok := t.nodes[path]; ok && path != "" {
		n.weight = weight
		t.stale = true
	}
	return nil
}

// AddTotal lets the cluster grow by q.
func (t *Tree) AddTotal(q Quantities) { t.grow(q, 1) }

// SubtractTotal lets the cluster shrink by q.
func (t *Tree) SubtractTotal(q Quantities) { t.grow(q, -1) }

func (t *Tree) grow(q Quantities, sign int64) {
	for _, a := range q {
		if d := t.dimension(a.Name); d >= 0 && a.Milli != 0 {
			t.total[d] += sign * a.Milli
			t.stale = true
		}
	}
}

// dimension returns the index that stands for a resource, -1 for one that
// counts for no share.
func (t *Tree) dimension(name string) int {
	if d := slices.Index(t.names, name); d >= 0 {
		return d
	}
	if t.excluded[name] {
		return -1
	}
	t.names = append(t.names, name)
	t.total = append(t.total, 0)
	t.delta = append(t.delta, 0)
	return len(t.names) - 1
}

// Allocate counts q for the leaf, as one allocation: of equal shares, the one
// with fewer allocations comes first.
func (t *Tree) Allocate(l *Leaf, q Quantities) { t.account(l, q, 1, 1) }

// Release takes q back from the leaf.
func (t *Tree) Release(l *Leaf, q Quantities) { t.account(l, q, -1, 0) }

func (t *Tree) account(l *Leaf, q Quantities, sign int64, count uint64) {
	clear(t.delta)
	for _, a := range q {
		if d := t.dimension(a.Name); d >= 0 {
			t.delta[d] += sign * a.Milli
		}
	}
	t.shift(l.node, t.delta, count)
}

// shift adds delta and count along the path from n to the root and moves each
// node of it to its new place.
func (t *Tree) shift(n *node, delta []int64, count uint64) {
	for ; n.parent != nil; n = n.parent {
		at := -1
		if n.active > 0 && !t.stale {
			at = n.parent.find(n)
		}
		n.count += count
		n.hold(delta)
		if at >= 0 {
			n.share = t.share(n)
			n.parent.move(at)
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

func (t *Tree) share(n *node) float64 {
	var dominant float64
	for d, held := range n.allocated {
		if held > 0 && t.total[d] > 0 {
			dominant = max(dominant, float64(held)/float64(t.total[d]))
		}
	}
	return dominant / n.weight
}
