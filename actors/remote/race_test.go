package remote

import (
	"fmt"
	"runtime"
	"sync"
	"testing"
)

// TestBothDialAtOnce: whoever wins, one link stays, both sides use it, and
// every message arrives or is told as dead.
func TestBothDialAtOnce(t *testing.T) {
	const messages = 20
	for round := range 60 {
		a, b := start(t, Config{}), start(t, Config{})
		var both sync.WaitGroup
		go1 := func(from, to *system) {
			both.Go(func() {
				for i := range messages {
					from.say("x", to.at("y"), fmt.Sprint(i))
					if i%5 == 0 {
						runtime.Gosched()
					}
				}
			})
		}
		go1(a, b)
		go1(b, a)
		both.Wait()
		b.waitFor(t, "deliver x>y", messages)
		a.waitFor(t, "deliver x>y", messages)
		for _, s := range []*system{a, b} {
			eventually(t, "one link", func() bool { i := s.Peers(); return len(i) == 1 && i[0].Linked })
			for i, l := range s.only("deliver") {
				if l != fmt.Sprintf("deliver x>y %d", i) {
					t.Fatalf("round %d: line %d is %q", round, i, l)
				}
			}
			if n := s.count("dead"); n != 0 {
				t.Fatalf("round %d: %d dead letters", round, n)
			}
		}
		if pa, pb := a.Peers()[0], b.Peers()[0]; pa.Dialed == pb.Dialed {
			t.Fatalf("round %d: both sides dialed: %t", round, pa.Dialed)
		}
		a.stop()
		b.stop()
	}
}

// TestManyToMany crosses links, restarts and messages, for the race detector
// and for the account: sent is delivered plus dead, unless it may be both.
func TestManyToMany(t *testing.T) {
	const systems, rounds, messages = 5, 6, 30
	var all []*system
	for range systems {
		all = append(all, start(t, Config{}))
	}
	sent, dead := 0, 0
	for round := range rounds {
		var group sync.WaitGroup
		victim := all[round%systems]
		before := victim.count("deliver")
		for i, from := range all {
			group.Go(func() {
				for n := range messages {
					to := all[(i+1+n%(systems-1))%systems]
					from.Link(from.at("x"), anyone(to.at("y")))
					from.say("x", anyone(to.at("y")), fmt.Sprint(n))
				}
			})
			sent += messages
		}
		group.Wait()
		victim.waitFor(t, "deliver", before+messages/2)
		addr := victim.cfg.Address
		victim.stop()
		all[round%systems] = start(t, Config{Listener: listenAt(t, addr), Address: addr, Receiver: victim.recorder})
	}
	for _, s := range all {
		s.close()
		dead += s.count("dead")
	}
	delivered, unconfirmed := 0, 0
	for _, s := range all {
		delivered += s.count("deliver")
		unconfirmed += s.count("dead x>y unconfirmed")
	}
	if delivered+dead < sent || delivered+dead-unconfirmed > sent {
		t.Errorf("%d sent, %d delivered, %d dead of which %d unconfirmed", sent, delivered, dead, unconfirmed)
	}
}
