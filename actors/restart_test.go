package actors

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/emptypb"
)

// fragile panics on a message with a negative number, and remembers the rest.
type fragile struct {
	t    *testing.T
	got  []int64
	init func(c *Context)
}

func (f *fragile) Init(c *Context) {
	Handle(c, func(_ *Context, m *durationpb.Duration) {
		if m.Seconds < 0 {
			panic(fmt.Sprintf("negative: %d", m.Seconds))
		}
		f.got = append(f.got, m.Seconds)
	})
	if f.init != nil {
		f.init(c)
	}
}

func TestRestartKeepsTheQueueAndDropsTheRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSystem(t, Options{OnPanic: func(p Panic) { t.Errorf("OnPanic for a restart: %v", p.Value) }})
		other := spawn(t, s, "other", func(c *Context) { Handle(c, func(*Context, *emptypb.Empty) {}) })
		old := func(what string) func() { return func() { t.Errorf("%s of the actor before ran", what) } }
		first := &fragile{t: t, init: func(c *Context) {
			c.After(time.Minute, old("a timer"))
			c.Every(time.Minute, old("a repeated timer"))
			c.Ask(other, &emptypb.Empty{}, time.Minute, func(proto.Message, error) { old("the answer")() })
			c.Go(func(ctx context.Context) func() {
				<-ctx.Done()
				return old("work")
			})
			c.HandleExited(func(*Context, Exited) { old("an exit")() })
			c.Link(other)
			if _, err := c.Spawn("child", actorFunc(echo)); err != nil {
				t.Error(err)
			}
		}}
		second := &fragile{t: t, init: func(c *Context) {
			if _, err := c.Spawn("child", actorFunc(echo)); err != nil {
				t.Errorf("the name of the child before: %v", err)
			}
			// A Go before would have had this number of restarts.
			c.Go(func(context.Context) func() { return func() {} })
		}}
		made := 0
		p, err := s.Spawn("p", first, WithRestart(func() Actor { made++; return second }, 1, time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range []int{1, -1, 2, 3} {
			s.Send(p, number(n))
		}
		settle(t, s, p)
		if err := s.Stop(t.Context(), other); err != nil {
			t.Error(err)
		}
		pass(time.Hour)
		settle(t, s, p)
		if made != 1 || fmt.Sprint(first.got, second.got) != "[1] [2 3]" {
			t.Errorf("made %d; handled %v and %v, want 1, [1] and [2 3]", made, first.got, second.got)
		}
		infos := s.Actors()
		if len(infos) != 2 || infos[0].Name != "child" || infos[1].Restarts != 1 || infos[1].Panic.Text != "negative: -1" {
			t.Errorf("actors: %+v", infos)
		}
	})
}

func TestTooManyRestartsAreAPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told []Panic
		s := newSystem(t, Options{OnPanic: func(p Panic) { told = append(told, p) }})
		made := 0
		fresh := func() Actor { made++; return &fragile{t: t} }
		p, err := s.Spawn("p", fresh(), WithRestart(fresh, 2, time.Minute))
		if err != nil {
			t.Fatal(err)
		}
		for range 3 { // two within each minute are allowed
			s.Send(p, number(-1))
			s.Send(p, number(-2))
			settle(t, s, p)
			pass(time.Minute)
		}
		if made != 7 || len(told) != 0 {
			t.Fatalf("%d made, %d told; want 7 and none", made, len(told))
		}
		for n := range 3 {
			s.Send(p, number(-1-n))
		}
		if err := s.Stop(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if made != 9 || len(told) != 1 || told[0].Value != "negative: -3" || s.Do(p, func(*Context) {}) {
			t.Errorf("%d made, told %v; want 9, and the third panic to be the end", made, told)
		}
	})
}

// TestWaitingEndsWithTheActor has an actor stop that waits for an answer, for
// work and for a timer: none of them runs, and the work is told to end.
func TestWaitingEndsWithTheActor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var dead []Lost
		s := newSystem(t, Options{OnDeadLetter: func(l Lost) { dead = append(dead, l) }})
		slow := spawn(t, s, "slow", func(c *Context) {
			Handle(c, func(c *Context, m *durationpb.Duration) {
				pass(time.Hour)
				c.Reply(m)
			})
		})
		ended := make(chan error, 1)
		p := spawn(t, s, "p", func(c *Context) {
			never := func() { t.Error("something of a stopped actor ran") }
			c.Ask(slow, number(1), 24*time.Hour, func(proto.Message, error) { never() })
			c.Go(func(ctx context.Context) func() {
				<-ctx.Done()
				ended <- ctx.Err()
				return never
			})
			c.After(time.Minute, never)
		})
		if err := s.Stop(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("work was told %v", err)
		}
		pass(48 * time.Hour)
		synctest.Wait()
		if len(dead) != 1 || dead[0].Reason != reasonNoActor || dead[0].To != p {
			t.Errorf("dead letters %+v, want the late answer", dead)
		}
	})
}

func TestAPanicInFinalizeStopsAllTheSame(t *testing.T) {
	s := newSystem(t, Options{})
	p, err := s.Spawn("p", &finalizing{init: func(*Context) {}, finalize: func(*Context) { panic("last words") }})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Stop(t.Context(), p); err != nil {
		t.Error(err)
	}
	spawn(t, s, "p", echo)
}

func TestMessagesOfEveryActorThatPanicsAreAccountedFor(t *testing.T) {
	s := newSystem(t, Options{})
	p, err := s.Spawn("p", &fragile{t: t})
	if err != nil {
		t.Fatal(err)
	}
	entered, release := make(chan struct{}), make(chan struct{})
	s.Do(p, func(*Context) {
		close(entered)
		<-release
	})
	<-entered
	for n := range 50 {
		s.Send(p, number(-n-1))
	}
	close(release)
	if err := s.Stop(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	if l := s.DeadLetters(); len(l) != 1 || l[0].Count != 49 || !strings.HasPrefix(l[0].Reason, "stopped") {
		t.Errorf("dead letters %+v, want 49 of the 50", l)
	}
}
