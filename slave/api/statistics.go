package api

import (
	"context"
	"net/http"
	"sync"
	"time"

	"troupe/messages/carrier/legacy"
	"troupe/messages/json"
)

// measureEvery is the least time between two measurements for
// /monitor/statistics: two in a second, as in Mesos.
const measureEvery = 500 * time.Millisecond

// pacer measures for many at a pace. Who asks too early waits, as in Mesos, where
// clients know nothing but 200; all who wait share the next measurement, so that
// each gets one that was begun after its question, and none waits in a queue.
type pacer struct {
	measure func() []sample

	mu   sync.Mutex
	last time.Time // when the last measurement began
	next *round    // that the next one is for; nil: nobody waits
	busy bool      // one is timed, or goes on, after which the next is arranged
}

// round is a measurement, and is closed with done.
type round struct {
	done    chan struct{}
	samples []sample
}

// samples returns when they are measured, or with false when ctx ends.
func (p *pacer) samples(ctx context.Context) ([]sample, bool) {
	p.mu.Lock()
	r := p.next
	if r == nil {
		r = &round{done: make(chan struct{})}
		p.next = r
		p.arrange()
	}
	p.mu.Unlock()
	select {
	case <-r.done:
		return r.samples, true
	case <-ctx.Done():
		return nil, false
	}
}

// arrange has the next round measured when it is time, unless one is measured
// now. The lock is held.
func (p *pacer) arrange() {
	if p.next != nil && !p.busy {
		p.busy = true
		time.AfterFunc(time.Until(p.last.Add(measureEvery)), p.run)
	}
}

func (p *pacer) run() {
	p.mu.Lock()
	r := p.next
	p.next, p.last = nil, time.Now()
	p.mu.Unlock()
	r.samples = p.measure()
	close(r.done)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.busy = false
	p.arrange()
}

// statistics answers /monitor/statistics.
func (s *server) statistics() http.Handler {
	paced := &pacer{measure: func() []sample { return s.meter.of(s.view.Snapshot(), false) }}
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if !legacy.Allowed(rw, r) {
			return
		}
		samples, ok := paced.samples(r.Context())
		if !ok {
			return // nobody is there to be answered
		}
		legacy.Serve(rw, r, func(w *json.Writer) { writeStatistics(w, samples) })
	})
}

func writeStatistics(w *json.Writer, samples []sample) {
	w.BeginArray()
	for _, c := range samples {
		w.BeginObject()
		writeWhose(w, c)
		w.EndObject()
	}
	w.EndArray()
}
