package e2e

import (
	"testing"

	"troupe/messages/mesos"
	"troupe/messages/mesos/scheduler"
	"troupe/messages/resources"
)

// TestLentAndTakenBack: what an agent lends is offered, a task runs on it, and is
// ended when the machine has too much to do.
func TestLentAndTakenBack(t *testing.T) {
	w := newWorld(t)
	c := w.separate()
	lent := resources.MustParse("cpus:2").Convert(func(r *mesos.Resource) { r.Revocable = &mesos.Resource_RevocableInfo{} })
	c.agent.kill()
	c.startAgent("--resource_estimator=fixed", "--oversubscribed_resources=cpus:2", "--oversubscribed_resources_interval=100ms")
	k := c.keep()
	o := k.offer(lent.Add(resources.MustParse("mem:32")))
	task, command := "borrower", "exec sleep 1000"
	info := &mesos.TaskInfo{
		Name: &task, TaskId: &mesos.TaskID{Value: &task}, AgentId: o.AgentId, Command: &mesos.CommandInfo{Value: &command},
		Resources: append(lent.Allocate("r").Proto(), resources.MustParse("mem:32").Allocate("r").Proto()...),
	}
	k.accept(o, &mesos.Offer_Operation{
		Type: mesos.Offer_Operation_LAUNCH.Enum(), Launch: &mesos.Offer_Operation_Launch{TaskInfos: []*mesos.TaskInfo{info}},
	})
	for k.next().GetUpdate().GetStatus().GetState() != mesos.TaskState_TASK_RUNNING {
	}
	counted(t, c.agentPort, "/metrics/snapshot", `"slave/cpus_revocable_used":(\d+)`, 2)

	// The load of a machine that runs this test is not nothing.
	c.agent.kill()
	c.startAgent("--resource_estimator=fixed", "--oversubscribed_resources=cpus:2",
		"--qos_controller=load", "--load_threshold_5min=0.000001")
	u := k.end(task)
	if u.GetState() != mesos.TaskState_TASK_LOST || u.GetReason() != mesos.TaskStatus_REASON_CONTAINER_PREEMPTED {
		t.Errorf("it ended as %v", u)
	}
	counted(t, c.agentPort, "/metrics/snapshot", `"slave/executors_preempted":(\d+)`, 1)
	k.say(&scheduler.Call{Type: scheduler.Call_TEARDOWN.Enum()})
	c.end()
}
