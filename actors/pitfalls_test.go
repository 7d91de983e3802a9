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

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/emptypb"

	"troupe/actors/remote"
)

// Each test here is a trap of other actor runtimes that this one must not have.

func TestUnlinkedIsNotTold(t *testing.T) {
	s := newSystem(t, Options{})
	peer := spawn(t, s, "peer", func(*Context) {})
	told := 0
	watcher := spawn(t, s, "watcher", func(c *Context) {
		c.HandleExited(func(*Context, Exited) { told++ })
		c.Link(peer)
		c.Unlink(peer)
		c.Unlink(peer)
		c.Link(peer)
	})
	held, release := make(chan struct{}), make(chan struct{})
	s.Do(watcher, func(*Context) {
		close(held)
		<-release
	})
	<-held
	s.Do(watcher, func(c *Context) { c.Unlink(peer) }) // before the Exited that comes now
	if err := s.Stop(t.Context(), peer); err != nil {
		t.Fatal(err)
	}
	close(release)
	settle(t, s, watcher)
	if told != 0 {
		t.Errorf("told %d times", told)
	}
}

// TestCloseEndsWithinItsDeadline although an actor and work off the mailbox
// are stuck, and names who was.
func TestCloseEndsWithinItsDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := New(Options{})
		if err != nil {
			t.Fatal(err)
		}
		release := make(chan struct{})
		spawn(t, s, "fine", func(*Context) {})
		stuck := spawn(t, s, "stuck", func(c *Context) {
			Handle(c, func(*Context, *emptypb.Empty) { <-release })
			c.Go(func(context.Context) func() {
				<-release
				return nil
			})
		})
		s.Send(stuck, &emptypb.Empty{})
		begun := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		err = s.Close(ctx)
		if took := time.Since(begun); took > 6*time.Second {
			t.Errorf("Close took %v", took)
		}
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), `"stuck"`) || strings.Contains(err.Error(), `"fine"`) {
			t.Errorf("Close: %v; want one that names the stuck actor alone", err)
		}
		if _, err := s.Spawn("late", actorFunc(echo)); !errors.Is(err, ErrClosed) {
			t.Errorf("Spawn after Close: %v", err)
		}
		close(release)
		synctest.Wait()
	})
}

// TestCloseHandlesWhatIsQueued: actors handle what they have, and their
// goodbyes arrive.
func TestCloseHandlesWhatIsQueued(t *testing.T) {
	s, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	handled := 0
	p := spawn(t, s, "p", func(c *Context) {
		Handle(c, func(*Context, *durationpb.Duration) { handled++ })
	})
	for i := range 1000 {
		s.Send(p, number(i))
	}
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if handled != 1000 {
		t.Errorf("%d of 1000 were handled", handled)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Errorf("closing again: %v", err)
	}
}

// TestRestartsEnd: an actor that cannot be helped is a panic like any other,
// and so is one that cannot be made again.
func TestRestartsEnd(t *testing.T) {
	broken := func() Actor {
		return actorFunc(func(c *Context) { Handle(c, func(*Context, *emptypb.Empty) { panic("always") }) })
	}
	for name, fresh := range map[string]func() Actor{
		"panics again":   broken,
		"cannot be made": func() Actor { panic("out of stock") },
		"has a bad init": func() Actor { return actorFunc(func(*Context) { panic("no luck") }) },
	} {
		t.Run(name, func(t *testing.T) {
			told := make(chan Panic, 9)
			s := newSystem(t, Options{OnPanic: func(p Panic) { told <- p }})
			p, err := s.Spawn("p", broken(), WithRestart(fresh, 3, time.Hour))
			if err != nil {
				t.Fatal(err)
			}
			for range 4 {
				s.Send(p, &emptypb.Empty{})
			}
			if got := <-told; got.Value != "always" {
				t.Errorf("told %v", got.Value)
			}
			if err := s.Stop(t.Context(), p); err != nil {
				t.Error(err)
			}
			if len(told) != 0 {
				t.Errorf("told once more: %v", (<-told).Value)
			}
		})
	}
}

