package registry

import (
	"errors"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/messages/mesos/maintenance"
	"troupe/messages/mesos/quota"
)

// What others send does not make a record that a store has no room for; what
// the master notes of it is always taken.
func TestRecordsThatAreTooLarge(t *testing.T) {
	long := strings.Repeat("x", MaxRecord)
	framework := func(name string) *mesos.FrameworkInfo {
		return &mesos.FrameworkInfo{Id: &mesos.FrameworkID{Value: proto.String("f")}, User: proto.String("u"), Name: &name}
	}
	for _, op := range []Operation{
		AdmitAgent{info("a", long), at(1)},
		MarkReachable{Agent: info("a", long), At: at(1)},
		AdmitFramework{Framework: framework(long), At: at(1)},
		UpdateQuota{Configs: []*quota.QuotaConfig{config(long, "cpus:1", "")}},
		UpdateWeights{[]*mesos.WeightInfo{weight(long, 2)}},
		SetReservation{&cluster.StandingReservation{Id: &long}},
		UpdateMaintenanceSchedule{Schedule: &maintenance.Schedule{Windows: []*maintenance.Window{{MachineIds: []*mesos.MachineID{{Hostname: &long}}}}}},
	} {
		next, changes, err := Apply(Registry{}, op)
		if !errors.Is(err, ErrTooLarge) || !errors.Is(err, ErrConflict) || len(changes) > 0 || next.Len() > 0 || len(err.Error()) > 300 {
			t.Errorf("%T: %d changes, %.300v", op, len(changes), err)
		}
	}
	almost := framework(long[:MaxRecord-80])
	r, _, err := Apply(Registry{}, AdmitFramework{Framework: almost, At: at(1)})
	if err != nil {
		t.Fatal(err)
	}
	if _, changes, err := Apply(r, CompleteFramework{FrameworkID: "f", At: at(2)}); err != nil || len(changes) == 0 {
		t.Errorf("completed: %d changes, %v", len(changes), err)
	}
}
