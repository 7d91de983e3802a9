package core

import (
	"math"

	"troupe/allocator/drf"
	"troupe/messages/resources"
)

// top is a role at the top of the tree, with all below it: what quota is about.
type top struct {
	role string
	bounds
	root   *drf.Root // nil while it has no clients
	leaves int       // clients in it, active or not
	own    int       // those with minimums of their own
	// Reserved for it, given or not, and given to it of what is open.
	consumed resources.Quantities
	hungry   bool    // a guarantee is not met
	capped   bool    // limits leave nothing worth offering, unless it is reserved
	touched  bool    // in Allocator.touched
	credits  int     // withheld agents that it is still to be shown, while it is eager
	changed  bool    // the quota, since it was last eager
	lacking  lacking // of the guarantee, for preemption
}

// topOf returns the role at the top that role is in.
func (a *Allocator) topOf(role string) *top {
	name := topName(role)
	t, ok := a.tops[name]
	if !ok {
		t = &top{role: name}
		a.tops[name] = t
	}
	return t
}

// forgetTop forgets a role that there is nothing to know of.
func (a *Allocator) forgetTop(t *top) {
	if t.leaves == 0 && t.isNone() && t.consumed.IsZero() {
		delete(a.tops, t.role)
	}
}

// enter and leave count the clients of a role.
func (a *Allocator) enter(l *leaf) {
	t := a.topOf(l.role)
	l.top = t
	t.leaves++
	if t.root == nil {
		t.root = a.order.RootOf(l.node)
		t.root.Owner = t
	}
	a.touch(t)
}

func (a *Allocator) leave(l *leaf) {
	t := l.top
	t.leaves--
	if l.own {
		t.own--
	}
	if t.leaves == 0 {
		t.root = nil
	}
	a.touch(t)
	a.forgetTop(t)
}

// lack returns how much of number n the role's guarantee is short of.
func (t *top) lack(n int) resources.Milli {
	return max(0, t.guarantees.Of(n)-t.consumed.Of(n))
}

// room returns how much of number n the role's limit leaves.
func (t *top) room(n int) resources.Milli {
	if limit, ok := t.limits.of(n); ok {
		return max(0, limit-t.consumed.Of(n))
	}
	return math.MaxInt64
}

// consume counts q as the role's, in what guarantees still require too.
func (a *Allocator) consume(t *top, q resources.Quantities) {
	for n, amount := range q {
		if amount != 0 {
			a.count(t, n, amount)
		}
	}
	a.touch(t)
}

// yield takes back what consume counted. What was kept from the role may be
// for it now.
func (a *Allocator) yield(t *top, q resources.Quantities) {
	for n, amount := range q {
		if amount != 0 {
			a.count(t, n, -amount)
		}
	}
	a.touch(t)
	if len(t.limits) > 0 || t.isHungry() {
		t.credits = a.withheld.n
	}
}

func (a *Allocator) count(t *top, n int, amount resources.Milli) {
	before := t.lack(n)
	t.consumed.Set(n, t.consumed.Of(n)+amount)
	if after := t.lack(n); after != before {
		a.required.Set(n, a.required.Of(n)+after-before)
	}
}

// setBounds replaces a role's quota.
func (a *Allocator) setBounds(role string, b bounds) {
	t := a.topOf(role)
	for n := range t.guarantees {
		a.required.Set(n, a.required.Of(n)-t.lack(n))
	}
	if a.overlaps() && !t.guarantees.IsZero() && b.guarantees.IsZero() {
		a.markAll() // to it, too, may be offered what is on offer to others
	}
	t.bounds = b
	t.credits, t.changed = a.withheld.n, true
	for n := range t.guarantees {
		a.required.Set(n, a.required.Of(n)+t.lack(n))
	}
	a.touch(t)
	a.forgetTop(t)
}

// touch makes settleTops look at a role, which must wait until no order is
// gone through.
func (a *Allocator) touch(t *top) {
	if !t.touched {
		t.touched = true
		a.touched = append(a.touched, t)
	}
}

// settleTops puts the roles whose counts changed into the right subsets.
func (a *Allocator) settleTops() {
	for _, t := range a.touched {
		t.touched = false
		t.hungry, t.capped = t.isHungry(), a.isCapped(t)
		if t.root == nil {
			t.credits = 0
			continue
		}
		if !t.hungry && (t.capped || len(t.limits) == 0 && !t.changed) {
			t.credits = 0
		}
		t.changed = t.changed && t.credits > 0
		a.order.Put(hungry, t.root, t.hungry)
		a.order.Put(open, t.root, !t.capped)
		a.order.Put(eager, t.root, t.credits > 0)
	}
	a.touched = a.touched[:0]
}

func (t *top) isHungry() bool {
	for n := range t.guarantees {
		if t.lack(n) > 0 {
			return true
		}
	}
	return false
}

// isCapped tells whether the limits leave less than each minimum. Clients with
// minimums of their own may want less.
func (a *Allocator) isCapped(t *top) bool {
	if len(t.limits) == 0 || t.own > 0 || len(a.minimums) == 0 {
		return false
	}
	for _, m := range a.minimums {
		if t.fits(m) {
			return false
		}
	}
	return true
}

// fits tells whether the limits leave as much as q.
func (t *top) fits(q resources.Quantities) bool {
	for n, amount := range q {
		if amount > t.room(n) {
			return false
		}
	}
	return true
}

// surplus returns how much of number n may go to roles whose guarantee is met:
// what is free and open on active agents, less what guarantees require.
func (a *Allocator) surplus(n int) resources.Milli {
	return max(0, a.headroom.Of(n)-a.required.Of(n))
}

// allowance returns how much more of number n a role may be given.
func (a *Allocator) allowance(t *top, n int) resources.Milli {
	may := t.room(n)
	if a.required.Of(n) > 0 {
		may = min(may, a.surplus(n)+t.lack(n))
	}
	return may
}
