// Package storetest is the one suite that every store of the registry passes.
// Tests of stores may import it.
package storetest

import (
	"context"
	"fmt"
	"testing"

	"google.golang.org/protobuf/proto"

	"troupe/master/registry"
	"troupe/messages/cluster"
	"troupe/messages/mesos"
)

// Store is what a master asks of a store.
type Store interface {
	ClusterID() string
	Load(ctx context.Context) ([]*cluster.AgentRecord, error)
	Write(ctx context.Context, changes []registry.Change) error
	Size() int64
	Close() error
}

// Record returns a record of an agent, for tests.
func Record(id string, status cluster.AgentRecord_Status) *cluster.AgentRecord {
	return &cluster.AgentRecord{
		Agent:  &mesos.AgentInfo{Id: &mesos.AgentID{Value: &id}, Hostname: proto.String("host of " + id)},
		Status: status.Enum(),
		Since:  &mesos.TimeInfo{Nanoseconds: proto.Int64(1)},
	}
}

// Run runs the suite. Open opens the same store whenever it is called in one
// test, and a new one in another; the suite closes it in between.
func Run(t *testing.T, open func(t *testing.T) Store) {
	for name, test := range map[string]func(*testing.T, func(*testing.T) Store){
		"StartsEmpty":     startsEmpty,
		"KeepsTheCluster": keepsTheCluster,
		"KeepsRecords":    keepsRecords,
		"ReplacesRecords": replacesRecords,
		"RemovesRecords":  removesRecords,
		"AllOrNothing":    allOrNothing,
		"LoadsInOrder":    loadsInOrder,
		"WritesNothing":   writesNothing,
	} {
		t.Run(name, func(t *testing.T) { test(t, open) })
	}
}

func startsEmpty(t *testing.T, open func(*testing.T) Store) {
	s := open(t)
	defer shut(t, s)
	expect(t, s)
	if s.ClusterID() == "" {
		t.Error("a new store has no cluster id")
	}
}

func keepsTheCluster(t *testing.T, open func(*testing.T) Store) {
	s := open(t)
	id := s.ClusterID()
	shut(t, s)
	s = open(t)
	defer shut(t, s)
	if s.ClusterID() != id {
		t.Errorf("the cluster id was %q and is %q", id, s.ClusterID())
	}
}

func keepsRecords(t *testing.T, open func(*testing.T) Store) {
	s := open(t)
	write(t, s, Record("S1", cluster.AgentRecord_ADMITTED), Record("S2", cluster.AgentRecord_GONE))
	expect(t, s, "S1 ADMITTED", "S2 GONE")
	shut(t, s)
	s = open(t)
	defer shut(t, s)
	expect(t, s, "S1 ADMITTED", "S2 GONE")
}

func replacesRecords(t *testing.T, open func(*testing.T) Store) {
	s := open(t)
	defer shut(t, s)
	write(t, s, Record("S1", cluster.AgentRecord_ADMITTED))
	write(t, s, Record("S1", cluster.AgentRecord_UNREACHABLE))
	expect(t, s, "S1 UNREACHABLE")
}

func removesRecords(t *testing.T, open func(*testing.T) Store) {
	s := open(t)
	defer shut(t, s)
	write(t, s, Record("S1", cluster.AgentRecord_ADMITTED), Record("S2", cluster.AgentRecord_ADMITTED))
	if err := s.Write(t.Context(), []registry.Change{{AgentID: "S1"}, {AgentID: "unknown"}}); err != nil {
		t.Fatal(err)
	}
	expect(t, s, "S2 ADMITTED")
}

// allOrNothing writes a batch whose second change cannot be encoded, since a
// required field is absent.
func allOrNothing(t *testing.T, open func(*testing.T) Store) {
	s := open(t)
	write(t, s, Record("S1", cluster.AgentRecord_ADMITTED))
	err := s.Write(t.Context(), []registry.Change{
		{AgentID: "S1", Record: Record("S1", cluster.AgentRecord_GONE)},
		{AgentID: "S2", Record: &cluster.AgentRecord{}},
	})
	if err == nil {
		t.Error("a record without its required fields was written")
	}
	shut(t, s)
	s = open(t)
	defer shut(t, s)
	expect(t, s, "S1 ADMITTED")
}

func loadsInOrder(t *testing.T, open func(*testing.T) Store) {
	s := open(t)
	defer shut(t, s)
	write(t, s, Record("S2", cluster.AgentRecord_ADMITTED), Record("S10", cluster.AgentRecord_ADMITTED), Record("S1", cluster.AgentRecord_ADMITTED))
	expect(t, s, "S1 ADMITTED", "S10 ADMITTED", "S2 ADMITTED")
}

func writesNothing(t *testing.T, open func(*testing.T) Store) {
	s := open(t)
	defer shut(t, s)
	write(t, s)
	expect(t, s)
}

func write(t *testing.T, s Store, records ...*cluster.AgentRecord) {
	t.Helper()
	var changes []registry.Change
	for _, r := range records {
		changes = append(changes, registry.Change{AgentID: r.GetAgent().GetId().GetValue(), Record: r})
	}
	if err := s.Write(t.Context(), changes); err != nil {
		t.Fatal(err)
	}
}

func expect(t *testing.T, s Store, want ...string) {
	t.Helper()
	records, err := s.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range records {
		got = append(got, r.GetAgent().GetId().GetValue()+" "+r.GetStatus().String())
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("holds %q, want %q", got, want)
	}
}

func shut(t *testing.T, s Store) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}
