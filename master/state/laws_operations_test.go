package state

import (
	"fmt"
	"slices"
	"testing"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/messages/mesos/scheduler"
	"troupe/messages/operations"
	"troupe/messages/resources"
)

// able are the capabilities of agents that carry out operations.
func able() []*mesos.AgentInfo_Capability {
	return capabilityProtos([]mesos.AgentInfo_Capability_Type{
		mesos.AgentInfo_Capability_RESERVATION_REFINEMENT, mesos.AgentInfo_Capability_RESIZE_VOLUME, mesos.AgentInfo_Capability_AGENT_OPERATION_FEEDBACK,
	})
}

// withDisk is what agents have in these tests.
func withDisk() []*mesos.Resource { return append(amounts("", 4, 64), diskOf(100, "", "", false)) }

// diskOf is some disk, reserved for a role unless that is empty, and a volume
// unless its id is.
func diskOf(amount float64, role, volume string, shared bool) *mesos.Resource {
	r := &mesos.Resource{Name: proto.String("disk"), Type: mesos.Value_SCALAR.Enum(), Scalar: &mesos.Value_Scalar{Value: &amount}}
	if role != "" {
		r.Reservations = []*mesos.Resource_ReservationInfo{{Type: mesos.Resource_ReservationInfo_DYNAMIC.Enum(), Role: &role}}
	}
	if volume != "" {
		r.Disk = &mesos.Resource_DiskInfo{
			Persistence: &mesos.Resource_DiskInfo_Persistence{Id: &volume},
			Volume:      &mesos.Volume{ContainerPath: proto.String("p"), Mode: mesos.Volume_RW.Enum()},
		}
	}
	if shared {
		r.Shared = &mesos.Resource_SharedInfo{}
	}
	return r
}

// volumes lists what volumes there are, of all agents.
func (w *world) volumes() []*mesos.Resource {
	var all []*mesos.Resource
	for _, a := range w.m.agents.ordered() {
		all = append(all, a.view.Total.Filter(func(e resources.Entry) bool { return e.Disk().GetPersistence() != nil }).Proto()...)
	}
	return all
}

// volume is one that is there, if there is any.
func (w *world) volume() *mesos.Resource {
	if all := w.volumes(); len(all) > 0 {
		return proto.CloneOf(rapid.SampledFrom(all).Draw(w.t, "volume"))
	}
	return diskOf(10, "web", "none", false)
}

// change draws an operation on resources.
func (w *world) change() *mesos.Offer_Operation {
	size := float64(rapid.IntRange(1, 4).Draw(w.t, "size") * 10)
	op := new(mesos.Offer_Operation)
	switch rapid.IntRange(0, 7).Draw(w.t, "operation") {
	case 0, 1:
		op.Type, op.Reserve = mesos.Offer_Operation_RESERVE.Enum(), &mesos.Offer_Operation_Reserve{Resources: []*mesos.Resource{diskOf(size, "web", "", false)}}
	case 2:
		op.Type, op.Unreserve = mesos.Offer_Operation_UNRESERVE.Enum(), &mesos.Offer_Operation_Unreserve{Resources: []*mesos.Resource{diskOf(size, "web", "", false)}}
	case 3, 4:
		v := diskOf(size, "web", fmt.Sprintf("v%d", rapid.IntRange(0, 3).Draw(w.t, "id")), rapid.Bool().Draw(w.t, "shared"))
		op.Type, op.Create = mesos.Offer_Operation_CREATE.Enum(), &mesos.Offer_Operation_Create{Volumes: []*mesos.Resource{v}}
	case 5:
		op.Type, op.Destroy = mesos.Offer_Operation_DESTROY.Enum(), &mesos.Offer_Operation_Destroy{Volumes: []*mesos.Resource{w.volume()}}
	case 6:
		op.Type = mesos.Offer_Operation_GROW_VOLUME.Enum()
		op.GrowVolume = &mesos.Offer_Operation_GrowVolume{Volume: w.volume(), Addition: diskOf(size, "web", "", false)}
	default:
		op.Type = mesos.Offer_Operation_SHRINK_VOLUME.Enum()
		op.ShrinkVolume = &mesos.Offer_Operation_ShrinkVolume{Volume: w.volume(), Subtract: &mesos.Value_Scalar{Value: proto.Float64(size / 2)}}
	}
	return op
}

