package api

import (
	"cmp"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"troupe/actors"
	"troupe/actors/address"
	"troupe/actors/inspect"
	"troupe/master/state/view"
	"troupe/messages/carrier/legacy"
	"troupe/messages/json"
)

// Processes are those of a cluster, as its leading master sees them.
type Processes struct {
	// From asks over the links to schedulers.
	From inspect.Asker
	// Self is any actor of the master's own system.
	Self actors.PID
	// Scheme is http or https: that of all daemons.
	Scheme string
	// Members are the masters, as far as this one knows, as host:port; never none.
	Members func() []string
}

// MountProcesses mounts /metrics/targets, which tells Prometheus where the
// figures of all processes are, and below /frameworks/ID/ what a scheduler of the
// SDK serves, which nobody can dial.
func MountProcesses(r Router, v *View, p Processes) {
	f := &forwarder{view: v, Processes: p}
	both(r, "/metrics/targets", "where figures are, for Prometheus's HTTP service discovery", http.HandlerFunc(f.targets))
	both(r, "/frameworks/", "what a scheduler of the SDK serves: ID"+strings.ReplaceAll(inspect.ReadPaths, " ", ", "), http.HandlerFunc(f.scheduler))
	both(r, schedulerProfiles, "profiles of a scheduler of the SDK", http.HandlerFunc(f.scheduler))
}

// schedulerProfiles is a route of its own, for it is of another realm.
const schedulerProfiles = "/frameworks/{framework}/debug/pprof/"

type forwarder struct {
	view *View
	Processes
}

// linked is the actor of a framework's scheduler; zero for one that speaks HTTP,
// whose gateway is an actor of this system, and for one that is not there.
func (f *forwarder) linked(framework *view.Framework) actors.PID {
	pid, err := address.Parse(framework.Peer)
	if err != nil || !framework.Connected || pid.Address == f.Self.Address {
		return actors.PID{}
	}
	return pid
}

func (f *forwarder) scheduler(w http.ResponseWriter, r *http.Request) {
	_, rest, _ := strings.Cut(r.URL.Path, "/frameworks/")
	id, path, _ := strings.Cut(rest, "/")
	for _, framework := range f.view.Snapshot().Frameworks {
		if string(framework.ID) != id {
			continue
		}
		pid := f.linked(framework.Framework)
		if pid.IsZero() {
			http.Error(w, "the framework's scheduler is not linked to the master: it is away, or speaks HTTP", http.StatusServiceUnavailable)
			return
		}
		inspect.Forward(w, r, f.From, pid, "/"+path)
		return
	}
	http.Error(w, "there is no such framework", http.StatusNotFound)
}

// target is a list of addresses whose figures are at one path.
type target struct {
	addresses []string
	labels    []string // name, value, …
}

func (f *forwarder) targets(w http.ResponseWriter, r *http.Request) {
	legacy.Serve(w, r, func(out *json.Writer) { f.write(out, append(f.daemons(), f.schedulers()...)) })
}

// daemons are the masters, the agents, and what agents show of their processes.
func (f *forwarder) daemons() []target {
	var agents []string
	for _, a := range f.view.Snapshot().Agents {
		agents = append(agents, agentAddress(a))
	}
	slices.Sort(agents)
	list := []target{{f.Members(), []string{"component", "master"}}}
	if len(agents) > 0 {
		list = append(list, target{agents, []string{"component", "agent"}},
			target{agents, []string{"component", "executor", "__metrics_path__", "/metrics/processes"}})
	}
	return list
}

func (f *forwarder) schedulers() []target {
	var list []target
	for _, framework := range f.view.Snapshot().Frameworks {
		if f.linked(framework.Framework).IsZero() {
			continue
		}
		list = append(list, target{[]string{f.Self.Address}, []string{
			"component", "scheduler", "framework", string(framework.ID), "framework_name", framework.Info.GetName(),
			"__metrics_path__", "/frameworks/" + url.PathEscape(string(framework.ID)) + "/metrics",
		}})
	}
	slices.SortFunc(list, func(a, b target) int { return cmp.Compare(a.labels[3], b.labels[3]) })
	return list
}

// agentAddress is where an agent serves, also when it is not there.
func agentAddress(a *view.Agent) string {
	if pid, err := address.Parse(a.Peer); err == nil {
		return pid.Address
	}
	return net.JoinHostPort(a.Info.GetHostname(), strconv.Itoa(int(a.Info.GetPort())))
}

func (f *forwarder) write(w *json.Writer, list []target) {
	w.BeginArray()
	for _, t := range list {
		w.BeginObject()
		w.Key("targets")
		w.BeginArray()
		for _, a := range t.addresses {
			w.String(a)
		}
		w.EndArray()
		w.Key("labels")
		w.BeginObject()
		w.Field("__scheme__", f.Scheme)
		for i := 0; i < len(t.labels); i += 2 {
			w.Field(t.labels[i], t.labels[i+1])
		}
		w.EndObject()
		w.EndObject()
	}
	w.EndArray()
}
