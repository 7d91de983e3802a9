package events

import (
	"context"
	"errors"
	"sync"
)

// Why a queue gives no more events.
var (
	errSlow   = errors.New("the listener is too slow")
	errClosed = errors.New("the event bus is closed")
)

// queue holds what one listener has yet to get. put never waits; take is called by
// one goroutine.
type queue struct {
	types map[string]bool // nil: all
	most  int
	wake  chan struct{} // holds a token while there may be something to take

	mu      sync.Mutex
	waiting []Event
	over    error // nil while events are taken
}

func newQueue(types []string, most int) *queue {
	q := &queue{most: most, wake: make(chan struct{}, 1)}
	if len(types) > 0 {
		q.types = make(map[string]bool, len(types))
		for _, t := range types {
			q.types[t] = true
		}
	}
	return q
}

// put adds an event that the listener wants. When there is no room all that waits
// is dropped, and the queue is over.
func (q *queue) put(e Event) {
	if q.types != nil && !q.types[e.Type] {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case q.over != nil:
		return
	case len(q.waiting) >= q.most:
		q.waiting, q.over = nil, errSlow
	default:
		q.waiting = append(q.waiting, e)
	}
	q.signal()
}

// end lets the listener have what waits, and then why nothing comes any more.
func (q *queue) end(why error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.over == nil {
		q.over = why
		q.signal()
	}
}

// again begins anew after the queue was over for being slow.
func (q *queue) again() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if errors.Is(q.over, errSlow) {
		q.over = nil
	}
}

func (q *queue) signal() {
	select {
	case q.wake <- struct{}{}:
	default: // a token is there
	}
}

// next is the event to be delivered now. ok is false when there is none yet, and
// the error says that there will be none.
func (q *queue) next() (e Event, ok bool, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.waiting) == 0 {
		return Event{}, false, q.over
	}
	e = q.waiting[0]
	q.waiting[0] = Event{}
	q.waiting = q.waiting[1:]
	return e, true, nil
}

// take waits for the next event.
func (q *queue) take(ctx context.Context) (Event, error) {
	for {
		if e, ok, err := q.next(); ok || err != nil {
			return e, err
		}
		select {
		case <-q.wake:
		case <-ctx.Done():
			return Event{}, context.Cause(ctx)
		}
	}
}
