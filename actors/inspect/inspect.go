package inspect

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/pprof"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"troupe/actors"
)

// Options say what is shown beside the actors.
type Options struct {
	// Log is what /logging/toggle changes; nil: the route is not there.
	Log *LogLevel
	// Collectors of the process's parts, for /metrics.
	Collectors []prometheus.Collector
	// Instead, if not nil, says what answers a request for /metrics in place of the
	// figures for Prometheus; nil: nothing does. It is for processes whose clients
	// know another form at that path.
	Instead func(r *http.Request) http.Handler
	// Healthy says what is wrong with the process; nil when nothing is. It is
	// called for each request and must not wait. Nil: always healthy.
	Healthy func() error
	// Deliver answers a request that reads with the JSON that write writes: as
	// clients of Mesos expect it, whom the wiring knows. Nil: as it is.
	Deliver Deliver
	// OverLinks answers the same to the systems that this one is linked with, by
	// an actor called inspect: a process that nobody can dial is seen by the one
	// that it has dialled; see Fetch.
	OverLinks bool
}

// Deliver answers a request with the document that write writes.
type Deliver = func(w http.ResponseWriter, r *http.Request, write func(io.Writer) error)

// Mount serves on the system's port:
//
//	/actors          the actors, peers and lost messages, as JSON
//	/health          200, or 503 and what is wrong
//	/help            these routes and all others
//	/logging/toggle  ?level=debug&duration=15mins
//	/metrics         for Prometheus
//	/debug/pprof/    profiles
//
// and, in the form that Mesos's clients know, /__processes__ and
// /system/stats.json.
//
// It fails when two collectors claim one name.
func Mount(sys *actors.System, o Options) error {
	registry := prometheus.NewRegistry()
	all := append([]prometheus.Collector{
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), &collector{sys: sys},
	}, o.Collectors...)
	for _, c := range all {
		if err := registry.Register(c); err != nil {
			return fmt.Errorf("inspect: %w", err)
		}
	}
	routes := append(o.routes(sys, registry), profileRoutes...)
	for _, r := range routes {
		sys.Route(r.path, r.help, r.handler)
	}
	if !o.OverLinks {
		return nil
	}
	mux := http.NewServeMux()
	for _, r := range routes {
		if !r.changes { // what changes something is not asked over links
			mux.Handle(r.path, r.handler)
		}
	}
	if _, err := sys.Spawn(actorName, &overLinks{of: mux}); err != nil {
		return fmt.Errorf("inspect: %w", err)
	}
	return nil
}

// route is what is served at a path.
type route struct {
	path, help string
	handler    http.Handler
	changes    bool
}

func (o Options) routes(sys *actors.System, registry *prometheus.Registry) []route {
	routes := []route{
		{path: "/metrics", help: "figures for Prometheus", handler: o.figures(promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))},
		{path: "/actors", help: "actors, peers and lost messages", handler: o.document(func() any { return Read(sys) })},
		{path: "/health", help: "200 when all is well", handler: serveHealth(o.Healthy)},
		{path: "/help", help: "what is served here", handler: serveHelp(sys)},
		{path: "/system/stats.json", help: "the machine's load, memory and processors", handler: o.document(func() any { return machine() })},
		{
			path: "/__processes__", help: "actors with what waits for them, as Mesos shows them",
			handler: o.document(func() any { return processes(sys.Actors()) }),
		},
	}
	if o.Log != nil {
		routes = append(routes, route{path: "/logging/toggle", help: "?level=debug&duration=15mins", handler: o.Log, changes: true})
	}
	return routes
}

// figures answers with those for Prometheus, or with what stands in their place.
func (o Options) figures(prometheus http.Handler) http.Handler {
	if o.Instead == nil {
		return prometheus
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if other := o.Instead(r); other != nil {
			other.ServeHTTP(w, r)
			return
		}
		prometheus.ServeHTTP(w, r)
	})
}

var profileRoutes = []route{
	{path: profiles, help: "profiles", handler: http.HandlerFunc(pprof.Index)},
	{path: profiles + "cmdline", help: "the command line", handler: http.HandlerFunc(pprof.Cmdline)},
	{path: profiles + "profile", help: "?seconds=30: use of CPU", handler: http.HandlerFunc(pprof.Profile)},
	{path: profiles + "symbol", help: "names of addresses", handler: http.HandlerFunc(pprof.Symbol)},
	{path: profiles + "trace", help: "?seconds=1: what ran when", handler: http.HandlerFunc(pprof.Trace)},
}

func serveHealth(healthy func() error) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		if healthy != nil {
			if err := healthy(); err != nil {
				http.Error(w, err.Error(), http.StatusServiceUnavailable)
			}
		}
	}
}

func serveHelp(sys *actors.System) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		var text strings.Builder
		for _, r := range sys.Routes() {
			fmt.Fprintf(&text, "%-32s %s\n", r.Pattern, r.Help)
		}
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = io.WriteString(w, text.String()) // a client that has gone needs no answer
	}
}

// document serves what now returns, as JSON, to those who read.
func (o Options) document(now func() any) http.Handler {
	deliver := o.Deliver
	if deliver == nil {
		deliver = plainly
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "method "+r.Method+": expecting GET", http.StatusMethodNotAllowed)
			return
		}
		text, err := json.Marshal(now())
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		deliver(w, r, func(out io.Writer) error {
			_, err := out.Write(text)
			return err
		})
	})
}

// plainly is the Deliver of who has none.
func plainly(w http.ResponseWriter, _ *http.Request, write func(io.Writer) error) {
	w.Header().Set("Content-Type", "application/json")
	_ = write(w) // a client that has gone needs no answer
}
