package conformance

import (
	"fmt"
	"net/http"
	"strings"
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
		when := func(n int64) *maintenance.Window {
			return &maintenance.Window{
				MachineIds:     []*mesos.MachineID{{Hostname: offer.Hostname}},
				Unavailability: &mesos.Unavailability{Start: &mesos.TimeInfo{Nanoseconds: &n}},
			}
		}
		plan(when(1e18))
		f.answers(e, f.asked(offer, 1e18), scheduler.Call_DECLINE_INVERSE_OFFERS)
		plan(when(2e18)) // another one, which is asked about anew
		f.answers(e, f.asked(offer, 2e18), scheduler.Call_ACCEPT_INVERSE_OFFERS)
		plan(when(3e18))
		open := f.asked(offer, 3e18)
		plan()
		if id := f.event(scheduler.Event_RESCIND_INVERSE_OFFER).GetRescindInverseOffer().GetInverseOfferId(); !proto.Equal(id, open.GetId()) {
			t.Errorf("taken back: %v, not %v", id, open.GetId())
		}
		says(t, e, "UPDATE_QUOTA", &master.Call{Type: master.Call_UPDATE_QUOTA.Enum(), UpdateQuota: &master.Call_UpdateQuota{QuotaConfigs: []*quota.QuotaConfig{{
			Role: proto.String("batch"), Limits: map[string]*mesos.Value_Scalar{"cpus": {Value: proto.Float64(1)}},
		}}}}, 200, "")
		r := new(master.Response)
		if err := e.Ask(t.Context(), &master.Call{Type: master.Call_GET_QUOTA.Enum()}, r); err != nil || len(r.GetGetQuota().GetStatus().GetConfigs()) != 1 {
			t.Errorf("the quotas: %v %v", err, r)
		}
		says(t, e, "REMOVE_QUOTA", &master.Call{Type: master.Call_REMOVE_QUOTA.Enum(), RemoveQuota: &master.Call_RemoveQuota{Role: proto.String("batch")}}, 200, "")
		f.teardown()
	})
}

// Several operators plan at once, and no plan is lost. Who replaces the schedule
// by hand says which one he read.
func TestPlansAtOnce(t *testing.T) {
	c := newMaster(t)
	const operators = 6
	ended := make(chan error, operators)
	for i := range operators {
		go func() {
			out, err := c.Command("maintenance", "plan", fmt.Sprint("n", i), "--in=1hrs", "--master="+c.master).CombinedOutput()
			if err != nil {
				err = fmt.Errorf("%w: %s", err, out)
			}
			ended <- err
		}()
	}
	for range operators {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	schedule := c.get("/maintenance/schedule")
	for i := range operators {
		if !strings.Contains(schedule, fmt.Sprintf("%q", fmt.Sprint("n", i))) {
			t.Errorf("n%d is not planned: %s", i, schedule)
		}
	}
	read := raw(t, c.master, mesosclient.Head(http.MethodGet, "/maintenance/schedule"))
	replace := func(lines ...string) *mesosclient.Answer {
		lines = append(lines, "Content-Type: application/json", "Content-Length: 2")
		return raw(t, c.master, mesosclient.Head(http.MethodPost, "/maintenance/schedule", lines...)+"{}")
	}
	if a := replace(`If-Match: "of-another-day"`); a.Status != http.StatusPreconditionFailed || !strings.Contains(string(a.Body), "read again") {
		t.Errorf("a schedule that is not there is replaced: %s", a)
	}
	if now := c.get("/maintenance/schedule"); now != schedule {
		t.Errorf("the schedule is %s, was %s", now, schedule)
	}
	if a := replace("If-Match: " + read.Header.Get("ETag")); a.Status != http.StatusOK {
		t.Errorf("the schedule that is there is not replaced: %s, ETag %q", a, read.Header.Get("ETag"))
	}
	if a := replace("If-Match: *"); a.Status != http.StatusOK {
		t.Errorf("whatever is there is not replaced: %s", a)
	}
}

// asked takes the inverse offer about the agent of an offer.
func (f *framework) asked(offer *mesos.Offer, start int64) *mesos.InverseOffer {
	f.t.Helper()
	all := f.event(scheduler.Event_INVERSE_OFFERS).GetInverseOffers().GetInverseOffers()
	if len(all) != 1 || all[0].GetAgentId().GetValue() != offer.GetAgentId().GetValue() || all[0].GetUnavailability().GetStart().GetNanoseconds() != start {
		f.t.Fatalf("the inverse offers: %v", all)
	}
	return all[0]
}

// answers answers an inverse offer, for long, and sees that operators are shown it.
func (f *framework) answers(e *mesosclient.Endpoint, asked *mesos.InverseOffer, kind scheduler.Call_Type) {
	f.t.Helper()
	ids, filters := []*mesos.OfferID{asked.GetId()}, &mesos.Filters{RefuseSeconds: proto.Float64(1000)}
	want := allocator.InverseOfferStatus_DECLINE
	call := &scheduler.Call{Type: kind.Enum()}
	if kind == scheduler.Call_ACCEPT_INVERSE_OFFERS {
		want = allocator.InverseOfferStatus_ACCEPT
		call.AcceptInverseOffers = &scheduler.Call_AcceptInverseOffers{InverseOfferIds: ids, Filters: filters}
	} else {
		call.DeclineInverseOffers = &scheduler.Call_DeclineInverseOffers{InverseOfferIds: ids, Filters: filters}
	}
	f.say(call)
	r := new(master.Response)
	if err := e.Ask(f.t.Context(), &master.Call{Type: master.Call_GET_MAINTENANCE_STATUS.Enum()}, r); err != nil {
		f.t.Fatal(err)
	}
	machines := r.GetGetMaintenanceStatus().GetStatus().GetDrainingMachines()
	if len(machines) != 1 || len(machines[0].GetStatuses()) != 1 || machines[0].GetStatuses()[0].GetStatus() != want {
		f.t.Errorf("after %s, the status: %v", kind, r)
	}
}
