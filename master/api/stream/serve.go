package stream

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"troupe/master/api/records"
	"troupe/master/api/share"
	"troupe/master/state/view"
	"troupe/messages/carrier"
	"troupe/messages/pen"
)

// Interval is between heartbeats.
const Interval = 15 * time.Second

// View gives the state that events add to.
type View interface {
	// Mark is a snapshot and the number of the newest event that is in it.
	Mark() (*view.Snapshot, uint64)
	Revision() uint64
}

// Why a stream ends that its client did not end.
var (
	errSlow     = errors.New("cut off: this client takes events more slowly than they come")
	errReplaced = errors.New("closed: there are too many subscribers, and this was the oldest")
)

// Server answers SUBSCRIBE.
type Server struct {
	Hub   *Hub
	View  View
	Board *share.Board
}

// Serve answers a SUBSCRIBE in a media type by the stream of events. An error
// says that nothing is answered yet; when the client is gone it panics with
// http.ErrAbortHandler.
func (s Server) Serve(w http.ResponseWriter, r *http.Request, media carrier.Form) error {
	query := r.URL.Query()
	chosen, err := parseFilter(query)
	if err != nil {
		return carrier.BadRequest(err.Error())
	}
	_, cursors := query["resume"]
	o := &outlet{
		Server: s, Patient: carrier.NewPatient(w), control: http.NewResponseController(w), done: r.Context().Done(),
		subscriber: &subscriber{form: form{media, cursors}, filter: chosen, replaced: make(chan struct{})},
	}
	resumed := false
	if at := query.Get("resume"); at != "" {
		leader, number, err := parseCursor(at)
		if err != nil {
			return carrier.BadRequest(err.Error())
		}
		if resumed = s.Hub.resumable(leader, number); resumed {
			o.at = number
		}
	}
	if cursors {
		w.Header().Set("Troupe-Resumed", strconv.FormatBool(resumed))
	}
	w.Header().Set("Content-Type", media.String())
	w.WriteHeader(http.StatusOK)
	s.Hub.enter(o.subscriber)
	defer s.Hub.leave(o.subscriber)
	if err := o.run(resumed); err != nil || o.Rest() != nil {
		panic(http.ErrAbortHandler)
	}
	return nil
}

// outlet is a subscriber's connection.
type outlet struct {
	Server
	carrier.Patient
	*subscriber
	control *http.ResponseController
	done    <-chan struct{}
}

// run writes the stream until it ends. The error is the client's, or that of a
// stream whose last event says why it ended.
func (o *outlet) run(resumed bool) error {
	if err := o.begin(resumed); err != nil {
		return err
	}
	beat, err := o.form.heartbeat()
	if err != nil {
		return err
	}
	if err := o.send(beat); err != nil {
		return err
	}
	beats := time.NewTicker(Interval)
	defer beats.Stop()
	room := make([]*entry, 0, 256)
	for {
		events, late, again := o.Hub.take(o.subscriber, room)
		if late {
			return o.end(errSlow)
		}
		if len(events) > 0 {
			if err := o.write(events); err != nil {
				return err
			}
			again = passed
		}
		select {
		case <-o.replaced:
			return o.end(errReplaced)
		case <-beats.C:
			if err := o.send(beat); err != nil {
				return err
			}
		case <-again:
		case <-o.done:
			return errors.New("the client is gone")
		}
	}
}

// passed is a wait that is over.
var passed = func() <-chan struct{} { c := make(chan struct{}); close(c); return c }()

// begin writes SUBSCRIBED, with the state unless the stream goes on where it was.
func (o *outlet) begin(resumed bool) error {
	if resumed {
		record, err := o.form.record(nil, o.Hub.name(), o.at, func(p *pen.Pen) {
			records.Subscribed(p, Interval.Seconds(), nil, records.Parts{})
		})
		if err != nil {
			return err
		}
		return o.send(record)
	}
	name := fmt.Sprintf("SUBSCRIBED %d %s", o.form.index(), o.filter)
	mark := &marked{out: o}
	if err := o.Board.Copy(name, source{o.Server, o.form, o.filter}, mark); err != nil {
		return err
	}
	o.Hub.place(o.subscriber, mark.number)
	return o.control.Flush()
}

// write writes events: those that lie behind each other, at once.
func (o *outlet) write(events []*entry) error {
	leader := o.Hub.name()
	var run frame
	for _, e := range events {
		f := o.Hub.encode(e, o.form.index(), leader, nil)
		if f.follows(&run) {
			run = frame{f.slab, run.from, f.to}
			continue
		}
		if run.to > run.from {
			if _, err := o.Write(run.bytes()); err != nil {
				return err
			}
		}
		run = *f
	}
	return o.send(run.bytes())
}

// send writes bytes, and lets the client have all so far.
func (o *outlet) send(b []byte) error {
	if len(b) > 0 {
		if _, err := o.Write(b); err != nil {
			return err
		}
	}
	return o.control.Flush()
}

// end writes a last event.
func (o *outlet) end(why error) error {
	text := why.Error()
	if o.form.cursor {
		text += "; the last event was " + cursorOf(o.Hub.name(), o.at)
	}
	record, err := o.form.record(nil, "", 0, func(p *pen.Pen) { records.Ended(p, text) })
	if err != nil {
		return err
	}
	return o.send(record)
}

// source gives the SUBSCRIBED event: 8 bytes with the number of the newest event
// that is in its state, then the record.
type source struct {
	server Server
	form   form
	filter filter
}

// Revision implements share.Source.
func (s source) Revision() uint64 { return s.server.View.Revision() }

// Now implements share.Source.
func (s source) Now() share.Document {
	snapshot, number := s.server.View.Mark()
	part := s.filter.of(snapshot)
	write := func(out io.Writer) error {
		p := s.form.pen(out)
		records.Subscribed(p, Interval.Seconds(), part, s.filter.parts())
		if s.form.cursor {
			records.Cursor(p, cursorOf(s.server.Hub.name(), number))
		}
		return p.Finish()
	}
	return share.Document{Revision: snapshot.Revision, Encode: func(out io.Writer) error {
		var size counter
		if err := write(&size); err != nil {
			return err
		}
		head := binary.BigEndian.AppendUint64(nil, number)
		head = append(strconv.AppendInt(head, int64(size), 10), '\n')
		if _, err := out.Write(head); err != nil {
			return err
		}
		return write(out)
	}}
}

// counter counts what is written.
type counter int64

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}

// marked takes the number off what source writes.
type marked struct {
	out    io.Writer
	head   []byte
	number uint64
}

func (m *marked) Write(p []byte) (int, error) {
	n := min(len(p), 8-len(m.head))
	m.head = append(m.head, p[:n]...)
	if len(m.head) == 8 {
		m.number = binary.BigEndian.Uint64(m.head)
	}
	if n == len(p) {
		return n, nil
	}
	written, err := m.out.Write(p[n:])
	return n + written, err
}
