package carrier

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"
)

// Why a stream takes no more records.
var (
	// ErrSlow: the client did not take records as fast as they came.
	ErrSlow = errors.New("stream: the client is too slow")
	// ErrEnded: End was called, or the client is gone.
	ErrEnded = errors.New("stream: has ended")
)

// What the zero StreamOptions stand for.
const (
	DefaultStreamBytes   = 16 << 20
	DefaultStreamRecords = 1 << 16
	// slowest is the least speed at which a client must take a long record, in
	// bytes per second.
	slowest = 64 << 10
)

// StreamOptions are a stream's settings.
type StreamOptions struct {
	Form Form
	// Bytes and Records bound what waits for the client. A record that is longer
	// than Bytes is taken when nothing else waits.
	Bytes, Records int
	// Patience is how long the client may take for one record; a long one gets a
	// second more for every 64 KiB. DefaultPatience when zero.
	Patience time.Duration
	// Heartbeat is sent every Interval, whatever else is; nil: never. The first
	// is for the user of the stream to send.
	Heartbeat proto.Message
	Interval  time.Duration
	// TooSlow takes the place of all that waits when the client is cut off for
	// being slow; nil: nothing does.
	TooSlow proto.Message
}

// Stream is a sequence of records to one client. Send and End may be called
// from any goroutine, and never wait; Serve is called by the handler.
type Stream struct {
	o    StreamOptions
	wake chan struct{} // holds a token while there is something for Serve to do
	done chan struct{} // closed when Serve returned

	mu      sync.Mutex
	waiting [][]byte // frames; the first may be under way
	bytes   int      // of waiting
	ended   error    // nil while records are taken
}

// NewStream returns a stream. Records wait until Serve is called.
func NewStream(o StreamOptions) *Stream {
	o.Bytes = cmp.Or(o.Bytes, DefaultStreamBytes)
	o.Records = cmp.Or(o.Records, DefaultStreamRecords)
	o.Patience = cmp.Or(o.Patience, DefaultPatience)
	return &Stream{o: o, wake: make(chan struct{}, 1), done: make(chan struct{})}
}

// Form is how the stream's records are written.
func (s *Stream) Form() Form { return s.o.Form }

// Done is closed when Serve has returned.
func (s *Stream) Done() <-chan struct{} { return s.done }

// Send adds a record. The error is ErrSlow or ErrEnded, and stays then, or that
// of a message that cannot be encoded.
func (s *Stream) Send(m proto.Message) error {
	if err := s.over(); err != nil {
		return err // before the work of encoding
	}
	frame, err := s.o.Form.Frame(m)
	if err != nil {
		return err
	}
	return s.SendFrame(frame)
}

// SendFrame is Send of a record that Form.Frame encoded, which nobody modifies
// any more.
func (s *Stream) SendFrame(frame []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended != nil {
		return s.ended
	}
	if len(s.waiting) > 0 && (s.bytes+len(frame) > s.o.Bytes || len(s.waiting) >= s.o.Records) {
		s.ended = ErrSlow
		s.replace(s.o.TooSlow)
		s.signal()
		return s.ended
	}
	s.add(frame)
	return nil
}

// End lets the client have what waits, then last if it is not nil, and then
// ends the stream. It does nothing when the stream is over.
func (s *Stream) End(last proto.Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended != nil {
		return
	}
	s.ended = ErrEnded
	s.conclude(last)
	s.signal()
}

func (s *Stream) over() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ended
}

// replace drops what waits, and has last in its place.
func (s *Stream) replace(last proto.Message) {
	s.waiting, s.bytes = nil, 0
	s.conclude(last)
}

// conclude adds a last record, which is not held against the limits. One that
// cannot be encoded is left out: the stream ends with the one before.
func (s *Stream) conclude(m proto.Message) {
	if m == nil {
		return
	}
	if frame, err := s.o.Form.Frame(m); err == nil {
		s.add(frame)
	}
}

func (s *Stream) add(frame []byte) {
	s.waiting = append(s.waiting, frame)
	s.bytes += len(frame)
	s.signal()
}

