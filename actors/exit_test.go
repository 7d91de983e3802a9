package actors_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"troupe/actors"
	"troupe/actors/actortest"
)

type actorFunc func(c *actors.Context)

func (f actorFunc) Init(c *actors.Context) { f(c) }

// places are two systems that are one and the same, or joined by a network:
// what holds of exits holds in both cases.
type places struct {
	network *actortest.Network
	here    *actors.System
	there   *actors.System
}

// inPlaces runs f with both actors in one system, and with one in each of two.
func inPlaces(t *testing.T, f func(t *testing.T, p places)) {
	t.Helper()
	for _, apart := range []bool{false, true} {
		t.Run(fmt.Sprintf("apart=%t", apart), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := places{network: actortest.NewNetwork(actortest.NetworkOptions{Seed: 1, Jitter: time.Millisecond})}
				p.here = join(t, p.network, "here:1")
				if p.there = p.here; apart {
					p.there = join(t, p.network, "there:1")
				}
				f(t, p)
			})
		})
	}
}

func join(t *testing.T, n *actortest.Network, at string) *actors.System {
	t.Helper()
	s, err := actors.New(n.Join(at, actors.Options{}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return s
}

func spawnIn(t *testing.T, s *actors.System, name string, init func(c *actors.Context)) actors.PID {
	t.Helper()
	p, err := s.Spawn(name, actorFunc(init))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func stop(t *testing.T, s *actors.System, p actors.PID) {
	t.Helper()
	if err := s.Stop(t.Context(), p); err != nil {
		t.Error(err)
	}
}

// talker sends as many numbers as it is told to whoever tells it, and stops.
func talker(c *actors.Context) {
	actors.Handle(c, func(c *actors.Context, m *wrapperspb.Int64Value) {
		for i := range m.Value {
			c.Send(c.Sender(), wrapperspb.Int64(i))
		}
		c.Stop()
	})
}

func TestExitedOnceAndAfterAllMessages(t *testing.T) {
	inPlaces(t, func(t *testing.T, p places) {
		talks := spawnIn(t, p.there, "talks", talker)
		probe := actortest.NewProbe(t, p.here, "probe")
		for range 3 { // once all the same
			probe.Link(talks)
		}
		probe.Link(talks.WellKnown()) // is another name for it
		probe.Send(talks, wrapperspb.Int64(500))
		if e := probe.ExpectExited(talks, time.Minute); e.Reason != "stopped" {
			t.Errorf("reason %q", e.Reason)
		}
		probe.ExpectExited(talks.WellKnown(), time.Minute)
		for i := range 500 {
			if m, _ := actortest.Expect[*wrapperspb.Int64Value](probe, 0); m.Value != int64(i) {
				t.Fatalf("message %d is %d", i, m.Value)
			}
		}
		probe.ExpectNothing(time.Hour)
	})
}

func TestExitedOfWhatIsNotThere(t *testing.T) {
	inPlaces(t, func(t *testing.T, p places) {
		probe := actortest.NewProbe(t, p.here, "probe")
		stopped := spawnIn(t, p.there, "stopped", talker)
		stop(t, p.there, stopped)
		earlier := p.there.PID("probe")
		earlier.Incarnation = "an-earlier-one"
		for _, nobody := range []actors.PID{
			stopped, stopped.WellKnown(), p.there.PID("never"), earlier,
			{Name: "x", Address: "nowhere:1"},
			{Name: "x"},
			{},
		} {
			probe.Link(nobody)
			if e := probe.ExpectExited(nobody, time.Minute); e.Reason == "" {
				t.Errorf("%s: no reason", nobody)
			}
		}
		probe.ExpectNothing(time.Hour)
	})
}

func TestBothStopAtOnce(t *testing.T) {
	inPlaces(t, func(t *testing.T, p places) {
		for round := range 50 {
			exits := map[string]int{}
			var twins [2]actors.PID
			for i, s := range []*actors.System{p.here, p.there} {
				twins[i] = spawnIn(t, s, fmt.Sprintf("twin%d/%d", i, round), func(c *actors.Context) {
					c.HandleExited(func(c *actors.Context, e actors.Exited) { exits[e.PID.Name]++ })
					actors.Handle(c, func(c *actors.Context, _ *emptypb.Empty) { c.Stop() })
				})
			}
			for i, s := range []*actors.System{p.here, p.there} {
				s.Do(twins[i], func(c *actors.Context) { c.Link(twins[1-i]) })
			}
			actortest.Pass(time.Second)
			p.here.Send(twins[0], &emptypb.Empty{})
			p.there.Send(twins[1], &emptypb.Empty{})
			actortest.Pass(time.Second)
			for name, n := range exits {
				if n > 1 {
					t.Errorf("%s exited %d times", name, n)
				}
			}
		}
		for _, s := range []*actors.System{p.here, p.there} {
			if left := s.Actors(); len(left) != 0 {
				t.Errorf("left: %+v", left)
			}
		}
	})
}

func TestUnlinkAndLinkAgain(t *testing.T) {
	inPlaces(t, func(t *testing.T, p places) {
		target := spawnIn(t, p.there, "target", talker)
		probe := actortest.NewProbe(t, p.here, "probe")
		free := actortest.NewProbe(t, p.here, "free")
		for _, watcher := range []*actortest.Probe{probe, free} {
			if !p.here.Do(watcher.PID(), func(c *actors.Context) {
				c.Link(target)
				c.Unlink(target)
				c.Unlink(target)
				if watcher == probe {
					c.Link(target)
				}
			}) {
				t.Fatal("a probe does not run")
			}
		}
		actortest.Pass(time.Second)
		stop(t, p.there, target)
		probe.ExpectExited(target, time.Second)
		probe.ExpectNothing(time.Hour)
		free.ExpectNothing(time.Hour)
		probe.Link(target) // gone by now
		probe.ExpectExited(target, time.Second)
	})
}

// Watchers that stop leave nothing behind at what they watched.
func TestWatchersThatStopAreForgotten(t *testing.T) {
	inPlaces(t, func(t *testing.T, p places) {
		target := spawnIn(t, p.there, "target", talker)
		for i := range 100 {
			w := spawnIn(t, p.here, fmt.Sprintf("w%d", i), func(c *actors.Context) { c.Link(target) })
			actortest.Pass(10 * time.Millisecond)
			stop(t, p.here, w)
		}
		actortest.Pass(time.Second)
		all := p.there.Actors()
		i := slices.IndexFunc(all, func(a actors.ActorInfo) bool { return a.Name == "target" })
		if i < 0 || all[i].Watchers != 0 {
			t.Errorf("actors: %+v; want the target without watchers", all)
		}
	})
}

// A link that breaks is an exit of everybody behind it, once, and one to whom
// nobody was linked breaks silently.
func TestABrokenLinkIsAnExit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := actortest.NewNetwork(actortest.NetworkOptions{})
		here, there := join(t, n, "here:1"), join(t, n, "there:1")
		var targets []actors.PID
		for i := range 10 {
			targets = append(targets, spawnIn(t, there, fmt.Sprintf("t%d", i), talker))
		}
		a, b := actortest.NewProbe(t, here, "a"), actortest.NewProbe(t, here, "b")
		for _, target := range targets {
			a.Link(target)
			b.Link(target)
		}
		actortest.Pass(time.Second)
		stop(t, there, targets[0])
		n.Cut("here:1", "there:1")
		actortest.Pass(16 * time.Second)
		n.Heal("here:1", "there:1")
		for _, probe := range []*actortest.Probe{a, b} {
			for _, target := range targets {
				probe.ExpectExited(target, 0)
			}
			probe.ExpectNothing(time.Minute)
			probe.Link(targets[1]) // it runs all the time
			probe.ExpectNothing(time.Minute)
		}
		stop(t, there, targets[1])
		a.ExpectExited(targets[1], time.Second)
		b.ExpectExited(targets[1], time.Second)
		if err := there.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		a.ExpectNothing(time.Minute)
	})
}

// An address of one system works in any other of the same process.
func TestManySystemsInOneProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := actortest.NewNetwork(actortest.NetworkOptions{})
		var probes []*actortest.Probe
		for i := range 5 {
			probes = append(probes, actortest.NewProbe(t, join(t, n, fmt.Sprintf("s%d:1", i)), "same-name"))
		}
		for i, from := range probes {
			for _, to := range probes {
				from.Send(to.PID(), wrapperspb.Int64(int64(i)))
			}
		}
		actortest.Pass(time.Second)
		for _, to := range probes {
			for _, r := range to.Got() {
				if from := probes[r.Message.(*wrapperspb.Int64Value).Value].PID(); r.From != from {
					t.Errorf("a message of %s came from %s", from, r.From)
				}
			}
			if len(to.Got()) != len(probes) {
				t.Errorf("%s got %d", to.PID(), len(to.Got()))
			}
		}
	})
}
