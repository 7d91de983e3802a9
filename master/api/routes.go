package api

import (
	"net/http"
	"sync/atomic"
	"time"

	"troupe/master/state/view"
	"troupe/messages/json"
)

// Router is where routes are mounted: an actor system.
type Router interface {
	Route(pattern, help string, h http.Handler)
}

// Info is what a master shows of itself that is not state.
type Info struct {
	Version, GitSHA, BuildUser string
	// Zero when unknown.
	Built time.Time
	// Elected is zero while the master does not lead.
	Started, Elected time.Time
	MasterID         string
	Hostname         string
	Port             int
	// As printed: master@host:port.
	PID     string
	Cluster string
	// By canonical name.
	Flags map[string]string
	// Leave the figures of single frameworks out of /metrics/snapshot.
	HideFrameworkMetrics bool
	// Other sources of figures for /metrics/snapshot; each calls put for every
	// key that it has.
	Metrics []func(put func(key string, value float64))
}

// server answers requests.
type server struct {
	view *View
	info Info
}

// route is a path and what is written there.
type route struct {
	path, help string
	write      func(s *server, w *json.Writer, snapshot *view.Snapshot, q query)
}

var routes = []route{
	{"/state", "everything that the master knows", (*server).writeState},
	{"/state-summary", "agents and frameworks with counts of tasks", (*server).writeSummary},
	{"/slaves", "agents; ?slave_id= for one", (*server).writeAgents},
	{"/frameworks", "frameworks with their tasks; ?framework_id= for one", (*server).writeFrameworks},
	{"/tasks", "tasks; ?framework_id= ?task_id= ?limit= ?offset= ?order=asc|desc", (*server).writeTasks},
	{"/roles", "roles with their frameworks and resources", (*server).writeRoles},
}

// own are what a master tells of itself, whether it leads or not.
var own = []route{
	{"/metrics/snapshot", "figures by the keys that Mesos gives them", (*server).writeMetrics},
	{"/version", "the version of this program", (*server).writeVersion},
	{"/flags", "how this master was configured", (*server).writeFlags},
}

// Mount mounts the routes of a master that leads, each under / and under
// /master/.
func Mount(r Router, v *View, info Info) { MountOwn(r, v, info)(info) }

// MountOwn mounts what a master tells that does not lead, or not yet; Elected
// is zero then. What it returns mounts the rest, once it leads.
func MountOwn(r Router, v *View, info Info) (lead func(Info)) {
	now := new(atomic.Pointer[server])
	now.Store(&server{view: v, info: info})
	mount := func(all []route) {
		for _, rt := range all {
			h := func(rw http.ResponseWriter, r *http.Request) { now.Load().answer(rt, rw, r) }
			for _, prefix := range []string{"", "/master"} {
				r.Route(prefix+rt.path, rt.help, http.HandlerFunc(h))
			}
		}
	}
	mount(own)
	return func(info Info) {
		s := &server{view: v, info: info}
		now.Store(s)
		mount(routes)
		for _, path := range []string{"/redirect", "/master/redirect"} {
			r.Route(path, "leads to the leading master", http.HandlerFunc(s.redirect))
		}
	}
}

func (s *server) answer(rt route, rw http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		rw.Header().Set("Allow", "GET, HEAD")
		http.Error(rw, "method "+r.Method+": expecting GET", http.StatusMethodNotAllowed)
		return
	}
	q, err := parseQuery(r.URL.Query())
	if err != nil {
		http.Error(rw, err.Error(), http.StatusBadRequest)
		return
	}
	rw.Header().Set("Content-Type", "application/json")
	w := json.NewWriter(rw)
	rt.write(s, w, s.view.Snapshot(), q)
	if err := w.Flush(); err != nil {
		panic(http.ErrAbortHandler) // the client is gone, or must see that it lacks the end
	}
}

// redirect sends clients to the leader, which this master is. The Location has
// no scheme, as Mesos's clients expect.
func (s *server) redirect(rw http.ResponseWriter, _ *http.Request) {
	rw.Header()["Location"] = []string{"//" + s.leaderAddress()}
	rw.WriteHeader(http.StatusTemporaryRedirect)
}
