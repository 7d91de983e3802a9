package actors

import (
	"cmp"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
)

// Routed is a path that a system's port answers over HTTP.
type Routed struct {
	// Pattern as in http.ServeMux.
	Pattern string
	// Help is one line for operators.
	Help string
}

// routes is what a system serves over HTTP. Handlers run beside the actors,
// never in them.
type routes struct {
	guard   func(pattern string, h http.Handler) http.Handler // nil: whoever asks is answered
	unready atomic.Bool
	mu      sync.RWMutex
	mux     http.ServeMux
	rest    http.Handler // nil: what has no route is not found
	list    []Routed
}

// ServeHTTP implements http.Handler.
func (r *routes) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	if r.unready.Load() {
		w.Header().Set("Retry-After", "1")
		http.Error(w, "this process is starting", http.StatusServiceUnavailable)
		return
	}
	if rest := r.unrouted(q); rest != nil {
		rest.ServeHTTP(w, q)
		return
	}
	r.mux.ServeHTTP(w, q)
}

// unrouted is what serves a request that no route takes; nil if one does.
func (r *routes) unrouted(q *http.Request) http.Handler {
	r.mu.RLock()
	rest := r.rest
	r.mu.RUnlock()
	if rest == nil {
		return nil
	}
	if _, pattern := r.mux.Handler(q); pattern != "" {
		return nil
	}
	return rest
}

// Ready has HTTP requests answered by their routes; see Options.Unready.
func (s *System) Ready() { s.routes.unready.Store(false) }

// Route serves a path on the system's own port, behind Options.Guard. A pattern
// that is taken panics, as in http.ServeMux.
func (s *System) Route(pattern, help string, h http.Handler) {
	if s.routes.guard != nil {
		h = s.routes.guard(pattern, h)
	}
	s.routes.mux.Handle(pattern, h)
	s.routes.mu.Lock()
	defer s.routes.mu.Unlock()
	s.routes.list = append(s.routes.list, Routed{Pattern: pattern, Help: help})
}

// Rest is what Options.Guard and Routes call the pattern of RouteRest: it is none.
const Rest = "*"

// RouteRest serves all that has no route, behind Options.Guard, which is not to
// judge by a path that has been cleaned: unlike what serves a pattern, h sees paths
// as they were sent, with their doubled slashes.
func (s *System) RouteRest(help string, h http.Handler) {
	if s.routes.guard != nil {
		h = s.routes.guard(Rest, h)
	}
	s.routes.mu.Lock()
	defer s.routes.mu.Unlock()
	s.routes.rest = h
	s.routes.list = append(s.routes.list, Routed{Pattern: Rest, Help: help})
}

// Routes lists what is served, by pattern.
func (s *System) Routes() []Routed {
	s.routes.mu.RLock()
	defer s.routes.mu.RUnlock()
	list := slices.Clone(s.routes.list)
	slices.SortFunc(list, func(a, b Routed) int { return cmp.Compare(a.Pattern, b.Pattern) })
	return list
}
