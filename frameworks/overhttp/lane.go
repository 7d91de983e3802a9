package overhttp

import (
	"slices"
	"sync"

	"troupe/messages/mesos/scheduler"
)

// lane is a queue of calls that one goroutine sends.
type lane struct {
	mu    sync.Mutex
	calls []*scheduler.Call
	// busy: somebody sends.
	busy bool
}

func newLane() *lane { return new(lane) }

// put adds a call. busy tells whether somebody will send it; otherwise the caller
// has to see to that.
func (l *lane) put(c *scheduler.Call) (waiting int, busy bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.calls = append(l.calls, c)
	busy, l.busy = l.busy, true
	return len(l.calls), busy
}

// empty takes all that waits, behind what whoever sends has in hand; who sends goes
// on to do so.
func (l *lane) empty(hand []*scheduler.Call) []*scheduler.Call {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := append(slices.Clone(hand), l.calls...)
	l.calls = nil
	return all
}

// take takes all that waits; none, and nobody sends any more.
func (l *lane) take() []*scheduler.Call {
	l.mu.Lock()
	defer l.mu.Unlock()
	calls := l.calls
	l.calls, l.busy = nil, len(calls) > 0
	return calls
}
