package registry

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/messages/mesos/maintenance"
	"troupe/messages/mesos/quota"
)

// amounts reads "cpus:1;mem:32".
func amounts(text string) map[string]*mesos.Value_Scalar {
	if text == "" {
		return nil
	}
	m := make(map[string]*mesos.Value_Scalar)
	for part := range strings.SplitSeq(text, ";") {
		var amount float64
		name, number, _ := strings.Cut(part, ":")
		if _, err := fmt.Sscan(number, &amount); err != nil {
			panic(err)
		}
		m[name] = &mesos.Value_Scalar{Value: &amount}
	}
	return m
}

func config(role, guarantees, limits string) *quota.QuotaConfig {
	return &quota.QuotaConfig{Role: &role, Guarantees: amounts(guarantees), Limits: amounts(limits)}
}

func weight(role string, w float64) *mesos.WeightInfo {
	return &mesos.WeightInfo{Role: &role, Weight: &w}
}

// machine reads "host", "host@ip" or "@ip".
func machine(text string) *mesos.MachineID {
	id := new(mesos.MachineID)
	host, ip, _ := strings.Cut(text, "@")
	if host != "" {
		id.Hostname = &host
	}
	if ip != "" {
		id.Ip = &ip
	}
	return id
}

func machines(texts ...string) []*mesos.MachineID {
	var list []*mesos.MachineID
	for _, text := range texts {
		list = append(list, machine(text))
	}
	return list
}

// schedule reads "1: a b", windows that begin at a second.
func schedule(windows ...string) *maintenance.Schedule {
	s := new(maintenance.Schedule)
	for _, text := range windows {
		var start int64
		from, ids, _ := strings.Cut(text, ":")
		if _, err := fmt.Sscan(from, &start); err != nil {
			panic(err)
		}
		s.Windows = append(s.Windows, &maintenance.Window{
			MachineIds:     machines(strings.Fields(ids)...),
			Unavailability: &mesos.Unavailability{Start: &mesos.TimeInfo{Nanoseconds: proto.Int64(start * 1e9)}},
		})
	}
	return s
}

func amountsText(m map[string]*mesos.Value_Scalar) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(m)) {
		parts = append(parts, fmt.Sprintf("%s:%g", name, m[name].GetValue()))
	}
	return strings.Join(parts, ";")
}

// roleText is the text of a quota, a weight or a machine; false for others.
func roleText(rec *cluster.RegistryRecord) (string, bool) {
	switch {
	case rec.GetQuota() != nil:
		q := rec.GetQuota()
		return fmt.Sprintf("quota %s %s<%s %s", q.GetConfig().GetRole(), amountsText(q.GetConfig().GetGuarantees()),
			amountsText(q.GetConfig().GetLimits()), q.GetPrincipal()), true
	case rec.GetWeight() != nil:
		return fmt.Sprintf("weight %s %g", rec.GetWeight().GetRole(), rec.GetWeight().GetWeight()), true
	case rec.GetMachine() != nil:
		m := rec.GetMachine()
		return fmt.Sprintf("machine %s %s %d window %d.%d", machineName(m.GetMachine().GetId()), m.GetMachine().GetMode(),
			m.GetMachine().GetUnavailability().GetStart().GetNanoseconds()/1e9, m.GetWindow(), m.GetPlace()), true
	}
	return "", false
}

func TestQuotaOperations(t *testing.T) {
	check(t, []operationCase{
		{
			UpdateQuota{Configs: []*quota.QuotaConfig{config("a", "cpus:1", "cpus:2"), config("b", "", "mem:5")}, Principal: "op"},
			false, 2,
			[]string{"quota a cpus:1<cpus:2 op", "quota b <mem:5 op"},
		},
		{
			UpdateQuota{Configs: []*quota.QuotaConfig{config("a", "cpus:1", "cpus:2")}, Principal: "other"},
			false, 0,
			[]string{"quota a cpus:1<cpus:2 op", "quota b <mem:5 op"},
		},
		{UpdateQuota{Configs: []*quota.QuotaConfig{config("b", "mem:5", ""), config("a", "", "")}}, false, 2, []string{"quota b mem:5< "}},
		{UpdateQuota{Configs: []*quota.QuotaConfig{config("a", "cpus:1", ""), config("a", "cpus:2", "")}}, true, 0, []string{"quota b mem:5< "}},
		{UpdateQuota{Configs: []*quota.QuotaConfig{config("b", "", ""), config("", "cpus:2", "")}}, true, 0, []string{"quota b mem:5< "}},
		{UpdateQuota{Configs: []*quota.QuotaConfig{config("b", "", "")}}, false, 1, nil},
		{UpdateQuota{Configs: []*quota.QuotaConfig{config("b", "", "")}}, false, 0, nil},
	})
}