// named gives an operation an id, or does not.
func (w *world) named(op *mesos.Offer_Operation) *mesos.Offer_Operation {
	if rapid.Bool().Draw(w.t, "named") {
		op.Id = &mesos.OperationID{Value: proto.String(fmt.Sprintf("o%d", rapid.IntRange(0, 3).Draw(w.t, "name")))}
	}
	return op
}

// allOperations lists what operations there are.
func (w *world) allOperations() []*operation {
	var all []*operation
	for _, a := range w.m.agents.ordered() {
		all = append(all, a.operations...)
	}
	return all
}

// confirmation is an agent's word on an operation: of the oldest, mostly.
func (w *world) confirmation() (Peer, proto.Message) {
	all := w.allOperations()
	if len(all) == 0 {
		return "agent@h0:5051#0", &cluster.OperationUpdate{
			AgentId: &mesos.AgentID{Value: proto.String(w.agentID())}, OperationUuid: &mesos.UUID{Value: w.uuid()},
			Status: &mesos.OperationStatus{State: mesos.OperationState_OPERATION_FINISHED.Enum(), Uuid: &mesos.UUID{Value: w.uuid()}},
		}
	}
	o := all[0]
	if rapid.IntRange(0, 3).Draw(w.t, "any") == 0 {
		o = rapid.SampledFrom(all).Draw(w.t, "operation")
	}
	state := rapid.SampledFrom([]mesos.OperationState{
		mesos.OperationState_OPERATION_FINISHED, mesos.OperationState_OPERATION_FINISHED, mesos.OperationState_OPERATION_FINISHED,
		mesos.OperationState_OPERATION_FAILED, mesos.OperationState_OPERATION_DROPPED, mesos.OperationState_OPERATION_PENDING,
	}).Draw(w.t, "end")
	return o.agent.peer(), w.ending(o, state)
}

func (w *world) ending(o *operation, state mesos.OperationState) *cluster.OperationUpdate {
	m := &cluster.OperationUpdate{
		AgentId: o.agent.view.Info.GetId(), OperationUuid: &mesos.UUID{Value: o.view.UUID[:]},
		Status: &mesos.OperationStatus{State: &state, OperationId: o.view.Info.GetId(), Uuid: &mesos.UUID{Value: w.uuid()}},
	}
	if o.view.Framework != "" {
		m.FrameworkId = &mesos.FrameworkID{Value: proto.String(string(o.view.Framework))}
	}
	if state == mesos.OperationState_OPERATION_FINISHED {
		if total, err := operations.Apply(o.view.Info, o.agent.confirmed); err == nil {
			m.TotalResources = total.Proto()
		}
	}
	return m
}

// pendingAsked are the questions that wait for an agent.
func (w *world) pendingAsked() map[uint64]bool {
	asked := make(map[uint64]bool)
	for _, o := range w.allOperations() {
		if o.asker.Ask != 0 {
			asked[o.asker.Ask] = true
		}
	}
	return asked
}

