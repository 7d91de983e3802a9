package api

import (
	"sync"

	"troupe/master/api/share"
	"troupe/master/api/stream"
	"troupe/master/state/view"
)

// View collects the master's events, and gives out snapshots. Publish never
// waits for readers: a goroutine of the view's own applies what was published.
type View struct {
	queue chan struct{} // holds one token while there is something to apply
	done  chan struct{}
	ended sync.WaitGroup

	// Who reads along, and what several read at once.
	hub   *stream.Hub
	board *share.Board

	pendingMu sync.Mutex
	pending   []view.Event
	model     model
}

// model is a view.Model and the snapshot last made of it, under one lock.
type model struct {
	mu     sync.Mutex
	view   *view.Model
	latest *view.Snapshot
}

// NewView returns a view; Close ends its goroutine.
func NewView(l view.Limits) *View {
	v := &View{
		queue: make(chan struct{}, 1), done: make(chan struct{}), hub: stream.NewHub(), board: share.NewBoard(),
		model: model{view: view.NewModel(l)},
	}
	v.ended.Go(v.run)
	return v
}

// Publish adds an event. Events are applied in the order of the calls.
func (v *View) Publish(e view.Event) {
	v.pendingMu.Lock()
	v.pending = append(v.pending, e)
	first := len(v.pending) == 1
	v.pendingMu.Unlock()
	if !first {
		return
	}
	select {
	case v.queue <- struct{}{}:
	default: // it is on its way already
	}
}

func (v *View) run() {
	for {
		select {
		case <-v.queue:
			v.apply()
		case <-v.done:
			return
		}
	}
}

// apply applies all that was published before the call.
func (v *View) apply() {
	v.model.mu.Lock()
	defer v.model.mu.Unlock()
	v.pendingMu.Lock()
	events := v.pending
	v.pending = nil
	v.pendingMu.Unlock()
	for _, e := range events {
		v.model.view.Apply(e)
		v.hub.Add(e)
	}
}

// Snapshot returns the state after all events that were published before.
func (v *View) Snapshot() *view.Snapshot {
	v.apply()
	v.model.mu.Lock()
	defer v.model.mu.Unlock()
	return v.snapshot()
}

// Mark is Snapshot, and the number of the newest event of the stream that is in
// it.
func (v *View) Mark() (*view.Snapshot, uint64) {
	v.apply()
	v.model.mu.Lock()
	defer v.model.mu.Unlock()
	return v.snapshot(), v.hub.Last()
}

// snapshot makes one unless nothing has changed. v.model.mu is held.
func (v *View) snapshot() *view.Snapshot {
	if v.model.latest == nil || v.model.latest.Version != v.model.view.Version() {
		v.model.latest = v.model.view.Snapshot()
	}
	return v.model.latest
}

// Revision is that of Snapshot, without the work of making one.
func (v *View) Revision() uint64 {
	v.apply()
	v.model.mu.Lock()
	defer v.model.mu.Unlock()
	return v.model.view.Revision()
}

// Close ends the view's goroutine. Snapshots may still be asked for.
func (v *View) Close() {
	close(v.done)
	v.ended.Wait()
}
