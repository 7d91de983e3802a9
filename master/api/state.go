package api

import (
	"maps"
	"net"
	"runtime"
	"slices"
	"strconv"

	"troupe/master/state/view"
	"troupe/messages/json"
)

// leaderAddress is host:port of the leading master, this one.
func (s *server) leaderAddress() string {
	return net.JoinHostPort(s.info.Hostname, strconv.Itoa(s.info.Port))
}

func (s *server) writeState(w *json.Writer, snapshot *view.Snapshot, _ query) {
	w.BeginObject()
	s.writeBuild(w)
	s.writeIdentity(w, snapshot)
	s.writeFlagsMember(w)
	usage := snapshot.UsageByAgent(runtime.Gosched)
	var here, recovered []*view.Agent
	for _, a := range snapshot.SortedAgents() {
		if a.Status == view.Recovered {
			recovered = append(recovered, a)
		} else {
			here = append(here, a)
		}
	}
	writeList(w, "slaves", here, func(w *json.Writer, a *view.Agent) {
		w.BeginObject()
		writeAgent(w, a, usage[a.ID])
		w.EndObject()
	})
	writeList(w, "recovered_slaves", recovered, writeRecovered)
	writeList(w, "frameworks", snapshot.Frameworks, writeFramework)
	writeList(w, "completed_frameworks", snapshot.Completed, writeFramework)
	writeNone(w, "orphan_tasks", "unregistered_frameworks")
	w.EndObject()
}

// writeBuild writes what program this is.
func (s *server) writeBuild(w *json.Writer) {
	w.Field("version", s.info.Version)
	if s.info.GitSHA != "" {
		w.Field("git_sha", s.info.GitSHA)
	}
	w.Field("build_date", s.info.buildDate())
	w.Field("build_time", seconds(s.info.Built))
	w.Field("build_user", s.info.BuildUser)
}

func (i Info) buildDate() string {
	if i.Built.IsZero() {
		return ""
	}
	return i.Built.UTC().Format("2006-01-02 15:04:05 MST")
}

// writeIdentity writes who this master is and how many agents it has.
func (s *server) writeIdentity(w *json.Writer, snapshot *view.Snapshot) {
	w.Field("start_time", seconds(s.info.Started))
	w.Field("elected_time", seconds(s.info.Elected))
	w.Field("id", s.info.MasterID)
	w.Field("pid", s.info.PID)
	w.Field("hostname", s.info.Hostname)
	w.Field("capabilities", s.info.capabilities())
	c := countAgents(snapshot)
	w.Field("activated_slaves", c.connected-c.deactivated)
	w.Field("deactivated_slaves", c.inactive+c.deactivated)
	w.Field("unreachable_slaves", snapshot.Unreachable)
	w.Field("leader", s.info.PID)
	w.Key("leader_info")
	w.BeginObject()
	w.Field("id", s.info.MasterID)
	w.Field("pid", s.info.PID)
	w.Field("port", s.info.Port)
	w.Field("hostname", s.info.Hostname)
	w.EndObject()
	if s.info.Cluster != "" {
		w.Field("cluster", s.info.Cluster)
	}
}

// agentCount counts the agents that are connected, those of them that an
// operator deactivated, and the others.
type agentCount struct{ connected, deactivated, inactive, recovered int }

func countAgents(snapshot *view.Snapshot) agentCount {
	var c agentCount
	for _, a := range snapshot.Agents {
		switch a.Status {
		case view.Connected:
			c.connected++
			if a.Deactivated {
				c.deactivated++
			}
		case view.Disconnected:
			c.inactive++
		default:
			c.recovered++
		}
	}
	return c
}

func (s *server) writeVersion(w *json.Writer, _ *view.Snapshot, _ query) {
	w.BeginObject()
	s.writeBuild(w)
	w.Field("troupe_version", s.info.Program)
	w.EndObject()
}

func (s *server) writeFlags(w *json.Writer, _ *view.Snapshot, _ query) {
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
