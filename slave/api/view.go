package api

import (
	"sync"
	"time"

	"troupe/slave/state/view"
)

// View collects the agent's events, and gives out snapshots. Publish never
// waits for readers.
type View struct {
	queue queue
	model model
	files sandboxFiles
	// milestones are moments of the agent's life.
	milestones milestones
}

// queue holds the events that were not applied yet.
type queue struct {
	mu     sync.Mutex
	events []view.Event
}

type model struct {
	mu   sync.Mutex
	view *view.Model
}

// So many events wait at most before Publish tries to apply them itself.
const maxQueued = 512

// NewView returns a view of an agent. Folder says where all its sandboxes are,
// once it has an id.
func NewView(l view.Limits, folder func(agent string) string) *View {
	return &View{model: model{view: view.NewModel(l)}, files: sandboxFiles{folder: folder}}
}

// Publish adds an event. Events are applied in the order of the calls.
func (v *View) Publish(e view.Event) {
	v.queue.mu.Lock()
	v.queue.events = append(v.queue.events, e)
	many := len(v.queue.events) >= maxQueued
	v.queue.mu.Unlock()
	if e, ok := e.(view.AgentChanged); ok {
		v.files.agentChanged(e.Agent)
		v.milestones.agentChanged(e.Agent, time.Now())
	}
	if many && v.model.mu.TryLock() {
		defer v.model.mu.Unlock()
		v.apply()
	}
}

// apply applies what was published; the model is locked.
func (v *View) apply() {
	v.queue.mu.Lock()
	events := v.queue.events
	v.queue.events = nil
	v.queue.mu.Unlock()
	for _, e := range events {
		v.model.view.Apply(e)
	}
}

// Snapshot is the state after everything that was published before.
func (v *View) Snapshot() *view.Snapshot {
	v.model.mu.Lock()
	defer v.model.mu.Unlock()
	v.apply()
	return v.model.view.Snapshot()
}
