package remote

import (
	"bytes"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"troupe/actors/remote/frame"
	"troupe/actors/remote/handshake"
)

// stranger is a peer made by hand, to say what no transport would.
type stranger struct {
	t    *testing.T
	conn net.Conn
}

func knock(t *testing.T, s *system) *stranger {
	t.Helper()
	conn, err := net.Dial("tcp", s.cfg.Address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() }) // it may be closed by then
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return &stranger{t, conn}
}

func (p *stranger) write(b []byte) {
	p.t.Helper()
	if _, err := p.conn.Write(b); err != nil {
		p.t.Fatal(err)
	}
}

func (p *stranger) say(m handshake.Msg) handshake.Msg {
	p.t.Helper()
	p.write(handshake.Append(nil, m))
	return p.hear()
}

func (p *stranger) hear() handshake.Msg {
	p.t.Helper()
	m, err := handshake.Read(p.conn)
	if err != nil {
		p.t.Fatal(err)
	}
	return m
}

func strangerHello(incarnation string) handshake.Msg {
	return handshake.Msg{Kind: handshake.Hello, Version: handshake.Version, Address: "stranger:0", Incarnation: incarnation, Done: true}
}

// enter does a whole handshake.
func (p *stranger) enter(incarnation string) *stranger {
	p.t.Helper()
	return p.dial(incarnation, 1)
}

// dial does a whole handshake, as the dial of that number.
func (p *stranger) dial(incarnation string, seq uint64) *stranger {
	p.t.Helper()
	p.write([]byte(handshake.Preface))
	if m := p.say(strangerHello(incarnation)); m.Kind != handshake.Hello {
		p.t.Fatalf("answer to hello: %+v", m)
	}
	if m := p.say(handshake.Msg{Kind: handshake.Attach, Seq: seq}); m.Kind != handshake.Welcome {
		p.t.Fatalf("answer to attach: %+v", m)
	}
	return p
}

// hungUp waits until the other side closes.
func (p *stranger) hungUp() {
	p.t.Helper()
	if _, err := io.Copy(io.Discard, p.conn); err != nil && isTimeout(err) {
		p.t.Fatal("the connection is still open")
	}
}

func isTimeout(err error) bool {
	ne, ok := err.(net.Error)
	return ok && ne.Timeout()
}

// greeted announces the names and the type that a stranger's messages use.
func greeted() []byte {
	b := frame.AppendName(nil, "y")
	b = frame.AppendName(b, "x")
	return frame.AppendType(b, "google.protobuf.StringValue")
}

// text is the encoding of a StringValue.
func encoded(s string) []byte { return append([]byte{0x0a, byte(len(s))}, s...) }

// proxy passes bytes between systems until it is told to drop them.
type proxy struct {
	ln      net.Listener
	to      string
	mu      sync.Mutex
	resume  chan struct{} // nil: bytes pass
	running sync.WaitGroup
	conns   []net.Conn
}

func newProxy(t *testing.T, to string) *proxy {
	p := &proxy{ln: listen(t), to: to}
	p.running.Go(p.accept)
	t.Cleanup(p.close)
	return p
}

func (p *proxy) close() {
	p.pass()
	_ = p.ln.Close() // only the end matters
	p.mu.Lock()
	for _, c := range p.conns {
		_ = c.Close()
	}
	p.mu.Unlock()
	p.running.Wait()
}

func (p *proxy) accept() {
	for {
		in, err := p.ln.Accept()
		if err != nil {
			return
		}
		out, err := net.Dial("tcp", p.to)
		if err != nil {
			_ = in.Close()
			continue
		}
		p.mu.Lock()
		p.conns = append(p.conns, in, out)
		p.mu.Unlock()
		p.running.Go(func() { p.copy(in, out) })
		p.running.Go(func() { p.copy(out, in) })
	}
}

func (p *proxy) copy(from, to net.Conn) {
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		p.mu.Lock()
		gate := p.resume
		p.mu.Unlock()
		if gate != nil {
			<-gate // a cut cable tells neither side anything
		}
		if n > 0 {
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			_ = to.Close()
			return
		}
	}
}

// cut stops all bytes, and pass lets them go on.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.resume = make(chan struct{})
}

func (p *proxy) pass() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.resume != nil {
		close(p.resume)
		p.resume = nil
	}
}

// buffer gathers a log.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
