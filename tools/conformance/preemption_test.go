package conformance

import (
	"fmt"
	"testing"

	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos"
	"troupe/messages/mesos/master"
	"troupe/messages/mesos/quota"
	"troupe/messages/mesos/scheduler"
	"troupe/tools/mesosclient"
)

// TestPreemption: a role that is guaranteed half of the cluster gets it from one
// that uses all of it, task by task, and from what that one only holds on offer
// first.
func TestPreemption(t *testing.T) {
	c := newWorld(t)
	c.masterFlags = []string{"--preempt_after=400ms"}
	c.start()
	enc := mesosclient.JSON{}
	greedy := subscribe(t, c.master, enc, inRole("greedy", "batch"))
	offer := greedy.offer()
	var tasks []*mesos.TaskInfo
	for i := range 3 {
		task := shell(offer, fmt.Sprint("t", i), "sleep 1000")
		task.Resources = []*mesos.Resource{scalar("cpus", 2), scalar("mem", 32)}
		tasks = append(tasks, task)
	}
	greedy.accept(offer, launch(tasks...))
	for i := range tasks {
		greedy.acknowledge(greedy.update(fmt.Sprint("t", i), mesos.TaskState_TASK_RUNNING))
	}
	greedy.say(&scheduler.Call{Type: scheduler.Call_REVIVE.Enum()})
	rest := greedy.offer() // of 2 cpus, which it sits on

	says(t, c.operate(), "UPDATE_QUOTA", &master.Call{Type: master.Call_UPDATE_QUOTA.Enum(), UpdateQuota: &master.Call_UpdateQuota{
		Force: proto.Bool(true), QuotaConfigs: []*quota.QuotaConfig{{
			Role: proto.String("web"), Guarantees: map[string]*mesos.Value_Scalar{"cpus": {Value: proto.Float64(4)}},
		}},
	}}, 200, "")
	greedy.await("the offer taken back", func(e *scheduler.Event) bool {
		return e.GetRescind().GetOfferId().GetValue() == rest.GetId().GetValue()
	})
	greedy.say(&scheduler.Call{Type: scheduler.Call_SUPPRESS.Enum()})
	entitled := subscribe(t, c.master, enc, inRole("entitled", "web"))
	greedy.acknowledge(greedy.update("t2", mesos.TaskState_TASK_KILLING)) // the newest
	ended := greedy.update("t2", mesos.TaskState_TASK_KILLED)
	if ended.GetReason() != mesos.TaskStatus_REASON_CONTAINER_PREEMPTED {
		t.Errorf("the end of a task that is preempted: %v", ended)
	}
	greedy.acknowledge(ended)
	var got float64
	for got < 4 {
		e := entitled.event(scheduler.Event_OFFERS)
		for _, o := range e.GetOffers().GetOffers() {
			for _, r := range o.GetResources() {
				if r.GetName() == "cpus" {
					got += r.GetScalar().GetValue()
				}
			}
		}
	}
	if got != 4 {
		t.Errorf("the role that is guaranteed 4 cpus is offered %v", got)
	}
	greedy.teardown()
	entitled.teardown()
}

func inRole(name, role string) *mesos.FrameworkInfo {
	f := describe(name)
	f.Roles = []string{role}
	return f
}
