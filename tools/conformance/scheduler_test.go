package conformance

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos"
	"troupe/messages/mesos/master"
	"troupe/messages/mesos/scheduler"
	"troupe/tools/mesosclient"
)

// Every call that a scheduler can make, and every event that there is, in both
// encodings.
func TestSchedulers(t *testing.T) {
	c := newCluster(t)
	inEach(t, func(t *testing.T, enc mesosclient.Encoding) {
		f := subscribe(t, c.master, enc, describe("every call"))
		f.event(scheduler.Event_HEARTBEAT)
		subscribedAs(f, c)
		f.offersComeAndGo(c)
		f.tasksRun()
		f.tasksAreReconciled()
		f.operationsAreUnknown()
		f.executorsAreSpokenTo()
		f.changesItself()
		next := f.failsOver()
		next.teardown()
		f.saidAndSaw(next)
	})
}

// saidAndSaw sees that two frameworks have made every call, and got every event.
func (f *framework) saidAndSaw(g *framework) {
	f.t.Helper()
	for kind, name := range scheduler.Call_Type_name {
		kind := scheduler.Call_Type(kind)
		if !f.said[kind] && !g.said[kind] && kind != scheduler.Call_UNKNOWN { // which TestRefusedCalls makes
			f.t.Errorf("%s was not called", name)
		}
	}
	// The first is never sent; TestSettings awaits the others.
	none := []scheduler.Event_Type{scheduler.Event_UNKNOWN, scheduler.Event_INVERSE_OFFERS, scheduler.Event_RESCIND_INVERSE_OFFER}
	seen := map[scheduler.Event_Type]bool{}
	f.saw(seen)
	g.saw(seen)
	for kind, name := range scheduler.Event_Type_name {
		if kind := scheduler.Event_Type(kind); !seen[kind] && !slices.Contains(none, kind) {
			f.t.Errorf("%s did not come", name)
		}
	}
}

func subscribedAs(f *framework, c *cluster) {
	f.t.Helper()
	s := f.Subscribed
	if id := s.GetFrameworkId().GetValue(); !strings.Contains(id, "-") || s.GetHeartbeatIntervalSeconds() != 15 {
		f.t.Errorf("subscribed: %v", s)
	}
	if m := s.GetMasterInfo(); m.GetPid() != "master@"+c.master || m.GetVersion() == "" || m.GetAddress().GetPort() == 0 {
		f.t.Errorf("the master: %v", m)
	}
}

// An offer has what the agent has; declined, it comes again when it may, and an
// agent that takes no more tasks takes its offers back.
func (f *framework) offersComeAndGo(c *cluster) {
	f.t.Helper()
	offer := f.offer()
	if u := offer.GetUrl(); u.GetScheme() != "http" || u.GetPath() != "/slave(1)" || u.GetAddress().GetPort() == 0 {
		f.t.Errorf("the offer's url: %v", u)
	}
	if a := offer.GetAttributes(); len(a) != 1 || a[0].GetText().GetValue() != "r1" || offer.GetAllocationInfo().GetRole() != "*" {
		f.t.Errorf("the offer: %v", offer)
	}
	names := map[string]bool{}
	for _, r := range offer.GetResources() {
		names[r.GetName()] = true
	}
	if !names["cpus"] || !names["mem"] || !names["disk"] || !names["ports"] {
		f.t.Errorf("offered: %v", offer.GetResources())
	}
	f.say(decline(offer, 0))
	f.say(decline(f.offer(), 1000))
	f.say(&scheduler.Call{Type: scheduler.Call_SUPPRESS.Enum(), Suppress: &scheduler.Call_Suppress{Roles: []string{"*"}}})
	f.say(&scheduler.Call{Type: scheduler.Call_REVIVE.Enum()})
	f.say(decline(f.offer(), 1000))
	f.say(&scheduler.Call{Type: scheduler.Call_REQUEST.Enum(), Request: &scheduler.Call_Request{
		Requests: []*mesos.Request{{Resources: []*mesos.Resource{scalar("cpus", 1)}}},
	}})
	f.say(&scheduler.Call{Type: scheduler.Call_REVIVE.Enum(), Revive: &scheduler.Call_Revive{Roles: []string{"*"}}})
	offer = f.offer()
	c.agentCall(master.Call_DEACTIVATE_AGENT, offer.GetAgentId())
	if id := f.event(scheduler.Event_RESCIND).GetRescind().GetOfferId(); !proto.Equal(id, offer.GetId()) {
		f.t.Errorf("rescinded: %v, not %v", id, offer.GetId())
	}
	c.agentCall(master.Call_REACTIVATE_AGENT, offer.GetAgentId())
}

