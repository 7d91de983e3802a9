package api

import (
	"net/http"
	"slices"
	"strings"
)

// Prefixes are those of the older and the newer versions of Chronos. Both have
// every endpoint.
var Prefixes = []string{"/scheduler", "/v1/scheduler"}

// Route is one endpoint.
type Route struct {
	Method string `json:"method"`
	// Path is behind a prefix, or whole where Root is set.
	Path  string `json:"path"`
	Root  bool   `json:"root,omitempty"`
	Codes []int  `json:"codes"` // beside 500 and 503, and what fits every request
	// Added: Chronos does not have it.
	Added   bool   `json:"added,omitempty"`
	Summary string `json:"summary"`
}

type route struct {
	Route
	serve func(w http.ResponseWriter, r *http.Request) error
}

// Routes are all endpoints, in the order of the documentation.
func (s *Server) Routes() []Route {
	all := make([]Route, 0, len(s.routes))
	for _, r := range s.routes {
		all = append(all, r.Route)
	}
	return all
}

// Handler answers the requests of the API, and has rest answer all others; nil
// answers them with 404.
func (s *Server) Handler(rest http.Handler) http.Handler {
	if rest == nil {
		rest = http.HandlerFunc(NotFound)
	}
	mux := http.NewServeMux()
	for pattern, methods := range s.patterns() {
		mux.Handle(pattern, methods)
	}
	missing := http.HandlerFunc(NotFound)
	for _, p := range Prefixes {
		mux.Handle(p, missing)
		mux.Handle(p+"/", missing)
	}
	mux.Handle("/", rest)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		if p := r.URL.Path; len(p) > 1 && strings.HasSuffix(p, "/") && r.URL.RawPath == "" {
			r.URL.Path = strings.TrimSuffix(p, "/") // as older clients write it
		}
		mux.ServeHTTP(w, r)
	})
}

// NotFound is the answer of the API to a path that is none of its own.
func NotFound(w http.ResponseWriter, r *http.Request) {
	refuse(w, &failure{http.StatusNotFound, "there is no " + clip(r.URL.Path) + "; GET /describe lists what is there"})
}

// methods are the endpoints of one path.
type methods map[string]func(http.ResponseWriter, *http.Request) error

func (s *Server) patterns() map[string]methods {
	all := map[string]methods{}
	add := func(path string, r route) {
		if all[path] == nil {
			all[path] = methods{}
		}
		all[path][r.Method] = r.serve
	}
	for _, r := range s.routes {
		if r.Root {
			add(r.Path, r)
		}
		for _, p := range Prefixes {
			add(p+r.Path, r)
		}
	}
	return all
}

func (m methods) allowed() string {
	list := []string{http.MethodOptions}
	for method := range m {
		list = append(list, method)
		if method == http.MethodGet {
			list = append(list, http.MethodHead)
		}
	}
	slices.Sort(list)
	return strings.Join(list, ", ")
}

// ServeHTTP implements http.Handler.
func (m methods) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	serve := m[method]
	switch {
	case method == http.MethodOptions:
		w.Header().Set("Allow", m.allowed())
		w.Header().Set("Access-Control-Allow-Methods", m.allowed())
		w.Header().Set("Access-Control-Allow-Headers", "Accept, Authorization, Content-Type, Last-Event-ID")
		w.WriteHeader(http.StatusNoContent)
	case serve == nil:
		w.Header().Set("Allow", m.allowed())
		refuse(w, &failure{http.StatusMethodNotAllowed, clip(r.Method) + " is not one of " + m.allowed()})
	default:
		if err := serve(w, r); err != nil {
			refuse(w, err)
		}
	}
}
