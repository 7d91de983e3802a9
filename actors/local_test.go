package actors

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// actorFunc is an actor that is nothing but its Init.
type actorFunc func(c *Context)

func (f actorFunc) Init(c *Context) { f(c) }

// number is a message that carries n.
func number(n int) *durationpb.Duration { return &durationpb.Duration{Seconds: int64(n)} }

func newSystem(t testing.TB, o Options) *System {
	t.Helper()
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := s.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	return s
}

func spawn(t testing.TB, s *System, name string, init func(c *Context), o ...SpawnOption) PID {
	t.Helper()
	p, err := s.Spawn(name, actorFunc(init), o...)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// settle waits until everything that was queued for p before is handled.
func settle(t testing.TB, s *System, p PID) {
	t.Helper()
	done := make(chan struct{})
	if !s.Do(p, func(*Context) { close(done) }) {
		t.Fatalf("%s does not run", p)
	}
	<-done
}

// pass lets virtual time pass, inside a bubble of synctest.
func pass(d time.Duration) { <-time.After(d) }

func TestSendInOrder(t *testing.T) {
	s := newSystem(t, Options{})
	var got []int64
	p := spawn(t, s, "sink", func(c *Context) {
		Handle(c, func(c *Context, m *durationpb.Duration) { got = append(got, m.Seconds) })
	})
	for i := range 1000 {
		s.Send(p, number(i))
	}
	settle(t, s, p)
	if len(got) != 1000 {
		t.Fatalf("%d of 1000 arrived", len(got))
	}
	for i, n := range got {
		if n != int64(i) {
			t.Fatalf("message %d is %d", i, n)
		}
	}
}

func TestManySendersEachInOrder(t *testing.T) {
	s := newSystem(t, Options{})
	next := map[PID]int64{}
	p := spawn(t, s, "sink", func(c *Context) {
		Handle(c, func(c *Context, m *durationpb.Duration) {
			if next[c.Sender()] != m.Seconds {
				t.Errorf("%s sent %d, expected %d", c.Sender(), m.Seconds, next[c.Sender()])
			}
			next[c.Sender()]++
		})
	})
	var senders []PID
	for range 8 {
		q := spawn(t, s, "", func(c *Context) {})
		senders = append(senders, q)
		s.Do(q, func(c *Context) {
			for i := range 2000 {
				c.Send(p, number(i))
			}
		})
	}
	for _, q := range senders {
		settle(t, s, q)
	}
	settle(t, s, p)
	for _, q := range senders {
		if next[q] != 2000 {
			t.Errorf("%d of 2000 from %s", next[q], q)
		}
	}
}

func echo(c *Context) {
	Handle(c, func(c *Context, m *durationpb.Duration) { c.Reply(m) })
}

func TestAskFromOutside(t *testing.T) {
	s := newSystem(t, Options{})
	p := spawn(t, s, "echo", echo)
	for i := range 100 {
		m, err := s.Ask(t.Context(), p, number(i))
		if err != nil || m.(*durationpb.Duration).Seconds != int64(i) {
			t.Fatalf("Ask = %v, %v", m, err)
		}
	}
	if _, err := s.Ask(t.Context(), s.PID("nobody"), number(1)); !errors.Is(err, ErrUndelivered) || !strings.Contains(err.Error(), "nobody") {
		t.Errorf("Ask of nobody: %v; want ErrUndelivered with the name", err)
	}
}

func TestAskTimesOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSystem(t, Options{})
		p := spawn(t, s, "mute", func(c *Context) {
			Handle(c, func(c *Context, m *durationpb.Duration) {})
		})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := s.Ask(ctx, p, number(1)); !errors.Is(err, ErrTimeout) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Ask: %v; want ErrTimeout and DeadlineExceeded", err)
		}
		answers := make(chan error, 2)
		asker := spawn(t, s, "asker", func(c *Context) {
			c.Ask(p, number(1), time.Hour, func(m proto.Message, err error) { answers <- err })
		})
		if err := <-answers; !errors.Is(err, ErrTimeout) {
			t.Errorf("Context.Ask: %v; want ErrTimeout", err)
		}
		settle(t, s, asker)
		if len(answers) != 0 {
			t.Error("the continuation ran twice")
		}
	})
}

