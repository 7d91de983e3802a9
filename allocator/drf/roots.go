package drf

// Subset names some of the roles at the top of the tree. Which ones are in it
// decides whoever uses the tree, which keeps each subset in order, so that a
// few of very many roles are found without looking at the others.
type Subset int

// Subsets is how many there are, from 0.
const Subsets = 3

// Root is a role at the top of the tree, with all below it. It lasts as long
// as there are leaves in it.
type Root struct {
	// What the role stands for, for whoever asked for the root.
	Owner any

	node *node
	in   [Subsets]bool
}

// RootOf returns the role at the top that the leaf is in, or below.
func (t *Tree) RootOf(l *Leaf) *Root {
	n := l.node
	for n.parent.parent != nil {
		n = n.parent
	}
	if n.root == nil {
		n.root = &Root{node: n}
	}
	return n.root
}

// Put says whether a root is in a subset; at first it is in none.
func (t *Tree) Put(s Subset, r *Root, in bool) {
	if r.in[s] == in {
		return
	}
	r.in[s] = in
	if r.node.active == 0 {
		return
	}
	if in {
		t.subsets[s].insert(r.node)
	} else {
		t.subsets[s].take(r.node)
	}
}

// Everything stands for all roots that RootOf ever returned.
const Everything Subset = -1

// EachRoot yields the roots of a subset that have active clients, in order,
// until yield is false. The tree must not change before it returns.
func (t *Tree) EachRoot(s Subset, yield func(*Root) bool) {
	t.refresh()
	list := t.nodes[""].children
	if s != Everything {
		list = t.subsets[s]
	}
	for _, n := range list {
		if n.root != nil && !yield(n.root) {
			return
		}
	}
}

// CountRoots tells how many roots with active clients there are in all.
func (t *Tree) CountRoots() int { return len(t.nodes[""].children) }

// CountOf tells how many roots of the subset have active clients.
func (t *Tree) CountOf(s Subset) int { return len(t.subsets[s]) }

// EachClient yields the active leaves below a root, in order, until yield is
// false. The tree must not change before it returns.
func (t *Tree) EachClient(r *Root, yield func(*Leaf) bool) {
	t.refresh()
	r.node.ascend(yield)
}

// shown keeps the subsets when a node at the top gets its first active client
// or loses its last.
func (t *Tree) shown(n *node, shown bool) {
	if n.root == nil {
		return
	}
	for s, in := range n.root.in {
		switch {
		case !in:
		case shown:
			t.subsets[s].insert(n)
		default:
			t.subsets[s].take(n)
		}
	}
}

// moved keeps the subsets in order when the key of a node at the top changed.
func (t *Tree) moved(n *node, had *key) {
	for s, in := range n.root.in {
		if in {
			t.subsets[s].move(n, had)
		}
	}
}
