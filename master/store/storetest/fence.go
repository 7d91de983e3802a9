package storetest

import (
	"testing"

	"troupe/master/registry"
	"troupe/messages/cluster"
)

// Fence holds that a term which ended writes nothing. Lead opens one registry
// for a new term, whose beginning is the end of the term before, although that
// may not know it.
func Fence(t *testing.T, lead func(t *testing.T) Store) {
	first := lead(t)
	defer shut(t, first)
	write(t, first, Record("S1", cluster.AgentRecord_ADMITTED))
	second := lead(t)
	defer shut(t, second)
	expect(t, second, "S1 ADMITTED")
	if first.ClusterID() != second.ClusterID() {
		t.Errorf("the cluster id was %q and is %q", first.ClusterID(), second.ClusterID())
	}
	deposed(t, first, "S2")
	write(t, second, Record("S3", cluster.AgentRecord_ADMITTED))
	// It stays deposed, whatever it tries next.
	deposed(t, first, "S3")
	deposed(t, first, "S1")
	third := lead(t)
	defer shut(t, third)
	expect(t, third, "S1 ADMITTED", "S3 ADMITTED")
	deposed(t, second, "S4")
}

func deposed(t *testing.T, s Store, id string) {
	t.Helper()
	if err := s.Write(t.Context(), []registry.Change{{Key: registry.AgentKey(id), Record: Record(id, cluster.AgentRecord_GONE)}}); err == nil {
		t.Errorf("a leader that was deposed wrote the record of %s", id)
	}
}