func TestWeightOperations(t *testing.T) {
	check(t, []operationCase{
		{UpdateWeights{[]*mesos.WeightInfo{weight("b", 2), weight("a", 0.5)}}, false, 2, []string{"weight a 0.5", "weight b 2"}},
		{UpdateWeights{[]*mesos.WeightInfo{weight("b", 2), weight("a", 1)}}, false, 1, []string{"weight a 1", "weight b 2"}},
		{UpdateWeights{[]*mesos.WeightInfo{weight("a", 3), weight("b", 0)}}, true, 0, []string{"weight a 1", "weight b 2"}},
		{UpdateWeights{[]*mesos.WeightInfo{weight("a", math.NaN())}}, true, 0, []string{"weight a 1", "weight b 2"}},
		{UpdateWeights{[]*mesos.WeightInfo{weight("a", 3), weight("a", 3)}}, true, 0, []string{"weight a 1", "weight b 2"}},
		{UpdateWeights{[]*mesos.WeightInfo{weight("", 3)}}, true, 0, []string{"weight a 1", "weight b 2"}},
	})
}

func TestMaintenanceOperations(t *testing.T) {
	first := []string{"machine @10.0.0.1 DRAINING 7 window 1.0", "machine a@ DRAINING 5 window 0.0", "machine b@10.0.0.2 DRAINING 5 window 0.1"}
	down := []string{"machine @10.0.0.1 DRAINING 7 window 1.0", "machine a@ DOWN 5 window 0.0", "machine b@10.0.0.2 DRAINING 5 window 0.1"}
	moved := []string{"machine a@ DOWN 9 window 0.0"}
	check(t, []operationCase{
		{UpdateMaintenanceSchedule{Schedule: schedule("5: a b@10.0.0.2", "7: @10.0.0.1")}, false, 3, first},
		{UpdateMaintenanceSchedule{Schedule: schedule("5: A b@10.0.0.2", "7: @10.0.0.1")}, false, 1, first},
		{UpdateMaintenanceSchedule{Schedule: schedule("5: a", "7: A")}, true, 0, first},
		{UpdateMaintenanceSchedule{Schedule: schedule("5: @")}, true, 0, first},
		{StartMaintenance{machines("a", "c")}, true, 0, first},
		{StopMaintenance{machines("a")}, true, 0, first},
		{StartMaintenance{machines("a", "A")}, false, 1, down},
		{StartMaintenance{machines("a")}, false, 0, down},
		{UpdateMaintenanceSchedule{Schedule: schedule("7: @10.0.0.1")}, true, 0, down},
		{UpdateMaintenanceSchedule{Schedule: schedule("9: a")}, false, 3, moved},
		{StopMaintenance{machines("a", "never")}, false, 1, nil},
		{StopMaintenance{machines("a")}, false, 0, nil},
	})
}

// A schedule that was made from another one than is there is refused, and has
// another version whatever differs.
func TestSchedulesOfAVersion(t *testing.T) {
	seen := map[string]string{}
	r := Registry{}
	for _, windows := range [][]string{{}, {"5: a"}, {"6: a"}, {"5: a b"}, {"5: b a"}, {"5: b", "5: a"}, {"5: a@10.0.0.1"}} {
		next, _, err := Apply(r, UpdateMaintenanceSchedule{Schedule: schedule(windows...), Version: ScheduleVersion(r.Machines())})
		if err != nil {
			t.Fatalf("%q: %v", windows, err)
		}
		version := ScheduleVersion(next.Machines())
		if other, known := seen[version]; known {
			t.Errorf("%q has the version of %s", windows, other)
		}
		seen[version] = fmt.Sprintf("%q", windows)
		stale := UpdateMaintenanceSchedule{Schedule: schedule("9: z"), Version: ScheduleVersion(r.Machines())}
		if _, _, err := Apply(next, stale); len(windows) > 0 && (!errors.Is(err, ErrOutdated) || !errors.Is(err, ErrConflict)) {
			t.Errorf("%q is replaced by what was made from another: %v", windows, err)
		}
		r = next
	}
}

func TestKindsAreFoundApart(t *testing.T) {
	r, err := New([]*cluster.RegistryRecord{
		QuotaRecord(&cluster.QuotaRecord{Config: config("x", "cpus:1", "")}), WeightRecord(weight("x", 2)),
		AgentRecord(&cluster.AgentRecord{Agent: info("x", "h")}),
		MachineRecord(&cluster.MachineRecord{Machine: &mesos.MachineInfo{Id: machine("X@10.0.0.1")}}),
	})
	if err != nil {
		t.Fatal(err)
	}
	if r.Quota("x") == nil || r.Weight("x") == nil || r.Agent("x") == nil || r.Machine(machine("x@10.0.0.1")) == nil {
		t.Error("a record is not found")
	}
	if r.Quota("y") != nil || r.Weight("y") != nil || r.Machine(machine("x")) != nil {
		t.Error("what is not there is found")
	}
	counts := []int{len(slices.Collect(r.Quotas())), len(slices.Collect(r.Weights())), len(slices.Collect(r.Machines())), len(slices.Collect(r.Agents()))}
	if !slices.Equal(counts, []int{1, 1, 1, 1}) {
		t.Errorf("quotas, weights, machines, agents: %v", counts)
	}
}
