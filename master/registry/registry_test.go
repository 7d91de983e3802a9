package registry

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"troupe/messages/cluster"
	"troupe/messages/mesos"
)

func info(id string, host string) *mesos.AgentInfo {
	return &mesos.AgentInfo{Id: &mesos.AgentID{Value: &id}, Hostname: &host}
}

func at(seconds int) time.Time { return time.Unix(int64(seconds), 0) }

// text is a registry for comparison: id, status, host and since of every agent.
func text(r Registry) []string {
	var lines []string
	for rec := range r.All() {
		lines = append(lines, fmt.Sprintf("%s %s %s %d", rec.GetAgent().GetId().GetValue(), rec.GetStatus(),
			rec.GetAgent().GetHostname(), rec.GetSince().GetNanoseconds()/1e9))
	}
	return lines
}

func TestOperations(t *testing.T) {
	var r Registry
	for _, c := range []struct {
		op       Operation
		conflict bool
		changes  int
		want     []string
	}{
		{AdmitAgent{info("a", "h"), at(1)}, false, 1, []string{"a ADMITTED h 1"}},
		{AdmitAgent{info("a", "h"), at(2)}, false, 0, []string{"a ADMITTED h 1"}},
		{AdmitAgent{info("a", "i"), at(2)}, false, 1, []string{"a ADMITTED i 2"}},
		{AdmitAgent{&mesos.AgentInfo{}, at(2)}, true, 0, []string{"a ADMITTED i 2"}},
		{MarkUnreachable{"b", at(3)}, true, 0, []string{"a ADMITTED i 2"}},
		{MarkUnreachable{"a", at(3)}, false, 1, []string{"a UNREACHABLE i 3"}},
		{MarkUnreachable{"a", at(4)}, false, 0, []string{"a UNREACHABLE i 3"}},
		{AdmitAgent{info("a", "h"), at(4)}, true, 0, []string{"a UNREACHABLE i 3"}},
		{RemoveAgent{"a"}, false, 0, []string{"a UNREACHABLE i 3"}},
		{MarkReachable{info("a", "h"), at(5)}, false, 1, []string{"a ADMITTED h 5"}},
		{MarkReachable{info("a", "h"), at(6)}, false, 0, []string{"a ADMITTED h 5"}},
		{MarkReachable{info("b", "h"), at(6)}, false, 1, []string{"a ADMITTED h 5", "b ADMITTED h 6"}},
		{MarkReachable{&mesos.AgentInfo{}, at(6)}, true, 0, []string{"a ADMITTED h 5", "b ADMITTED h 6"}},
		{MarkGone{"c", at(7)}, true, 0, []string{"a ADMITTED h 5", "b ADMITTED h 6"}},
		{MarkGone{"b", at(7)}, false, 1, []string{"a ADMITTED h 5", "b GONE h 7"}},
		{MarkGone{"b", at(8)}, false, 0, []string{"a ADMITTED h 5", "b GONE h 7"}},
		{MarkReachable{info("b", "h"), at(8)}, true, 0, []string{"a ADMITTED h 5", "b GONE h 7"}},
		{MarkUnreachable{"b", at(8)}, true, 0, []string{"a ADMITTED h 5", "b GONE h 7"}},
		{RemoveAgent{"a"}, false, 1, []string{"b GONE h 7"}},
		{RemoveAgent{"a"}, false, 0, []string{"b GONE h 7"}},
		{Prune{Before: at(7), Keep: 1}, false, 0, []string{"b GONE h 7"}},
		{Prune{Before: at(8), Keep: 1}, false, 1, nil},
	} {
		next, changes, err := Apply(r, c.op)
		if c.conflict != errors.Is(err, ErrConflict) || len(changes) != c.changes {
			t.Errorf("%#v: %d changes, error %v", c.op, len(changes), err)
		}
		if got := text(next); !slices.Equal(got, c.want) {
			t.Fatalf("%#v: got %q, want %q", c.op, got, c.want)
		}
		r = next
	}
}

