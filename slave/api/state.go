package api

import (
	"maps"
	"net"
	"net/url"
	"slices"
	"strings"

	"troupe/messages/json"
	"troupe/messages/mesos"
	"troupe/messages/redact"
	"troupe/messages/resources"
	"troupe/slave/state/view"
)

func (s *server) writeState(w *json.Writer, snapshot *view.Snapshot, _ url.Values) {
	w.BeginObject()
	s.writeBuild(w)
	s.writeIdentity(w, snapshot.Agent)
	s.writeDrain(w, snapshot.Agent)
	s.writeResources(w, snapshot)
	if dir := s.info.Flags["log_dir"]; dir != "" {
		w.Field("log_dir", dir)
	}
	s.writeFlagsMember(w)
	w.Key("frameworks")
	writeFrameworks(w, snapshot, snapshot.Frameworks)
	w.Key("completed_frameworks")
	writeFrameworks(w, snapshot, snapshot.Completed)
	w.EndObject()
}

// writeBuild writes what program this is.
func (s *server) writeBuild(w *json.Writer) {
	w.Field("version", s.info.Version)
	if s.info.GitSHA != "" {
		w.Field("git_sha", s.info.GitSHA)
	}
	date, at := s.built()
	w.Field("build_date", date)
	w.Field("build_time", at)
	w.Field("build_user", s.info.BuildUser)
}

// built is when this program was, as people write it and in seconds since
// 1970; empty and 0 when that is unknown.
func (s *server) built() (date string, at float64) {
	if s.info.Built.IsZero() {
		return "", 0
	}
	return s.info.Built.UTC().Format("2006-01-02 15:04:05 MST"), float64(s.info.Built.Unix())
}

func (s *server) writeIdentity(w *json.Writer, a *view.Agent) {
	w.Field("start_time", float64(s.info.Started.UnixMicro())/1e6)
	w.Field("id", a.Info.GetId().GetValue())
	w.Field("pid", s.info.PID)
	w.Field("hostname", s.info.Hostname)
	w.Field("capabilities", s.info.Capabilities)
	if a.Master != "" {
		w.Field("master_hostname", hostOf(a.Master))
	}
	w.Key("attributes")
	w.BeginObject()
	for _, attribute := range a.Info.GetAttributes() {
		if attribute.GetType() == mesos.Value_SCALAR {
			w.Field(attribute.GetName(), attribute.GetScalar().GetValue())
		} else {
			w.Field(attribute.GetName(), resources.AttributeText(attribute))
		}
	}
	w.EndObject()
	if a.Info.Domain != nil {
		w.Key("domain")
		w.Message(a.Info.Domain)
	}
}

// writeDrain writes how the agent is being drained, if it is.
func (s *server) writeDrain(w *json.Writer, a *view.Agent) {
	if a.Drain == nil {
		return
	}
	w.Field("drain_config", a.Drain)
	if since := s.view.milestones.drainStart(); !since.IsZero() {
		w.Field("estimated_drain_start_time_seconds", float64(since.UnixMicro())/1e6)
	}
}

// hostOf is where a printed address leads, without its port.
func hostOf(address string) string {
	_, at, _ := strings.Cut(address, "@")
	host, _, err := net.SplitHostPort(at)
	if err != nil {
		return at
	}
	return host
}

func (s *server) writeResources(w *json.Writer, snapshot *view.Snapshot) {
	total, taken := totalOf(snapshot.Agent), allocated(snapshot)
	w.Key("resources")
	writeSum(w, total)
	byRole := func(key string, of resources.Resources, write func(*json.Writer, resources.Resources)) {
		w.Key("reserved_" + key)
		w.BeginObject()
		for _, role := range reservedRoles(of) {
			w.Key(role)
			write(w, ofRole(of, role))
		}
		w.EndObject()
		w.Key("unreserved_" + key)
		write(w, ofRole(of, "*"))
	}
	byRole("resources", total, writeSum)
	byRole("resources_full", total, writeFull)
	byRole("resources_allocated", taken, writeSum)
	w.Key("resource_providers")
	w.BeginArray()
	w.EndArray()
}

