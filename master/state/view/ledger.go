package view

import (
	"iter"
	"maps"
	"slices"
	"strings"

	"troupe/messages/mesos"
	"troupe/messages/names"
	"troupe/messages/resources"
)

// Quantities is how much there is of each resource, by name and whatever its
// identity: of a scalar its amount, of a set or ranges how many it holds.
type Quantities map[string]resources.Milli

// QuantitiesOf adds up resources; of what is shared one copy.
func QuantitiesOf(r resources.Resources) Quantities {
	q := make(Quantities)
	for e := range r.All() {
		q[e.Name()] += quantity(e)
	}
	return q
}

func quantity(e resources.Entry) resources.Milli {
	switch e.Kind() {
	case mesos.Value_RANGES:
		return resources.Milli(e.Ranges().Count()) * 1000
	case mesos.Value_SET:
		return resources.Milli(len(e.Set())) * 1000
	}
	return e.Amount()
}

// Add adds o.
func (q Quantities) Add(o Quantities) {
	for name, amount := range o {
		q[name] += amount
	}
}

// Contains tells whether q has at least as much as o of everything.
func (q Quantities) Contains(o Quantities) bool {
	for name, amount := range o {
		if q[name] < amount {
			return false
		}
	}
	return true
}

// Exceeds returns the first name, in order, of which q has more than the limit
// for it; what has no limit may be any amount.
func (q Quantities) Exceeds(limits Quantities) (name string, yes bool) {
	for _, name := range slices.Sorted(maps.Keys(limits)) {
		if q[name] > limits[name] {
			return name, true
		}
	}
	return "", false
}

// String prints what is not 0, by name: cpus:1.5; mem:32.
func (q Quantities) String() string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(q)) {
		if q[name] != 0 {
			parts = append(parts, name+":"+q[name].String())
		}
	}
	return strings.Join(parts, "; ")
}

// Account is what a role and the roles below it have.
type Account struct {
	// By tasks and executors.
	Allocated Quantities
	Offered   Quantities
	// Whether allocated or not.
	Reserved Quantities
	// What must not count as consumed, or not twice: the part of Reserved that is
	// allocated, and the part of Allocated that was lent to the role.
	uncounted Quantities
}

func newAccount() *Account {
	return &Account{Allocated: make(Quantities), Offered: make(Quantities), Reserved: make(Quantities), uncounted: make(Quantities)}
}

// Consumed is what counts towards the role's quota: what is allocated to it, and
// what is reserved for it and not allocated. Offers do not count.
func (a *Account) Consumed() Quantities {
	sum := maps.Clone(a.Allocated)
	sum.Add(a.Reserved)
	for name, amount := range a.uncounted {
		sum[name] -= amount
	}
	return sum
}

// Ledger has an account for each role.
type Ledger struct {
	accounts map[string]*Account
	closed   bool
}

// NewLedger returns a ledger of the roles named, or of all that anything is
// booked for when none is named.
func NewLedger(roles ...string) *Ledger {
	l := &Ledger{accounts: make(map[string]*Account), closed: len(roles) > 0}
	for _, role := range roles {
		l.accounts[role] = newAccount()
	}
	return l
}

// Hold books what tasks and executors hold in a role.
func (l *Ledger) Hold(role string, used resources.Resources) {
	l.book(role, used, func(a *Account) Quantities { return a.Allocated })
	for e := range used.All() {
		counted := e.Role()
		if e.Borrowed() {
			counted = role // it stays its owner's
		}
		if e.Role() != names.AnyRole {
			l.each(counted, func(a *Account) { a.uncounted[e.Name()] += quantity(e) })
		}
	}
}

// Offer books what is offered in a role.
func (l *Ledger) Offer(role string, offered resources.Resources) {
	l.book(role, offered, func(a *Account) Quantities { return a.Offered })
}

// Own books what of an agent's total is reserved.
func (l *Ledger) Own(total resources.Resources) {
	for e := range total.All() {
		if reserved := e.Role(); reserved != names.AnyRole {
			l.each(reserved, func(a *Account) { a.Reserved[e.Name()] += quantity(e) })
		}
	}
}

// Roles yields the roles that have accounts, in no order.
func (l *Ledger) Roles() iter.Seq[string] { return maps.Keys(l.accounts) }

// Of returns the account of a role; an empty one when nothing was booked.
func (l *Ledger) Of(role string) *Account {
	if a := l.accounts[role]; a != nil {
		return a
	}
	return newAccount()
}

func (l *Ledger) book(role string, what resources.Resources, in func(*Account) Quantities) {
	if what.IsEmpty() {
		return
	}
	l.each(role, func(a *Account) {
		q := in(a)
		for e := range what.All() {
			q[e.Name()] += quantity(e)
		}
	})
}

// each calls do for the accounts of a role and of the roles above it.
func (l *Ledger) each(role string, do func(*Account)) {
	for role != "" {
		a := l.accounts[role]
		if a == nil && !l.closed {
			a = newAccount()
			l.accounts[role] = a
		}
		if a != nil {
			do(a)
		}
		role = role[:max(strings.LastIndexByte(role, '/'), 0)]
	}
}

// Ledger books all that a snapshot has. It calls rest now and then.
func (s *Snapshot) Ledger(rest func()) *Ledger {
	l := NewLedger()
	for _, f := range s.Frameworks {
		for role, u := range f.UsageByRole(rest) {
			l.Hold(role, u.Used)
			l.Offer(role, u.Offered)
		}
	}
	for _, a := range s.Agents {
		if a.Status != Recovered {
			l.Own(a.Total)
		}
	}
	return l
}
