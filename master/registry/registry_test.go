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
	"troupe/messages/mesos/quota"
)

func info(id string, host string) *mesos.AgentInfo {
	return &mesos.AgentInfo{Id: &mesos.AgentID{Value: &id}, Hostname: &host}
}

func at(seconds int) time.Time { return time.Unix(int64(seconds), 0) }

// text is a registry for comparison: of every agent id, status, host, since and
// what an operator wants of it; of every framework id, status, name and since.
func text(r Registry) []string {
	var lines []string
	for _, rec := range r.All() {
		if line, ok := roleText(rec); ok {
			lines = append(lines, line)
			continue
		}
		if f := rec.GetFramework(); f != nil {
			lines = append(lines, fmt.Sprintf("%s %s %s %d", f.GetFrameworkId().GetValue(), f.GetStatus(),
				f.GetFramework().GetName(), f.GetSince().GetNanoseconds()/1e9))
			continue
		}
		a := rec.GetAgent()
		line := fmt.Sprintf("%s %s %s %d", a.GetAgent().GetId().GetValue(), a.GetStatus(),
			a.GetAgent().GetHostname(), a.GetSince().GetNanoseconds()/1e9)
		if a.GetDeactivated() {
			line += " off"
		}
		if d := a.GetDrain(); d != nil {
			line += fmt.Sprintf(" %s %v %d", d.GetState(), d.GetConfig().GetMarkGone(), a.GetDrainSince().GetNanoseconds()/1e9)
		}
		lines = append(lines, line)
	}
	return lines
}

func TestOperations(t *testing.T) {
	check(t, []operationCase{
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
	})
}

// operationCase is an operation, and what it makes of what the cases before it
// left.
type operationCase struct {
	op       Operation
	conflict bool
	changes  int
	want     []string
}

