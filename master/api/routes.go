package api

import (
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"troupe/master/api/operator"
	"troupe/master/api/share"
	"troupe/master/state/view"
	"troupe/messages/carrier/files"
	"troupe/messages/carrier/legacy"
	"troupe/messages/json"
	"troupe/messages/mesos"
	"troupe/messages/spans"
)

// Router is where routes are mounted: an actor system.
type Router interface {
	Route(pattern, help string, h http.Handler)
}

// Info is what a master shows of itself that is not state.
type Info struct {
	// Version is that of Mesos whose APIs these are, Program that of this program.
	Version, Program  string
	GitSHA, BuildUser string
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
	// MaxSubscribers is how many may read the event stream at once; 0: 1000.
	MaxSubscribers int
	// Leave the figures of single frameworks out of /metrics/snapshot.
	HideFrameworkMetrics bool
	// Master is what frameworks are told of it; nil: only what is above.
	Master *mesos.MasterInfo
	// Logging changes the log's level by SET_LOGGING_LEVEL.
	Logging operator.Logging
	// Files are those that LIST_FILES and READ_FILE reach.
	Files *files.Attached
	// Other sources of figures for /metrics/snapshot; each calls put for every
	// key that it has.
	Metrics []func(put func(key string, value float64))
}

// capabilities are the names of what the master can.
func (i Info) capabilities() []string {
	names := []string{}
	for _, c := range i.Master.GetCapabilities() {
		names = append(names, c.GetType().String())
	}
	return names
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

// routes are parts of the state.
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
	{"/metrics/snapshot", "figures by the keys that Mesos gives them; ?timeout=5secs", (*server).writeMetrics},
	{"/stats", "as /metrics/snapshot, for old clients", (*server).writeMetrics},
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
	mount := func(rt route, answer func(s *server, rt route, rw http.ResponseWriter, r *http.Request)) {
		h := http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { answer(now.Load(), rt, rw, r) })
		for _, path := range legacy.Aliases(rt.path) {
			both(r, path, rt.help, h)
		}
	}
	for _, rt := range own {
		mount(rt, (*server).tell)
	}
	r.Route("/master/health", "200 when all is well", http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	return func(info Info) {
		s := &server{view: v, info: info}
		now.Store(s)
		for _, rt := range routes {
			mount(rt, (*server).answer)
		}
		both(r, "/redirect", "leads to the leading master", http.HandlerFunc(s.redirect))
	}
}

// both mounts a handler under / and under /master/.
func both(r Router, path, help string, h http.Handler) {
	r.Route(path, help, h)
	r.Route("/master"+path, help, h)
}

// tell answers with what is short.
func (s *server) tell(rt route, rw http.ResponseWriter, r *http.Request) {
	if text := r.URL.Query().Get("timeout"); text != "" {
		if _, err := spans.Parse(text); err != nil {
			http.Error(rw, "timeout: "+err.Error(), http.StatusBadRequest)
			return
		}
	}
	legacy.Serve(rw, r, func(w *json.Writer) { rt.write(s, w, s.view.Snapshot(), query{}) })
}

// answer answers with a part of the state, which those who ask at the same time
// share.
func (s *server) answer(rt route, rw http.ResponseWriter, r *http.Request) {
	q, err := parseQuery(r.URL.Query())
	if err != nil && legacy.Allowed(rw, r) {
		http.Error(rw, err.Error(), http.StatusBadRequest)
	}
	if err != nil {
		return
	}
	legacy.Deliver(rw, r, func(out io.Writer) error {
		return s.view.board.Copy(fmt.Sprintf("%s %#v", rt.path, q), source{s, rt, q}, out)
	})
}

// source gives the document of a route.
type source struct {
	server *server
	route  route
	query  query
}

// Revision implements share.Source.
func (s source) Revision() uint64 { return s.server.view.Revision() }

// Now implements share.Source.
func (s source) Now() share.Document {
	snapshot := s.server.view.Snapshot()
	return share.Document{Revision: snapshot.Revision, Encode: func(out io.Writer) error {
		w := json.NewWriter(out)
		s.route.write(s.server, w, snapshot, s.query)
		return w.Flush()
	}}
}

// redirect sends clients to the leader, which this master is. The Location has
// no scheme, as Mesos's clients expect.
func (s *server) redirect(rw http.ResponseWriter, _ *http.Request) {
	rw.Header()["Location"] = []string{"//" + s.leaderAddress()}
	rw.WriteHeader(http.StatusTemporaryRedirect)
}
