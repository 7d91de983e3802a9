package conformance

import (
	"math"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos"
	"troupe/messages/mesos/scheduler"
	"troupe/tools/mesosclient"
)

// Tasks that cannot be end at once, each with a status that names the field and
// its value; those beside them run.
func TestTasksThatCannotBe(t *testing.T) {
	c := newCluster(t)
	inEach(t, func(t *testing.T, enc mesosclient.Encoding) {
		f := subscribe(t, c.master, enc, describe("wrong tasks"))
		f.runOne("taken", "exec sleep 1000")
		offer := f.offer()
		wrong := map[string]string{} // what the status says, by task
		tasks := []*mesos.TaskInfo{shell(offer, "beside", "true")}
		add := func(id, says string, change func(*mesos.TaskInfo)) {
			task := shell(offer, id, "true")
			change(task)
			wrong[id] = says
			tasks = append(tasks, task)
		}
		amount := func(value float64) func(*mesos.TaskInfo) {
			return func(t *mesos.TaskInfo) { t.Resources[0].Scalar.Value = &value }
		}
		add("less than nothing", "task.resources", amount(-1))
		add("no number", "task.resources", amount(math.NaN()))
		add("without end", "task.resources", amount(math.Inf(1)))
		add("less than without end", "task.resources", amount(math.Inf(-1)))
		add("more than there is", "more than", amount(1000))
		add("nothing at all", "resources", func(t *mesos.TaskInfo) { t.Resources = nil })
		add("nowhere", "agent_id", func(t *mesos.TaskInfo) { t.AgentId = &mesos.AgentID{Value: proto.String("S99")} })
		add("nothing to do", "command", func(t *mesos.TaskInfo) { t.Command = nil })
		add("two things to do", "executor", func(info *mesos.TaskInfo) { info.Executor = custom(t, "both", enc) })
		add("a/b", "task_id", func(*mesos.TaskInfo) {})
		add("impatient", "grace_period", func(t *mesos.TaskInfo) {
			t.KillPolicy = &mesos.KillPolicy{GracePeriod: &mesos.DurationInfo{Nanoseconds: proto.Int64(-1)}}
		})
		limit := func(name string, value float64) func(*mesos.TaskInfo) {
			return func(t *mesos.TaskInfo) { t.Limits = map[string]*mesos.Value_Scalar{name: {Value: &value}} }
		}
		add("a limit of what has none", "limits", limit("disk", 1))
		add("a limit below the request", "below the request", limit("cpus", 0.05))
		f.accept(offer, launch(tasks...))
		for id, says := range wrong {
			status := f.update(id, mesos.TaskState_TASK_ERROR)
			if !strings.Contains(status.GetMessage(), says) || status.GetSource() != mesos.TaskStatus_SOURCE_MASTER ||
				status.GetReason() != mesos.TaskStatus_REASON_TASK_INVALID || status.Uuid != nil {
				t.Errorf("%s: %v, want %q", id, status, says)
			}
		}
		f.update("beside", mesos.TaskState_TASK_FINISHED)

		offer = f.offer()
		f.accept(offer, launch(shell(offer, "taken", "true")))
		if status := f.update("taken", mesos.TaskState_TASK_ERROR); !strings.Contains(status.GetMessage(), "duplicate") {
			t.Errorf("a task id in use: %v", status)
		}
		f.say(kill("taken"))
		f.update("taken", mesos.TaskState_TASK_KILLED)
		f.teardown()
	})
}

// runOne launches a task and waits until it runs.
func (f *framework) runOne(id, line string) {
	f.t.Helper()
	offer := f.offer()
	f.accept(offer, launch(shell(offer, id, line)))
	f.update(id, mesos.TaskState_TASK_RUNNING)
}

// Offers that are not the framework's, or no more, or named twice, launch
// nothing, and who has them keeps them.
func TestOffersThatCannotBe(t *testing.T) {
	c := newCluster(t)
	inEach(t, func(t *testing.T, enc mesosclient.Encoding) {
		owner := subscribe(t, c.master, enc, describe("owner"))
		offer := owner.offer()
		thief := subscribe(t, c.master, enc, describe("thief"))
		never := &mesos.OfferID{Value: proto.String("no such offer")}
		for name, ids := range map[string][]*mesos.OfferID{
			"of somebody else": {offer.GetId()},
			"of nobody":        {never},
			"twice":            {never, never},
		} {
			thief.say(&scheduler.Call{Type: scheduler.Call_ACCEPT.Enum(), Accept: &scheduler.Call_Accept{
				OfferIds: ids, Operations: []*mesos.Offer_Operation{launch(shell(offer, name, "true"))},
			}})
			status := thief.update(name, mesos.TaskState_TASK_DROPPED)
			if status.GetReason() != mesos.TaskStatus_REASON_INVALID_OFFERS || status.GetSource() != mesos.TaskStatus_SOURCE_MASTER {
				t.Errorf("%s: %v", name, status)
			}
		}
		thief.say(decline(offer, 1000))
		owner.accept(offer, launch(shell(offer, "mine", "true")))
		owner.update("mine", mesos.TaskState_TASK_FINISHED)
		owner.teardown()
		thief.teardown()
	})
}

// Those who do not know of partitions are told that tasks are lost.
func TestOldFrameworks(t *testing.T) {
	c := newCluster(t)
	inEach(t, func(t *testing.T, enc mesosclient.Encoding) {
		info := &mesos.FrameworkInfo{User: proto.String("root"), Name: proto.String("old"), Role: proto.String("*")}
		f := subscribe(t, c.master, enc, info)
		offer := f.offer()
		if offer.AllocationInfo != nil || offer.GetResources()[0].AllocationInfo != nil {
			t.Errorf("an old framework is told of roles: %v", offer)
		}
		stolen := &mesos.OfferID{Value: proto.String("no such offer")}
		f.say(&scheduler.Call{Type: scheduler.Call_ACCEPT.Enum(), Accept: &scheduler.Call_Accept{
			OfferIds: []*mesos.OfferID{stolen}, Operations: []*mesos.Offer_Operation{launch(shell(offer, "lost", "true"))},
		}})
		f.update("lost", mesos.TaskState_TASK_LOST)
		f.accept(offer, launch(shell(offer, "old task", "exec sleep 1000")))
		f.update("old task", mesos.TaskState_TASK_RUNNING)
		f.say(kill("old task"))
		f.update("old task", mesos.TaskState_TASK_KILLED)
		f.say(kill("nobody"))
		f.update("nobody", mesos.TaskState_TASK_LOST)
		f.teardown()
	})
}
