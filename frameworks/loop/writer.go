package loop

import (
	"context"
	"errors"
	"maps"
	"sync"
)

// errNoStore answers what is persisted without a place for it.
var errNoStore = errors.New("the loop has no store")

// manyChanges bounds how many changes are gathered into one Apply.
const manyChanges = 1 << 14

// writer writes batches in order, and gathers those that came while it was
// writing.
type writer[I any] struct {
	store Store
	put   func(in I)
	wake  chan struct{}

	mu              sync.Mutex
	queue           []batch[I]
	over            bool
	writes, batches uint64
}

type batch[I any] struct {
	changes map[string][]byte
	then    func(err error) I
}

func newWriter[I any](s Store, put func(in I)) *writer[I] {
	return &writer[I]{store: s, put: put, wake: make(chan struct{}, 1)}
}

func (w *writer[I]) write(changes map[string][]byte, then func(err error) I) {
	w.mu.Lock()
	w.queue = append(w.queue, batch[I]{changes, then})
	w.mu.Unlock()
	w.rouse()
}

func (w *writer[I]) rouse() {
	select {
	case w.wake <- struct{}{}:
	default: // it will look anyway
	}
}

// end lets run return after the write that is under way. What still waits is
// not written: nobody has been told of it.
func (w *writer[I]) end() {
	w.mu.Lock()
	w.over = true
	w.mu.Unlock()
	w.rouse()
}

// run ends with the first error: nobody knows what is stored then.
func (w *writer[I]) run(ctx context.Context) {
	for {
		batches, changes, over := w.gather()
		switch {
		case over:
			return
		case len(batches) == 0:
			<-w.wake
			continue
		}
		err := errNoStore
		if w.store != nil {
			err = w.store.Apply(ctx, changes)
		}
		for _, b := range batches {
			w.put(b.then(err))
		}
		if err != nil {
			return
		}
	}
}

// gather takes the oldest batches, as one.
func (w *writer[I]) gather() (batches []batch[I], changes map[string][]byte, over bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.over || len(w.queue) == 0 {
		return nil, nil, w.over
	}
	changes = map[string][]byte{}
	n := 0
	for n < len(w.queue) && (n == 0 || len(changes)+len(w.queue[n].changes) <= manyChanges) {
		maps.Copy(changes, w.queue[n].changes)
		n++
	}
	batches = append(batches, w.queue[:n]...)
	w.queue = append([]batch[I](nil), w.queue[n:]...)
	w.writes++
	w.batches += uint64(n)
	return batches, changes, false
}

func (w *writer[I]) counts() (writes, batches uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.writes, w.batches
}
