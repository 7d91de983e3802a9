package conformance

import (
	"testing"

	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos"
	"troupe/messages/mesos/scheduler"
	"troupe/tools/mesosclient"
)

// forWeb is an amount that is reserved for the role web; lent makes it revocable.
func forWeb(name string, amount float64, lent bool) *mesos.Resource {
	r := scalar(name, amount)
	r.Reservations = []*mesos.Resource_ReservationInfo{{Type: mesos.Resource_ReservationInfo_DYNAMIC.Enum(), Role: proto.String("web")}}
	if lent {
		r.Revocable = &mesos.Resource_RevocableInfo{}
	}
	return r
}

// amountFor is how much of a resource an offer has that is reserved for web, lent
// or not.
func amountFor(offer *mesos.Offer, name string, lent bool) (sum float64) {
	for _, r := range offer.GetResources() {
		if r.GetName() == name && len(r.GetReservations()) == 1 && r.GetReservations()[0].GetRole() == "web" && (r.Revocable != nil) == lent {
			sum += r.GetScalar().GetValue()
		}
	}
	return sum
}

// offersFor takes offers until they have so many cpus together that are reserved
// for web.
func (f *framework) offersFor(cpus float64, lent bool) (offers []*mesos.Offer) {
	f.t.Helper()
	for cpus > 0 {
		for _, offer := range f.event(scheduler.Event_OFFERS).GetOffers().GetOffers() {
			cpus -= amountFor(offer, "cpus", lent)
			offers = append(offers, offer)
		}
	}
	return offers
}

// TestLentReservations: what a role has reserved and does not want is lent to
// another, whose task ends when the role wants it back. A framework that cannot
// take what is revocable gets none of it.
func TestLentReservations(t *testing.T) {
	c := newWorld(t)
	c.masterFlags = []string{"--lend_reservations"}
	c.start()
	enc := mesosclient.JSON{}
	owner := subscribe(t, c.master, enc, webFramework("owner"))
	owner.accept(owner.offerOf(), named("reserve", reserveOp(as("web", forWeb("cpus", 4, false)), as("web", forWeb("mem", 128, false)))))
	owner.operated("reserve", mesos.OperationState_OPERATION_FINISHED)
	offers := owner.offersFor(4, false)
	owner.say(&scheduler.Call{Type: scheduler.Call_SUPPRESS.Enum()})
	for _, offer := range offers {
		owner.say(decline(offer, 0))
	}

	guest := inRole("guest", "batch")
	guest.Capabilities = append(guest.Capabilities, &mesos.FrameworkInfo_Capability{Type: mesos.FrameworkInfo_Capability_REVOCABLE_RESOURCES.Enum()})
	borrower := subscribe(t, c.master, enc, guest)
	offers = borrower.offersFor(4, true)
	offer := offers[len(offers)-1]
	task := shell(offer, "borrows", "sleep 1000")
	task.Resources = []*mesos.Resource{forWeb("cpus", 3, true), forWeb("mem", 64, true)}
	greedy := shell(offer, "greedy", "sleep 1000")
	greedy.Resources = []*mesos.Resource{forWeb("cpus", 1, false), forWeb("mem", 32, false)} // as if it were its own
	borrower.accept(offer, launch(task, greedy))
	borrower.update("greedy", mesos.TaskState_TASK_ERROR)
	borrower.acknowledge(borrower.update("borrows", mesos.TaskState_TASK_RUNNING))

	owner.say(&scheduler.Call{Type: scheduler.Call_REVIVE.Enum()})
	borrower.acknowledge(borrower.update("borrows", mesos.TaskState_TASK_KILLING))
	ended := borrower.update("borrows", mesos.TaskState_TASK_KILLED)
	if ended.GetReason() != mesos.TaskStatus_REASON_CONTAINER_PREEMPTED {
		t.Errorf("the end of a task whose resources are called in: %v", ended)
	}
	borrower.acknowledge(ended)
	owner.offersFor(4, false)
	owner.teardown()
	borrower.teardown()
}