func TestPruneForgetsTheOldestFirst(t *testing.T) {
	var records []*cluster.AgentRecord
	for i, id := range []string{"a", "b", "c", "d"} {
		status := cluster.AgentRecord_UNREACHABLE
		if id == "d" {
			status = cluster.AgentRecord_ADMITTED
		}
		records = append(records, one(id, info(id, "h"), status, at(10-i))[0].Record)
	}
	r, err := New(records)
	if err != nil {
		t.Fatal(err)
	}
	r, _, err = Apply(r, Prune{Keep: 2})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"a UNREACHABLE h 10", "b UNREACHABLE h 9", "d ADMITTED h 7"}
	if got := text(r); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestNewRefuses(t *testing.T) {
	twice := []*cluster.AgentRecord{{Agent: info("a", "h")}, {Agent: info("a", "h")}}
	if _, err := New(twice); err == nil {
		t.Error("two records of one agent were taken")
	}
	if _, err := New([]*cluster.AgentRecord{{Agent: &mesos.AgentInfo{}}}); err == nil {
		t.Error("a record without an id was taken")
	}
}

func operations() *rapid.Generator[Operation] {
	return rapid.Custom(func(t *rapid.T) Operation {
		id := rapid.SampledFrom([]string{"a", "b", "c", "d", "e"}).Draw(t, "id")
		host := rapid.SampledFrom([]string{"h", "i"}).Draw(t, "host")
		when := at(rapid.IntRange(0, 100).Draw(t, "at"))
		switch rapid.IntRange(0, 5).Draw(t, "op") {
		case 0:
			return AdmitAgent{info(id, host), when}
		case 1:
			return MarkUnreachable{id, when}
		case 2:
			return MarkReachable{info(id, host), when}
		case 3:
			return MarkGone{id, when}
		case 4:
			return RemoveAgent{id}
		default:
			return Prune{when, rapid.IntRange(-1, 3).Draw(t, "keep")}
		}
	})
}

// TestLaws holds operations in random order against what every one promises.
func TestLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var r Registry
		replayed := make(map[string]*cluster.AgentRecord)
		gone := make(map[string]bool)
		for _, op := range rapid.SliceOfN(operations(), 1, 40).Draw(t, "operations") {
			before := text(r)
			next, changes, err := Apply(r, op)
			if !slices.Equal(text(r), before) {
				t.Fatalf("%#v changed the registry it was applied to", op)
			}
			if err != nil && (!errors.Is(err, ErrConflict) || len(changes) > 0 || !slices.Equal(text(next), before)) {
				t.Fatalf("%#v failed with %v and %d changes", op, err, len(changes))
			}
			if again, changes, err2 := Apply(next, op); len(changes) > 0 || !slices.Equal(text(again), text(next)) || (err == nil) != (err2 == nil) {
				t.Fatalf("%#v is not idempotent", op)
			}
			replay(replayed, changes)
			if _, isPrune := op.(Prune); isPrune {
				for id := range gone {
					if next.Get(id) == nil {
						delete(gone, id)
					}
				}
			}
			for rec := range next.All() {
				id := rec.GetAgent().GetId().GetValue()
				if gone[id] && rec.GetStatus() != cluster.AgentRecord_GONE {
					t.Fatalf("%#v brought %s back from the gone", op, id)
				}
				gone[id] = rec.GetStatus() == cluster.AgentRecord_GONE
				if !proto.Equal(replayed[id], rec) {
					t.Fatalf("%#v: the changes do not lead to the record of %s", op, id)
				}
			}
			if len(replayed) != next.Len() || len(text(next)) != next.Len() {
				t.Fatalf("%#v: %d records, of which %d count and %d were written", op, len(text(next)), next.Len(), len(replayed))
			}
			r = next
		}
	})
}

// replay does to a map what a store would do.
func replay(to map[string]*cluster.AgentRecord, changes []Change) {
	for _, c := range changes {
		if c.Record == nil {
			delete(to, c.AgentID)
		} else {
			to[c.AgentID] = c.Record
		}
	}
}

func BenchmarkAdmit(b *testing.B) {
	var r Registry
	for i := range b.N {
		next, _, err := Apply(r, AdmitAgent{info(fmt.Sprintf("68efc341-25d3-4305-8cde-0d13ba972218-S%d", i), "h"), at(1)})
		if err != nil {
			b.Fatal(err)
		}
		r = next
	}
}
