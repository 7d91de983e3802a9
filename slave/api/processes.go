package api

import (
	"net/http"
	"strings"

	"troupe/actors"
	"troupe/actors/address"
	"troupe/actors/inspect"
)

// MountProcesses mounts what shows the processes that nobody can dial, since
// they have dialled the agent: /metrics/processes has the figures of all of
// them, and below /hosts/HOST/ is what an executor host serves. from asks over
// the links to them; self is any actor of the agent's own system.
func MountProcesses(r Router, v *View, from inspect.Asker, self actors.PID) {
	p := &processes{view: v, from: from, self: self}
	for _, at := range []string{"", prefix} {
		r.Route(at+"/metrics/processes", "figures of executor hosts and executors, for Prometheus", inspect.ServeGathered(from, p.list))
		r.Route(at+"/hosts/", "what an executor host serves: HOST"+strings.ReplaceAll(inspect.ReadPaths, " ", ", "), http.HandlerFunc(p.host))
		r.Route(at+hostProfiles, "profiles of an executor host", http.HandlerFunc(p.host))
	}
}

// hostProfiles is a route of its own, for it is of another realm.
const hostProfiles = "/hosts/{host}/debug/pprof/"

type processes struct {
	view *View
	from inspect.Asker
	self actors.PID
}

// list is the agent's own hosts first: what follows is anybody's program.
func (p *processes) list() []inspect.Process {
	var list []inspect.Process
	s := p.view.Snapshot()
	systems := map[string]bool{}
	for _, h := range s.Hosts {
		if pid, err := address.Parse(h.Peer); err == nil {
			systems[pid.Incarnation] = true
			list = append(list, inspect.Process{PID: pid, Labels: map[string]string{"host": string(h.ID)}})
		}
	}
	for _, f := range s.Frameworks {
		for _, e := range f.Executors {
			pid, err := address.Parse(e.Peer)
			if err != nil || systems[pid.Incarnation] || pid.Address == p.self.Address {
				continue // not subscribed; within a host; speaks HTTP
			}
			list = append(list, inspect.Process{PID: pid, Labels: map[string]string{
				"framework": string(e.Framework), "executor": string(e.ID),
			}})
		}
	}
	return list
}

func (p *processes) host(w http.ResponseWriter, r *http.Request) {
	_, rest, _ := strings.Cut(r.URL.Path, "/hosts/")
	id, path, _ := strings.Cut(rest, "/")
	for _, h := range p.view.Snapshot().Hosts {
		if string(h.ID) != id {
			continue
		}
		pid, err := address.Parse(h.Peer)
		if err != nil {
			http.Error(w, "the executor host is not linked to the agent", http.StatusServiceUnavailable)
			return
		}
		inspect.Forward(w, r, p.from, pid, "/"+path)
		return
	}
	http.Error(w, "there is no such executor host; /actors has those that are linked", http.StatusNotFound)
}