// report names some of an agent's operations, as if it had applied or lost them.
func (w *world) report(m *cluster.ReregisterAgent) {
	a := w.m.agents.byID[AgentID(m.GetAgent().GetId().GetValue())]
	m.Capabilities = able()
	if a == nil {
		return
	}
	total := a.confirmed
	for _, o := range a.operations {
		if !rapid.Bool().Draw(w.t, "knows") {
			continue
		}
		said := &mesos.Operation{
			AgentId: m.GetAgent().GetId(), Info: o.view.Info, Uuid: &mesos.UUID{Value: o.view.UUID[:]},
			LatestStatus: &mesos.OperationStatus{State: mesos.OperationState_OPERATION_PENDING.Enum()},
		}
		if o.view.Framework != "" {
			said.FrameworkId = &mesos.FrameworkID{Value: proto.String(string(o.view.Framework))}
		}
		if next, err := operations.Apply(o.view.Info, total); err == nil && rapid.Bool().Draw(w.t, "done") {
			total = next
			said.LatestStatus = &mesos.OperationStatus{State: mesos.OperationState_OPERATION_FINISHED.Enum(), Uuid: &mesos.UUID{Value: w.uuid()}}
		}
		m.Operations = append(m.Operations, said)
	}
	m.TotalResources = total.Proto()
}

// lending is what an agent lends.
func (w *world) lending(p Peer) proto.Message {
	m := &cluster.UpdateAgentResources{AgentId: &mesos.AgentID{Value: proto.String(w.agentID())}}
	if a := w.m.agents.byPeer[p]; a != nil {
		m.AgentId = a.view.Info.GetId()
	}
	for _, r := range amounts("", float64(rapid.IntRange(1, 2).Draw(w.t, "lent")), 8) {
		r.Revocable = &mesos.Resource_RevocableInfo{}
		m.OversubscribedResources = append(m.OversubscribedResources, r)
	}
	return m
}

// allFree allocates all that is free on an agent, of which it may lend what is
// reserved.
func (w *world) allFree() proto.Message {
	m := &cluster.Allocations{Epoch: proto.Uint64(w.m.allocator.epoch)}
	for _, a := range w.m.agents.ordered() {
		what := a.free()
		if rapid.Bool().Draw(w.t, "as loans") {
			lent := what.Lent()
			what = what.Without(lent.Underlying()).Add(lent)
		}
		m.Allocations = append(m.Allocations, &cluster.Allocations_Allocation{
			FrameworkId: w.frameworkID(), AgentId: a.view.Info.GetId(), Role: proto.String("web"), Resources: what.Proto(),
		})
	}
	return m
}

func (w *world) preemption() proto.Message {
	m := &cluster.Preempt{
		Epoch: proto.Uint64(w.m.allocator.epoch), AgentId: &mesos.AgentID{Value: proto.String(w.agentID())}, FrameworkId: w.frameworkID(),
		Role: proto.String("*"), Resources: amounts("", 1, 8),
	}
	if a := w.m.agents.byID[AgentID(m.AgentId.GetValue())]; a != nil && rapid.Bool().Draw(w.t, "loans") {
		m.Role, m.Resources = proto.String("web"), a.view.Total.Lent().Proto()
	}
	return m
}

// borrowed is what is lent of an offer, less at random.
func (w *world) borrowed(id *mesos.OfferID) []*mesos.Resource {
	o := w.m.offers.byID[OfferID(id.GetValue())]
	if o == nil {
		return nil
	}
	lent := o.view.Resources.Borrowed().Proto()
	return lent[:rapid.IntRange(0, len(lent)).Draw(w.t, "borrowed")]
}

// actOnResources draws an input about operations, or what agents lend.
func (w *world) actOnResources(peer, sched Peer) {
	switch rapid.IntRange(0, 9).Draw(w.t, "about resources") {
	case 0, 1, 2, 3:
		from, m := w.confirmation()
		w.step(Received{From: from, Message: m})
	case 4:
		w.asked++
		w.unanswered[w.asked] = true
		w.step(Received{From: "op@o:0", Ask: w.asked, Message: &cluster.OperationRequest{
			AgentId: &mesos.AgentID{Value: proto.String(w.agentID())}, Operation: w.change(),
		}})
	case 5:
		w.step(Received{From: peer, Message: w.lending(peer)})
	case 6:
		w.step(Received{From: benchAllocator, Message: w.preemption()})
	case 7:
		w.step(w.maybeAsked(Received{From: sched, Message: w.acknowledgement()}))
	default:
		w.step(Received{From: benchAllocator, Message: w.allFree()})
	}
}

