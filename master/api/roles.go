package api

import (
	"troupe/master/api/records"
	"troupe/master/state/view"
	"troupe/messages/json"
	"troupe/messages/resources"
)

func (s *server) writeRoles(w *json.Writer, snapshot *view.Snapshot, _ query) {
	w.BeginObject()
	writeList(w, "roles", records.RolesOf(snapshot), func(w *json.Writer, r *records.Role) {
		w.BeginObject()
		w.Field("name", r.Name)
		w.Field("weight", 1.0)
		w.Key("quota")
		w.BeginObject()
		w.Field("role", r.Name)
		for _, key := range []string{"guarantee", "limit"} {
			w.Key(key)
			w.BeginObject()
			w.EndObject()
		}
		w.Key("consumed")
		writeSparse(w, r.Usage.Used)
		w.EndObject()
		w.Key("resources")
		writeSparse(w, r.Usage.Used.Add(r.Usage.Offered))
		w.Key("allocated")
		writeSparse(w, r.Usage.Used)
		w.Key("offered")
		writeSparse(w, r.Usage.Offered)
		w.Key("reserved")
		writeSparse(w, reservedIn(snapshot, r.Name))
		w.Field("frameworks", r.Frameworks)
		w.EndObject()
	})
	w.EndObject()
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
