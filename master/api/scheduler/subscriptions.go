package scheduler

import (
	"strconv"
	"sync"

	"troupe/actors"
)

// subscription is a stream that is open.
type subscription struct {
	gateway   actors.PID
	principal string        // who opened it; "" without authentication
	framework string        // once it is known
	over      chan struct{} // closed when the gateway is no more
}

// subscriptions finds them.
type subscriptions struct {
	mu       sync.Mutex
	byStream map[string]*subscription
	started  int // so far
}

// add makes a subscription known, and gives it a number that no other has.
func (t *subscriptions) add(id string, sub *subscription) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.started++
	t.byStream[id] = sub
	return strconv.Itoa(t.started)
}

func (t *subscriptions) remove(id string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.byStream, id)
}

// find is nil for a stream that is not open.
func (t *subscriptions) find(id string) *subscription {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.byStream[id]
}

// of tells whether any stream is of a framework.
func (t *subscriptions) of(framework string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, sub := range t.byStream {
		if sub.framework == framework {
			return true
		}
	}
	return false
}
