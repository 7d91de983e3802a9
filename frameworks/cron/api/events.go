package api

import (
	"fmt"
	"net/http"
	"slices"
	"time"

	"troupe/frameworks/cron/plan"
	"troupe/frameworks/cron/wire"
	"troupe/messages/carrier"
)

const heartbeat = 15 * time.Second

// serveEvents answers with an event stream until the client is gone.
func (s *Server) serveEvents(w http.ResponseWriter, r *http.Request) error {
	keep, err := tagged(r)
	if err != nil {
		return err
	}
	names := r.URL.Query()["job"]
	number, gap, err := s.events.enter(r.Header.Get("Last-Event-ID"))
	if err != nil {
		return err
	}
	defer s.events.leave()
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	sub := subscriber{out: carrier.NewPatient(w), flush: http.NewResponseController(w).Flush, mark: s.events.mark}
	sub.wanted = func(v *plan.View) bool {
		return keep(v) && (len(names) == 0 || slices.Contains(names, v.Job.Name))
	}
	sub.comment()
	if gap {
		sub.gap(number)
	}
	sub.follow(r, s.events, number)
	return nil
}

// subscriber writes events to one client; err is why it cannot any more.
type subscriber struct {
	out    carrier.Patient
	flush  func() error
	mark   string
	wanted func(*plan.View) bool
	err    error
}

func (s *subscriber) follow(r *http.Request, from *stream, number uint64) {
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for s.err == nil {
		all, last, lost, more := from.since(number)
		if more == nil {
			return
		}
		if lost {
			s.gap(number)
		}
		number = last - uint64(len(all))
		for _, e := range all {
			number++
			s.event(number, e)
		}
		if len(all) > 0 {
			s.flushed()
		}
		select {
		case <-more:
		case <-beat.C:
			s.comment()
		case <-r.Context().Done():
			return
		}
	}
}

func (s *subscriber) write(format string, a ...any) {
	if s.err == nil {
		_, s.err = fmt.Fprintf(s.out, format, a...)
	}
}

func (s *subscriber) flushed() {
	if s.err == nil {
		s.err = s.flush()
	}
}

// comment is a line that clients ignore; it shows that both ends are there.
func (s *subscriber) comment() {
	s.write(": \n\n")
	s.flushed()
}

func (s *subscriber) gap(number uint64) {
	s.write("id: %s-%d\nevent: %s\ndata: {\"event\":%q}\n\n", s.mark, number, Gap, Gap)
	s.flushed()
}

func (s *subscriber) event(number uint64, e entry) {
	v := e.now
	if v == nil {
		v = e.before
	}
	if !s.wanted(v) {
		return
	}
	line, err := wire.Line(e.event())
	if err != nil {
		s.err = err
		return
	}
	s.write("id: %s-%d\nevent: %s\ndata: %s\n\n", s.mark, number, e.kind, line)
}
