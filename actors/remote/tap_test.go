package remote

import (
	"net"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/actors/address"
)

// TestWhoWaitsHoldsNoBlock: whatever came over a connection, once there is
// nothing to read its reader holds a kilobyte, but for a part of a frame.
func TestWhoWaitsHoldsNoBlock(t *testing.T) {
	s := start(t, Config{Address: "host:0"})
	near, far := connected(t)
	r := newReader(&link{conn: near, p: &peer{t: s.Transport}})
	waits := make(chan int, 1)
	inner := r.tap.try
	r.tap.try = func(fd uintptr) bool {
		done := inner(fd)
		if !done {
			waits <- len(r.buf)
		}
		return done
	}
	for _, c := range []struct{ came, left, room int }{
		{10, 0, idleRead},
		{5_000, 0, idleRead},
		{300_000, 0, idleRead},
		{300_000, 100, idleRead},
		{100_000, 20_000, largeBlock},
		{10, 0, idleRead},
	} {
		r.end = 0
		came := make(chan error, 1)
		go func() { came <- readAll(r, c.came, c.left) }()
		if room := <-waits; room != idleRead && r.end == 0 {
			t.Errorf("before %d bytes came, %d bytes were held", c.came, room)
		}
		if _, err := far.Write(make([]byte, c.came)); err != nil {
			t.Fatal(err)
		}
		for reading := true; reading; {
			select {
			case <-waits:
			case err := <-came:
				if err != nil {
					t.Fatal(err)
				}
				reading = false
			}
		}
		go func() { _, err := r.pull(); came <- err }()
		if room := <-waits; room != c.room {
			t.Errorf("%d bytes came and %d are left: %d bytes are held, want %d", c.came, c.left, room, c.room)
		}
		if _, err := far.Write([]byte{0}); err != nil {
			t.Fatal(err)
		}
		if err := <-came; err != nil {
			t.Fatal(err)
		}
	}
}

// readAll reads n bytes as a link's reader does, and leaves the last of them in
// the buffer as if they were the beginning of a frame.
func readAll(r *reader, n, left int) error {
	for n > 0 {
		k, err := r.pull()
		if err != nil {
			return err
		}
		n -= k
		r.burst += k
		r.end += k
		full := r.end == len(r.buf)
		r.end = min(r.end, left)
		if full {
			r.grow(len(r.buf) + 1)
		}
	}
	return nil
}

// connected gives both ends of a connection.
func connected(t *testing.T) (near, far net.Conn) {
	t.Helper()
	ln := listen(t)
	defer ln.Close()
	far, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if near, err = ln.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = near.Close(), far.Close() })
	return near, far
}

// TestUnreadPeerIsNotSilent: a side that does not get to read what its peer says
// does not take it for dead.
func TestUnreadPeerIsNotSilent(t *testing.T) {
	limits := Limits{Heartbeat: 100 * time.Millisecond, DeadAfter: 1200 * time.Millisecond}
	r := newRecorder()
	busy, free := make(chan struct{}), make(chan struct{})
	r.hook = func(_, _ address.PID, _ string, m proto.Message) {
		if text(m) == "work" {
			close(busy)
			<-free
		}
		r.note("took %s", text(m))
	}
	s := start(t, Config{Receiver: r, Limits: limits})
	a := start(t, Config{Limits: limits})
	a.say("x", s.at("y"), "work")
	<-busy
	a.say("x", s.at("y"), "more")
	var l *link
	for _, p := range s.all(nil) {
		l = p.current()
	}
	eventually(t, "the peer was not read for longer than it may be silent", func() bool {
		return s.now()-l.last.heard.Load() > 2*int64(limits.DeadAfter)
	})
	close(free)
	r.waitFor(t, "took more", 1)
	if n := s.Totals().Connections; n != 1 {
		t.Errorf("%d connections, want 1", n)
	}
	if lines := a.told(); len(lines) > 0 {
		t.Errorf("the peer was told %q", lines)
	}
}
