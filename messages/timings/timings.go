// Package timings keeps how long something took lately, and tells it by the
// keys that Mesos gives to a timer. Whoever measures anything for
// /metrics/snapshot may import it.
package timings

import (
	"slices"
	"sync"
	"time"
)

// Capacity is how many timings a window keeps at most; older ones give way.
const Capacity = 1000

// Window holds the timings of the last span of time. Its methods may be called
// from any goroutine. The zero value keeps nothing; use New.
type Window struct {
	span time.Duration

	mu    sync.Mutex
	kept  []timing // a ring once it is full
	first int      // the oldest of a full ring
	last  time.Duration
	any   bool
}

type timing struct {
	at   time.Time
	took time.Duration
}

// New returns an empty window of the given span.
func New(span time.Duration) *Window { return &Window{span: span} }

// Add keeps what took so long and ended at the given time. A negative timing,
// of a clock that was set back, counts as none at all.
func (w *Window) Add(at time.Time, took time.Duration) {
	fresh := timing{at, max(took, 0)}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.last, w.any = fresh.took, true
	if len(w.kept) < Capacity {
		w.kept = append(w.kept, fresh)
		return
	}
	w.kept[w.first] = fresh
	w.first = (w.first + 1) % Capacity
}

// quantiles are those that Mesos tells.
var quantiles = []struct {
	suffix string
	of     float64
}{{"/p50", 0.5}, {"/p90", 0.9}, {"/p95", 0.95}, {"/p99", 0.99}, {"/p999", 0.999}, {"/p9999", 0.9999}}

// Put puts, in milliseconds, the last timing by key, and how those of the span
// before now are spread: /min, /max and the quantiles. What was never measured
// is left out; /count, of the timings that the spread is of, is always there.
func (w *Window) Put(now time.Time, key string, put func(key string, value float64)) {
	sorted, last, measured := w.lately(now)
	if measured {
		put(key, milliseconds(last))
	}
	put(key+"/count", float64(len(sorted)))
	if len(sorted) == 0 {
		return
	}
	put(key+"/max", milliseconds(sorted[len(sorted)-1]))
	put(key+"/min", milliseconds(sorted[0]))
	for _, q := range quantiles {
		put(key+q.suffix, quantile(sorted, q.of))
	}
}

// lately returns the timings of the span before now in ascending order, and
// the last of all, if there is one.
func (w *Window) lately(now time.Time) (sorted []time.Duration, last time.Duration, measured bool) {
	oldest := now.Add(-w.span)
	w.mu.Lock()
	for _, t := range w.kept {
		if !t.at.Before(oldest) {
			sorted = append(sorted, t.took)
		}
	}
	last, measured = w.last, w.any
	w.mu.Unlock()
	slices.Sort(sorted)
	return sorted, last, measured
}

// quantile lies between two of the timings, which must be in order, as far as
// its place among them does.
func quantile(sorted []time.Duration, q float64) float64 {
	place := q * float64(len(sorted)-1)
	below := int(place)
	low := milliseconds(sorted[below])
	if below == len(sorted)-1 {
		return low
	}
	return low + (milliseconds(sorted[below+1])-low)*(place-float64(below))
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
