package core

import (
	"maps"
	"slices"
	"time"
)

// RoleFigures is what there is to tell of a role that frameworks are in.
type RoleFigures struct {
	Role string
	// Share is the weighted dominant share, as it is compared with others.
	Share float64
	// Filters counts the refusals that have not lapsed.
	Filters int
}

// Roles returns the figures of all roles that frameworks are in, or still hold
// something in, by name. It looks at every filter.
func (a *Allocator) Roles(now time.Time) []RoleFigures {
	filters := make(map[string]int)
	for _, f := range a.frameworks {
		for role := range f.leaves {
			filters[role] += 0
		}
	}
	at := a.instant(now)
	for _, g := range a.agents {
		for _, each := range g.filters.list {
			if l := a.clients[each.client]; l != nil && each.expires > at {
				filters[l.role]++
			}
		}
	}
	list := make([]RoleFigures, 0, len(filters))
	for _, role := range slices.Sorted(maps.Keys(filters)) {
		list = append(list, RoleFigures{role, a.order.RoleShare(role), filters[role]})
	}
	return list
}

// QuotaFigures is what there is to tell of one resource of a role at the top of
// the tree, in units of the resource.
type QuotaFigures struct {
	Role, Resource string
	// Set is whether a quota speaks of the resource. Of others no more is told
	// than what is consumed.
	Set       bool
	Guarantee float64
	// Limit is negative when there is none.
	Limit float64
	// Consumed is what counts against the quota: what is reserved, given or not,
	// and what else was given. OfferedOrAllocated is all that was given.
	Consumed, OfferedOrAllocated float64
}

// Quotas returns the figures of all quotas, and of what roles without one
// consume, by role and resource.
func (a *Allocator) Quotas() (list []QuotaFigures) {
	for _, role := range slices.Sorted(maps.Keys(a.tops)) {
		t := a.tops[role]
		given := a.order.RoleAllocated(role)
		for n := range max(len(t.guarantees), len(t.limits), len(t.consumed)) {
			limit, limited := t.limits.of(n)
			set := limited || t.guarantees.Of(n) != 0
			if !set && t.consumed.Of(n) == 0 {
				continue
			}
			f := QuotaFigures{
				Role: role, Resource: a.bundles.index.Name(n), Set: set, Guarantee: t.guarantees.Of(n).Float(), Limit: -1,
				Consumed: t.consumed.Of(n).Float(), OfferedOrAllocated: given.Of(n).Float(),
			}
			if limited {
				f.Limit = limit.Float()
			}
			list = append(list, f)
		}
	}
	return list
}

// HeadroomFigures is what there is to tell of what guarantees leave of a scalar
// resource, in its units.
type HeadroomFigures struct {
	Resource string
	// Headroom is what is free on active agents and neither reserved nor
	// revocable, and Required what guarantees lack of it.
	Headroom, Required float64
}

// Headroom returns the figures of all scalar resources that agents have.
func (a *Allocator) Headroom() (list []HeadroomFigures) {
	total := a.order.Total()
	for n := range a.bundles.index.Len() {
		if total.Of(n) > 0 {
			list = append(list, HeadroomFigures{a.bundles.index.Name(n), a.headroom.Of(n).Float(), a.required.Of(n).Float()})
		}
	}
	return list
}
