package remote

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"troupe/actors/address"
	"troupe/actors/remote/frame"
)

// order gives the lines that begin with any of the prefixes.
func (r *recorder) only(prefixes ...string) []string {
	return slices.DeleteFunc(r.told(), func(l string) bool {
		return !slices.ContainsFunc(prefixes, func(p string) bool { return len(l) >= len(p) && l[:len(p)] == p })
	})
}

func TestExitedOnceAndAfterAllMessages(t *testing.T) {
	a, b := start(t, Config{}), start(t, Config{})
	a.link("x", b.at("y"))
	a.link("x", b.at("y"))
	a.link("x", anyone(b.at("z")))
	b.waitFor(t, "watch x>y", 1)
	b.waitFor(t, "watch x>z", 1)
	const n = 5000
	for i := range n {
		b.say("y", a.at("x"), fmt.Sprint(i))
	}
	b.Ended(a.at("x"), b.at("y"), "it was done")
	b.Ended(a.at("x"), b.at("y"), "again")
	b.say("other", a.at("x"), "last")
	a.waitFor(t, "deliver other>x last", 1)
	got := a.only("deliver y>x", "exited")
	if len(got) != n+1 || got[n] != "exited x>y it was done" {
		t.Errorf("%d lines, the last %q", len(got), got[len(got)-1])
	}
	b.stop()
	a.waitFor(t, "exited x>z", 1)
	if got := a.count("exited x>y"); got != 1 {
		t.Errorf("%d exits of y, want 1", got)
	}
	if got := b.count("watch x>y"); got != 1 {
		t.Errorf("%d watches of y, want 1", got)
	}
}

func TestExitedWithLongMessages(t *testing.T) {
	a, b := start(t, Config{}), start(t, Config{})
	a.link("x", b.at("y"))
	b.waitFor(t, "watch x>y", 1)
	long := string(make([]byte, 2<<20))
	b.say("y", a.at("x"), long)
	b.Ended(a.at("x"), b.at("y"), "done")
	a.waitFor(t, "exited", 1)
	if got := a.told(); len(got) != 2 || got[1] != "exited x>y done" {
		t.Errorf("told %.80q", got)
	}
}

func TestUnlink(t *testing.T) {
	a, b := start(t, Config{}), start(t, Config{})
	a.link("x", b.at("y"))
	b.waitFor(t, "watch x>y", 1)
	a.Unlink(a.at("x"), b.at("y"))
	a.Unlink(a.at("x"), b.at("never"))
	b.waitFor(t, "unwatch x>y", 1)
	b.Ended(a.at("x"), b.at("y"), "nobody asks")
	b.say("y", a.at("x"), "last")
	a.waitFor(t, "deliver y>x last", 1)
	b.stop()
	eventually(t, "the link is gone", func() bool { return a.Totals().Linked == 0 })
	if n := a.count("exited"); n != 0 {
		t.Errorf("%d exits", n)
	}
}

// TestWatchedSideForgets: when the watcher's system goes, its wishes do.
func TestWatchedSideForgets(t *testing.T) {
	a, b := start(t, Config{}), start(t, Config{})
	a.link("x", b.at("y"))
	a.link("x2", b.at("y"))
	b.waitFor(t, "watch", 2)
	if i := b.Peers()[0]; i.Watched != 2 {
		t.Errorf("watched %d, want 2", i.Watched)
	}
	a.stop()
	b.waitFor(t, "unwatch", 2)
}

func TestWatchesAreBounded(t *testing.T) {
	b := start(t, Config{Limits: Limits{MaxWatches: 3}})
	a := start(t, Config{})
	for i := range 4 {
		a.link("x", b.at(fmt.Sprint("y", i)))
	}
	a.waitFor(t, "exited x>y", 4)
	b.waitFor(t, "unwatch", 3)
}

func TestNobodyThere(t *testing.T) {
	ln := listen(t)
	gone := ln.Addr().String()
	if err := ln.Close(); err != nil {
		t.Fatal(err)
	}
	a := start(t, Config{})
	y := a.at("y")
	y.Address, y.Incarnation = gone, ""
	for i := range 100 {
		a.say("x", y, fmt.Sprint(i))
	}
	a.link("x", y)
	a.waitFor(t, "dead x>y unreachable: dial", 100)
	a.waitFor(t, "exited x>y unreachable: dial", 1)
	a.link("x", y) // backs off first
	a.waitFor(t, "exited x>y unreachable: dial", 2)
	nobody := y
	nobody.Address = "nowhere:0"
	a.say("x", nobody, "")
	a.link("x", nobody)
	a.waitFor(t, "dead x>y unreachable", 101)
	a.waitFor(t, "exited x>y unreachable", 3)
	if n := a.Totals().Traffic.DeadLetters[Unreachable]; n != 101 {
		t.Errorf("%d dead letters counted, want 101", n)
	}
}

// TestEarlierIncarnation: what was meant for a system before its restart is
// dead, whether the link exists or must be made; what was meant for whoever is
// there arrives.
func TestEarlierIncarnation(t *testing.T) {
	a := start(t, Config{})
	b := start(t, Config{})
	a.link("x", b.at("y"))
	a.say("x", b.at("y"), "one")
	b.waitFor(t, "deliver x>y one", 1)
	old, addr := b.at("y"), b.cfg.Address
	b.stop()
	a.waitFor(t, "exited x>y", 1)

	a.say("x", old, "nobody is there")
	a.waitFor(t, "dead x>y unreachable", 1)
	again := start(t, Config{Listener: listenAt(t, addr), Address: addr})
	a.say("x", old, "for the old one")
	a.link("x", old)
	a.say("x", anyone(old), "for anyone")
	again.waitFor(t, "deliver x>y for anyone", 1)
	a.waitFor(t, "dead x>y stale incarnation", 1)
	a.waitFor(t, "exited x>y stale incarnation", 1)
	a.say("x", old, "still for the old one")
	a.link("x", old)
	a.waitFor(t, "dead x>y stale incarnation", 2)
	a.waitFor(t, "exited x>y stale incarnation", 2)
	if got := again.told(); len(got) != 1 {
		t.Errorf("told %q", got)
	}
}

