package core

import (
	"troupe/allocator/drf"
	"troupe/messages/resources"
)

// order says who comes first. drf.Tree is the one that is fair, or goes by
// weights alone; another embeds one for what it counts, and yields roots and
// clients in an order of its own, as drf.Lottery does.
type order interface {
	// Add, Remove and SetActive say which clients there are; RootOf, in which
	// role at the top of the tree.
	Add(role, client string) *drf.Leaf
	Remove(*drf.Leaf)
	SetActive(l *drf.Leaf, active bool)
	RootOf(*drf.Leaf) *drf.Root

	// What shares are computed from.
	SetWeight(role string, weight float64) error
	AddTotal(resources.Quantities)
	SubtractTotal(resources.Quantities)
	Allocate(*drf.Leaf, resources.Quantities)
	Release(*drf.Leaf, resources.Quantities)

	// Roots of a subset that have active clients, in order; and the active
	// clients of a root, in order. Nothing may change before they return.
	Put(s drf.Subset, r *drf.Root, in bool)
	EachRoot(s drf.Subset, yield func(*drf.Root) bool)
	EachClient(r *drf.Root, yield func(*drf.Leaf) bool)
	// Share is what clients of one role are compared by; Compare says which of
	// two active clients comes first.
	Share(*drf.Leaf) float64
	Compare(a, b *drf.Leaf) int
	CountRoots() int
	CountOf(drf.Subset) int

	// What is told of it.
	RoleShare(role string) float64
	RoleAllocated(role string) resources.Quantities
	Total() resources.Quantities
	Allocated(*drf.Leaf) resources.Quantities
	Count(*drf.Leaf) uint64
	Check(total resources.Quantities) error
}

// The subsets of roles at the top that passes go through instead of all.
const (
	hungry drf.Subset = iota // their guarantee is not met
	open                     // their limits leave something worth offering
	eager                    // there may be more for them than when agents were kept from them
)

// arrange begins an order without clients, of the options' kind. What is
// excluded counts for no share.
func (a *Allocator) arrange(excluded ...int) {
	tree := drf.New(excluded...)
	if a.options.Roles == ByPriority {
		tree = drf.NewPriority(excluded...)
	}
	a.order, a.lottery = tree, nil
	if roles, clients := a.options.Roles == ByLot, a.options.Frameworks == ByLot; roles || clients {
		a.lottery = drf.NewLottery(tree, roles, clients)
		a.order = a.lottery
	}
}

// draw lets chance decide anew who comes first, where it has a say.
func (a *Allocator) draw() {
	if a.lottery != nil {
		a.lottery.Draw(a.random())
	}
}
