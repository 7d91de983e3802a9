package conformance

import (
	"testing"

	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos"
	"troupe/messages/mesos/allocator"
	"troupe/messages/mesos/maintenance"
	"troupe/messages/mesos/master"
	"troupe/messages/mesos/quota"
	"troupe/messages/mesos/scheduler"
	"troupe/tools/mesosclient"
)

// A framework is asked to leave a machine whose maintenance is planned, what it
// answers is shown, and it is asked no more when the plan is taken back. Quotas
// and weights read as they were set.
func TestSettings(t *testing.T) {
	c := newCluster(t)
	inEach(t, func(t *testing.T, enc mesosclient.Encoding) {
		e := &mesosclient.Endpoint{Address: c.master, Path: "/api/v1", Encoding: enc}
		f := subscribe(t, c.master, enc, describe("leaves"))
		offer := f.offer()
		plan := func(windows ...*maintenance.Window) {
			says(t, e, "UPDATE_MAINTENANCE_SCHEDULE", &master.Call{
				Type:                      master.Call_UPDATE_MAINTENANCE_SCHEDULE.Enum(),
				UpdateMaintenanceSchedule: &master.Call_UpdateMaintenanceSchedule{Schedule: &maintenance.Schedule{Windows: windows}},
			}, 200, "")
		}
		plan(&maintenance.Window{
			MachineIds:     []*mesos.MachineID{{Hostname: offer.Hostname}},
			Unavailability: &mesos.Unavailability{Start: &mesos.TimeInfo{Nanoseconds: proto.Int64(1e18)}},
		})
		asked := f.event(scheduler.Event_INVERSE_OFFERS).GetInverseOffers().GetInverseOffers()[0]
		if asked.GetAgentId().GetValue() != offer.GetAgentId().GetValue() || asked.GetUnavailability().GetStart().GetNanoseconds() != 1e18 {
			t.Errorf("the inverse offer: %v", asked)
		}
		f.say(&scheduler.Call{Type: scheduler.Call_DECLINE_INVERSE_OFFERS.Enum(), DeclineInverseOffers: &scheduler.Call_DeclineInverseOffers{
			InverseOfferIds: []*mesos.OfferID{asked.GetId()}, Filters: &mesos.Filters{RefuseSeconds: proto.Float64(1000)},
		}})
		r := new(master.Response)
		if err := e.Ask(t.Context(), &master.Call{Type: master.Call_GET_MAINTENANCE_STATUS.Enum()}, r); err != nil {
			t.Fatal(err)
		}
		machines := r.GetGetMaintenanceStatus().GetStatus().GetDrainingMachines()
		if len(machines) != 1 || len(machines[0].GetStatuses()) != 1 || machines[0].GetStatuses()[0].GetStatus() != allocator.InverseOfferStatus_DECLINE {
			t.Errorf("the status: %v", r)
		}
		plan()
		says(t, e, "UPDATE_QUOTA", &master.Call{Type: master.Call_UPDATE_QUOTA.Enum(), UpdateQuota: &master.Call_UpdateQuota{QuotaConfigs: []*quota.QuotaConfig{{
			Role: proto.String("batch"), Limits: map[string]*mesos.Value_Scalar{"cpus": {Value: proto.Float64(1)}},
		}}}}, 200, "")
		if err := e.Ask(t.Context(), &master.Call{Type: master.Call_GET_QUOTA.Enum()}, r); err != nil || len(r.GetGetQuota().GetStatus().GetConfigs()) != 1 {
			t.Errorf("the quotas: %v %v", err, r)
		}
		says(t, e, "REMOVE_QUOTA", &master.Call{Type: master.Call_REMOVE_QUOTA.Enum(), RemoveQuota: &master.Call_RemoveQuota{Role: proto.String("batch")}}, 200, "")
		f.teardown()
	})
}