func (s *Stream) signal() {
	select {
	case s.wake <- struct{}{}:
	default: // Serve is to wake up already
	}
}

// Serve answers a request by the stream: status 200, the header of the form and
// those that w has already, then the records as they come, each in a chunk of
// its own. It returns nil when End ended the stream and the client has it all;
// otherwise ErrSlow, or why the client is gone. It is called once.
func (s *Stream) Serve(w http.ResponseWriter, r *http.Request) error {
	defer close(s.done)
	defer s.drop()
	out := outlet{w: w, control: http.NewResponseController(w), patience: s.o.Patience}
	var beat []byte
	var beats <-chan time.Time
	if s.o.Heartbeat != nil {
		var err error
		if beat, err = s.o.Form.Frame(s.o.Heartbeat); err != nil {
			return err
		}
		ticker := time.NewTicker(s.o.Interval)
		defer ticker.Stop()
		beats = ticker.C
	}
	w.Header().Set("Content-Type", s.o.Form.String())
	w.WriteHeader(http.StatusOK)
	if err := out.flush(0); err != nil {
		return err
	}
	for {
		switch over, err := s.deliver(&out); {
		case err != nil:
			return err
		case over:
			return out.rest()
		}
		select {
		case <-s.wake:
		case <-beats:
			if err := out.write(beat); err != nil {
				return err
			}
		case <-r.Context().Done():
			return fmt.Errorf("stream: %w", context.Cause(r.Context()))
		}
	}
}

// deliver writes what waits. The stream is over when nothing does, and nothing
// will.
func (s *Stream) deliver(out *outlet) (over bool, err error) {
	for {
		frame, why := s.next()
		switch {
		case frame == nil && errors.Is(why, ErrSlow):
			return true, why
		case frame == nil:
			return why != nil, nil
		}
		if err := out.write(frame); err != nil {
			return true, err
		}
		s.delivered(frame)
	}
}

// next is the frame that is to be written, nil while there is none; the error
// says that there will be no others behind those that wait.
func (s *Stream) next() ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.waiting) == 0 {
		return nil, s.ended
	}
	return s.waiting[0], s.ended
}

// delivered takes a frame off the queue, unless the queue was dropped meanwhile.
func (s *Stream) delivered(frame []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.waiting) == 0 || &s.waiting[0][0] != &frame[0] {
		return
	}
	s.bytes -= len(frame)
	s.waiting[0] = nil
	s.waiting = s.waiting[1:]
	if len(s.waiting) == 0 {
		s.waiting = nil
	}
}

// drop frees what the client will not have.
func (s *Stream) drop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waiting, s.bytes = nil, 0
	if s.ended == nil {
		s.ended = ErrEnded
	}
}

// outlet writes frames, each within a time.
type outlet struct {
	w        http.ResponseWriter
	control  *http.ResponseController
	patience time.Duration
}

func (o *outlet) write(frame []byte) error {
	if err := o.hurry(len(frame)); err != nil {
		return err
	}
	if _, err := o.w.Write(frame); err != nil {
		return fmt.Errorf("stream: %w", err)
	}
	return o.flush(len(frame))
}

func (o *outlet) flush(size int) error {
	if err := o.hurry(size); err != nil {
		return err
	}
	if err := o.control.Flush(); err != nil {
		return fmt.Errorf("stream: %w", err)
	}
	return nil
}

// rest takes the deadline back, which would end a later request on the
// connection.
func (o *outlet) rest() error {
	if err := o.control.SetWriteDeadline(time.Time{}); err != nil && !errors.Is(err, errors.ErrUnsupported) {
		return fmt.Errorf("stream: %w", err)
	}
	return nil
}

// hurry gives the client the time for size bytes from now.
func (o *outlet) hurry(size int) error {
	until := time.Now().Add(o.patience + time.Duration(size/slowest)*time.Second)
	if err := o.control.SetWriteDeadline(until); err != nil && !errors.Is(err, errors.ErrUnsupported) {
		return fmt.Errorf("stream: %w", err)
	}
	return nil
}
