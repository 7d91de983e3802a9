package master

import (
	"fmt"
	"testing"

	"troupe/actors"
	"troupe/master/state"
)

func TestPeersAreTheSameBothWays(t *testing.T) {
	p := newPeers()
	pid := actors.PID{Name: "agent", Address: "h:5051", Incarnation: "x"}
	printed := p.of(pid)
	if printed != "agent@h:5051#x" || p.pid(printed) != pid {
		t.Errorf("%v is %q and %v", pid, printed, p.pid(printed))
	}
	p.forget(pid)
	if len(p.printed)+len(p.parsed) > 0 {
		t.Error("a peer that was forgotten is still there")
	}
	if p.pid(printed) != pid {
		t.Error("a peer that was forgotten is not found again")
	}
	if got := p.pid("nonsense"); !got.IsZero() {
		t.Errorf("nonsense is %v", got)
	}
}

func TestStrangersDoNotFillTheMemory(t *testing.T) {
	p := newPeers()
	for i := range maxPeers + 10 {
		p.of(actors.PID{Name: fmt.Sprintf("s%d", i), Address: "h:1"})
	}
	if len(p.printed) > maxPeers || len(p.parsed) > maxPeers {
		t.Errorf("%d and %d peers are kept", len(p.printed), len(p.parsed))
	}
	for i := range maxPeers + 10 {
		p.pid(state.Peer(fmt.Sprintf("r%d@h:1", i)))
	}
	if len(p.parsed) > maxPeers {
		t.Errorf("%d peers are kept", len(p.parsed))
	}
}
