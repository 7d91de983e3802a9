package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"troupe/frameworks/cron/plan"
	"troupe/messages/carrier"
)

// Server answers the requests of clients. It has no state of its own beside the
// last events, for streams that come back.
type Server struct {
	o      Options
	intake carrier.Intake
	events *stream
	routes []route
}

// maxBody bounds a job: far more than any has, far less than what hurts.
const maxBody = 4 << 20

// New makes a server, which follows the board until Close.
func New(o Options) *Server {
	if o.Info == nil {
		o.Info = func() Info { return Info{Name: "troupe cron"} }
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Patience <= 0 {
		o.Patience = 30 * time.Second
	}
	s := &Server{o: o, intake: carrier.Intake{MaxBody: maxBody}, events: newStream(o.Now())}
	s.events.stop = o.Board.Watch(func(_ string, before, now *plan.View) { s.events.note(o.Now(), before, now) })
	s.routes = s.table()
	return s
}

// Close ends all event streams, so that the HTTP server can shut down.
func (s *Server) Close() { s.events.close() }

// do asks the plan for a change, and waits for its answer.
func (s *Server) do(r *http.Request, request func(number uint64) plan.Input) error {
	ctx, cancel := context.WithTimeout(r.Context(), s.o.Patience)
	defer cancel()
	err := s.o.Planner.Do(ctx, request)
	var refused *plan.Error
	if err == nil || errors.As(err, &refused) {
		return err
	}
	return &failure{http.StatusServiceUnavailable, "no answer from the plan: " + err.Error()}
}

// view is the job that the path names.
func (s *Server) view(r *http.Request) (*plan.View, error) {
	name := r.PathValue("name")
	if v := s.o.Board.Job(name); v != nil {
		return v, nil
	}
	return nil, unknown("name", "no job is called "+clip(name))
}

// clip shortens what an answer quotes.
func clip(text string) string {
	if len(text) > 200 {
		return text[:200] + "…"
	}
	return text
}