func writeFrameworks(w *json.Writer, snapshot *view.Snapshot, list []*view.FrameworkTree) {
	w.BeginArray()
	for _, f := range list {
		w.BeginObject()
		w.Field("id", string(f.ID))
		w.Field("name", f.Info.GetName())
		w.Field("user", f.Info.GetUser())
		w.Field("failover_timeout", f.Info.GetFailoverTimeout())
		w.Field("checkpoint", f.Info.GetCheckpoint())
		w.Field("hostname", f.Info.GetHostname())
		if f.Info.GetPrincipal() != "" {
			w.Field("principal", f.Info.GetPrincipal())
		}
		roles := f.Info.GetRoles()
		if len(roles) == 0 {
			roles = []string{f.Info.GetRole()}
		}
		w.Field("roles", roles)
		w.Key("executors")
		writeExecutors(w, snapshot, f.Executors)
		w.Key("completed_executors")
		writeExecutors(w, snapshot, f.Completed)
		w.EndObject()
	}
	w.EndArray()
}

func writeExecutors(w *json.Writer, snapshot *view.Snapshot, list []*view.ExecutorTree) {
	w.BeginArray()
	for _, x := range list {
		w.BeginObject()
		w.Field("id", string(x.ID))
		w.Field("name", x.Info.GetName())
		w.Field("source", x.Info.GetSource())
		w.Field("container", string(x.Container))
		w.Field("directory", x.Sandbox)
		if x.Doing != "" {
			w.Field("doing", x.Doing) // not of Mesos's: what its launch takes its time for
		}
		w.Key("resources")
		writeSum(w, used(x))
		w.Field("role", allocationRole(x.Info.GetResources()))
		if labels := x.Info.GetLabels(); labels != nil {
			writeLabels(w, labels)
		}
		if x.Info.GetType() != mesos.ExecutorInfo_UNKNOWN && !x.Generated {
			w.Field("type", x.Info.GetType().String())
		}
		for _, part := range []struct {
			key   string
			tasks []*view.Task
		}{{"tasks", x.Live}, {"queued_tasks", x.Queued}, {"completed_tasks", slices.Concat(x.Over, x.Ended)}} {
			w.Key(part.key)
			w.BeginArray()
			for _, t := range part.tasks {
				writeTask(w, snapshot.Agent, x, t)
			}
			w.EndArray()
		}
		w.EndObject()
	}
	w.EndArray()
}

func writeTask(w *json.Writer, a *view.Agent, x *view.ExecutorTree, t *view.Task) {
	executor := string(x.ID)
	if x.Generated {
		executor = ""
	}
	w.BeginObject()
	w.Field("id", string(t.ID()))
	w.Field("name", t.Info.GetName())
	w.Field("framework_id", string(t.Framework))
	w.Field("executor_id", executor)
	w.Field("slave_id", a.Info.GetId().GetValue())
	w.Field("state", t.State.String())
	w.Key("resources")
	writeSum(w, sum(t.Info.GetResources()))
	w.Field("role", allocationRole(t.Info.GetResources()))
	w.Key("statuses")
	w.BeginArray()
	for _, u := range t.Statuses {
		writeStatus(w, u)
	}
	w.EndArray()
	if t.Info.Labels != nil {
		writeLabels(w, t.Info.GetLabels())
	}
	if t.Info.Discovery != nil {
		w.Key("discovery")
		w.Message(t.Info.Discovery)
	}
	if t.Info.Container != nil {
		w.Key("container")
		w.Message(redact.Container(t.Info.Container))
	}
	w.EndObject()
}

func writeStatus(w *json.Writer, u *mesos.TaskStatus) {
	w.BeginObject()
	w.Field("state", u.GetState().String())
	w.Field("timestamp", u.GetTimestamp())
	if u.Labels != nil {
		writeLabels(w, u.GetLabels())
	}
	if u.ContainerStatus != nil {
		w.Key("container_status")
		w.Message(u.ContainerStatus)
	}
	if u.Healthy != nil {
		w.Field("healthy", u.GetHealthy())
	}
	if u.CheckStatus != nil {
		w.Key("check_status")
		w.Message(u.CheckStatus)
	}
	w.EndObject()
}

func writeLabels(w *json.Writer, labels *mesos.Labels) {
	w.Key("labels")
	w.BeginArray()
	for _, l := range labels.GetLabels() {
		w.Message(l)
	}
	w.EndArray()
}

func (s *server) writeVersion(w *json.Writer, _ *view.Snapshot, _ url.Values) {
	w.BeginObject()
	s.writeBuild(w)
	w.Field("troupe_version", s.info.Program)
	w.EndObject()
}

func (s *server) writeFlags(w *json.Writer, _ *view.Snapshot, _ url.Values) {
	w.BeginObject()
	s.writeFlagsMember(w)
	w.EndObject()
}

func (s *server) writeFlagsMember(w *json.Writer) {
	w.Key("flags")
	w.BeginObject()
	for _, name := range slices.Sorted(maps.Keys(s.info.Flags)) {
		w.Field(name, s.info.Flags[name])
	}
	w.EndObject()
}
