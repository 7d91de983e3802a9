package api

import (
	"maps"
	"slices"

	"troupe/master/api/records"
	"troupe/master/state/view"
	"troupe/messages/json"
	"troupe/messages/mesos"
)

func (s *server) writeRoles(w *json.Writer, snapshot *view.Snapshot, _ query) {
	w.BeginObject()
	writeList(w, "roles", records.RolesOf(snapshot), func(w *json.Writer, r *records.Role) {
		w.BeginObject()
		w.Field("name", r.Name)
		w.Field("weight", r.Weight)
		w.Key("quota")
		w.BeginObject()
		w.Field("role", r.Name)
		writeAmounts(w, "guarantee", r.Quota.GetGuarantees())
		writeAmounts(w, "limit", r.Quota.GetLimits())
		writeQuantities(w, "consumed", r.Account.Consumed())
		w.EndObject()
		writeQuantities(w, "resources", r.Held())
		writeQuantities(w, "allocated", r.Account.Allocated)
		writeQuantities(w, "offered", r.Account.Offered)
		writeQuantities(w, "reserved", r.Account.Reserved)
		w.Field("frameworks", r.Frameworks)
		w.EndObject()
	})
	w.EndObject()
}

// writeQuantities writes what is not 0, by name.
func writeQuantities(w *json.Writer, key string, q view.Quantities) {
	w.Key(key)
	w.BeginObject()
	for _, name := range slices.Sorted(maps.Keys(q)) {
		if q[name] != 0 {
			w.Field(name, q[name].Float())
		}
	}
	w.EndObject()
}

// writeAmounts writes guarantees or limits, of which 0 is one too.
func writeAmounts(w *json.Writer, key string, amounts map[string]*mesos.Value_Scalar) {
	w.Key(key)
	w.BeginObject()
	for _, name := range slices.Sorted(maps.Keys(amounts)) {
		w.Field(name, amounts[name].GetValue())
	}
	w.EndObject()
}
