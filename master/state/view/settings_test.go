package view

import (
	"testing"

	"google.golang.org/protobuf/proto"

	"troupe/master/registry"
	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/messages/mesos/allocator"
	"troupe/messages/resources"
)

// Consumed is what is allocated, and what is reserved and not allocated; offers
// do not count, and a role has what the roles below it have.
func TestConsumption(t *testing.T) {
	l := NewLedger()
	l.Own(resources.MustParse("cpus:8;cpus(eng):4;mem(eng/web):10;ports:[1-9]"))
	l.Hold("eng/web", resources.MustParse("cpus:1;cpus(eng):3;ports:[1-2]"))
	l.Hold("eng", resources.MustParse("cpus:0.5"))
	l.Offer("eng/web", resources.MustParse("cpus:2;mem(eng/web):10"))
	l.Hold("*", resources.MustParse("mem:7"))
	for role, want := range map[string][3]string{
		"eng":     {"cpus:4.5; ports:2", "cpus:2; mem:10", "cpus:5.5; mem:10; ports:2"},
		"eng/web": {"cpus:4; ports:2", "cpus:2; mem:10", "cpus:4; mem:10; ports:2"},
		"*":       {"mem:7", "", "mem:7"},
		"nobody":  {"", "", ""},
	} {
		a := l.Of(role)
		if got := [3]string{a.Allocated.String(), a.Offered.String(), a.Consumed().String()}; got != want {
			t.Errorf("%s: %q, want %q", role, got, want)
		}
	}
	closed := NewLedger("eng")
	closed.Hold("eng/web", resources.MustParse("cpus:1"))
	if closed.Of("eng").Allocated.String() != "cpus:1" || closed.Of("eng/web").Allocated.String() != "" {
		t.Error("a ledger of one role has others, or not what is below it")
	}
}

// What is lent of a reservation is its owner's, whoever has it.
func TestConsumptionOfWhatIsLent(t *testing.T) {
	l := NewLedger()
	l.Own(resources.MustParse("cpus:8;cpus(eng/web):4"))
	l.Hold("ops", resources.MustParse("cpus:1").Add(resources.MustParse("cpus(eng/web):3").Lent()))
	l.Hold("eng/db", resources.MustParse("cpus(eng/web):1").Lent())
	for role, want := range map[string][2]string{
		"eng":     {"cpus:1", "cpus:4"},
		"eng/web": {"", "cpus:4"},
		"eng/db":  {"cpus:1", ""},
		"ops":     {"cpus:4", "cpus:1"},
	} {
		a := l.Of(role)
		if got := [2]string{a.Allocated.String(), a.Consumed().String()}; got != want {
			t.Errorf("%s: %q, want %q", role, got, want)
		}
	}
}

// What is lent of a reservation is no slack that agents lend.
func TestAmountsOfWhatIsLent(t *testing.T) {
	revocable := func(text string) resources.Resources {
		return resources.MustParse(text).Convert(func(r *mesos.Resource) { r.Revocable = &mesos.Resource_RevocableInfo{} })
	}
	sum := make(Amounts)
	sum.Add(resources.MustParse("cpus:1").Add(resources.MustParse("cpus(web):3").Lent(), revocable("cpus:5")), 1)
	if sum[Amount{"cpus", false}] != 4000 || sum[Amount{"cpus", true}] != 5000 {
		t.Errorf("the amounts are %v", sum)
	}
}

func TestExceeding(t *testing.T) {
	has := QuantitiesOf(resources.MustParse("cpus:2;mem:10;set:{a,b}"))
	for limit, want := range map[string]string{"cpus:2": "", "cpus:1.999": "cpus", "disk:0.001": "", "mem:9;cpus:3": "mem"} {
		if name, _ := has.Exceeds(QuantitiesOf(resources.MustParse(limit))); name != want {
			t.Errorf("%s: %q exceeds it, want %q", limit, name, want)
		}
	}
	if !has.Contains(Quantities{"set": 2000}) || has.Contains(Quantities{"set": 2001}) {
		t.Error("a set of two is not counted as two")
	}
}

// A snapshot keeps what it had when settings change after it.
func TestSettingsOfASnapshotStay(t *testing.T) {
	m := NewModel(Limits{})
	weight := func(role string, w float64) registry.Change {
		return registry.Change{Key: registry.WeightKey(role), Record: registry.WeightRecord(&mesos.WeightInfo{Role: &role, Weight: &w})}
	}
	m.Apply(SettingsChanged{[]registry.Change{weight("a", 2), weight("b", 3)}})
	before := m.Snapshot()
	m.Apply(SettingsChanged{[]registry.Change{weight("a", 5), {Key: registry.WeightKey("b")}}})
	if before.Weight("a") != 2 || before.Weight("b") != 3 || before.Weight("c") != 1 {
		t.Errorf("the snapshot before has %v", before.Weights)
	}
	if after := m.Snapshot(); after.Weight("a") != 5 || len(after.Weights) != 1 {
		t.Errorf("the snapshot after has %v", after.Weights)
	}
}

func TestScheduleInItsOrder(t *testing.T) {
	m := NewModel(Limits{})
	machine := func(host string, window, place uint32, mode mesos.MachineInfo_Mode) registry.Change {
		return registry.Change{Key: registry.MachineKey(host + "@"), Record: registry.MachineRecord(&cluster.MachineRecord{
			Machine: &mesos.MachineInfo{Id: &mesos.MachineID{Hostname: &host}, Mode: &mode}, Window: &window, Place: &place,
		})}
	}
	m.Apply(SettingsChanged{[]registry.Change{
		machine("a", 2, 0, mesos.MachineInfo_DRAINING), machine("b", 0, 1, mesos.MachineInfo_DRAINING), machine("c", 0, 0, mesos.MachineInfo_DOWN),
	}})
	reply := func(f string, s allocator.InverseOfferStatus_Status) *allocator.InverseOfferStatus {
		return &allocator.InverseOfferStatus{FrameworkId: &mesos.FrameworkID{Value: &f}, Status: &s, Timestamp: &mesos.TimeInfo{Nanoseconds: proto.Int64(1)}}
	}
	plans := &Maintenance{Machine: "a@"}
	plans = plans.Reply(reply("F2", allocator.InverseOfferStatus_ACCEPT)).Reply(reply("F1", allocator.InverseOfferStatus_ACCEPT)).Reply(reply("F2", allocator.InverseOfferStatus_DECLINE))
	m.Apply(AgentAdded{&Agent{ID: "S0", Status: Connected, Maintenance: plans}})
	s := m.Snapshot()
	var order string
	for _, w := range s.Schedule().GetWindows() {
		order += "|"
		for _, id := range w.GetMachineIds() {
			order += id.GetHostname()
		}
	}
	if order != "|cb|a" {
		t.Errorf("the windows are %s", order)
	}
	status := s.Maintenance()
	if len(status.GetDownMachines()) != 1 || len(status.GetDrainingMachines()) != 2 || status.GetDrainingMachines()[0].GetId().GetHostname() != "b" {
		t.Fatalf("the status is %v", status)
	}
	replies := status.GetDrainingMachines()[1].GetStatuses()
	if len(replies) != 2 || replies[0].GetFrameworkId().GetValue() != "F1" || replies[1].GetStatus() != allocator.InverseOfferStatus_DECLINE {
		t.Errorf("the replies are %v", replies)
	}
}
