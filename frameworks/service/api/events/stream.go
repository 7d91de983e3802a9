package events

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"go.uber.org/zap"

	"troupe/messages/carrier"
)

// Selection is what a listener wants.
type Selection struct {
	Types []string // none: all
	Light bool     // no bodies of apps in deployment plans
}

// streamEvent tells that somebody listens, or no longer does and why.
type streamEvent struct {
	Client string `json:"remoteAddress"`
	Reason string `json:"reason,omitempty"`
	stamp
}

// Serve answers a request by an event stream, which ends with the request, with the
// bus, or when the client does not keep up; in the last two cases the client gets
// event_stream_detached with the reason as its last event. A refused stream is an
// error, and nothing is answered yet; once the stream has begun the error is nil.
func (b *Bus) Serve(w http.ResponseWriter, r *http.Request, want Selection) error {
	q := newQueue(want.Types, b.o.Waiting)
	if err := b.attach(q); err != nil {
		return err
	}
	defer b.Publish(fixed("event_stream_detached", streamEvent{r.RemoteAddr, "", b.stamp("event_stream_detached")}))
	defer b.detach(q)
	b.Publish(fixed("event_stream_attached", streamEvent{r.RemoteAddr, "", b.stamp("event_stream_attached")}))

	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-cache")
	w.Header().Set("X-Accel-Buffering", "no") // or a proxy would wait for more
	w.WriteHeader(http.StatusOK)
	s := &stream{out: carrier.NewPatient(w), control: http.NewResponseController(w), light: want.Light}
	err := s.run(r.Context(), q, b.o.Heartbeat)
	if errors.Is(err, errSlow) || errors.Is(err, errClosed) {
		err = s.write(fixed("event_stream_detached", streamEvent{r.RemoteAddr, err.Error(), b.stamp("event_stream_detached")}))
	}
	if err == nil {
		err = s.out.Rest()
	}
	if err != nil {
		b.o.Log.Debug("event stream ended", zap.String("client", r.RemoteAddr), zap.Error(err))
	}
	return nil
}

// stream writes events to one client.
type stream struct {
	out     carrier.Patient
	control *http.ResponseController
	light   bool
}

// run writes what comes until there is nothing more, or nobody to take it.
func (s *stream) run(ctx context.Context, q *queue, heartbeat time.Duration) error {
	if err := s.control.Flush(); err != nil {
		return err
	}
	beats := time.NewTicker(heartbeat)
	defer beats.Stop()
	for {
		e, ok, err := q.next()
		if err != nil {
			return err
		}
		if ok {
			if err := s.write(e); err != nil {
				return err
			}
			continue
		}
		select {
		case <-q.wake:
		case <-beats.C:
			if err := s.send([]byte("\r\n")); err != nil {
				return err
			}
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func (s *stream) write(e Event) error {
	data, err := encode(e.Body(s.light))
	if err != nil {
		return err
	}
	return s.send(fmt.Appendf(nil, "event: %s\r\ndata: %s\r\n\r\n", e.Type, data))
}

func (s *stream) send(frame []byte) error {
	if _, err := s.out.Write(frame); err != nil {
		return err
	}
	return s.control.Flush()
}
