package records

import (
	"runtime"
	"slices"
	"strings"

	"troupe/master/state/view"
	"troupe/messages/names"
	"troupe/messages/resources"
)

// Role is what is shown of one role.
type Role struct {
	Name  string
	Usage view.Usage
	// Ids of the frameworks that subscribed with it.
	Frameworks []string
}

// RolesOf lists the roles that frameworks or reservations name, and their
// ancestors, by name.
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
		for name, u := range f.UsageByRole(runtime.Gosched) {
			r := get(name)
			r.Usage = view.Usage{Used: r.Usage.Used.Add(u.Used), Offered: r.Usage.Offered.Add(u.Offered)}
		}
	}
	for _, a := range snapshot.Agents {
		for _, name := range ReservedRoles(a.Total) {
			get(name)
		}
	}
	var all []*Role
	for name := range byName {
		for i := strings.LastIndexByte(name, '/'); i > 0; i = strings.LastIndexByte(name, '/') {
			name = name[:i]
			get(name)
		}
	}
	for _, r := range byName {
		all = append(all, r)
	}
	slices.SortFunc(all, func(a, b *Role) int { return strings.Compare(a.Name, b.Name) })
	return all
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
