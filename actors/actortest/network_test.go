package actortest

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/wrapperspb"

	"troupe/actors"
)

// pair is two systems with a probe each.
func pair(t *testing.T, n *Network) (a, b *actors.System, x, y *Probe) {
	t.Helper()
	a, b = system(t, n.Join("a:1", actors.Options{})), system(t, n.Join("b:1", actors.Options{}))
	return a, b, NewProbe(t, a, "x"), NewProbe(t, b, "y")
}

func TestMessagesKeepTheirOrderWhateverTheDelay(t *testing.T) {
	bubble(t, NetworkOptions{Delay: time.Millisecond, Jitter: time.Second}, func(t *testing.T, n *Network) {
		_, _, x, y := pair(t, n)
		for i := range 200 {
			x.Send(y.PID(), number(i))
		}
		for i := range 200 {
			if m, from := Expect[*wrapperspb.Int64Value](y, time.Minute); m.Value != int64(i) || from != x.PID() {
				t.Fatalf("message %d is %d from %s", i, m.Value, from)
			}
		}
		y.ExpectNothing(time.Minute)
	})
}

func TestAsksCrossTheNetwork(t *testing.T) {
	bubble(t, NetworkOptions{Delay: time.Second}, func(t *testing.T, n *Network) {
		a, b, _, _ := pair(t, n)
		echoing := spawn(t, b, "echo", echo)
		begun := time.Now()
		m, err := a.Ask(t.Context(), echoing, text("hello"))
		if err != nil || m.(*wrapperspb.StringValue).Value != "echo hello" {
			t.Fatalf("Ask: %v, %v", m, err)
		}
		if took := time.Since(begun); took != 2*time.Second {
			t.Errorf("there and back took %v, want 2 s", took)
		}
		if _, err := a.Ask(t.Context(), actors.PID{Name: "x", Address: "nowhere:1"}, text("")); !errors.Is(err, actors.ErrUndelivered) {
			t.Errorf("Ask of a system that is not there: %v", err)
		}
	})
}

func TestInterception(t *testing.T) {
	bubble(t, NetworkOptions{}, func(t *testing.T, n *Network) {
		_, _, x, y := pair(t, n)
		seen := 0
		over := n.Intercept(textName, func(p Packet) Fate {
			seen++
			if p.From != x.PID() || p.To != y.PID() || p.Message.(*wrapperspb.StringValue).Value == "" {
				t.Errorf("intercepted %+v", p)
			}
			return map[string]Fate{"drop": {Drop: true}, "twice": {Twice: true}, "late": {Delay: time.Hour}}[p.Message.(*wrapperspb.StringValue).Value]
		})
		for _, s := range []string{"drop", "twice", "plain", "late"} {
			x.Send(y.PID(), text(s))
		}
		x.Send(y.PID(), number(1))
		var got []string
		for range 3 {
			m, _ := Expect[*wrapperspb.StringValue](y, time.Second)
			got = append(got, m.Value)
		}
		if s := strings.Join(got, " "); s != "twice twice plain" {
			t.Errorf("got %q", s)
		}
		y.ExpectNothing(time.Hour - time.Second)
		Expect[*wrapperspb.StringValue](y, time.Minute)
		Expect[*wrapperspb.Int64Value](y, time.Minute) // it kept its place behind the late one
		over()
		x.Send(y.PID(), text("drop"))
		Expect[*wrapperspb.StringValue](y, time.Second)
		if seen != 4 {
			t.Errorf("intercepted %d, want 4", seen)
		}
	})
}

func TestChancesOfLossAndRepetition(t *testing.T) {
	bubble(t, NetworkOptions{Seed: 7, Drop: 0.2, Duplicate: 0.1}, func(t *testing.T, n *Network) {
		_, _, x, y := pair(t, n)
		const sent = 10_000
		for i := range sent {
			x.Send(y.PID(), number(i))
		}
		Pass(time.Second)
		times := map[int64]int{}
		for _, r := range y.Got() {
			times[r.Message.(*wrapperspb.Int64Value).Value]++
		}
		lost, twice := sent-len(times), 0
		for _, k := range times {
			if k == 2 {
				twice++
			}
		}
		if lost < 1800 || lost > 2200 || twice < 650 || twice > 950 {
			t.Errorf("%d lost and %d twice of %d, want about 2000 and 800", lost, twice, sent)
		}
	})
}

// counted makes o count dead letters; to be read while nothing runs.
func counted(o *actors.Options) *int {
	count := new(int)
	o.OnDeadLetter = func(actors.Lost) { *count++ }
	return count
}