func TestFinalizeHasNoChildren(t *testing.T) {
	s := newSystem(t, Options{})
	var failed error
	p, err := s.Spawn("p", &finalizing{init: func(*Context) {}, finalize: func(c *Context) {
		_, failed = c.Spawn("orphan", actorFunc(echo))
	}})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Stop(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	if !errors.Is(failed, ErrStopped) {
		t.Errorf("Spawn in Finalize: %v", failed)
	}
}

// TestUnknownMessagesHarmNobody: they are counted with type and sender, and
// whoever asked learns of it at once.
func TestUnknownMessagesHarmNobody(t *testing.T) {
	s := newSystem(t, Options{})
	p := spawn(t, s, "p", func(*Context) {})
	asked := make(chan error, 1)
	asker := spawn(t, s, "asker", func(c *Context) {
		c.Send(p, number(1))
		c.Ask(p, number(2), time.Hour, func(_ proto.Message, err error) { asked <- err })
	})
	if err := <-asked; !errors.Is(err, ErrUndelivered) || !strings.Contains(err.Error(), "no handler") {
		t.Errorf("ask: %v", err)
	}
	if _, err := s.Ask(t.Context(), p, number(3)); !errors.Is(err, ErrUndelivered) {
		t.Errorf("Ask: %v", err)
	}
	rows := s.Unhandled()
	if len(rows) != 1 || rows[0].Count != 3 || rows[0].Type != "google.protobuf.Duration" || rows[0].To != p {
		t.Errorf("counted %+v", rows)
	}
	s.Do(p, func(c *Context) { c.HandleAny(func(c *Context, m proto.Message) { c.Reply(m) }) })
	if m, err := s.Ask(t.Context(), p, number(4)); err != nil || !proto.Equal(m, number(4)) {
		t.Errorf("with HandleAny: %v, %v", m, err)
	}
	settle(t, s, asker)
}

// TestMistakesAreDeadLetters: nothing that a program can send is silent or fatal.
func TestMistakesAreDeadLetters(t *testing.T) {
	var mu sync.Mutex
	var reasons []string
	s := newSystem(t, Options{OnDeadLetter: func(l Lost) {
		mu.Lock()
		defer mu.Unlock()
		reasons = append(reasons, l.Reason)
	}})
	p := spawn(t, s, "p", func(c *Context) {
		Handle(c, func(c *Context, m *durationpb.Duration) { c.Reply(m) }) // nobody to reply to
	})
	s.Send(p, number(1))
	settle(t, s, p)
	s.Send(p, nil)
	s.Send(PID{}, number(1))
	s.Send(s.PID("nobody"), number(1))
	if work := (&network{system: s}).Deliver(&remote.Delivery{
		From: PID{Name: "x", Address: "h:1"}, To: s.PID(markAsk("p", 77)), Message: number(1), Memo: new(any),
	}); work != nil {
		work.Do()
	}
	settle(t, s, p)
	mu.Lock()
	defer mu.Unlock()
	want := []string{reasonNoSender, reasonNil, reasonBadAddress, reasonNoActor, reasonLateReply}
	if fmt.Sprint(reasons) != fmt.Sprint(want) {
		t.Errorf("dead letters %q, want %q", reasons, want)
	}
}

// TestLostTypesAreBounded: names of types that peers invent do not fill memory.
func TestLostTypesAreBounded(t *testing.T) {
	s := newSystem(t, Options{})
	for i := range 3 * maxLostTypes {
		s.unhandled.note(PID{}, PID{}, fmt.Sprint("invented.Type", i), "unknown type")
	}
	rows := s.Unhandled()
	if len(rows) != maxLostTypes+1 {
		t.Fatalf("%d rows", len(rows))
	}
	if rows[0].Type != otherTypes || rows[0].Count != 2*maxLostTypes {
		t.Errorf("the rest is %+v", rows[0])
	}
}