// agentCall is an operator's call about an agent.
func (c *cluster) agentCall(kind master.Call_Type, agent *mesos.AgentID) {
	c.t.Helper()
	call := &master.Call{Type: kind.Enum()}
	switch kind {
	case master.Call_DEACTIVATE_AGENT:
		call.DeactivateAgent = &master.Call_DeactivateAgent{AgentId: agent}
	default:
		call.ReactivateAgent = &master.Call_ReactivateAgent{AgentId: agent}
	}
	if _, err := c.operate().Call(c.t.Context(), call, nil); err != nil {
		c.t.Fatal(err)
	}
}

// Tasks start, end by themselves, and are killed.
func (f *framework) tasksRun() {
	f.t.Helper()
	offer := f.offer()
	f.accept(offer, launch(shell(offer, "ends", "exit 3"), shell(offer, "lasts", "exec sleep 1000")))
	f.update("ends", mesos.TaskState_TASK_STARTING)
	running := f.update("ends", mesos.TaskState_TASK_RUNNING)
	if running.GetSource() != mesos.TaskStatus_SOURCE_EXECUTOR || len(running.GetUuid()) != 16 || running.GetTimestamp() == 0 ||
		!proto.Equal(running.GetAgentId(), offer.GetAgentId()) || running.GetContainerStatus().GetContainerId().GetValue() == "" {
		f.t.Errorf("running: %v", running)
	}
	if ended := f.update("ends", mesos.TaskState_TASK_FAILED); !strings.Contains(ended.GetMessage(), "status 3") {
		f.t.Errorf("ended: %v", ended)
	}
	f.update("lasts", mesos.TaskState_TASK_RUNNING)
	f.say(kill("lasts"))
	f.update("lasts", mesos.TaskState_TASK_KILLING)
	f.update("lasts", mesos.TaskState_TASK_KILLED)
}

// A task that is known is told of as it is, one that is not as unknown; so is
// one that is killed.
func (f *framework) tasksAreReconciled() {
	f.t.Helper()
	offer := f.offer()
	f.accept(offer, launch(shell(offer, "known", "exec sleep 1000")))
	f.update("known", mesos.TaskState_TASK_RUNNING)
	for _, tasks := range [][]string{{}, {"known", "nobody"}} {
		f.reconcile(tasks...)
		status := f.update("known", mesos.TaskState_TASK_RUNNING)
		if status.Uuid != nil || status.GetReason() != mesos.TaskStatus_REASON_RECONCILIATION || status.GetSource() != mesos.TaskStatus_SOURCE_MASTER {
			f.t.Errorf("reconciled: %v", status)
		}
	}
	f.update("nobody", mesos.TaskState_TASK_UNKNOWN)
	f.say(kill("nothing"))
	f.update("nothing", mesos.TaskState_TASK_UNKNOWN)
	f.say(kill("known"))
	f.update("known", mesos.TaskState_TASK_KILLED)
}

// What is not known of operations and inverse offers is said, or passed over.
func (f *framework) operationsAreUnknown() {
	f.t.Helper()
	id := &mesos.OperationID{Value: proto.String("no operation")}
	f.say(&scheduler.Call{Type: scheduler.Call_RECONCILE_OPERATIONS.Enum(), ReconcileOperations: &scheduler.Call_ReconcileOperations{
		Operations: []*scheduler.Call_ReconcileOperations_Operation{{OperationId: id}},
	}})
	status := f.event(scheduler.Event_UPDATE_OPERATION_STATUS).GetUpdateOperationStatus().GetStatus()
	if !proto.Equal(status.GetOperationId(), id) || status.GetState() != mesos.OperationState_OPERATION_UNKNOWN {
		f.t.Errorf("an operation that nobody knows: %v", status)
	}
	f.say(&scheduler.Call{Type: scheduler.Call_ACKNOWLEDGE_OPERATION_STATUS.Enum(), AcknowledgeOperationStatus: &scheduler.Call_AcknowledgeOperationStatus{
		AgentId: &mesos.AgentID{Value: proto.String("S0")}, OperationId: id, Uuid: make([]byte, 16),
	}})
	none := []*mesos.OfferID{{Value: proto.String("no offer")}}
	f.say(&scheduler.Call{Type: scheduler.Call_ACCEPT_INVERSE_OFFERS.Enum(), AcceptInverseOffers: &scheduler.Call_AcceptInverseOffers{InverseOfferIds: none}})
	f.say(&scheduler.Call{Type: scheduler.Call_DECLINE_INVERSE_OFFERS.Enum(), DeclineInverseOffers: &scheduler.Call_DeclineInverseOffers{InverseOfferIds: none}})
}