func TestPartition(t *testing.T) {
	bubble(t, NetworkOptions{}, func(t *testing.T, n *Network) {
		o := actors.Options{}
		dead := counted(&o)
		a, b := system(t, n.Join("a:1", o)), system(t, n.Join("b:1", actors.Options{}))
		x, y := NewProbe(t, a, "x"), NewProbe(t, b, "y")
		x.Link(y.PID())
		y.Link(x.PID().WellKnown())
		Pass(time.Second)

		n.Cut("b:1", "a:1")
		for i := range 10 {
			x.Send(y.PID(), number(i))
		}
		y.ExpectNothing(14 * time.Second)
		n.Heal("a:1", "b:1")
		for range 10 { // nothing is lost when the cable is back in time
			Expect[*wrapperspb.Int64Value](y, time.Second)
		}

		n.CutOneWay("a:1", "b:1")
		for i := range 10 {
			x.Send(y.PID(), number(i))
		}
		y.Send(x.PID(), text("this way is open"))
		Expect[*wrapperspb.StringValue](x, time.Second)
		x.ExpectNothing(13 * time.Second)
		x.ExpectExited(y.PID(), 3*time.Second)
		y.ExpectExited(x.PID().WellKnown(), time.Second)
		Pass(0)
		if *dead != 10 {
			t.Errorf("%d dead letters, want 10", *dead)
		}
		x.Send(y.PID(), text("a new link"))
		y.ExpectNothing(4 * time.Second)
		Pass(2 * time.Second)
		if *dead != 11 {
			t.Errorf("%d dead letters after a dial in vain, want 11", *dead)
		}
		n.Heal("a:1", "b:1")
		x.ExpectNothing(time.Hour) // no exit comes twice
		x.Send(y.PID(), text("back"))
		Expect[*wrapperspb.StringValue](y, time.Second)
	})
}

func TestCrashAndRestart(t *testing.T) {
	bubble(t, NetworkOptions{}, func(t *testing.T, n *Network) {
		_, b, x, y := pair(t, n)
		x.Link(y.PID())
		Pass(time.Second)
		n.Crash("b:1")
		x.ExpectExited(y.PID(), time.Second)
		y.Send(x.PID(), text("from the dead"))
		x.ExpectNothing(time.Second)
		again := system(t, n.Join("b:1", actors.Options{}))
		z := NewProbe(t, again, "y")
		x.Send(y.PID(), text("to the earlier one"))
		x.Send(y.PID().WellKnown(), text("to whoever"))
		x.Link(y.PID())
		x.ExpectExited(y.PID(), time.Second)
		if m, _ := Expect[*wrapperspb.StringValue](z, time.Second); m.Value != "to whoever" {
			t.Errorf("the later incarnation got %q", m.Value)
		}
		z.ExpectNothing(time.Hour)
		if b.Incarnation() == again.Incarnation() {
			t.Error("two starts have one incarnation")
		}
	})
}

func TestCloseDeliversAndTellsOfTheEnd(t *testing.T) {
	bubble(t, NetworkOptions{Delay: time.Minute}, func(t *testing.T, n *Network) {
		a, _, x, y := pair(t, n)
		y.Link(x.PID())
		x.Send(y.PID(), text("last words"))
		Pass(59 * time.Second)
		if err := a.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		Expect[*wrapperspb.StringValue](y, time.Second)
		if e := y.ExpectExited(x.PID(), 3*time.Minute); e.Reason == "" {
			t.Error("an exit without reason")
		}
	})
}

func TestLinksEndOnceAndInOrder(t *testing.T) {
	bubble(t, NetworkOptions{Jitter: time.Second}, func(t *testing.T, n *Network) {
		a, b, x, _ := pair(t, n)
		talks := spawn(t, b, "talks", func(c *actors.Context) {
			actors.Handle(c, func(c *actors.Context, m *wrapperspb.StringValue) {
				for i := range 50 {
					c.Send(c.Sender(), number(i))
				}
				c.Stop()
			})
		})
		x.Link(talks)
		x.Link(actors.PID{Name: "nobody", Address: "b:1"})
		x.ExpectExited(actors.PID{Name: "nobody", Address: "b:1"}, time.Minute)
		x.Send(talks, text("go"))
		x.ExpectExited(talks, time.Minute)
		if got := len(x.Got()); got != 50 {
			t.Errorf("the exit came after %d of 50 messages", got)
		}
		if infos := a.Peers(); len(infos) != 1 || infos[0].Address != "b:1" || infos[0].Watching != 0 {
			t.Errorf("peers of a: %+v", infos)
		}
	})
}

func TestSystemsThatNobodyCanDial(t *testing.T) {
	bubble(t, NetworkOptions{}, func(t *testing.T, n *Network) {
		server := NewProbe(t, system(t, n.Join("server:1", actors.Options{})), "server")
		var guests []*Probe
		for range 3 { // all with one address
			guests = append(guests, NewProbe(t, system(t, n.Join("host:0", actors.Options{})), "guest"))
		}
		server.Send(guests[0].PID(), text("too early"))
		Pass(time.Second)
		for i, g := range guests {
			g.Send(server.PID(), number(i))
			_, from := Expect[*wrapperspb.Int64Value](server, time.Second)
			server.Send(from, number(i))
		}
		for i, g := range guests {
			if m, _ := Expect[*wrapperspb.Int64Value](g, time.Second); m.Value != int64(i) {
				t.Errorf("guest %d got %d", i, m.Value)
			}
			g.ExpectNothing(time.Second)
		}
	})
}

func TestAddressesInUse(t *testing.T) {
	bubble(t, NetworkOptions{}, func(t *testing.T, n *Network) {
		system(t, n.Join("a:1", actors.Options{}))
		for _, at := range []string{"a:1", "", "a"} {
			if s, err := actors.New(n.Join(at, actors.Options{})); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("%q", at)) {
				t.Errorf("a system at %q: %v, %v", at, s, err)
			}
		}
	})
}
