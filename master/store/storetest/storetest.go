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
	"troupe/messages/mesos/quota"
)

// Store is what a master asks of a store.
type Store interface {
	ClusterID() string
	Load(ctx context.Context) ([]*cluster.RegistryRecord, error)
	Write(ctx context.Context, changes []registry.Change) error
	Size() int64
	Close() error
}

// Record returns a record of an agent, for tests.
func Record(id string, status cluster.AgentRecord_Status) *cluster.RegistryRecord {
	return registry.AgentRecord(&cluster.AgentRecord{
		Agent:  &mesos.AgentInfo{Id: &mesos.AgentID{Value: &id}, Hostname: proto.String("host of " + id)},
		Status: status.Enum(),
		Since:  &mesos.TimeInfo{Nanoseconds: proto.Int64(1)},
	})
}

// Admit returns the change that adds an agent, for tests.
func Admit(id string) registry.Change {
	return registry.Change{Key: registry.AgentKey(id), Record: Record(id, cluster.AgentRecord_ADMITTED)}
}

// Framework returns a record of a framework that is admitted, for tests.
func Framework(id string) *cluster.RegistryRecord {
	return registry.FrameworkRecord(&cluster.FrameworkRecord{
		FrameworkId: &mesos.FrameworkID{Value: &id},
		Status:      cluster.FrameworkRecord_ADMITTED.Enum(),
		Framework:   &mesos.FrameworkInfo{Id: &mesos.FrameworkID{Value: &id}, User: proto.String("u"), Name: proto.String("n")},
	})
}

// Run runs the suite. Open opens the same store whenever it is called in one
// test, and a new one in another; the suite closes it in between.
func Run(t *testing.T, open func(t *testing.T) Store) {
	RunWithin(t, func(t *testing.T, test func(*testing.T)) { test(t) }, open)
}

// RunWithin is Run with each test within something, such as a synctest bubble.
func RunWithin(t *testing.T, within func(t *testing.T, test func(*testing.T)), open func(t *testing.T) Store) {
	for name, test := range map[string]func(*testing.T, func(*testing.T) Store){
		"StartsEmpty":     startsEmpty,
		"KeepsTheCluster": keepsTheCluster,
		"KeepsRecords":    keepsRecords,
		"ReplacesRecords": replacesRecords,
		"RemovesRecords":  removesRecords,
		"AllOrNothing":    allOrNothing,
		"LoadsInOrder":    loadsInOrder,
		"KeepsFrameworks": keepsFrameworks,
		"KeepsOthers":     keepsOthers,
		"WritesNothing":   writesNothing,
	} {
		t.Run(name, func(t *testing.T) { within(t, func(t *testing.T) { test(t, open) }) })
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
	if err := s.Write(t.Context(), []registry.Change{{Key: "agent/S1"}, {Key: "agent/unknown"}}); err != nil {
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
		{Key: "agent/S1", Record: Record("S1", cluster.AgentRecord_GONE)},
		{Key: "agent/S2", Record: registry.AgentRecord(&cluster.AgentRecord{})},
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

func keepsFrameworks(t *testing.T, open func(*testing.T) Store) {
	s := open(t)
	write(t, s, Framework("F2"), Record("F2", cluster.AgentRecord_ADMITTED), Framework("F1"))
	if err := s.Write(t.Context(), []registry.Change{{Key: "framework/F2"}}); err != nil {
		t.Fatal(err)
	}
	shut(t, s)
	s = open(t)
	defer shut(t, s)
	expect(t, s, "F2 ADMITTED", "framework/F1 ADMITTED")
}

// keepsOthers holds the records of roles and machines against a batch that
// replaces one, removes one and adds one.
func keepsOthers(t *testing.T, open func(*testing.T) Store) {
	s := open(t)
	weight := func(w float64) *cluster.RegistryRecord {
		return registry.WeightRecord(&mesos.WeightInfo{Role: proto.String("eng/web"), Weight: &w})
	}
	limit := registry.QuotaRecord(&cluster.QuotaRecord{Config: &quota.QuotaConfig{
		Role: proto.String("eng"), Limits: map[string]*mesos.Value_Scalar{"cpus": {Value: proto.Float64(1.5)}},
	}, Principal: proto.String("op")})
	machine := registry.MachineRecord(&cluster.MachineRecord{
		Machine: &mesos.MachineInfo{
			Id: &mesos.MachineID{Hostname: proto.String("Node"), Ip: proto.String("10.0.0.1")}, Mode: mesos.MachineInfo_DOWN.Enum(),
			Unavailability: &mesos.Unavailability{Start: &mesos.TimeInfo{Nanoseconds: proto.Int64(1)}},
		},
		Window: proto.Uint32(1), Place: proto.Uint32(2),
	})
	write(t, s, limit, weight(1), Record("S1", cluster.AgentRecord_ADMITTED))
	write(t, s, weight(2), machine)
	if err := s.Write(t.Context(), []registry.Change{{Key: registry.AgentKey("S1")}}); err != nil {
		t.Fatal(err)
	}
	shut(t, s)
	s = open(t)
	defer shut(t, s)
	records, err := s.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []*cluster.RegistryRecord{machine, limit, weight(2)}
	if len(records) != len(want) {
		t.Fatalf("holds %v, want %v", records, want)
	}
	for i := range want {
		if !proto.Equal(records[i], want[i]) {
			t.Errorf("record %d is %v, want %v", i, records[i], want[i])
		}
	}
}

func writesNothing(t *testing.T, open func(*testing.T) Store) {
	s := open(t)
	defer shut(t, s)
	write(t, s)
	expect(t, s)
}

func write(t *testing.T, s Store, records ...*cluster.RegistryRecord) {
	t.Helper()
	var changes []registry.Change
	for _, r := range records {
		key, err := registry.KeyOf(r)
		if err != nil {
			t.Fatal(err)
		}
		changes = append(changes, registry.Change{Key: key, Record: r})
	}
	if err := s.Write(t.Context(), changes); err != nil {
		t.Fatal(err)
	}
}

// expect wants the records named: agents by id, frameworks by key, each with
// its status.
func expect(t *testing.T, s Store, want ...string) {
	t.Helper()
	records, err := s.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range records {
		if f := r.GetFramework(); f != nil {
			got = append(got, "framework/"+f.GetFrameworkId().GetValue()+" "+f.GetStatus().String())
			continue
		}
		got = append(got, r.GetAgent().GetAgent().GetId().GetValue()+" "+r.GetAgent().GetStatus().String())
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
