package detector

import (
	"context"
	"errors"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/master/election"
	"troupe/master/election/zookeeper"
	"troupe/master/election/zookeepertest"
	"troupe/messages/masters"
	"troupe/messages/mesos"
)

// stand has a master stand for election.
func stand(t *testing.T, url string, info *mesos.MasterInfo) *zookeeper.Contest {
	t.Helper()
	at, err := masters.ParseZooKeeper(url)
	if err != nil {
		t.Fatal(err)
	}
	return zookeeper.NewContest(zookeeper.Options{Place: at, SessionTimeout: time.Minute}, info, nil)
}

// ZooKeeper names the leader, and whom to ask what they are.
func TestMastersThatZooKeeperElects(t *testing.T) {
	e := zookeepertest.Start(t, 1)
	url := e.URL("/detector")
	d := open(t, url, Options{})
	if list, err := d.Masters(t.Context()); err != nil || len(list) != 0 {
		t.Errorf("before the election: %v, %v", list, err)
	}
	at := ""
	at = master(t, func() (*mesos.MasterInfo, bool) { return leaderAt(at, "A"), true })
	a := leaderAt(at, "A")
	first := stand(t, url, a)
	if _, err := first.Lead(t.Context()); err != nil {
		t.Fatal(err)
	}
	found, err := d.Leader(t.Context(), nil)
	if err != nil || found.GetId() != "A" || addressOf(found) != at {
		t.Fatalf("%v, %v", found, err)
	}
	d.Doubt(at, "") // ZooKeeper knows better
	list, err := d.Masters(t.Context())
	if err != nil || len(list) != 1 || !list[0].Leading || list[0].Address != at || list[0].Leader.GetId() != "A" {
		t.Errorf("masters %+v, %v", list, err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if found, err = d.Leader(t.Context(), found); err != nil || found != nil {
		t.Errorf("after its end: %v, %v", found, err)
	}
	second := stand(t, url, &mesos.MasterInfo{Id: proto.String("B"), Ip: proto.Uint32(0), Port: proto.Uint32(1), Pid: proto.String("master@127.0.0.1:1")})
	if _, err := second.Lead(t.Context()); err != nil {
		t.Fatal(err)
	}
	if list, err = d.Masters(t.Context()); err != nil || len(list) != 1 || list[0].Err == nil || list[0].Leader.GetId() != "B" {
		t.Errorf("a leader that does not answer: %+v, %v", list, err)
	}
	if err := second.Close(); err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Leader(t.Context(), nil); !errors.Is(err, election.ErrClosed) {
		t.Errorf("a closed detector says %v", err)
	}
}

func TestZooKeeperThatIsDown(t *testing.T) {
	d := open(t, "zk://127.0.0.1:1/nowhere", Options{})
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if m, err := d.Leader(ctx, nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v, %v", m, err)
	}
	if list, err := d.Masters(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v, %v", list, err)
	}
}