// A continuation waits its turn behind messages that were there before it.
func TestContinuationsKeepTheirPlace(t *testing.T) {
	s := newSystem(t, Options{})
	var order []string
	released := make(chan struct{})
	p := spawn(t, s, "p", func(c *Context) {
		Handle(c, func(c *Context, m *durationpb.Duration) { order = append(order, fmt.Sprint(m.Seconds)) })
		Handle(c, func(c *Context, m *emptypb.Empty) { <-released })
	})
	e := spawn(t, s, "e", echo)
	worked := make(chan struct{})
	s.Do(p, func(c *Context) {
		c.Go(func(context.Context) func() {
			<-worked
			return func() { order = append(order, "worked") }
		})
		c.Ask(e, number(9), time.Minute, func(proto.Message, error) { order = append(order, "answer") })
	})
	for _, asked := range []PID{p, e, p} { // the question, the answer, its arrival
		settle(t, s, asked)
	}
	order = nil
	s.Send(p, &emptypb.Empty{}) // p waits
	s.Send(p, number(1))
	s.Do(p, func(*Context) { order = append(order, "do") })
	s.Send(p, number(2))
	close(worked)
	s.working.Wait()
	s.Send(p, number(3))
	close(released)
	settle(t, s, p)
	if got := strings.Join(order, " "); got != "1 do 2 worked 3" {
		t.Errorf("order %q, want %q", got, "1 do 2 worked 3")
	}
}

func TestStopDrainsToDeadLetters(t *testing.T) {
	var mu sync.Mutex
	dead := map[string]uint64{}
	s := newSystem(t, Options{OnDeadLetter: func(l Lost) {
		mu.Lock()
		defer mu.Unlock()
		dead[l.Type+" "+l.Reason] = l.Count
	}})
	entered, release := make(chan struct{}), make(chan struct{})
	handled := 0
	p := spawn(t, s, "p", func(c *Context) {
		Handle(c, func(c *Context, m *emptypb.Empty) {
			close(entered)
			<-release
			c.Stop()
		})
		Handle(c, func(c *Context, m *durationpb.Duration) { handled++ })
		c.After(0, func() {})
	})
	s.Send(p, &emptypb.Empty{})
	<-entered
	for i := range 100 {
		s.Send(p, number(i))
	}
	asked := make(chan error, 1)
	spawn(t, s, "asker", func(c *Context) {
		c.Ask(p, &timestamppb.Timestamp{}, time.Hour, func(_ proto.Message, err error) { asked <- err })
	})
	close(release)
	if err := <-asked; !errors.Is(err, ErrUndelivered) {
		t.Errorf("a question behind the stop: %v, want ErrUndelivered at once", err)
	}
	if err := s.Stop(t.Context(), p); err != nil {
		t.Error(err)
	}
	s.Send(p, number(0))
	mu.Lock()
	defer mu.Unlock()
	if handled != 0 || dead["google.protobuf.Duration stopped"] != 100 || dead["google.protobuf.Duration no such actor"] != 101 {
		t.Errorf("handled %d, dead letters %v; want 0, and 100 then 101 of Duration", handled, dead)
	}
}

func TestStopHandlesWhatIsQueued(t *testing.T) {
	s := newSystem(t, Options{})
	handled := 0
	finalized := false
	p, err := s.Spawn("p", &finalizing{init: func(c *Context) {
		Handle(c, func(c *Context, m *durationpb.Duration) { handled++ })
	}, finalize: func(*Context) { finalized = true }})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 500 {
		s.Send(p, number(i))
	}
	if err := s.Stop(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	if handled != 500 || !finalized {
		t.Errorf("handled %d of 500, finalized %v", handled, finalized)
	}
	if s.Do(p, func(*Context) {}) {
		t.Error("a stopped actor takes Do")
	}
}

type finalizing struct{ init, finalize func(c *Context) }

func (f *finalizing) Init(c *Context)     { f.init(c) }
func (f *finalizing) Finalize(c *Context) { f.finalize(c) }

func TestTimersDieWithTheirActor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSystem(t, Options{})
		ticks, once := 0, 0
		var stopped *Timer
		p := spawn(t, s, "p", func(c *Context) {
			c.Every(time.Second, func() { ticks++ })
			c.After(time.Minute, func() { once++ })
			c.After(time.Hour, func() { t.Error("a timer ran after its actor had stopped") })
			stopped = c.After(time.Second, func() { t.Error("a stopped timer ran") })
			stopped.Stop()
			stopped.Stop()
		})
		pass(90*time.Second + time.Millisecond)
		synctest.Wait()
		if ticks != 90 || once != 1 {
			t.Errorf("%d ticks and %d once, want 90 and 1", ticks, once)
		}
		if err := s.Stop(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		pass(2 * time.Hour)
		synctest.Wait()
		if ticks != 90 {
			t.Errorf("%d ticks after the actor had stopped", ticks-90)
		}
	})
}

// A timer whose time has come waits in the queue; stopping it still counts.
func TestTimerStoppedWhileQueued(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSystem(t, Options{})
		ran := false
		var timer *Timer
		p := spawn(t, s, "p", func(c *Context) {
			timer = c.After(time.Second, func() { ran = true })
			Handle(c, func(c *Context, m *emptypb.Empty) {
				pass(time.Minute)
				timer.Stop()
			})
		})
		s.Send(p, &emptypb.Empty{})
		settle(t, s, p)
		if ran {
			t.Error("the timer ran although it had been stopped")
		}
	})
}

