package actortest

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/protobuf/types/known/wrapperspb"

	"troupe/actors"
)

// actorFunc is an actor that is nothing but its Init.
type actorFunc func(c *actors.Context)

func (f actorFunc) Init(c *actors.Context) { f(c) }

func number(n int) *wrapperspb.Int64Value   { return wrapperspb.Int64(int64(n)) }
func text(s string) *wrapperspb.StringValue { return wrapperspb.String(s) }

const textName = "google.protobuf.StringValue"

// system starts one, which is closed at the end of the test.
func system(t testing.TB, o actors.Options) *actors.System {
	t.Helper()
	s, err := actors.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { shut(t, o, s) })
	return s
}

// shut closes a system, with the help of its Stepper.
func shut(t testing.TB, o actors.Options, s *actors.System) {
	end := func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := s.Close(ctx); err != nil {
			t.Error(err)
		}
	}
	if stepper, ok := o.Runner.(*Stepper); ok {
		stepper.Await(end)
		return
	}
	end()
}

func spawn(t testing.TB, s *actors.System, name string, init func(c *actors.Context)) actors.PID {
	t.Helper()
	p, err := s.Spawn(name, actorFunc(init))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// bubble runs f with virtual time and a network.
func bubble(t *testing.T, o NetworkOptions, f func(t *testing.T, n *Network)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { f(t, NewNetwork(o)) })
}

func echo(c *actors.Context) {
	actors.Handle(c, func(c *actors.Context, m *wrapperspb.StringValue) { c.Reply(text("echo " + m.Value)) })
}
