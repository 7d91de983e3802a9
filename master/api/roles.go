package api

import (
	"slices"
	"strings"

	"troupe/master/state/view"
	"troupe/messages/json"
	"troupe/messages/resources"
)

// role is what is shown of one role.
type role struct {
	name       string
	usage      view.Usage
	frameworks []string
}

func (s *server) writeRoles(w *json.Writer, snapshot *view.Snapshot, _ query) {
	w.BeginObject()
	writeList(w, "roles", rolesOf(snapshot), func(w *json.Writer, r *role) {
		w.BeginObject()
		w.Field("name", r.name)
		w.Field("weight", 1.0)
		w.Key("quota")
		w.BeginObject()
		w.Field("role", r.name)
		for _, key := range []string{"guarantee", "limit"} {
			w.Key(key)
			w.BeginObject()
			w.EndObject()
		}
		w.Key("consumed")
		writeSparse(w, r.usage.Used)
		w.EndObject()
		w.Key("resources")
		writeSparse(w, r.usage.Used.Add(r.usage.Offered))
		w.Key("allocated")
		writeSparse(w, r.usage.Used)
		w.Key("offered")
		writeSparse(w, r.usage.Offered)
		w.Key("reserved")
		writeSparse(w, reservedIn(snapshot, r.name))
		w.Field("frameworks", r.frameworks)
		w.EndObject()
	})
	w.EndObject()
}

// rolesOf lists the roles that frameworks or reservations name, and their
// ancestors, by name.
func rolesOf(snapshot *view.Snapshot) []*role {
	byName := make(map[string]*role)
	get := func(name string) *role {
		if byName[name] == nil {
			byName[name] = &role{name: name}
		}
		return byName[name]
	}
	for _, f := range snapshot.Frameworks {
		for _, name := range f.Roles {
			get(name).frameworks = append(get(name).frameworks, string(f.ID))
		}
		for name, u := range f.UsageByRole() {
			r := get(name)
			r.usage = view.Usage{Used: r.usage.Used.Add(u.Used), Offered: r.usage.Offered.Add(u.Offered)}
		}
	}
	for _, a := range snapshot.Agents {
		for _, name := range reservedRoles(a.Total) {
			get(name)
		}
	}
	var all []*role
	for name := range byName {
		for i := strings.LastIndexByte(name, '/'); i > 0; i = strings.LastIndexByte(name, '/') {
			name = name[:i]
			get(name)
		}
	}
	for _, r := range byName {
		all = append(all, r)
	}
	slices.SortFunc(all, func(a, b *role) int { return strings.Compare(a.name, b.name) })
	return all
}

// reservedIn sums up what is reserved for a role.
func reservedIn(snapshot *view.Snapshot, role string) resources.Resources {
	var sum resources.Resources
	if role == "*" {
		return sum
	}
	for _, a := range snapshot.Agents {
		sum = sum.Add(reservedFor(a.Total, role))
	}
	return sum
}