// custom is an executor of this program, with time enough to end in order.
func custom(t *testing.T, id string, enc mesosclient.Encoding) *mesos.ExecutorInfo {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return &mesos.ExecutorInfo{
		Type: mesos.ExecutorInfo_CUSTOM.Enum(), ExecutorId: &mesos.ExecutorID{Value: proto.String(id)},
		Resources:           []*mesos.Resource{scalar("cpus", 0.1), scalar("mem", 64), scalar("disk", 1)},
		ShutdownGracePeriod: &mesos.DurationInfo{Nanoseconds: proto.Int64(int64(20 * time.Second))},
		Command: &mesos.CommandInfo{
			Shell: proto.Bool(false), Value: proto.String(self), Arguments: []string{self},
			Environment: &mesos.Environment{Variables: []*mesos.Environment_Variable{
				{Name: proto.String(asExecutor), Value: proto.String(enc.MediaType())},
			}},
		},
	}
}

// played is a task of such an executor; data tells what it does.
func played(offer *mesos.Offer, id, data string, e *mesos.ExecutorInfo) *mesos.TaskInfo {
	task := shell(offer, id, "")
	task.Command, task.Executor, task.Data = nil, e, []byte(data)
	return task
}

// tell sends bytes to an executor.
func (f *framework) tell(agent *mesos.AgentID, e *mesos.ExecutorInfo, text string) {
	f.t.Helper()
	f.say(&scheduler.Call{Type: scheduler.Call_MESSAGE.Enum(), Message: &scheduler.Call_Message{
		AgentId: agent, ExecutorId: e.GetExecutorId(), Data: []byte(text),
	}})
}

// told waits for bytes of an executor, and is all of them.
func (f *framework) told(prefix string) string {
	f.t.Helper()
	return string(f.await("message "+prefix, func(e *scheduler.Event) bool {
		return strings.HasPrefix(string(e.GetMessage().GetData()), prefix)
	}).GetMessage().GetData())
}

// Executors get what schedulers tell them, answer, and are shut down.
func (f *framework) executorsAreSpokenTo() {
	f.t.Helper()
	e := custom(f.t, "spoken to", f.Encoding)
	offer := f.offer()
	f.accept(offer, launch(played(offer, "speaks", "", e)))
	f.update("speaks", mesos.TaskState_TASK_RUNNING)
	f.tell(offer.GetAgentId(), e, "say hello \x00\xff")
	f.told("hello \x00\xff")
	f.say(&scheduler.Call{Type: scheduler.Call_SHUTDOWN.Enum(), Shutdown: &scheduler.Call_Shutdown{
		ExecutorId: e.GetExecutorId(), AgentId: offer.GetAgentId(),
	}})
	failure := f.event(scheduler.Event_FAILURE).GetFailure()
	if !proto.Equal(failure.GetExecutorId(), e.GetExecutorId()) || failure.Status == nil {
		f.t.Errorf("the executor's end: %v", failure)
	}
	f.await("the end of its task", func(e *scheduler.Event) bool {
		return e.GetUpdate().GetStatus().GetTaskId().GetValue() == "speaks"
	})
}

// What a framework says of itself can change while it is subscribed.
func (f *framework) changesItself() {
	f.t.Helper()
	info := describe("changed")
	info.Id = f.Subscribed.GetFrameworkId()
	f.say(&scheduler.Call{Type: scheduler.Call_UPDATE_FRAMEWORK.Enum(), UpdateFramework: &scheduler.Call_UpdateFramework{
		FrameworkInfo: info, SuppressedRoles: []string{"*"},
	}})
}

// One that subscribes with the id of another takes its place: the other one is
// told, and its stream ends.
func (f *framework) failsOver() *framework {
	f.t.Helper()
	info := describe("changed")
	info.Id = f.Subscribed.GetFrameworkId()
	g := subscribe(f.t, f.Address, f.Encoding, info)
	if g.FrameworkID != f.FrameworkID || g.ID == f.ID {
		f.t.Errorf("framework %s with stream %s took over as %s with %s", f.FrameworkID, f.ID, g.FrameworkID, g.ID)
	}
	if e := f.event(scheduler.Event_ERROR).GetError(); e.GetMessage() != "Framework failed over" {
		f.t.Errorf("the one before is told %q", e.GetMessage())
	}
	f.end()
	return g
}
