package events

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"go.uber.org/zap"
)

// What the zero Options stand for.
const (
	DefaultWaiting   = 1024
	DefaultHeartbeat = 10 * time.Second
	DefaultListeners = 1000
	DefaultCallbacks = 100
)

// timestamp is how events say when they happened.
const timestamp = "2006-01-02T15:04:05.000Z"

// Event is one thing that happened. Body is what is written as JSON, an object with
// eventType and timestamp; light is asked for by those who want no apps in
// deployment plans. Body is called by each listener's goroutine and must give the
// same each time.
type Event struct {
	Type string
	Body func(light bool) any
}

// Options are a bus' settings.
type Options struct {
	Waiting   int           // events that wait for one listener
	Heartbeat time.Duration // between signs of life on a stream
	Streams   int           // at once; more are refused
	Callbacks int           // at once; more are refused
	Now       func() time.Time
	Post      Poster // what delivers to callbacks; nil: an http.Client of its own
	// Keep makes the list of callbacks durable, or says why it cannot; nil: they
	// are forgotten with the process.
	Keep func(urls []string) error
	Log  *zap.Logger
}

// Bus spreads events. Publish may be called from any goroutine; the zero Bus is not
// usable.
type Bus struct {
	o        Options
	changing chan struct{} // holds a token while the list of callbacks is changed

	mu        sync.Mutex
	streams   map[*queue]bool
	callbacks map[string]*callback
	closed    bool
	working   sync.WaitGroup // callbacks
}

// New returns a bus without listeners.
func New(o Options) *Bus {
	o.Waiting = cmp.Or(o.Waiting, DefaultWaiting)
	o.Heartbeat = cmp.Or(o.Heartbeat, DefaultHeartbeat)
	o.Streams = cmp.Or(o.Streams, DefaultListeners)
	o.Callbacks = cmp.Or(o.Callbacks, DefaultCallbacks)
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Post == nil {
		o.Post = newPoster()
	}
	if o.Log == nil {
		o.Log = zap.NewNop()
	}
	return &Bus{o: o, changing: make(chan struct{}, 1), streams: map[*queue]bool{}, callbacks: map[string]*callback{}}
}

// Publish gives an event to all who want it, and does not wait for them.
func (b *Bus) Publish(e Event) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for q := range b.streams {
		q.put(e)
	}
	for _, c := range b.callbacks {
		c.queue.put(e)
	}
}

// Streams is how many event streams there are.
func (b *Bus) Streams() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.streams)
}

// Close ends all streams, each with a last event, and all callbacks, and waits for
// the latter. Nobody can listen any more.
func (b *Bus) Close() {
	b.mu.Lock()
	b.closed = true
	for q := range b.streams {
		q.end(errClosed)
	}
	for _, c := range b.callbacks {
		c.stop()
	}
	b.mu.Unlock()
	b.working.Wait()
}

// attach adds a stream's queue, unless there are too many.
func (b *Bus) attach(q *queue) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.closed:
		return errClosed
	case len(b.streams) >= b.o.Streams:
		return fmt.Errorf("there are %d event streams already, which is the most", len(b.streams))
	}
	b.streams[q] = true
	return nil
}

func (b *Bus) detach(q *queue) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.streams, q)
}

// stamp is what every event has.
type stamp struct {
	Type string `json:"eventType"`
	At   string `json:"timestamp"`
}

func (b *Bus) stamp(kind string) stamp {
	return stamp{kind, b.o.Now().UTC().Format(timestamp)}
}

// fixed is an event with the same body in each form.
func fixed(kind string, body any) Event {
	return Event{Type: kind, Body: func(bool) any { return body }}
}

// encode is the JSON of a body in one line.
func encode(body any) ([]byte, error) {
	var buf bytes.Buffer
	to := json.NewEncoder(&buf)
	to.SetEscapeHTML(false)
	if err := to.Encode(body); err != nil {
		return nil, fmt.Errorf("encode an event: %w", err)
	}
	return bytes.TrimRight(buf.Bytes(), "\n"), nil
}