func (w *world) acknowledgement() proto.Message {
	call := &scheduler.Call{Type: scheduler.Call_ACKNOWLEDGE_OPERATION_STATUS.Enum(), FrameworkId: w.frameworkID()}
	call.AcknowledgeOperationStatus = &scheduler.Call_AcknowledgeOperationStatus{
		AgentId: &mesos.AgentID{Value: proto.String(w.agentID())}, OperationId: &mesos.OperationID{Value: proto.String("o0")}, Uuid: w.uuid(),
	}
	if all := w.allOperations(); len(all) > 0 {
		o := rapid.SampledFrom(all).Draw(w.t, "acknowledged")
		call.FrameworkId = &mesos.FrameworkID{Value: proto.String(string(o.view.Framework))}
		a := call.AcknowledgeOperationStatus
		a.AgentId, a.OperationId = o.agent.view.Info.GetId(), &mesos.OperationID{Value: proto.String(o.name())}
		if o.view.Status.Uuid != nil {
			a.Uuid = o.view.Status.GetUuid().GetValue()
		}
	}
	return call
}

// compareOperations holds the read side against the machine.
func (w *world) compareOperations(in Input) {
	shown := w.model.Snapshot().Operations
	all := w.allOperations()
	if len(shown) != len(all) {
		w.t.Fatalf("after %s %d operations are shown, there are %d", label(in), len(shown), len(all))
	}
	for _, o := range all {
		if !slices.Contains(shown, o.view) {
			w.t.Fatalf("after %s operation %x is not shown", label(in), o.view.UUID)
		}
	}
}

// TestLawsOfOperations is TestLaws in a cluster where there is much to reserve
// from the start.
func TestLawsOfOperations(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		for i := range 2 {
			w.step(Received{From: Peer(fmt.Sprintf("agent@h%d:5051#0", i)), Message: &cluster.RegisterAgent{Agent: &mesos.AgentInfo{
				Hostname: proto.String(fmt.Sprintf("h%d", i)), Resources: withDisk(),
			}, Capabilities: able()}})
			info := w.info(nil)
			info.Roles, info.FailoverTimeout = []string{"web"}, proto.Float64(60)
			info.Capabilities = nil
			for _, c := range []mesos.FrameworkInfo_Capability_Type{
				mesos.FrameworkInfo_Capability_MULTI_ROLE, mesos.FrameworkInfo_Capability_RESERVATION_REFINEMENT, mesos.FrameworkInfo_Capability_SHARED_RESOURCES,
			} {
				info.Capabilities = append(info.Capabilities, &mesos.FrameworkInfo_Capability{Type: c.Enum()})
			}
			w.step(Received{From: Peer(fmt.Sprintf("s%d@s:0#0", i)), Message: &scheduler.Call{
				Type: scheduler.Call_SUBSCRIBE.Enum(), Subscribe: &scheduler.Call_Subscribe{FrameworkInfo: info},
			}})
		}
		for len(w.unsettled) > 0 {
			w.settle()
		}
		for range rapid.IntRange(20, 150).Draw(t, "steps") {
			switch rapid.IntRange(0, 9).Draw(t, "kind") {
			case 0:
				w.act()
			case 1, 2:
				w.step(Received{From: benchAllocator, Message: w.allFree()})
			case 3, 4, 5:
				w.acceptNewest()
			default:
				w.actOnResources("agent@h0:5051#0", "s0@s:0#0")
			}
		}
	})
}

// acceptNewest accepts one of the newest offers by its own framework.
func (w *world) acceptNewest() {
	call := w.accept().(*scheduler.Call)
	if f := w.m.frameworks.byID[FrameworkID(call.GetFrameworkId().GetValue())]; f != nil && f.connected() {
		w.step(Received{From: f.peer(), Message: call})
	}
}
