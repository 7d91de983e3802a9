package master_test

import (
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/actors"
	"troupe/master"
	"troupe/messages/cluster"
)

type delivered struct {
	from string
	m    proto.Message
}

func replica(t *testing.T) (*actors.System, *master.Replica, chan delivered) {
	t.Helper()
	sys, err := actors.New(actors.Options{Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := sys.Close(t.Context()); err != nil && t.Context().Err() == nil {
			t.Error(err)
		}
	})
	r, err := master.NewReplica(sys)
	if err != nil {
		t.Fatal(err)
	}
	got := make(chan delivered, 16)
	r.Deliver(func(from string, m proto.Message) { got <- delivered{from, m} })
	return sys, r, got
}

func take(t *testing.T, from chan delivered) delivered {
	t.Helper()
	select {
	case d := <-from:
		return d
	case <-time.After(patience):
		t.Fatal("nothing arrived")
		return delivered{}
	}
}

func TestReplicasReachEachOther(t *testing.T) {
	a, toB, _ := replica(t)
	b, toA, atB := replica(t)
	toB.Send(b.Address(), &cluster.IdentifyReplica{Number: proto.Uint64(7)})
	got := take(t, atB)
	if m, ok := got.m.(*cluster.IdentifyReplica); !ok || m.GetNumber() != 7 || got.from != a.Address() {
		t.Errorf("%v arrived from %s", got.m, got.from)
	}
	toA.Send(b.Address(), &cluster.IdentifyReplica{Number: proto.Uint64(8)})
	if got := take(t, atB); got.from != b.Address() {
		t.Errorf("its own message came from %s", got.from)
	}
}

// TestReplicasHearReplicasAlone: what another actor sends is no replica's word.
func TestReplicasHearReplicasAlone(t *testing.T) {
	a, toB, _ := replica(t)
	b, _, atB := replica(t)
	toB.Send(b.Address(), &cluster.IdentifyReplica{Number: proto.Uint64(1)})
	take(t, atB) // the link stands
	a.Send(b.PID(master.ReplicaName), &cluster.IdentifyReplica{Number: proto.Uint64(2)})
	toB.Send(b.Address(), &cluster.IdentifyReplica{Number: proto.Uint64(3)})
	if m := take(t, atB).m.(*cluster.IdentifyReplica); m.GetNumber() != 3 {
		t.Errorf("message %d, of no replica, was delivered", m.GetNumber())
	}
}