func TestPanicIsLoggedWithStackAndTold(t *testing.T) {
	core, logs := observer.New(zap.ErrorLevel)
	told := make(chan Panic, 1)
	s := newSystem(t, Options{Logger: zap.New(core), OnPanic: func(p Panic) { told <- p }})
	exits := make(chan Exited, 1)
	p := spawn(t, s, "p", func(c *Context) {
		Handle(c, func(c *Context, m *durationpb.Duration) { panic("at the disco") })
	})
	spawn(t, s, "watcher", func(c *Context) {
		c.HandleExited(func(c *Context, e Exited) { exits <- e })
		c.Link(p)
	})
	s.Send(p, number(1))
	got := <-told
	if got.PID != p || got.Type != "google.protobuf.Duration" || got.Value != "at the disco" ||
		!strings.Contains(string(got.Stack), "TestPanicIsLoggedWithStackAndTold") {
		t.Errorf("OnPanic was told %+v", got)
	}
	if e := <-exits; e.PID != p || e.Reason != "panic: at the disco" {
		t.Errorf("the linked actor got %+v", e)
	}
	entries := logs.FilterMessage("actor panicked").All()
	if len(entries) != 1 {
		t.Fatalf("%d log entries", len(entries))
	}
	f := entries[0].ContextMap()
	if f["actor"] != "p" || f["message_type"] != "google.protobuf.Duration" || !strings.Contains(fmt.Sprint(f["stack"]), "local_test.go") {
		t.Errorf("logged %v", f)
	}
}

func TestPanicOfWorkIsAPanicOfTheActor(t *testing.T) {
	told := make(chan Panic, 1)
	s := newSystem(t, Options{OnPanic: func(p Panic) { told <- p }})
	p := spawn(t, s, "p", func(c *Context) {
		c.Go(func(context.Context) func() { panic("off the mailbox") })
	})
	got := <-told
	if got.PID != p || got.Value != "off the mailbox" || !strings.Contains(string(got.Stack), "TestPanicOfWork") {
		t.Errorf("OnPanic was told %+v", got)
	}
}

func TestSpawnFails(t *testing.T) {
	s := newSystem(t, Options{})
	spawn(t, s, "taken", echo)
	if _, err := s.Spawn("taken", actorFunc(echo)); !errors.Is(err, ErrNameTaken) {
		t.Errorf("a second actor of one name: %v", err)
	}
	for _, name := range []string{"a b", "a@b", "$x", "a?1", "a#b", strings.Repeat("x", 300)} {
		if _, err := s.Spawn(name, actorFunc(echo)); err == nil {
			t.Errorf("the name %q is accepted", name)
		}
	}
	var child PID
	_, err := s.Spawn("broken", actorFunc(func(c *Context) {
		var err error
		if child, err = c.Spawn("child", actorFunc(echo)); err != nil {
			t.Error(err)
		}
		panic("no disk")
	}))
	if err == nil || !strings.Contains(err.Error(), "no disk") || !strings.Contains(err.Error(), "broken") {
		t.Errorf("a panic of Init: %v", err)
	}
	if err := s.Stop(t.Context(), s.PID("broken")); err != nil {
		t.Error(err)
	}
	if s.Do(child, func(*Context) {}) {
		t.Error("the child of an actor that was never there runs")
	}
	spawn(t, s, "broken", echo)
}

func TestMessagesDuringInitWait(t *testing.T) {
	s := newSystem(t, Options{})
	inited := false
	p := spawn(t, s, "p", func(c *Context) {
		Handle(c, func(c *Context, m *durationpb.Duration) {
			if !inited {
				t.Error("a message was handled before Init had returned")
			}
			c.Reply(m)
		})
		c.Send(c.Self(), number(1))
		s.Send(c.Self(), number(2))
		inited = true
	})
	settle(t, s, p)
}

func TestChildrenStopWithTheirParent(t *testing.T) {
	s := newSystem(t, Options{})
	var order []string
	var mu sync.Mutex
	note := func(what string) func(*Context) {
		return func(*Context) {
			mu.Lock()
			defer mu.Unlock()
			order = append(order, what)
		}
	}
	parent, err := s.Spawn("parent", &finalizing{init: func(c *Context) {
		_, err := c.Spawn("child", &finalizing{init: func(c *Context) {
			if _, err := c.Spawn("grandchild", &finalizing{init: func(*Context) {}, finalize: note("grandchild")}); err != nil {
				t.Error(err)
			}
		}, finalize: note("child")})
		if err != nil {
			t.Error(err)
		}
	}, finalize: note("parent")})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Stop(t.Context(), parent); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(order, " "); got != "grandchild child parent" {
		t.Errorf("finalized %q", got)
	}
	if n := len(s.table.all()); n != 0 {
		t.Errorf("%d actors are left", n)
	}
}
