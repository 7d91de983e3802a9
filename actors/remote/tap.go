package remote

import (
	"errors"
	"io"
	"os"
	"syscall"
)

// tap reads from a connection's descriptor, and so sees when there is nothing to
// read: ten thousand links that wait then hold a buffer of a kilobyte each,
// whatever their last message was.
type tap struct {
	raw syscall.RawConn
	try func(fd uintptr) bool // reads into the reader's room, unless there is nothing
	n   int
	err error
}

// newTap is nil for connections with TLS, which only a Read decrypts.
func newTap(r *reader) *tap {
	raw := rawOf(r.l.conn)
	if raw == nil {
		return nil
	}
	t := &tap{raw: raw}
	t.try = func(fd uintptr) bool {
		r.expect()
		for {
			t.n, t.err = syscall.Read(int(fd), r.buf[r.end:])
			if !errors.Is(t.err, syscall.EINTR) {
				break
			}
		}
		if errors.Is(t.err, syscall.EAGAIN) {
			r.shrink()
			return false
		}
		return true
	}
	return t
}

func (t *tap) read() (int, error) {
	t.n, t.err = 0, nil
	err := t.raw.Read(t.try)
	switch {
	case err != nil:
		return 0, err
	case t.err != nil:
		return 0, os.NewSyscallError("read", t.err)
	case t.n == 0:
		return 0, io.EOF
	}
	return t.n, nil
}

// pull reads what comes next.
func (r *reader) pull() (int, error) {
	if r.tap != nil {
		return r.tap.read()
	}
	if r.burst < idleRead/2 && r.end < idleRead/2 {
		r.shrink()
	}
	r.burst = 0
	return r.l.conn.Read(r.buf[r.end:])
}

// grow makes room for a burst, or a frame, of n bytes.
func (r *reader) grow(n int) {
	if n = min(n, largeBlock); n <= cap(r.buf) {
		return
	}
	was := r.block
	r.block = newBlock(max(n, smallBlock+1))
	b := r.block.b[:cap(r.block.b)]
	copy(b, r.buf[:r.end])
	r.buf = b
	if was != nil {
		was.free()
	}
}

// expect makes room for as much as came the last time.
func (r *reader) expect() {
	if r.usual > idleRead {
		r.grow(r.usual)
	}
}

// shrink gives the room back when there is nothing to read, unless a part of a
// frame is in it.
func (r *reader) shrink() {
	r.usual, r.burst = r.burst, 0
	if r.block == nil || r.end > len(r.small) {
		return
	}
	copy(r.small, r.buf[:r.end])
	r.buf = r.small
	r.block.free()
	r.block = nil
}
