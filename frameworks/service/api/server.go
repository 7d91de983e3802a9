package api

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"troupe/frameworks/service/app"
	"troupe/frameworks/service/state"
	"troupe/frameworks/service/wire"
)

// Server serves the API. It must see paths as they were sent: a mux before it that
// cleans them would turn clients away who ask for /v2/apps//id.
type Server struct {
	Options
	began    time.Time
	routes   map[resource]map[string]handler // by method
	requests atomic.Uint64
}

// New returns a server.
func New(o Options) *Server {
	s := &Server{Options: o.filled()}
	s.began = s.Now()
	s.routes = map[resource]map[string]handler{}
	for _, part := range []map[resource]map[string]handler{s.aboutItself(), s.aboutApps(), s.aboutTasks(), s.aboutGroups(), s.aboutDeployments()} {
		maps.Copy(s.routes, part)
	}
	return s
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.requests.Add(1)
	c := &call{w: w, r: r, s: s}
	if leader := c.leaderURL(); leader != "" {
		w.Header().Set("X-Marathon-Leader", leader)
	}
	if err := s.serve(c); err != nil {
		c.fail(err)
	}
}

func (s *Server) serve(c *call) error {
	if err := s.Origins.admit(c.w, c.r); err != nil {
		return err
	}
	var err error
	if c.query, err = parseQuery(c.r.URL.RawQuery); err != nil {
		return err
	}
	c.route = parseRoute(c.r.URL.Path, s.existing())
	methods := s.routes[c.to]
	if methods == nil {
		return refuse(http.StatusNotFound, "There is no resource %q", shortened(c.r.URL.Path))
	}
	serve := methods[c.r.Method]
	if c.r.Method == http.MethodHead {
		serve = methods[http.MethodGet]
	}
	if serve == nil {
		c.w.Header().Set("Allow", allowed(methods))
		if c.r.Method == http.MethodOptions {
			c.w.WriteHeader(http.StatusNoContent)
			return nil
		}
		return refuse(http.StatusMethodNotAllowed, "The method %s is not allowed here: expecting %s", shortened(c.r.Method), allowed(methods))
	}
	if c.wrong != nil && c.to != appTask { // which is found by its id, too
		return c.misnamed()
	}
	return serve(c)
}

// misnamed answers a request of something that cannot exist: it is not there, or
// cannot be made so.
func (c *call) misnamed() error {
	if c.r.Method == http.MethodPut || c.r.Method == http.MethodPost && c.to == oneGroup {
		return app.Problems{{Path: "/id", Text: c.wrong.Error()}}
	}
	return refuse(http.StatusNotFound, "%s", c.wrong.Error())
}

func allowed(methods map[string]handler) string {
	names := slices.Collect(maps.Keys(methods))
	if methods[http.MethodGet] != nil {
		names = append(names, http.MethodHead)
	}
	names = append(names, http.MethodOptions)
	slices.Sort(names)
	return strings.Join(names, ", ")
}

func (s *Server) existing() existing {
	root := s.Board.Root()
	return existing{
		app:   func(id app.Path) bool { return root.App(id) != nil },
		group: func(id app.Path) bool { return root.Group(id) != nil },
	}
}

// do has the core take in an input. An answer with an error is that error; that there
// is none is a *problem, 503.
func (c *call) do(input func(request uint64) state.Input) (state.Answer, error) {
	ctx, cancel := context.WithTimeout(c.r.Context(), c.s.Patience)
	defer cancel()
	answer, err := c.s.Core.Do(ctx, input)
	if err != nil {
		return answer, refuse(http.StatusServiceUnavailable, "The framework did not answer (%v); what was asked for may yet be done", err)
	}
	return answer, answer.Err
}

// result answers a change.
func (c *call) result(status int, a state.Answer) error {
	c.deployment(a)
	return c.answer(status, wire.Result{Version: a.Version.String(), DeploymentID: a.Deployment})
}

// deployment names what carries a change out in the header.
func (c *call) deployment(a state.Answer) {
	if a.Deployment != "" {
		c.w.Header().Set("Marathon-Deployment-Id", a.Deployment)
	}
}

// refusalOfCore is the status and the body for an error of the core's.
func refusalOfCore(err error) (status int, body any, ok bool) {
	var locked *state.LockedError
	var missing *state.NotFoundError
	var refused *state.RefusedError
	switch {
	case errors.As(err, &locked):
		return http.StatusConflict, wire.NewLocked(locked.Deployments...), true
	case errors.As(err, &missing):
		return http.StatusNotFound, wire.Message{Message: notFound(missing)}, true
	case errors.As(err, &refused):
		return http.StatusForbidden, wire.Message{Message: refused.Text}, true
	case errors.Is(err, app.ErrPortsExhausted):
		return http.StatusServiceUnavailable, wire.Message{Message: err.Error()}, true
	}
	return 0, nil, false
}

// notFound says it in the words that clients look for.
func notFound(e *state.NotFoundError) string {
	switch e.Kind {
	case "app":
		return "App '" + shortened(e.Name) + "' does not exist"
	case "group":
		return "Group '" + shortened(e.Name) + "' does not exist"
	case "deployment":
		return "DeploymentPlan " + shortened(e.Name) + " does not exist"
	}
	return e.Error()
}

func noApp(id app.Path) error {
	return &state.NotFoundError{Kind: "app", Name: string(id)}
}

func noGroup(id app.Path) error {
	return &state.NotFoundError{Kind: "group", Name: string(id)}
}
