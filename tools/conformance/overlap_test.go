package conformance

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"troupe/messages/mesos"
	"troupe/messages/mesos/scheduler"
	"troupe/tools/mesosclient"
)

// TestOverlappingOffers: two frameworks are offered the same; the first to accept
// has it, the other's offer is rescinded, and what is left is offered to both.
func TestOverlappingOffers(t *testing.T) {
	c := newWorld(t)
	c.masterFlags = []string{"--offer_overlap=2"}
	c.start()
	enc := mesosclient.JSON{}
	first, second := subscribe(t, c.master, enc, describe("first")), subscribe(t, c.master, enc, describe("second"))
	mine, lost := first.offer(), second.offer()
	if cpus := cpusOf(mine); cpus == 0 || cpus != cpusOf(lost) || mine.GetId().GetValue() == lost.GetId().GetValue() {
		t.Fatalf("the same is not offered twice: %v and %v", mine, lost)
	}

	task := shell(mine, "t0", "sleep 1000")
	first.accept(mine, launch(task))
	first.acknowledge(first.update("t0", mesos.TaskState_TASK_RUNNING))
	second.await("the offer rescinded", func(e *scheduler.Event) bool {
		return e.GetRescind().GetOfferId().GetValue() == lost.GetId().GetValue()
	})

	second.accept(lost, launch(shell(lost, "t1", "sleep 1000")))
	dropped := second.update("t1", mesos.TaskState_TASK_DROPPED)
	if dropped.GetReason() != mesos.TaskStatus_REASON_INVALID_OFFERS || !strings.Contains(dropped.GetMessage(), "another framework was first") {
		t.Errorf("a task on an offer that was lost: %v", dropped)
	}
	left := second.offer()
	if got, want := cpusOf(left), cpusOf(mine)-cpusOf(&mesos.Offer{Resources: task.GetResources()}); got != want {
		t.Errorf("%v cpus are left, want %v", got, want)
	}
	second.accept(left, launch(shell(left, "t2", "sleep 1000")))
	second.acknowledge(second.update("t2", mesos.TaskState_TASK_RUNNING))

	figures := make(map[string]float64)
	if err := json.Unmarshal([]byte(c.get("/metrics/snapshot")), &figures); err != nil {
		t.Fatal(err)
	}
	if figures["master/offers_rescinded_overlap"] < 1 || figures["master/accepts_overtaken"] != 1 {
		t.Errorf("%v offers rescinded, %v accepts overtaken", figures["master/offers_rescinded_overlap"], figures["master/accepts_overtaken"])
	}
	first.teardown()
	second.teardown()
}

func cpusOf(o *mesos.Offer) float64 {
	at := slices.IndexFunc(o.GetResources(), func(r *mesos.Resource) bool { return r.GetName() == "cpus" })
	if at < 0 {
		return 0
	}
	return o.Resources[at].GetScalar().GetValue()
}
