package api

import (
	"net/http"
	"net/url"
	"time"

	"troupe/messages/carrier/files"
	"troupe/messages/carrier/legacy"
	"troupe/messages/cluster"
	"troupe/messages/json"
	"troupe/messages/mesos"
	"troupe/slave/state/view"
)

// Router is where routes are mounted: an actor system.
type Router interface {
	Route(pattern, help string, h http.Handler)
}

// Info is what an agent shows that is not state.
type Info struct {
	// Version is that of Mesos whose APIs these are, Program that of this program.
	Version, Program  string
	GitSHA, BuildUser string
	// Zero when unknown.
	Built   time.Time
	Started time.Time
	// As clients know it: slave(1)@host:port.
	PID          string
	Hostname     string
	Capabilities []string
	// By canonical name.
	Flags map[string]string
	// Log is the process's, whose level can be changed; nil: it cannot.
	Log LogLevel
	// Containers answers the calls that launch, end and attach to containers;
	// nil: the agent has no such calls.
	Containers func(http.ResponseWriter, *http.Request, Request)
	// Others may be nil: there are none.
	Others Others
	// LogFile is served as /slave/log; empty: there is none.
	LogFile string
	// Measure says what containers use; nil if that cannot be known.
	Measure Measure
	// Other sources of figures for /metrics/snapshot; each calls put for every
	// key that it has.
	Metrics []func(put func(key string, value float64))
}

// LogLevel is the level of a log, counted as Mesos's clients do: 0 is as
// configured, each above it logs more.
type LogLevel interface {
	Verbosity() uint32
	SetVerbosity(level uint32, span time.Duration) error
}

// Measure is what each of the containers may use, and uses as far as that is
// known, in their order; nobody changes it. It may take a while. hosts are the
// processes of the agent's hosts.
type Measure func(hosts []int, list []Measured) []*mesos.ResourceStatistics

// Measured is a container that is to be measured.
type Measured struct {
	// ID has the ids of all containers that it is in, the outermost first, and its
	// own.
	ID []string
	// Sandbox is empty where it is the agent's to find.
	Sandbox string
	// Amounts are what it may use; nil if it has none of its own.
	Amounts *cluster.ContainerAmounts
}

// server answers requests.
type server struct {
	view  *View
	info  Info
	meter meter
}

// prefix is the agent's in Mesos, whose first actor's name is a part of it.
const prefix = "/slave(1)"

// route is a path and what is written there.
type route struct {
	path, help string
	write      func(s *server, w *json.Writer, snapshot *view.Snapshot, q url.Values)
}

var routes = []route{
	{"/state", "everything that the agent knows", (*server).writeState},
	{"/slack", "what roles were given, used and left of late; ?role= for one", (*server).writeSlack},
	{"/metrics/snapshot", "figures by the keys that Mesos gives them", (*server).writeMetrics},
	{"/stats", "as /metrics/snapshot, for old clients", (*server).writeMetrics},
	{"/version", "the version of this program", (*server).writeVersion},
	{"/flags", "how this agent was configured", (*server).writeFlags},
}

// Mount mounts the agent's routes, each under / and under /slave(1)/.
func Mount(r Router, v *View, info Info) {
	s := &server{view: v, info: info, meter: newMeter(info.Measure)}
	if info.LogFile != "" {
		v.files.attached.Attach("/slave/log", info.LogFile)
	}
	r.Route(prefix+"/health", "200 when all is well", http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	calls, statistics, containers := &operator{server: s}, s.statistics(), s.containers()
	for _, p := range []string{"", prefix} {
		r.Route(p+"/api/v1", "POST: calls of operators", calls)
		for _, rt := range routes {
			for _, path := range legacy.Aliases(rt.path) {
				r.Route(p+path, rt.help, s.handler(rt))
			}
		}
		for _, path := range legacy.Aliases("/monitor/statistics") {
			r.Route(p+path, "what the executors use; measured twice a second at most", statistics)
		}
		for _, path := range legacy.Aliases("/containers") {
			r.Route(p+path, "containers with what they use; ?container_id= for one, ?show_nested=true and ?show_standalone=true for more", containers)
		}
		for path, handler := range v.files.attached.Routes() {
			r.Route(p+path, files.Help, handler)
		}
	}
}

func (s *server) handler(rt route) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		legacy.Serve(rw, r, func(w *json.Writer) { rt.write(s, w, s.view.Snapshot(), r.URL.Query()) })
	})
}