// TestRestartSeenByTheOther: a system that comes back and dials replaces its
// earlier link at once, and those who were linked are told first.
func TestRestartSeenByTheOther(t *testing.T) {
	s := start(t, Config{})
	first := knock(t, s).enter("one")
	first.write(greeted())
	eventually(t, "linked", func() bool { return s.Totals().Linked == 1 })
	x := s.Peers()[0]
	pid := s.at("x")
	pid.Address, pid.Incarnation = x.Address, x.Incarnation
	s.link("y", pid)
	second := knock(t, s).dial("one", 2)
	second.write(append(greeted(), frame.AppendMessage(nil, frame.Head{Target: 1, Sender: 2, Type: 1}, encoded("anew"))...))
	s.waitFor(t, "deliver x>y anew", 1)
	if got := s.told(); got[0] != "exited y>x lost: the peer linked anew" {
		t.Errorf("told %q", got)
	}
	first.hungUp()
}

// TestOtherNames: a system is one peer, whatever name it was dialed by, and
// those who used the other name are answered by it.
func TestOtherNames(t *testing.T) {
	b := start(t, Config{})
	a := start(t, Config{})
	p := newProxy(t, b.cfg.Address)
	other := b.at("y")
	other.Address = p.ln.Addr().String()
	a.link("x", other)
	a.say("x", other, "by the other name")
	b.waitFor(t, "deliver x>y by the other name", 1)
	a.say("x", b.at("y"), "by its own")
	a.say("x", anyone(other), "by the other again")
	b.waitFor(t, "deliver x>y by", 3)
	if n := b.Totals().Connections; n != 1 {
		t.Errorf("%d connections, want 1", n)
	}
	if i := a.Peers(); len(i) != 1 || i[0].Address != b.cfg.Address {
		t.Errorf("peers %+v", i)
	}
	b.Ended(a.at("x"), b.at("y"), "done")
	a.waitFor(t, "exited x>y done", 1)
	b.stop()
	eventually(t, "the link is gone", func() bool { return a.Totals().Linked == 0 })
	a.say("x", other, "nobody")
	a.waitFor(t, "dead x>y unreachable", 1)
}

// TestOtherNameOfALinkedPeer: the second name joins the link that is there.
func TestOtherNameOfALinkedPeer(t *testing.T) {
	a, b := start(t, Config{}), start(t, Config{})
	b.say("y", a.at("x"), "dialed by b")
	a.waitFor(t, "deliver y>x dialed by b", 1)
	p := newProxy(t, b.cfg.Address)
	other := anyone(b.at("y"))
	other.Address = p.ln.Addr().String()
	a.link("x", other)
	a.say("x", other, "by the other name")
	b.waitFor(t, "deliver x>y by the other name", 1)
	b.waitFor(t, "watch x>y", 1)
	if n := a.Totals().Linked + b.Totals().Linked; n != 2 {
		t.Errorf("%d ends of links, want 2", n)
	}
	self := anyone(a.at("y"))
	self.Address = newProxy(t, a.cfg.Address).ln.Addr().String()
	a.say("x", self, "to myself")
	a.waitFor(t, "dead x>y unreachable: dial", 1)
}

// slowTeller is a Receiver that takes its time over an exit, which none may,
// so that tests can look at what happens meanwhile.
type slowTeller struct {
	*recorder
	asked, gate chan struct{}
}

func (s slowTeller) Exited(watcher, watched address.PID, reason string) {
	close(s.asked)
	<-s.gate
	s.recorder.Exited(watcher, watched, reason)
}

// TestNextLinkWaitsForTheExits: nothing of a new link is told before all of the
// link before is.
func TestNextLinkWaitsForTheExits(t *testing.T) {
	told := slowTeller{newRecorder(), make(chan struct{}), make(chan struct{})}
	a, b := start(t, Config{Receiver: told}), start(t, Config{})
	open := sync.OnceFunc(func() { close(told.gate) })
	t.Cleanup(open) // else what failed would not end
	a.link("x", b.at("y"))
	b.waitFor(t, "watch x>y", 1)
	addr := b.cfg.Address
	b.stop()
	<-told.asked
	again := start(t, Config{Listener: listenAt(t, addr), Address: addr})
	again.say("y", a.at("x"), "anew")
	again.link("y", a.at("x"))
	eventually(t, "linked anew", func() bool { p := again.Peers(); return len(p) == 1 && p[0].Linked })
	open()
	told.waitFor(t, "watch y>x", 1)
	told.waitFor(t, "deliver y>x anew", 1)
	if got := told.told(); !strings.HasPrefix(got[0], "exited x>y") {
		t.Errorf("told %q", got)
	}
}

// TestEndedForAnEarlierWatcher is not for the actor of that name in a later
// incarnation.
func TestEndedForAnEarlierWatcher(t *testing.T) {
	s := start(t, Config{})
	a := start(t, Config{})
	a.link("x", s.at("y"))
	s.waitFor(t, "watch x>y", 1)
	earlier := a.at("x")
	earlier.Incarnation = "earlier"
	s.Ended(earlier, s.at("y"), "for the other one")
	s.Ended(a.at("x"), s.at("y"), "for this one")
	a.waitFor(t, "exited x>y", 1)
	if got := a.told(); got[0] != "exited x>y for this one" {
		t.Errorf("told %q", got)
	}
}
