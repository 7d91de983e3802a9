package remote

import "errors"

// fewLinks is up to how many links readers lend themselves. A goroutine that
// ran handlers keeps a larger stack for a while, and systems with many peers
// have better use for their time than the latency of one.
const fewLinks = 8

func (t *Transport) few() bool { return t.linked.Load() <= fewLinks }

// errRelieved ends a reader that was away for too long.
var errRelieved = errors.New("another goroutine reads")

// release has the work of the last message done by somebody else.
func (r *reader) release() {
	if w := r.made; w != nil {
		r.made = nil
		w.Go()
	}
}

// work does the work of the last message that came, if there is little else to
// do: two processes that wait for each other save a goroutine switch each way.
// It tells false when another goroutine has taken up reading meanwhile.
func (r *reader) work() bool {
	if r.made == nil {
		return true
	}
	l := r.l
	if !l.p.t.few() {
		r.release()
		return true
	}
	w := r.made
	r.made = nil
	since := max(l.p.t.now(), 1)
	l.reading.lent.Store(since)
	w.Do()
	return l.reading.lent.CompareAndSwap(since, 0)
}

// relieve lets another goroutine read on when the reader was lent before the
// time given and has not come back: a handler waits, or works for long.
func (l *link) relieve(before int64) {
	since := l.reading.lent.Load()
	if since != 0 && since <= before && l.reading.lent.CompareAndSwap(since, 0) {
		l.p.t.running.Go(l.serve) // the reader that is away is still one of them
	}
}
