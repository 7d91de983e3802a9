package api

import (
	"sync"
	"time"

	"troupe/slave/state/view"
)

// milestones keeps when something came to pass, by this process's clock.
type milestones struct {
	mu sync.Mutex
	// The zero time while it has not happened.
	recovered, draining time.Time
}

func (m *milestones) agentChanged(a *view.Agent, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.recovered.IsZero() && recovered(a) {
		m.recovered = now
	}
	switch {
	case a.Drain == nil:
		m.draining = time.Time{}
	case m.draining.IsZero():
		m.draining = now
	}
}

// recovered tells whether the agent knows what an earlier process of it left.
func recovered(a *view.Agent) bool { return a.Info != nil && !a.Recovering }

// recovery is when the agent had recovered, zero while it has not.
func (m *milestones) recovery() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.recovered
}

// drainStart is when this process heard that the agent is to be drained, zero
// while it is not.
func (m *milestones) drainStart() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.draining
}
