package simulate

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/messages/cluster"
)

// recorder is an actor that keeps what it is told.
type recorder struct{ heard []string }

func (r *recorder) receive(_ string, m proto.Message) {
	r.heard = append(r.heard, m.(*cluster.ShutdownAgent).GetMessage())
}

func (r *recorder) exited(peer string) { r.heard = append(r.heard, "exited "+peer) }

// pair is two processes with an actor each; only b can be dialed.
func pair() (n *network, a, b *process, at, bt *recorder) {
	n = newNetwork(newWorld(1, 100))
	a, b = n.process("a:0"), n.process("b:1")
	at, bt = &recorder{}, &recorder{}
	a.start()
	b.start()
	a.actors["x"], b.actors["y"] = at, bt
	return n, a, b, at, bt
}

func say(text string) proto.Message { return &cluster.ShutdownAgent{Message: &text} }

func (n *network) pass(d time.Duration) {
	end := n.now.Add(d)
	for n.next(end) {
		continue
	}
	n.now = end
}

func wantHeard(t *testing.T, r *recorder, want ...string) {
	t.Helper()
	if !slices.Equal(r.heard, want) {
		t.Errorf("heard %q, want %q", r.heard, want)
	}
}

func TestMessagesComeInOrderBothWays(t *testing.T) {
	n, a, b, at, bt := pair()
	n.slowOneIn = 3
	var want []string
	for i := range 50 {
		want = append(want, fmt.Sprint(i))
		a.send("x", "y@b:1", say(fmt.Sprint(i)))
	}
	n.pass(time.Minute)
	for i := range 50 {
		b.send("y", a.pid("x"), say(fmt.Sprint(i)))
	}
	n.pass(time.Minute)
	wantHeard(t, bt, want...)
	wantHeard(t, at, want...)
}

func TestNobodyCanDialPortZero(t *testing.T) {
	n, a, b, at, _ := pair()
	b.send("y", a.pid("x"), say("hello"))
	b.watch("y", a.pid("x"))
	n.pass(time.Minute)
	wantHeard(t, at)
	wantHeard(t, b.actors["y"].(*recorder), "exited "+a.pid("x"))
}

func TestBrokenLinkLosesWhatWasUnderWayAndTellsOnce(t *testing.T) {
	n, a, b, at, bt := pair()
	a.watch("x", "y@b:1")
	a.watch("x", "y@b:1")
	n.pass(time.Second)
	b.watch("y", a.pid("x"))
	n.pass(time.Second)
	a.send("x", "y@b:1", say("lost"))
	n.breakLink(a.links[b], nil)
	a.send("x", "y@b:1", say("lost too"))
	n.pass(time.Second)
	a.send("x", "y@b:1", say("new link"))
	n.pass(time.Second)
	wantHeard(t, bt, "exited "+a.pid("x"), "new link")
	wantHeard(t, at, "exited y@b:1")
}

func TestOldAddressesReachNoNewIncarnation(t *testing.T) {
	n, a, b, at, _ := pair()
	old := b.pid("y")
	a.send("x", old, say("before"))
	n.pass(time.Second)
	b.kill()
	n.pass(time.Second)
	b.start()
	fresh := &recorder{}
	b.actors["y"] = fresh
	a.watch("x", old)
	a.send("x", old, say("to the dead"))
	a.send("x", "y@b:1", say("to whoever it is"))
	n.pass(time.Second)
	wantHeard(t, fresh, "to whoever it is")
	wantHeard(t, at, "exited "+old)
}

func TestPartitions(t *testing.T) {
	for _, test := range []struct {
		lasts time.Duration
		heard []string
		told  []string
	}{
		{2 * time.Second, []string{"before", "during", "after"}, nil},
		{time.Minute, []string{"before", "after"}, []string{"exited y@b:1"}},
	} {
		n, a, _, at, bt := pair()
		a.watch("x", "y@b:1")
		a.send("x", "y@b:1", say("before"))
		n.pass(time.Second)
		n.partition(a, test.lasts)
		a.send("x", "y@b:1", say("during"))
		n.pass(2 * time.Minute)
		a.send("x", "y@b:1", say("after"))
		n.pass(time.Minute)
		wantHeard(t, bt, test.heard...)
		wantHeard(t, at, test.told...)
	}
}

func TestDialOfTheDeadIsToldToItsWatchers(t *testing.T) {
	n, a, b, at, _ := pair()
	b.kill()
	a.watch("x", "y@b:1")
	a.watch("x", "z@nowhere:1")
	n.pass(time.Minute)
	wantHeard(t, at, "exited z@nowhere:1", "exited y@b:1")
}

func TestStoppedActorIsToldAfterItsMessages(t *testing.T) {
	n, a, b, at, _ := pair()
	a.watch("x", "y@b:1")
	n.pass(time.Second)
	b.send("y", a.pid("x"), say("last word"))
	b.stopActor("y")
	n.pass(time.Second)
	wantHeard(t, at, "last word", "exited y@b:1")
}

func TestTimersOfTheDeadDoNotFire(t *testing.T) {
	n, a, _, _, _ := pair()
	fired := 0
	a.setTimer("k", time.Second, func() { fired++ })
	a.setTimer("k", 2*time.Second, func() { fired += 10 })
	a.setTimer("c", time.Second, func() { fired += 100 })
	a.cancelTimer("c")
	n.pass(3 * time.Second)
	if fired != 10 {
		t.Errorf("fired %d, want only the replacement", fired)
	}
	a.setTimer("k", time.Second, func() { fired++ })
	a.kill()
	a.start()
	n.pass(3 * time.Second)
	if fired != 10 {
		t.Error("a timer outlived its process")
	}
}

func TestOnlyWhatMayBeRepeatedIs(t *testing.T) {
	n, a, _, _, bt := pair()
	n.repeatOneIn = 1
	a.send("x", "y@b:1", say("once"))
	n.pass(time.Second)
	wantHeard(t, bt, "once")
	if !repeatable(&cluster.StatusUpdate{}) || repeatable(&cluster.RunTask{}) {
		t.Error("updates are repeated by agents, launches by nobody")
	}
}
