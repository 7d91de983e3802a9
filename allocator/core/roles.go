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
	at := now.UnixNano()
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
