package core

import (
	"troupe/messages/names"
	"troupe/messages/resources"
)

// sight is what decides which kinds of resources a client may have.
type sight struct {
	role string
	able abilities
}

// view is a sight that clients share. It lasts as long as one of them has it.
type view struct {
	sight
	serial  uint64
	clients int
}

// see gives the leaf the view of its role and its framework's abilities.
func (a *Allocator) see(l *leaf) {
	s := sight{l.role, l.framework.abilities}
	if l.view != nil && l.view.sight == s {
		return
	}
	a.unsee(l)
	v, ok := a.views[s]
	if !ok {
		v = &view{sight: s, serial: a.bundles.serial()}
		a.views[s] = v
	}
	v.clients++
	l.view = v
}

// unsee takes the leaf's view away.
func (a *Allocator) unsee(l *leaf) {
	if l.view == nil {
		return
	}
	if l.view.clients--; l.view.clients == 0 {
		delete(a.views, l.view.sight)
	}
	l.view = nil
}

// admits tells whether a client with the sight may have a resource: reserved
// for its role or one above, and of a kind it is capable of.
func (s *sight) admits(e resources.Entry) bool {
	return (e.Role() == names.AnyRole || names.Within(s.role, e.Role())) &&
		(s.able.revocable || !e.Revocable()) && (s.able.shared || !e.Shared()) &&
		(s.able.refined || len(e.Reservations()) < 2)
}

// fewViews is up to how many views are looked through at once.
const fewViews = 16

// unseen tells whether nobody may have any of b, if that is soon found out: of
// what is lent, or reserved for roles that nobody is in, very many clients need
// not be asked one by one.
func (a *Allocator) unseen(b *bundle) bool {
	if b.plain || len(a.views) > fewViews || a.options.LendReservations && len(b.claims) > 0 {
		return false
	}
	for _, v := range a.views {
		if !a.bundles.seen(b, v).isEmpty() {
			return false
		}
	}
	return true
}
