package overhttp

import (
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

// take takes all that waits; none, and nobody sends any more.
func (l *lane) take() []*scheduler.Call {
	l.mu.Lock()
	defer l.mu.Unlock()
	calls := l.calls
	l.calls, l.busy = nil, len(calls) > 0
	return calls
}
