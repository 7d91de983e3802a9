package actors

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

func TestCloseFlushesWhatActorsHaveSent(t *testing.T) {
	a, b := listening(t), listening(t)
	got := 0
	last := make(chan struct{})
	p := spawn(t, b, "sink", func(c *Context) {
		Handle(c, func(*Context, *durationpb.Duration) { got++ })
		Handle(c, func(*Context, *emptypb.Empty) { close(last) })
	})
	const sent = 20_000
	q, err := a.Spawn("source", &finalizing{
		init: func(c *Context) {
			Handle(c, func(c *Context, m *durationpb.Duration) { c.Send(p, m) })
		},
		finalize: func(c *Context) { c.Send(p, &emptypb.Empty{}) },
	})
	if err != nil {
		t.Fatal(err)
	}
	for i := range sent {
		a.Send(q, number(i)) // still in a's queue when it closes
	}
	if err := a.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	receive(t, last)
	if got != sent {
		t.Errorf("%d of %d arrived", got, sent)
	}
	if l := a.DeadLetters(); len(l) != 0 {
		t.Errorf("dead letters %+v", l)
	}
	if _, err := a.Spawn("late", actorFunc(echo)); !errors.Is(err, ErrClosed) {
		t.Errorf("Spawn after Close: %v", err)
	}
	if err := a.Close(t.Context()); err != nil {
		t.Errorf("Close again: %v", err)
	}
}

// stall is a way to a listener that, from some moment on, takes nothing more
// and does not end.
type stall struct {
	listener net.Listener
	target   string
	stuck    chan struct{}
	mu       sync.Mutex
	conns    []net.Conn
	running  sync.WaitGroup
}

// newStall leads from a free port of 127.0.0.1 to the same port of 127.0.0.2.
func newStall(t *testing.T) *stall {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	s := &stall{listener: l, target: net.JoinHostPort("127.0.0.2", port), stuck: make(chan struct{})}
	s.running.Go(s.accept)
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		s.mu.Lock()
		for _, c := range s.conns {
			_ = c.Close() // one side may have closed it
		}
		s.mu.Unlock()
		s.running.Wait()
	})
	return s
}

func (s *stall) accept() {
	for {
		from, err := s.listener.Accept()
		if err != nil {
			return
		}
		to, err := net.Dial("tcp", s.target)
		if err != nil {
			_ = from.Close() // the other side sees it
			continue
		}
		s.mu.Lock()
		s.conns = append(s.conns, from, to)
		s.mu.Unlock()
		s.running.Go(func() { s.pass(from, to) })
		s.running.Go(func() { s.pass(to, from) })
	}
}

// pass copies until it is stuck; then it reads nothing more.
func (s *stall) pass(from io.Reader, to io.Writer) {
	buf := make([]byte, 4096)
	for {
		n, err := from.Read(buf)
		select {
		case <-s.stuck:
			return
		default:
		}
		if err != nil {
			return
		}
		if _, err := to.Write(buf[:n]); err != nil {
			return
		}
	}
}

func TestCloseEndsWithAPeerThatIsStuck(t *testing.T) {
	way := newStall(t)
	links := LinkLimits{Heartbeat: time.Second, DeadAfter: 4 * time.Second} // how soon b is rid of it
	b := newSystem(t, Options{Listen: way.target, Advertise: way.listener.Addr().String(), Links: links})
	p := spawn(t, b, "echo", answerText)
	a := newSystem(t, Options{Links: links})
	if _, err := a.Ask(t.Context(), p, text("linked")); err != nil {
		t.Fatal(err)
	}
	close(way.stuck)
	const sent = 100
	for range sent {
		a.Send(p, wrapperspb.Bytes(make([]byte, 100<<10)))
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	begun := time.Now()
	err := a.Close(ctx)
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), b.Address()) {
		t.Errorf("Close: %v, want DeadlineExceeded with the peer's address", err)
	}
	if took := time.Since(begun); took > 10*time.Second {
		t.Errorf("Close took %v with 200 ms to go", took)
	}
	if l := a.DeadLetters(); len(l) != 1 || l[0].Count != sent || l[0].To != p {
		t.Errorf("dead letters %+v, want all %d", l, sent)
	}
}

// TestAHundredRestartsOfAPeerLeakNothing links, asks and is told of the end, a
// hundred times over.
func TestAHundredRestartsOfAPeerLeakNothing(t *testing.T) {
	hub := listening(t)
	exits := make(chan Exited, 1)
	answers := make(chan error, 1)
	watcher := spawn(t, hub, "watcher", func(c *Context) {
		c.HandleExited(func(_ *Context, e Exited) { exits <- e })
	})
	address := "127.0.0.1:0"
	restart := func() {
		peer, err := New(Options{Listen: address})
		if err != nil {
			t.Fatal(err)
		}
		address = peer.Address()
		p := spawn(t, peer, "service", answerText)
		greets := spawn(t, peer, "greets", func(c *Context) {
			c.Link(watcher)
			c.Send(watcher, text("here I am")) // makes the link, whoever is known from before
		})
		settle(t, peer, greets)
		until(t, "the peer is linked", func() bool {
			for _, i := range hub.Peers() {
				if i.Linked && i.Incarnation == peer.Incarnation() {
					return true
				}
			}
			return false
		})
		hub.Do(watcher, func(c *Context) {
			c.Link(p)
			c.Ask(p, text("x"), time.Minute, func(_ proto.Message, err error) { answers <- err })
		})
		if err := receive(t, answers); err != nil {
			t.Fatal(err)
		}
		if err := peer.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		if e := receive(t, exits); e.PID != p {
			t.Fatalf("exited: %v, want %v", e.PID, p)
		}
	}
	for range 3 {
		restart()
	}
	goroutines := runtime.NumGoroutine()
	for range 100 {
		restart()
	}
	until(t, fmt.Sprintf("there are %d goroutines again", goroutines), func() bool { return runtime.NumGoroutine() <= goroutines })
	until(t, "nothing is kept of the peers", func() bool {
		w := infoOf(t, hub, "watcher")
		return w.Watchers == 0 && len(hub.Actors()) == 1 && len(hub.Peers()) <= 1
	})
	x := hub.table.get("watcher").rare
	if len(x.asks) != 0 || len(x.links) != 0 || x.timers != nil || len(hub.asks.waiting) != 0 {
		t.Errorf("the watcher keeps %d questions, %d links; outside waits for %d", len(x.asks), len(x.links), len(hub.asks.waiting))
	}
}
