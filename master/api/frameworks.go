package api

import (
	"cmp"
	"runtime"

	"troupe/master/api/records"
	"troupe/master/state/view"
	"troupe/messages/json"
	"troupe/messages/mesos"
	"troupe/messages/mesos/scheduler"
)

// writeFrameworkHead writes the members that summaries have, too.
func writeFrameworkHead(w *json.Writer, f view.FrameworkState, u view.Usage) {
	w.Field("id", string(f.ID))
	w.Field("name", f.Info.GetName())
	if pid := records.SchedulerPID(f.Peer); pid != "" {
		w.Field("pid", pid)
	}
	w.Key("used_resources")
	writeSum(w, u.Used)
	w.Key("offered_resources")
	writeSum(w, u.Offered)
	w.Key("capabilities")
	w.BeginArray()
	for _, c := range f.Info.GetCapabilities() {
		w.String(c.GetType().String())
	}
	w.EndArray()
	w.Field("hostname", f.Info.GetHostname())
	w.Field("webui_url", f.Info.GetWebuiUrl())
	w.Field("active", f.Active)
	w.Field("connected", f.Connected)
	w.Field("recovered", f.Recovered)
}

// writeFramework writes a framework with all that belongs to it.
func writeFramework(w *json.Writer, f view.FrameworkState) {
	w.BeginObject()
	u := f.Usage(runtime.Gosched)
	writeFrameworkHead(w, f, u)
	w.Field("user", f.Info.GetUser())
	w.Field("failover_timeout", f.Info.GetFailoverTimeout())
	w.Field("checkpoint", f.Info.GetCheckpoint())
	w.Field("registered_time", seconds(f.Registered))
	w.Field("unregistered_time", seconds(f.Unregistered))
	if f.Info.Principal != nil {
		w.Field("principal", f.Info.GetPrincipal())
	}
	w.Key("resources")
	writeSum(w, u.Used.Add(u.Offered))
	if !f.Reregistered.IsZero() {
		w.Field("reregistered_time", seconds(f.Reregistered))
	}
	if multiRole(f.Info) {
		w.Field("roles", f.Roles)
	} else {
		w.Field("role", f.Info.GetRole())
	}
	writeList(w, "tasks", f.Tasks, writeTask)
	writeList(w, "unreachable_tasks", f.UnreachableTasks, writeTask)
	writeList(w, "completed_tasks", f.CompletedTasks, writeTask)
	writeList(w, "offers", records.SortedOffers(f.Offers), writeOffer)
	writeList(w, "executors", records.SortedExecutors(f.Executors), writeExecutor)
	writeLabels(w, f.Info.GetLabels())
	w.Field("offer_constraints", cmp.Or(f.Constraints, new(scheduler.OfferConstraints)))
	w.EndObject()
}

func multiRole(info *mesos.FrameworkInfo) bool {
	for _, c := range info.GetCapabilities() {
		if c.GetType() == mesos.FrameworkInfo_Capability_MULTI_ROLE {
			return true
		}
	}
	return false
}

func writeOffer(w *json.Writer, o *view.Offer) {
	w.BeginObject()
	w.Field("id", string(o.ID))
	w.Field("framework_id", string(o.Framework))
	w.Key("allocation_info")
	w.BeginObject()
	w.Field("role", o.Role)
	w.EndObject()
	w.Field("slave_id", string(o.Agent))
	w.Key("resources")
	writeSum(w, o.Resources)
	w.EndObject()
}

func writeExecutor(w *json.Writer, e *view.Executor) {
	w.BeginObject()
	w.Field("executor_id", string(e.ID))
	w.Field("name", e.Info.GetName())
	w.Field("framework_id", string(e.Framework))
	w.Key("command")
	w.BeginObject()
	c := e.Info.GetCommand()
	w.Field("shell", c.GetShell())
	if c.GetValue() != "" {
		w.Field("value", c.GetValue())
	}
	w.Field("argv", c.GetArguments())
	if c.GetEnvironment() != nil {
		w.Field("environment", c.GetEnvironment())
	}
	writeList(w, "uris", c.GetUris(), func(w *json.Writer, u *mesos.CommandInfo_URI) { w.Message(u) })
	w.EndObject()
	w.Key("resources")
	writeSum(w, e.Resources)
	w.Field("role", e.Role)
	writeLabels(w, e.Info.GetLabels())
	if e.Info.Type != nil {
		w.Field("type", e.Info.GetType().String())
	}
	w.Field("slave_id", string(e.Agent))
	w.EndObject()
}

func (s *server) writeFrameworks(w *json.Writer, snapshot *view.Snapshot, q query) {
	w.BeginObject()
	writeList(w, "frameworks", chosen(snapshot.Frameworks, q), writeFramework)
	writeList(w, "completed_frameworks", chosen(snapshot.Completed, q), writeFramework)
	writeNone(w, "unregistered_frameworks")
	w.EndObject()
}

// chosen are the frameworks that a request asks for.
func chosen(list []view.FrameworkState, q query) []view.FrameworkState {
	if q.framework == "" {
		return list
	}
	for _, f := range list {
		if string(f.ID) == q.framework {
			return []view.FrameworkState{f}
		}
	}
	return nil
}
