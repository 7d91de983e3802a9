package remote

import (
	"errors"
	"fmt"
	"net"
	"syscall"
)

// sparse is how long no sender must have written directly, or thought of it, for
// the next one to do so, in nanoseconds; unless it answers, over one of few links.
const sparse = 20_000

// direct lets a sender write a lone small message itself, which spares two
// processes that wait for each other the way over a goroutine. It never waits:
// what the socket does not take at once is the writer's. While messages come in
// numbers they all go to the writers, which batch them, and write for many
// peers at the same time.
type direct struct {
	raw syscall.RawConn
	try func(fd uintptr) bool // writes buf, once
	buf []byte
	n   int
	err error
}

// newDirect is nil for connections that cannot be written so: those with TLS.
func newDirect(conn net.Conn) *direct {
	raw := rawOf(conn)
	if raw == nil {
		return nil
	}
	d := &direct{raw: raw}
	d.try = func(fd uintptr) bool {
		d.n, d.err = syscall.Write(int(fd), d.buf)
		return true
	}
	return d
}

// write gives how much the socket took.
func (d *direct) write(b []byte) (int, error) {
	d.buf, d.n, d.err = b, 0, nil
	err := d.raw.Write(d.try)
	d.buf = nil
	switch {
	case err != nil:
		return 0, err
	case errors.Is(d.err, syscall.EAGAIN) || errors.Is(d.err, syscall.EINTR):
		return 0, nil
	}
	return max(d.n, 0), d.err
}

// claim tells whether the caller is to write what is queued, by deliver. It
// then stands in for the idle writer. The caller has locked.
func (l *link) claim() bool {
	if !l.idle || l.direct == nil || len(l.out.blocks) != 1 || l.out.bulk.len() > 0 {
		return false
	}
	now := l.p.t.now()
	before := l.p.t.lastDirect.Swap(now)
	if now-before < sparse && (l.last.heard.Load() < before || !l.p.t.few()) {
		return false
	}
	l.idle = false
	return true
}

// deliver writes what is queued, after claim said so and the lock was released.
func (l *link) deliver() {
	l.p.mu.Lock()
	l.gather()
	batch := l.out.take(l.writing.batch)
	l.writing.batch = nil
	l.p.mu.Unlock()

	b := batch[0]
	n, err := 0, error(nil)
	if len(batch) == 1 {
		n, err = l.direct.write(b.b)
	}
	l.p.counters.bytesOut.Add(uint64(n))
	l.last.wrote.Store(l.p.t.now())
	if n == len(b.b) {
		b.free()
		batch[0] = nil
		l.writing.batch, batch = batch, nil
	} else {
		b.b = b.b[:copy(b.b, b.b[n:])]
	}
	if err != nil {
		l.end(fmt.Errorf("lost: %w", err))
	}

	l.p.mu.Lock()
	defer l.p.mu.Unlock()
	l.out.putBack(batch)
	l.idle = true
	if len(l.out.blocks) > 0 || l.out.bulk.len() > 0 || l.acked.due || l.parting.wanted || l.cause != nil {
		l.rouse()
	}
}
