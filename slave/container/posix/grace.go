package posix

import (
	"sync"
	"time"
)

// Grace is the time from the first wish that something ends until it is forced to.
// Safe for concurrent use; the zero value waits for that wish.
type Grace struct {
	mu       sync.Mutex
	over     bool
	deadline time.Time   // of force; zero while none is asked for
	timer    *time.Timer // fires at the deadline
}

// Begin has force called after d, unless an earlier call wanted that sooner, and
// says whether this is the first and d is more than nothing.
func (g *Grace) Begin(d time.Duration, force func()) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	first := g.deadline.IsZero()
	deadline := time.Now().Add(d)
	if g.over || !first && !deadline.Before(g.deadline) {
		return false
	}
	g.deadline = deadline
	if g.timer != nil {
		g.timer.Stop()
	}
	g.timer = time.AfterFunc(d, force)
	return first && d > 0
}

// End is called when there is nothing left to force: later wishes are none.
func (g *Grace) End() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.over = true
	if g.timer != nil {
		g.timer.Stop()
	}
}
