// Package drf orders the clients of a cluster by weighted dominant resource
// fairness (Ghodsi et al., NSDI 2011): a client's share of its most wanted
// resource decides who comes next.
//
// Clients are leaves of a tree of roles; a role's share is that of its whole
// subtree, divided by the role's weight. The order is kept as allocations
// change: an allocation moves one path of the tree, and only a change of the
// cluster's total orders everything anew, once, at the next look.
//
// Two other orders of the same tree: NewPriority lets weights come before
// shares, and Lottery draws lots by weight.
//
// The package is a core: no clock, goroutine, lock, chance or I/O. The
// allocator's core imports it.
package drf
