package replicated

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/hashicorp/raft"
	"google.golang.org/protobuf/proto"

	"troupe/master/election"
)

// others are the masters but one.
func (e *ensemble) others(address string) []string {
	return slices.DeleteFunc(slices.Clone(e.masters), func(m string) bool { return m == address })
}

func lost(t *testing.T, term election.Term) {
	t.Helper()
	eventually(t, "the term is lost", func() bool { return term.Err() != nil })
}

func TestTheNextLeaderHasAllThatWasWritten(t *testing.T) {
	synctest.Test(t, testTheNextLeaderHasAllThatWasWritten)
}

func testTheNextLeaderHasAllThatWasWritten(t *testing.T) {
	e := newEnsemble(t, 3)
	e.startAll()
	leader, term := e.elect()
	e.write(e.registry(term), "S1", "S2")
	e.stop(leader)
	lost(t, term)
	next, term := e.elect()
	if next == leader {
		t.Fatal("the leader that ended leads")
	}
	r := e.registry(term)
	if r.ClusterID() != "c" {
		t.Errorf("the cluster is %q now", r.ClusterID())
	}
	e.write(r, "S3")
	e.start(leader)
	e.stop(next)
	_, term = e.elect()
	if got := e.ids(e.registry(term)); !slices.Equal(got, []string{"S1", "S2", "S3"}) {
		t.Errorf("the third leader has %v", got)
	}
}

func TestALeaderWithoutAMajorityWritesNothing(t *testing.T) {
	synctest.Test(t, testALeaderWithoutAMajorityWritesNothing)
}

func testALeaderWithoutAMajorityWritesNothing(t *testing.T) {
	e := newEnsemble(t, 3)
	e.startAll()
	leader, term := e.elect()
	r := e.registry(term)
	e.write(r, "S1")
	e.net.isolate(leader, true)
	if err := r.Write(t.Context(), admitted("S2")); !errors.Is(err, ErrLost) {
		t.Errorf("a cut off leader wrote: %v", err)
	}
	lost(t, term)
	old := e.nodes[leader]
	delete(e.nodes, leader) // stands no more
	_, term = e.elect()
	next := e.registry(term)
	e.write(next, "S3")
	e.net.isolate(leader, false)
	eventually(t, "the one that was cut off has what was written without it, and what it wrote is gone", func() bool {
		var keys []string
		for _, s := range old.copy.stored() {
			keys = append(keys, s.GetKey())
		}
		return slices.Equal(keys, []string{"agent/S1", "agent/S3"})
	})
	e.nodes[leader] = old
	if err := r.Write(t.Context(), admitted("S4")); !errors.Is(err, ErrLost) {
		t.Errorf("a term that was lost wrote: %v", err)
	}
	if got := e.ids(next); !slices.Equal(got, []string{"S1", "S3"}) {
		t.Errorf("it holds %v", got)
	}
}

// TestAMasterDoesNotWriteInALaterTermOfItsOwn: elected again, it may have missed
// what was written between.
func TestAMasterDoesNotWriteInALaterTermOfItsOwn(t *testing.T) {
	synctest.Test(t, testAMasterDoesNotWriteInALaterTermOfItsOwn)
}

func testAMasterDoesNotWriteInALaterTermOfItsOwn(t *testing.T) {
	e := newEnsemble(t, 1)
	e.startAll()
	_, first := e.elect()
	e.write(e.registry(first), "S1")
	node := e.nodes[e.masters[0]]
	later := node.takeOver(newReign())
	if later == nil {
		t.Fatal("no second takeover")
	}
	stale := &replicated{term: &term{newReign(), node, later.number - 1}, cluster: "c"}
	if err := stale.Write(t.Context(), admitted("S2")); !errors.Is(err, ErrLost) {
		t.Errorf("the writer of an earlier term wrote: %v", err)
	}
	if got := e.ids(stale); !slices.Equal(got, []string{"S1"}) {
		t.Errorf("it holds %v", got)
	}
}

func TestAClosingLeaderHandsOver(t *testing.T) { synctest.Test(t, testAClosingLeaderHandsOver) }

func testAClosingLeaderHandsOver(t *testing.T) {
	e := newEnsemble(t, 3)
	e.startAll()
	leader, term := e.elect()
	e.write(e.registry(term), "S1")
	const timeout = "heartbeat timeout reached"
	before := strings.Count(e.lines.String(), timeout)
	if err := e.nodes[leader].Close(); err != nil {
		t.Fatal(err)
	}
	lost(t, term)
	e.net.attach(leader, nil)
	delete(e.nodes, leader)
	eventually(t, "another master leads", func() bool {
		return slices.ContainsFunc(e.others(leader), func(m string) bool { return e.nodes[m].raft.State() == raft.Leader })
	})
	if strings.Count(e.lines.String(), timeout) != before {
		t.Error("the others found out by themselves that the leader had closed")
	}
}

// TestNothingAcknowledgedIsEverLost kills, cuts off and starts masters by a
// seed, and holds every leader against what was acknowledged to the ones before.
func TestNothingAcknowledgedIsEverLost(t *testing.T) {
	for seed := range uint64(6) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := newEnsemble(t, 3)
				e.options = func(o *Options) { o.SnapshotAfter = 8 }
				chance := rand.New(rand.NewPCG(seed, 1))
				if seed%2 == 1 {
					e.net.spoil = losing(seed, 30)
				}
				e.startAll()
				acknowledged, attempted := map[string]bool{}, map[string]bool{}
				for round := range 6 {
					leader, term := e.elect()
					r, err := term.Registry(t.Context(), election.Opening{NewCluster: "c"})
					if err != nil { // it was lost at once
						e.repair(leader)
						continue
					}
					have := e.ids(r)
					for id := range acknowledged {
						if !slices.Contains(have, id) {
							t.Fatalf("round %d: %s was acknowledged and is lost", round, id)
						}
					}
					for _, id := range have {
						if !attempted[id] {
							t.Fatalf("round %d: %s was never written", round, id)
						}
					}
					e.disturb(chance, leader)
					for i := range 20 {
						id := fmt.Sprintf("S%d-%d", round, i)
						attempted[id] = true
						if err := r.Write(t.Context(), admitted(id)); err != nil {
							break
						}
						acknowledged[id] = true
					}
					e.repair(leader)
				}
				if len(acknowledged) == 0 {
					t.Error("nothing was ever acknowledged")
				}
			})
		})
	}
}

// losing loses one message of so many.
func losing(seed uint64, of int) func(_, _ string, m proto.Message) proto.Message {
	var mu sync.Mutex
	chance := rand.New(rand.NewPCG(seed, 2))
	return func(_, _ string, m proto.Message) proto.Message {
		mu.Lock()
		defer mu.Unlock()
		if chance.IntN(of) == 0 {
			return nil
		}
		return m
	}
}

// disturb does something bad, which may hit while writes are under way.
func (e *ensemble) disturb(chance *rand.Rand, leader string) {
	follower := e.others(leader)[chance.IntN(2)]
	switch chance.IntN(4) {
	case 0:
		e.net.isolate(leader, true)
	case 1:
		e.stop(follower)
	case 2:
		e.net.isolate(follower, true)
	case 3:
		if err := e.nodes[follower].raft.Snapshot().Error(); err != nil {
			e.t.Log("no snapshot:", err)
		}
		e.stop(follower)
	}
}

// repair ends the leader, as its process would, and lets everybody take part.
func (e *ensemble) repair(leader string) {
	e.stop(leader)
	for _, m := range e.masters {
		e.net.isolate(m, false)
		if e.nodes[m] == nil {
			e.start(m)
		}
	}
}
