package actortest_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"troupe/actors"
	"troupe/actors/actortest"
)

const (
	heartbeat = 15 * time.Second
	silence   = 75 * time.Second // after which a node counts as gone
)

// leader knows who is alive: a node that registered, and was heard since.
type leader struct {
	alive map[string]*actors.Timer
	gone  int // how often a node was given up
	beats int
}

// Init implements actors.Actor.
func (l *leader) Init(c *actors.Context) {
	l.alive = map[string]*actors.Timer{}
	actors.Handle(c, func(c *actors.Context, m *wrapperspb.StringValue) {
		l.beats++
		node := m.Value
		l.alive[node].Stop()
		l.alive[node] = c.After(silence, func() {
			delete(l.alive, node)
			l.gone++
		})
		c.Reply(&emptypb.Empty{})
	})
}

// node reports to the leader for as long as the leader does not answer, and
// then with each heartbeat.
type node struct {
	name   string
	leader actors.PID
	missed int
}

// Init implements actors.Actor.
func (n *node) Init(c *actors.Context) {
	c.Every(heartbeat, func() {
		c.Ask(n.leader, wrapperspb.String(n.name), heartbeat, func(_ proto.Message, err error) {
			if err != nil {
				n.missed++
			}
		})
	})
}

// Example of a cluster in one process: 200 nodes report to a leader for twelve
// minutes, during three of which half of them cannot reach it.
func TestTwelveMinutesOfACluster(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const nodes = 200
		begun := time.Now()
		network := actortest.NewNetwork(actortest.NetworkOptions{Seed: 1, Delay: time.Millisecond, Jitter: 5 * time.Millisecond})
		lead := &leader{}
		leaderAt := start(t, network, "leader:1", "leader", lead)
		all := make([]*node, nodes)
		for i := range all {
			all[i] = &node{name: fmt.Sprintf("node%d", i), leader: leaderAt.WellKnown()}
			start(t, network, address(i), "node", all[i])
		}

		actortest.Pass(3 * time.Minute)
		expect(t, "before the partition", len(lead.alive), nodes)
		for i := range nodes / 2 {
			network.Cut("leader:1", address(i))
		}
		actortest.Pass(3 * time.Minute)
		expect(t, "alive in the partition", len(lead.alive), nodes/2)
		for i := range nodes / 2 {
			network.Heal("leader:1", address(i))
		}
		actortest.Pass(6 * time.Minute)
		expect(t, "after the partition", len(lead.alive), nodes)
		expect(t, "given up", lead.gone, nodes/2)
		for i, n := range all {
			if cut := i < nodes/2; cut != (n.missed > 0) {
				t.Errorf("%s missed %d answers, and was cut off: %t", n.name, n.missed, cut)
			}
		}
		if lead.beats < nodes*12*4*3/4 {
			t.Errorf("%d heartbeats in twelve minutes", lead.beats)
		}
		expect(t, "minutes", int(time.Since(begun)/time.Minute), 12)
	})
}

func address(i int) string { return fmt.Sprintf("node%d:1", i) }

func expect(t *testing.T, what string, got, want int) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %d, want %d", what, got, want)
	}
}

// start makes a system of the network with one actor, until the test's end.
func start(t *testing.T, n *actortest.Network, at, name string, a actors.Actor) actors.PID {
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
	p, err := s.Spawn(name, a)
	if err != nil {
		t.Fatal(err)
	}
	return p
}
