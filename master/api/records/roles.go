package records

import (
	"maps"
	"runtime"
	"slices"
	"strings"

	"troupe/master/state/view"
	"troupe/messages/mesos/quota"
	"troupe/messages/names"
	"troupe/messages/resources"
)

// Role is what is shown of one role.
type Role struct {
	Name   string
	Weight float64
	// What it has, with the roles below it.
	Account *view.Account
	// Nil unless it has a quota.
	Quota *quota.QuotaConfig
	// Ids of the frameworks that subscribed with it.
	Frameworks []string
}

// RolesOf lists the roles that frameworks, reservations, weights or quotas name,
// and their ancestors, by name.
func RolesOf(snapshot *view.Snapshot) []*Role {
	byName := make(map[string]*Role)
	get := func(name string) *Role {
		if byName[name] == nil {
			byName[name] = &Role{Name: name}
		}
		return byName[name]
	}
	for _, f := range snapshot.Frameworks {
		for _, name := range f.Roles {
			get(name).Frameworks = append(get(name).Frameworks, string(f.ID))
		}
	}
	ledger := snapshot.Ledger(runtime.Gosched)
	for name := range ledger.Roles() {
		get(name)
	}
	for name := range snapshot.Weights {
		get(name)
	}
	for name, q := range snapshot.Quotas {
		get(name).Quota = q.GetConfig()
	}
	for _, name := range slices.Collect(maps.Keys(byName)) {
		for i := strings.LastIndexByte(name, '/'); i > 0; i = strings.LastIndexByte(name, '/') {
			name = name[:i]
			get(name)
		}
	}
	all := slices.Collect(maps.Values(byName))
	for _, r := range all {
		r.Weight, r.Account = snapshot.Weight(r.Name), ledger.Of(r.Name)
	}
	slices.SortFunc(all, func(a, b *Role) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// Held is what is allocated to a role, and offered to it.
func (r *Role) Held() view.Quantities {
	sum := maps.Clone(r.Account.Allocated)
	sum.Add(r.Account.Offered)
	return sum
}

// ReservedRoles lists the roles that r has reservations for, in order.
func ReservedRoles(r resources.Resources) []string {
	var roles []string
	seen := make(map[string]bool)
	for e := range r.All() {
		if role := e.Role(); role != names.AnyRole && !seen[role] {
			seen[role] = true
			roles = append(roles, role)
		}
	}
	return roles
}
