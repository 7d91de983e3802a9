package actortest

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"troupe/actors"
)

// trace runs three systems that talk, ask and have timers, and tells what their
// actors did in which order.
func trace(t *testing.T, seed uint64) string {
	var lines []string
	Bubble(t, seed, func(t *testing.T, s *Stepper) {
		n := NewNetwork(NetworkOptions{Seed: seed, Clock: s, Jitter: 10 * time.Millisecond})
		o := func(at string) actors.Options { return n.Join(at, actors.Options{Runner: s}) }
		begun := time.Now()
		note := func(c *actors.Context, what string) {
			lines = append(lines, fmt.Sprintf("%v %s %s", time.Since(begun), c.Self().Name, what))
		}
		hub := spawn(t, system(t, o("hub:1")), "hub", func(c *actors.Context) {
			actors.Handle(c, func(c *actors.Context, m *wrapperspb.StringValue) {
				note(c, m.Value)
				c.Reply(text("heard"))
			})
		})
		for i := range 2 {
			sys := system(t, o(fmt.Sprintf("spoke%d:1", i)))
			for j := range 5 {
				name := fmt.Sprintf("s%d/%d", i, j)
				spawn(t, sys, name, func(c *actors.Context) {
					c.Every(100*time.Millisecond, func() {
						c.Ask(hub, text(name), time.Second, func(_ proto.Message, err error) { note(c, fmt.Sprint("answered ", err)) })
					})
				})
			}
		}
		s.Advance(time.Second)
	})
	return strings.Join(lines, "\n")
}

func TestTheSeedDecidesEverything(t *testing.T) {
	first := trace(t, 1)
	if n := strings.Count(first, "\n"); n < 150 {
		t.Fatalf("only %d lines:\n%s", n, first)
	}
	for range 3 {
		if again := trace(t, 1); again != first {
			t.Fatalf("the same seed gives another run:\n%s\n\n%s", first, again)
		}
	}
	if other := trace(t, 2); other == first {
		t.Error("another seed gives the same run")
	}
}

func TestStepperTime(t *testing.T) {
	Bubble(t, 1, func(t *testing.T, s *Stepper) {
		sys := system(t, actors.Options{Runner: s})
		ticks := 0
		var at []time.Duration
		begun := time.Now()
		p := spawn(t, sys, "p", func(c *actors.Context) {
			c.Every(time.Minute, func() { ticks++ })
			c.After(90*time.Second, func() { at = append(at, time.Since(begun)) })
			stopped := c.After(time.Second, func() { t.Error("a stopped timer ran") })
			stopped.Stop()
		})
		s.Advance(time.Hour)
		if ticks != 60 || len(at) != 1 || at[0] != 90*time.Second || time.Since(begun) != time.Hour {
			t.Errorf("%d ticks, once at %v, now %v", ticks, at, time.Since(begun))
		}
		s.Await(func() {
			if err := sys.Stop(t.Context(), p); err != nil {
				t.Error(err)
			}
		})
		s.Advance(time.Hour)
		if ticks != 60 {
			t.Errorf("%d ticks after the end", ticks-60)
		}
	})
}

func TestStepperWaitsForWorkOffTheMailbox(t *testing.T) {
	Bubble(t, 1, func(t *testing.T, s *Stepper) {
		sys := system(t, actors.Options{Runner: s})
		p := NewProbe(t, sys, "p")
		spawn(t, sys, "worker", func(c *actors.Context) {
			c.Go(func(context.Context) func() { return func() { c.Send(p.PID(), text("done")) } })
		})
		s.Settle()
		Expect[*wrapperspb.StringValue](p, 0)
		before := s.Steps()
		s.Settle()
		if s.Steps() != before {
			t.Error("steps without anything to do")
		}
	})
}

func TestAwaitAnAskThatTimesOut(t *testing.T) {
	Bubble(t, 1, func(t *testing.T, s *Stepper) {
		sys := system(t, actors.Options{Runner: s})
		mute := spawn(t, sys, "mute", func(c *actors.Context) {
			actors.Handle(c, func(*actors.Context, *wrapperspb.StringValue) {})
			c.Every(time.Second, func() {})
		})
		answers := 0
		spawn(t, sys, "asker", func(c *actors.Context) {
			c.Ask(mute, text(""), time.Hour, func(_ proto.Message, err error) {
				answers++
				if err == nil {
					t.Error("the mute answers")
				}
			})
		})
		s.Advance(time.Hour)
		if answers != 1 {
			t.Errorf("%d answers", answers)
		}
	})
}

// Without a Stepper, goroutines run the actors and time is virtual all the same.
func TestGoroutinesInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sys := system(t, NewNetwork(NetworkOptions{}).Join("a:1", actors.Options{}))
		p := NewProbe(t, sys, "")
		spawn(t, sys, "", func(c *actors.Context) {
			c.After(24*time.Hour, func() { c.Send(p.PID(), text("tomorrow")) })
		})
		p.ExpectNothing(23 * time.Hour)
		Expect[*wrapperspb.StringValue](p, 2*time.Hour)
	})
}
