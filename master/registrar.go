package master

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"troupe/actors"
	"troupe/master/registry"
	"troupe/messages/timings"
)

var errNoRegistrar = errors.New("the registrar is not running")

// Registrar is the actor that makes operations durable, in the order in which
// they were asked for. What waits while a write is under way is written
// together by the next one.
type Registrar struct {
	store   Store
	timeout time.Duration
	current registry.Registry
	waiting []request
	writing bool
	failed  error
	// Read from outside.
	queued atomic.Int64
	writes *timings.Window
}

type request struct {
	operation registry.Operation
	answer    func(error)
}

// NewRegistrar returns a registrar of what store holds now.
func NewRegistrar(store Store, current registry.Registry, timeout time.Duration) *Registrar {
	return &Registrar{store: store, current: current, timeout: timeout, writes: timings.New(24 * time.Hour)}
}

// Init has nothing to install: all requests come through Apply.
func (r *Registrar) Init(*actors.Context) {}

// Apply performs an operation and answers when it is durable, or with why it
// cannot be: an error that wraps registry.ErrConflict when the registry
// forbids it, any other when the store failed. It must be called in the
// registrar's queue; the answer comes there too and must not block.
func (r *Registrar) Apply(c *actors.Context, op registry.Operation, answer func(error)) {
	if r.failed != nil {
		answer(r.failed)
		return
	}
	r.waiting = append(r.waiting, request{op, answer})
	r.queued.Store(int64(len(r.waiting)))
	if !r.writing {
		r.write(c)
	}
}

// write applies everything that waits and writes what differs.
func (r *Registrar) write(c *actors.Context) {
	batch := r.waiting
	r.waiting = nil
	r.queued.Store(0)
	verdicts := make([]error, len(batch))
	next := r.current
	var changes []registry.Change
	for i, q := range batch {
		var made []registry.Change
		next, made, verdicts[i] = registry.Apply(next, q.operation)
		changes = append(changes, made...)
	}
	var timer *actors.Timer
	finish := func(err error) {
		timer.Stop()
		if r.writing {
			r.writing = false
			r.finish(c, batch, verdicts, next, err)
		}
	}
	r.writing = true
	if len(changes) == 0 {
		finish(nil)
		return
	}
	// The store may be stuck where no context reaches it.
	timer = c.After(r.timeout, func() { finish(fmt.Errorf("the registry was not written within %s", r.timeout)) })
	c.Go(func(ctx context.Context) func() {
		ctx, cancel := context.WithTimeout(ctx, r.timeout)
		defer cancel()
		began := time.Now()
		err := r.store.Write(ctx, changes)
		r.writes.Add(time.Now(), time.Since(began))
		return func() { finish(err) }
	})
}

func (r *Registrar) finish(c *actors.Context, batch []request, verdicts []error, next registry.Registry, err error) {
	if err != nil {
		r.failed = err
		for _, q := range append(batch, r.waiting...) {
			q.answer(err)
		}
		r.waiting = nil
		return
	}
	r.current = next
	for i, q := range batch {
		q.answer(verdicts[i])
	}
	if len(r.waiting) > 0 && !r.writing {
		r.write(c)
	}
}

// Queued is how many operations wait for the next write. Safe from any
// goroutine, like Writes.
func (r *Registrar) Queued() int64 { return r.queued.Load() }

// Writes is how long the writes of the last day took.
func (r *Registrar) Writes() *timings.Window { return r.writes }
