package ensemble

import (
	"encoding/binary"
	"fmt"
	"net"
	"time"
)

// heard is a connection to a server that the library need not be afraid of. It
// notes when something came and for how long the server keeps the session; it
// gives a server which takes connections but does not answer a third of the
// session's time, where the library would give it several sessions; and it ends
// where the server sends what no ZooKeeper sends, for which the library would
// make room, or fail.
type heard struct {
	net.Conn
	session *Session
	head    []byte // of the frame that comes: its length
	left    int    // bytes of the frame that are still to come
	// greeting is the beginning of the first frame.
	greeting []byte
}

const (
	// minAnswer and maxAnswer bound a frame, in bytes: it has a header of 16, and
	// a znode has at most 1 MiB.
	minAnswer = 16
	maxAnswer = 4 << 20
	// maxGreeting bounds the first frame.
	maxGreeting = 1 << 10
	// greetingBytes is how much of that is looked at: the protocol's version, and
	// the time for which the server keeps the session.
	greetingBytes = 8
)

// Read is called by one goroutine at a time, as the library does.
func (h *heard) Read(b []byte) (int, error) {
	n, err := h.Conn.Read(b)
	if n == 0 {
		return n, err
	}
	if err := h.inspect(b[:n]); err != nil {
		h.session.lastFail.Store(&err)
		return 0, err
	}
	h.session.noteHeard()
	return n, err
}

// inspect follows the frames.
func (h *heard) inspect(b []byte) error {
	for len(b) > 0 {
		if h.left > 0 {
			n := min(h.left, len(b))
			h.greet(b[:n])
			h.left -= n
			b = b[n:]
			continue
		}
		n := min(4-len(h.head), len(b))
		h.head = append(h.head, b[:n]...)
		b = b[n:]
		if len(h.head) < 4 {
			return nil
		}
		size := binary.BigEndian.Uint32(h.head)
		most := uint32(maxAnswer)
		if !h.greeted() {
			most = maxGreeting
		}
		if size < minAnswer || size > most {
			return fmt.Errorf("%s is no ZooKeeper: it answers with %q, which would be %d bytes", h.RemoteAddr(), h.head, size)
		}
		h.left, h.head = int(size), h.head[:0]
	}
	return nil
}

func (h *heard) greeted() bool { return len(h.greeting) == greetingBytes }

// greet learns for how long the server keeps the session, which the library
// keeps to itself. It may be less than was asked for.
func (h *heard) greet(b []byte) {
	if h.greeted() {
		return
	}
	h.greeting = append(h.greeting, b[:min(len(b), greetingBytes-len(h.greeting))]...)
	if !h.greeted() {
		return
	}
	if ms := int32(binary.BigEndian.Uint32(h.greeting[4:])); ms > 0 {
		h.session.granted.Store(int64(time.Duration(ms) * time.Millisecond))
	}
}

// SetReadDeadline keeps the deadline of the greeting, which the library takes
// back when it has its first bytes.
func (h *heard) SetReadDeadline(t time.Time) error {
	if t.IsZero() && !h.greeted() {
		return nil
	}
	return h.Conn.SetReadDeadline(h.bounded(t))
}

// SetWriteDeadline bounds the deadline.
func (h *heard) SetWriteDeadline(t time.Time) error { return h.Conn.SetWriteDeadline(h.bounded(t)) }

func (h *heard) bounded(t time.Time) time.Time {
	timeout := h.session.timeout()
	if t.IsZero() || time.Until(t) <= timeout {
		return t
	}
	return time.Now().Add(timeout / 3)
}
