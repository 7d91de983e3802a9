package api

import (
	"runtime"

	"troupe/master/api/records"
	"troupe/master/state/view"
	"troupe/messages/json"
	"troupe/messages/resources"
)

// writeAgent writes the members of an agent.
func writeAgent(w *json.Writer, a *view.Agent, u view.Usage) {
	w.Field("id", string(a.ID))
	w.Field("hostname", a.Info.GetHostname())
	w.Field("port", a.Info.GetPort())
	writeAttributes(w, a.Info.GetAttributes())
	if a.Info.Domain != nil {
		w.Field("domain", a.Info.GetDomain())
	}
	w.Field("pid", records.PIDOf(a.Peer))
	w.Field("registered_time", seconds(a.Registered))
	if !a.Reregistered.IsZero() {
		w.Field("reregistered_time", seconds(a.Reregistered))
	}
	w.Key("resources")
	writeSum(w, a.Total)
	w.Key("used_resources")
	writeSum(w, u.Used)
	w.Key("offered_resources")
	writeSum(w, u.Offered)
	w.Key("reserved_resources")
	w.BeginObject()
	for _, role := range records.ReservedRoles(a.Total) {
		w.Key(role)
		writeSum(w, reservedFor(a.Total, role))
	}
	w.EndObject()
	w.Key("unreserved_resources")
	writeSum(w, reservedFor(a.Total, "*"))
	w.Field("active", a.Active())
	w.Field("deactivated", a.Deactivated)
	writeDrain(w, a)
	w.Field("version", a.Version)
	w.Key("capabilities")
	w.BeginArray()
	for _, c := range a.Capabilities {
		w.String(c.String())
	}
	w.EndArray()
}

// writeDrain writes how far the draining of an agent is, if it is drained.
func writeDrain(w *json.Writer, a *view.Agent) {
	if a.Drain == nil {
		return
	}
	w.Field("drain_info", a.Drain)
	w.Field("estimated_drain_start_time_seconds", float64(a.DrainSince.Unix()))
}

// writeRecovered writes an agent that is only known from the registry.
func writeRecovered(w *json.Writer, a *view.Agent) {
	w.Message(a.Info)
}

func (s *server) writeAgents(w *json.Writer, snapshot *view.Snapshot, q query) {
	w.BeginObject()
	usage := snapshot.UsageByRole(runtime.Gosched)
	var here, recovered []*view.Agent
	for _, a := range snapshot.SortedAgents() {
		switch {
		case q.agent != "" && q.agent != string(a.ID):
		case a.Status == view.Recovered:
			recovered = append(recovered, a)
		default:
			here = append(here, a)
		}
	}
	writeList(w, "slaves", here, func(w *json.Writer, a *view.Agent) {
		w.BeginObject()
		u := view.Total(usage[a.ID])
		writeAgent(w, a, u)
		writeAgentFull(w, a, usage[a.ID])
		w.EndObject()
	})
	writeList(w, "recovered_slaves", recovered, writeRecovered)
	w.EndObject()
}

// writeAgentFull writes what /slaves has beyond /state.
func writeAgentFull(w *json.Writer, a *view.Agent, byRole []view.RoleUsage) {
	w.Key("reserved_resources_full")
	w.BeginObject()
	for _, role := range records.ReservedRoles(a.Total) {
		writeFull(w, role, reservedFor(a.Total, role))
	}
	w.EndObject()
	writeFull(w, "unreserved_resources_full", reservedFor(a.Total, "*"))
	var used, offered resources.Resources
	for _, u := range byRole {
		used = used.Add(u.Used.Allocate(u.Role))
		offered = offered.Add(u.Offered.Allocate(u.Role))
	}
	writeFull(w, "used_resources_full", used)
	writeFull(w, "offered_resources_full", offered)
}