func check(t *testing.T, cases []operationCase) {
	t.Helper()
	var r Registry
	for _, c := range cases {
		differs := Differs(r, c.op)
		next, changes, err := Apply(r, c.op)
		if differs != (c.conflict || c.changes > 0) {
			t.Errorf("%#v: Differs is %v", c.op, differs)
		}
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
	var records []*cluster.RegistryRecord
	for i, id := range []string{"a", "b", "c", "d"} {
		status := cluster.AgentRecord_UNREACHABLE
		if id == "d" {
			status = cluster.AgentRecord_ADMITTED
		}
		records = append(records, AgentRecord(&cluster.AgentRecord{Agent: info(id, "h"), Status: &status, Since: timeInfo(at(10 - i))}))
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
	agent := AgentRecord(&cluster.AgentRecord{Agent: info("a", "h")})
	for name, records := range map[string][]*cluster.RegistryRecord{
		"two records of one agent":    {agent, agent},
		"an agent without an id":      {AgentRecord(&cluster.AgentRecord{Agent: &mesos.AgentInfo{}})},
		"a framework without an id":   {FrameworkRecord(&cluster.FrameworkRecord{})},
		"a framework of another id":   {FrameworkRecord(&cluster.FrameworkRecord{FrameworkId: framework("a", "n").Id, Framework: framework("b", "n")})},
		"a quota of no role":          {QuotaRecord(&cluster.QuotaRecord{Config: config("", "cpus:1", "")})},
		"a weight of no role":         {WeightRecord(&mesos.WeightInfo{Weight: proto.Float64(1)})},
		"a machine without a name":    {MachineRecord(&cluster.MachineRecord{Machine: &mesos.MachineInfo{Id: machine("@")}})},
		"a record that holds nothing": {{}},
		"no record":                   {nil},
	} {
		if _, err := New(records); err == nil {
			t.Errorf("%s: was taken", name)
		}
	}
	same := FrameworkRecord(&cluster.FrameworkRecord{FrameworkId: &mesos.FrameworkID{Value: proto.String("a")}, Framework: framework("a", "n")})
	if r, err := New([]*cluster.RegistryRecord{agent, same}); err != nil || r.Len() != 2 || r.Agent("a") == nil || r.Framework("a") == nil {
		t.Errorf("an agent and a framework of one id: %v", err)
	}
}

func framework(id, name string) *mesos.FrameworkInfo {
	return &mesos.FrameworkInfo{Id: &mesos.FrameworkID{Value: &id}, Name: &name}
}

func TestFrameworkOperations(t *testing.T) {
	check(t, []operationCase{
		{AdmitFramework{framework("F", "n"), at(1)}, false, 1, []string{"F ADMITTED n 1"}},
		{AdmitFramework{framework("F", "n"), at(2)}, false, 0, []string{"F ADMITTED n 1"}},
		{AdmitFramework{framework("F", "o"), at(2)}, false, 1, []string{"F ADMITTED o 1"}},
		{AdmitFramework{&mesos.FrameworkInfo{}, at(2)}, true, 0, []string{"F ADMITTED o 1"}},
		{CompleteFramework{"", at(3)}, true, 0, []string{"F ADMITTED o 1"}},
		{CompleteFramework{"F", at(3)}, false, 1, []string{"F COMPLETED  3"}},
		{CompleteFramework{"F", at(4)}, false, 0, []string{"F COMPLETED  3"}},
		{AdmitFramework{framework("F", "n"), at(4)}, true, 0, []string{"F COMPLETED  3"}},
		{CompleteFramework{"G", at(4)}, false, 1, []string{"F COMPLETED  3", "G COMPLETED  4"}},
		{AdmitAgent{info("F", "h"), at(4)}, false, 1, []string{"F ADMITTED h 4", "F COMPLETED  3", "G COMPLETED  4"}},
		{Prune{Before: at(3), Keep: 1}, false, 1, []string{"F ADMITTED h 4", "G COMPLETED  4"}},
		{Prune{Before: at(5), Keep: 1}, false, 1, []string{"F ADMITTED h 4"}},
	})
}

func TestDrainOperations(t *testing.T) {
	config := &mesos.DrainConfig{MarkGone: proto.Bool(true)}
	check(t, []operationCase{
		{DrainAgent{"a", config, at(1)}, true, 0, nil},
		{DeactivateAgent{"a"}, true, 0, nil},
		{ReactivateAgent{"a"}, true, 0, nil},
		{MarkDrained{"a"}, false, 0, nil},
		{AdmitAgent{info("a", "h"), at(1)}, false, 1, []string{"a ADMITTED h 1"}},
		{ReactivateAgent{"a"}, false, 0, []string{"a ADMITTED h 1"}},
		{DeactivateAgent{"a"}, false, 1, []string{"a ADMITTED h 1 off"}},
		{DeactivateAgent{"a"}, false, 0, []string{"a ADMITTED h 1 off"}},
		{MarkDrained{"a"}, false, 0, []string{"a ADMITTED h 1 off"}},
		{AdmitAgent{info("a", "i"), at(2)}, false, 1, []string{"a ADMITTED i 2 off"}},
		{ReactivateAgent{"a"}, false, 1, []string{"a ADMITTED i 2"}},
		{DrainAgent{"a", config, at(3)}, false, 1, []string{"a ADMITTED i 2 off DRAINING true 3"}},
		{DrainAgent{"a", config, at(4)}, false, 0, []string{"a ADMITTED i 2 off DRAINING true 3"}},
		{DrainAgent{"a", &mesos.DrainConfig{}, at(4)}, false, 1, []string{"a ADMITTED i 2 off DRAINING false 3"}},
		{ReactivateAgent{"a"}, true, 0, []string{"a ADMITTED i 2 off DRAINING false 3"}},
		{MarkUnreachable{"a", at(5)}, false, 1, []string{"a UNREACHABLE i 5 off DRAINING false 3"}},
		{MarkReachable{info("a", "h"), at(6)}, false, 1, []string{"a ADMITTED h 6 off DRAINING false 3"}},
		{MarkDrained{"a"}, false, 1, []string{"a ADMITTED h 6 off DRAINED false 3"}},
		{MarkDrained{"a"}, false, 0, []string{"a ADMITTED h 6 off DRAINED false 3"}},
		{DrainAgent{"a", config, at(7)}, false, 1, []string{"a ADMITTED h 6 off DRAINING true 7"}},
		{MarkDrained{"a"}, false, 1, []string{"a ADMITTED h 6 off DRAINED true 7"}},
		{ReactivateAgent{"a"}, false, 1, []string{"a ADMITTED h 6"}},
		{DeactivateAgent{"a"}, false, 1, []string{"a ADMITTED h 6 off"}},
		{MarkGone{"a", at(8)}, false, 1, []string{"a GONE h 8"}},
		{DrainAgent{"a", config, at(9)}, true, 0, []string{"a GONE h 8"}},
		{DeactivateAgent{"a"}, true, 0, []string{"a GONE h 8"}},
		{ReactivateAgent{"a"}, true, 0, []string{"a GONE h 8"}},
	})
}

func operations() *rapid.Generator[Operation] {
	return rapid.Custom(func(t *rapid.T) Operation {
		id := rapid.SampledFrom([]string{"a", "b", "c", "d", "e"}).Draw(t, "id")
		host := rapid.SampledFrom([]string{"h", "i"}).Draw(t, "host")
		when := at(rapid.IntRange(0, 100).Draw(t, "at"))
		switch rapid.IntRange(0, 16).Draw(t, "op") {
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
		case 5:
			return DrainAgent{id, &mesos.DrainConfig{MarkGone: proto.Bool(host == "h")}, when}
		case 6:
			return MarkDrained{id}
		case 7:
			return DeactivateAgent{id}
		case 8:
			return ReactivateAgent{id}
		case 9:
			return AdmitFramework{framework(id, host), when}
		case 10:
			return CompleteFramework{id, when}
		case 11:
			return UpdateQuota{Configs: []*quota.QuotaConfig{config(id, rapid.SampledFrom([]string{"", "cpus:1"}).Draw(t, "guarantee"), ""), config("c", "", "mem:1")}}
		case 12:
			return UpdateWeights{[]*mesos.WeightInfo{weight(id, float64(rapid.IntRange(0, 2).Draw(t, "weight"))), weight("e", 1)}}
		case 13, 14:
			return UpdateMaintenanceSchedule{Schedule: schedule(fmt.Sprint(when.Unix(), ": ", id, " ", host), fmt.Sprint(when.Unix()+1, ": ", "x"))}
		case 15:
			return StartMaintenance{machines(id, "x")}
		case 16:
			return StopMaintenance{machines(id, "x")}
		default:
			return Prune{when, rapid.IntRange(-1, 3).Draw(t, "keep")}
		}
	})
}

// TestLaws holds operations in random order against what every one promises.
func TestLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var r Registry
		replayed := make(map[string]*cluster.RegistryRecord)
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
				for key := range gone {
					if next.Get(key) == nil {
						delete(gone, key)
					}
				}
			}
			for key, rec := range next.All() {
				ended := rec.GetAgent().GetStatus() == cluster.AgentRecord_GONE ||
					rec.GetFramework().GetStatus() == cluster.FrameworkRecord_COMPLETED
				if gone[key] && !ended {
					t.Fatalf("%#v brought %s back", op, key)
				}
				gone[key] = ended
				if k, err := KeyOf(rec); err != nil || k != key || !proto.Equal(replayed[key], rec) {
					t.Fatalf("%#v: the changes do not lead to the record of %s", op, key)
				}
				if a := rec.GetAgent(); a.GetDrain() != nil && !a.GetDeactivated() {
					t.Fatalf("%#v: agent %s is drained and active", op, key)
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
func replay(to map[string]*cluster.RegistryRecord, changes []Change) {
	for _, c := range changes {
		if c.Record == nil {
			delete(to, c.Key)
		} else {
			to[c.Key] = c.Record
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
