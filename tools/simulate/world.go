package simulate

import (
	"math/rand/v2"
	"time"
)

// world is the virtual clock, the one source of chance, and the trace of
// everything that happened. Events run one at a time, in the order of their
// times and then of their making.
type world struct {
	now    time.Time
	begin  time.Time
	chance *rand.Rand
	events events
	made   uint64
	trace  trace
}

func newWorld(seed uint64, limit int) *world {
	begin := time.Unix(1_000_000_000, 0).UTC()
	return &world{
		now: begin, begin: begin, chance: rand.New(rand.NewPCG(seed, seed^0x6a09e667f3bcc909)),
		trace: trace{hash: fnvOffset, limit: limit},
	}
}

// after lets run happen later.
func (w *world) after(d time.Duration, run func()) { w.at(w.now.Add(d), run) }

func (w *world) at(t time.Time, run func()) {
	w.made++
	w.events.push(event{t.Sub(w.begin), w.made, run})
}

// next runs one event; false when there is none before end.
func (w *world) next(end time.Time) bool {
	if len(w.events) == 0 || w.events[0].at > end.Sub(w.begin) {
		return false
	}
	e := w.events.pop()
	w.now = w.begin.Add(e.at)
	e.run()
	return true
}

// between is a random duration in [low, high).
func (w *world) between(low, high time.Duration) time.Duration {
	if high <= low {
		return low
	}
	return low + time.Duration(w.chance.Int64N(int64(high-low)))
}

// oneIn is true once in n times.
func (w *world) oneIn(n int) bool { return w.chance.IntN(n) == 0 }

// trace is a hash over every line, and the newest lines themselves.
type trace struct {
	hash  uint64
	lines []line // a ring of limit
	next  int
	limit int
	count uint64
}

// Of FNV-1a with 64 bits.
const (
	fnvOffset = 14695981039346656037
	fnvPrime  = 1099511628211
)

// line is one thing that happened. Its text is made only when somebody wants
// to read it.
type line struct {
	at   time.Duration // since the beginning
	text func() string
}

// mark puts what identifies a line into the hash, which is FNV-1a.
func (w *world) mark(parts ...string) {
	t := &w.trace
	t.count++
	h := t.hash
	for at := uint64(w.now.Sub(w.begin)); at > 0; at >>= 8 {
		h = (h ^ at&0xff) * fnvPrime
	}
	for _, p := range parts {
		for i := range len(p) {
			h = (h ^ uint64(p[i])) * fnvPrime
		}
		h *= fnvPrime // as for a zero
	}
	t.hash = h
}

// keep adds a line to those that can be shown.
func (w *world) keep(text func() string) {
	t := &w.trace
	l := line{w.now.Sub(w.begin), text}
	if len(t.lines) < t.limit {
		t.lines = append(t.lines, l)
		return
	}
	t.lines[t.next] = l
	t.next = (t.next + 1) % t.limit
}

// keeps tells whether lines are wanted.
func (w *world) keeps() bool { return w.trace.limit > 0 }

// newest returns the lines kept, oldest first.
func (t *trace) newest() []line {
	return append(append([]line(nil), t.lines[t.next:]...), t.lines[:t.next]...)
}
