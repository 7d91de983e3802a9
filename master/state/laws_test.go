package state

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"troupe/master/registry"
	"troupe/master/state/view"
	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/messages/mesos/scheduler"
)

// world feeds two machines the same random inputs, most of them sensible, and
// remembers what they asked for.
type world struct {
	t          *rapid.T
	m, twin    *Machine
	model      *view.Model
	now        time.Time
	unsettled  []Persist         // not answered yet, in order
	stored     registry.Registry // what is durable
	asked      uint64
	unanswered map[uint64]bool
	removed    time.Time // when an agent last became unreachable
	timers     map[string]bool
	links      map[Peer]bool
	offers     []string
	tasks      int
}

func newWorld(t *rapid.T) *world {
	cfg := Config{
		MasterID: "M", Allocator: benchAllocator, OfferTimeout: time.Minute,
		Limits: Limits{CompletedFrameworks: 2, CompletedTasks: 3, UnreachableTasks: 3},
	}
	cfg.OfferOverlap = rapid.SampledFrom([]int{0, 1, 2, 1000}).Draw(t, "overlap")
	if rapid.Bool().Draw(t, "limited") {
		cfg.AgentRemovalRate = Rate{Count: 1, Per: 20 * time.Second}
	}
	w := &world{
		t: t, m: New(cfg), twin: New(cfg), now: time.Unix(1000, 0),
		model:      view.NewModel(view.Limits{CompletedFrameworks: 2, CompletedTasks: 3, UnreachableTasks: 3}),
		unanswered: make(map[uint64]bool), timers: make(map[string]bool), links: make(map[Peer]bool),
	}
	old := "A-S9"
	records := []*cluster.RegistryRecord{registry.AgentRecord(&cluster.AgentRecord{Agent: &mesos.AgentInfo{
		Id: &mesos.AgentID{Value: &old}, Hostname: proto.String("h0"), Resources: withDisk(),
	}, Status: cluster.AgentRecord_ADMITTED.Enum()}), registry.FrameworkRecord(&cluster.FrameworkRecord{
		FrameworkId: &mesos.FrameworkID{Value: proto.String("A-0007")}, Status: cluster.FrameworkRecord_ADMITTED.Enum(),
		Framework: &mesos.FrameworkInfo{Id: &mesos.FrameworkID{Value: proto.String("A-0007")}, User: proto.String("u"), Name: proto.String("n")},
	})}
	r, err := registry.New(records)
	if err != nil {
		t.Fatal(err)
	}
	w.stored = r
	w.step(Started{Registry: r})
	return w
}

func (w *world) step(in Input) {
	effects := w.m.Step(w.now, in)
	again := w.twin.Step(w.now, in)
	if len(effects) != len(again) {
		w.t.Fatalf("%s: %d effects, and %d the second time", label(in), len(effects), len(again))
	}
	for i, e := range effects {
		if a, b := describe(e), describe(again[i]); a != b {
			w.t.Fatalf("%s: the same input gave two effects:\n%s\n%s", label(in), a, b)
		}
		w.effect(in, e)
	}
	if err := w.m.Check(); err != nil {
		w.t.Fatalf("after %s: %v", label(in), err)
	}
	w.compare(in)
}

func label(in Input) string { return fmt.Sprintf("%T %+v", in, in) }

// effect holds an effect against what every one must keep.
func (w *world) effect(in Input, e Effect) {
	switch e := e.(type) {
	case Persist:
		w.unsettled = append(w.unsettled, e)
		w.paced(in, e)
	case SetTimer:
		if e.After < 0 {
			w.t.Fatalf("%s set the timer %s to %s", label(in), e.Key, e.After)
		}
		w.timers[e.Key] = true
	case CancelTimer:
		delete(w.timers, e.Key)
	case Link:
		w.links[e.Peer] = true
	case Unlink:
		delete(w.links, e.Peer)
	case Publish:
		w.model.Apply(e.Event)
	case Send:
		w.sent(in, e)
	case Answer:
		if !w.unanswered[e.Ask] {
			w.t.Fatalf("%s answers question %d, which nobody asked or was answered", label(in), e.Ask)
		}
		delete(w.unanswered, e.Ask)
	case Halt:
		w.t.Fatalf("%s halted: %v", label(in), e.Err)
	}
}

// paced checks that agents become unreachable no faster than they may.
func (w *world) paced(in Input, e Persist) {
	if _, removal := e.Operation.(registry.MarkUnreachable); !removal {
		return
	}
	if pause := w.now.Sub(w.removed); pause < w.m.cfg.AgentRemovalRate.interval() {
		w.t.Fatalf("%s removes an agent only %s after another", label(in), pause)
	}
	w.removed = w.now
}

// sent checks that a message has somewhere to go, is whole, and reveals
// nothing that is not durable.
func (w *world) sent(in Input, e Send) {
	if e.To == "" {
		w.t.Fatalf("%s sent %s to nobody", label(in), describe(e))
	}
	if err := proto.CheckInitialized(e.Message); err != nil {
		w.t.Fatalf("%s sent %s: %v", label(in), describe(e), err)
	}
	switch msg := e.Message.(type) {
	case *cluster.AgentRegistered:
		w.mustBeAdmitted(in, msg.GetAgentId().GetValue())
	case *cluster.AgentReregistered:
		w.mustBeAdmitted(in, msg.GetAgentId().GetValue())
	case *cluster.AddAgent:
		w.mustBeAdmitted(in, msg.GetAgent().GetId().GetValue())
	case *cluster.ShutdownAgent:
		if !anyGone(w.stored) && !anyDown(w.stored) {
			w.t.Fatalf("%s shuts an agent down, and none is gone, nor any machine down", label(in))
		}
	case *cluster.DrainAgent:
		if !anyDraining(w.stored) {
			w.t.Fatalf("%s drains an agent, which is not durable", label(in))
		}
	case *cluster.ShutdownFramework:
		if id := msg.GetFrameworkId().GetValue(); w.stored.Framework(id).GetStatus() != cluster.FrameworkRecord_COMPLETED {
			w.t.Fatalf("%s ends framework %s, which is not durable", label(in), id)
		}
	case *scheduler.Event:
		w.event(in, msg)
	}
}

func (w *world) event(in Input, e *scheduler.Event) {
	if id := e.GetSubscribed().GetFrameworkId().GetValue(); id != "" {
		if w.stored.Framework(id).GetFramework() == nil {
			w.t.Fatalf("%s reveals framework %s, which is not durable", label(in), id)
		}
		if !proto.Equal(w.stored.Framework(id).GetFramework(), w.m.frameworks.byID[FrameworkID(id)].view.Info) && len(w.unsettled) == 0 {
			w.t.Fatalf("%s: framework %s is another in the registry", label(in), id)
		}
	}
	for _, o := range e.GetOffers().GetOffers() {
		id := o.GetAgentId().GetValue()
		w.mustBeAdmitted(in, id)
		if w.stored.Agent(id).GetDeactivated() && w.m.agents.byID[AgentID(id)].view.Deactivated {
			w.t.Fatalf("%s offers agent %s, which is deactivated", label(in), id)
		}
		w.offers = append(w.offers, o.GetId().GetValue())
	}
	s := e.GetUpdate().GetStatus()
	if s.GetState() == mesos.TaskState_TASK_UNREACHABLE && s.GetReason() == mesos.TaskStatus_REASON_AGENT_REMOVED {
		w.mustBe(in, s.GetAgentId().GetValue(), cluster.AgentRecord_UNREACHABLE)
	}
	if s.GetState() == mesos.TaskState_TASK_GONE_BY_OPERATOR {
		w.mustBe(in, s.GetAgentId().GetValue(), cluster.AgentRecord_GONE)
	}
}

func anyGone(r registry.Registry) bool {
	for a := range r.Agents() {
		if a.GetStatus() == cluster.AgentRecord_GONE {
			return true
		}
	}
	return false
}

func anyDown(r registry.Registry) bool {
	for m := range r.Machines() {
		if m.GetMachine().GetMode() == mesos.MachineInfo_DOWN {
			return true
		}
	}
	return false
}

func anyDraining(r registry.Registry) bool {
	for a := range r.Agents() {
		if a.GetDrain().GetState() == mesos.DrainState_DRAINING {
			return true
		}
	}
	return false
}

func (w *world) mustBeAdmitted(in Input, id string) {
	w.mustBe(in, id, cluster.AgentRecord_ADMITTED)
}

// mustBe checks that what is revealed of an agent is durable.
func (w *world) mustBe(in Input, id string, status cluster.AgentRecord_Status) {
	if r := w.stored.Agent(id); r == nil || r.GetStatus() != status {
		w.t.Fatalf("%s reveals agent %s as %s, which is not durable", label(in), id, status)
	}
}

// settle answers the oldest Persist.
func (w *world) settle() {
	if len(w.unsettled) == 0 {
		return
	}
	p := w.unsettled[0]
	w.unsettled = w.unsettled[1:]
	next, _, err := registry.Apply(w.stored, p.Operation)
	w.stored = next
	w.step(Persisted{Key: p.Key, Err: err})
}

// compare holds the read side against the machine.
func (w *world) compare(in Input) {
	s := w.model.Snapshot()
	if len(s.Frameworks) != len(w.m.frameworks.byID) {
		w.t.Fatalf("after %s %d frameworks are shown, there are %d", label(in), len(s.Frameworks), len(w.m.frameworks.byID))
	}
	for _, shown := range s.Frameworks {
		f := w.m.frameworks.byID[shown.ID]
		if f == nil || shown.Framework != f.view {
			w.t.Fatalf("after %s another framework than %s is shown", label(in), shown.ID)
		}
		if inverse := w.m.inverseOf(f); len(shown.InverseOffers) != len(inverse) {
			w.t.Fatalf("after %s %d inverse offers of %s are shown, it has %d", label(in), len(shown.InverseOffers), shown.ID, len(inverse))
		}
		if len(shown.Offers) != len(f.offers) || len(shown.Executors) != len(f.executors) || len(shown.UnreachableTasks) != len(f.unreachableByID) {
			w.t.Fatalf("after %s: %d/%d offers, %d/%d executors, %d/%d unreachable tasks of %s are shown", label(in), len(shown.Offers), len(f.offers),
				len(shown.Executors), len(f.executors), len(shown.UnreachableTasks), len(f.unreachableByID), shown.ID)
		}
		if !slices.EqualFunc(shown.Tasks, f.order, func(a *view.Task, b *task) bool { return a == b.view }) {
			w.t.Fatalf("after %s other tasks of %s are shown", label(in), shown.ID)
		}
	}
	w.compareSettings(in, s)
	w.compareOperations(in)
	usage := s.UsageByAgent(func() {})
	for id, a := range w.m.agents.byID {
		if u := usage[id]; !u.Used.Underlying().Equal(a.used) || !u.Offered.Underlying().Equal(a.onOffer()) {
			w.t.Fatalf("after %s agent %s is shown with %s used, it has %s", label(in), id, u.Used, a.used)
		}
	}
}

// act draws one input.
func (w *world) act() {
	t := w.t
	peer := Peer(fmt.Sprintf("agent@h%d:5051#%d", rapid.IntRange(0, 2).Draw(t, "host"), rapid.IntRange(0, 1).Draw(t, "incarnation")))
	sched := Peer(fmt.Sprintf("s%d@s:0#%d", rapid.IntRange(0, 1).Draw(t, "scheduler"), rapid.IntRange(0, 1).Draw(t, "start")))
	switch rapid.IntRange(0, 22).Draw(t, "act") {
	case 0:
		w.step(Received{From: peer, Message: &cluster.RegisterAgent{Agent: &mesos.AgentInfo{
			Hostname: proto.String(hostOf(peer)), Resources: withDisk(),
		}, Capabilities: able()}})
	case 16, 17, 18, 19, 20, 21:
		w.actOnResources(peer, sched)
	case 1:
		w.step(Received{From: peer, Message: w.reregistration(peer)})
	case 2:
		w.step(Received{From: sched, Message: w.subscription()})
	case 3, 4:
		w.step(Received{From: benchAllocator, Message: w.allocations()})
	case 5, 6:
		w.step(w.maybeAsked(Received{From: sched, Message: w.accept()}))
	case 7, 8:
		w.step(Received{From: peer, Message: w.update()})
	case 9:
		w.step(w.maybeAsked(Received{From: sched, Message: w.call()}))
	case 10:
		w.breakLink()
	case 11:
		w.fire()
	case 12:
		w.step(AgentSilent{AgentID(w.agentID())})
	case 22:
		hosts := make(Hosts)
		for i := range 3 {
			if rapid.IntRange(0, 3).Draw(t, "is listed") > 0 {
				hosts[fmt.Sprint("h", i)] = true
			}
		}
		w.step(HostsListed{hosts})
	case 13:
		w.step(AgentAnswered{AgentID(w.agentID())})
	case 14:
		w.asked++
		w.unanswered[w.asked] = true
		w.step(Received{From: "op@o:0", Message: w.request(), Ask: w.asked})
	default:
		w.settle()
		w.now = w.now.Add(time.Duration(rapid.IntRange(0, 30).Draw(t, "later")) * time.Second)
	}
}

// maybeAsked makes a call one that has to be answered, or does not.
func (w *world) maybeAsked(in Received) Received {
	if rapid.Bool().Draw(w.t, "asked") {
		w.asked++
		w.unanswered[w.asked] = true
		in.Ask = w.asked
	}
	return in
}

func (w *world) request() proto.Message {
	id := &mesos.AgentID{Value: proto.String(w.agentID())}
	switch rapid.IntRange(0, 9).Draw(w.t, "request") {
	case 0:
		return &cluster.KillTaskRequest{TaskId: w.taskID()}
	case 1:
		return &cluster.TeardownRequest{FrameworkId: w.frameworkID()}
	case 2, 3, 4:
		return w.setting()
	}
	action := cluster.AgentRequest_Action(rapid.IntRange(0, 3).Draw(w.t, "action"))
	return &cluster.AgentRequest{AgentId: id, Action: &action, Drain: &mesos.DrainConfig{
		MarkGone: proto.Bool(rapid.Bool().Draw(w.t, "mark gone")),
	}}
}

func hostOf(p Peer) string {
	_, rest, _ := strings.Cut(string(p), "@")
	host, _, _ := strings.Cut(rest, ":")
	return host
}

func (w *world) agentID() string {
	return rapid.SampledFrom([]string{"M-S0", "M-S1", "M-S2", "M-S3", "A-S9", "Z-S1"}).Draw(w.t, "agent")
}

func (w *world) frameworkID() *mesos.FrameworkID {
	id := rapid.SampledFrom([]string{"M-0000", "M-0001", "A-0007", "M-0002"}).Draw(w.t, "framework")
	return &mesos.FrameworkID{Value: &id}
}

func (w *world) taskID() *mesos.TaskID {
	return &mesos.TaskID{Value: proto.String(fmt.Sprintf("t%d", rapid.IntRange(0, w.tasks+1).Draw(w.t, "task")))}
}

func (w *world) state() *mesos.TaskState {
	return rapid.SampledFrom([]mesos.TaskState{
		mesos.TaskState_TASK_STARTING, mesos.TaskState_TASK_RUNNING, mesos.TaskState_TASK_FINISHED, mesos.TaskState_TASK_FAILED,
	}).Draw(w.t, "state").Enum()
}

func (w *world) uuid() []byte {
	return []byte(fmt.Sprintf("%016d", rapid.IntRange(0, 5).Draw(w.t, "uuid")))
}

func (w *world) info(id *mesos.FrameworkID) *mesos.FrameworkInfo {
	info := &mesos.FrameworkInfo{
		Id: id, User: proto.String("u"), Name: proto.String("n"),
		FailoverTimeout: proto.Float64(float64(rapid.IntRange(0, 1).Draw(w.t, "failover") * 60)),
	}
	if rapid.Bool().Draw(w.t, "aware") {
		info.Capabilities = append(info.Capabilities, &mesos.FrameworkInfo_Capability{Type: mesos.FrameworkInfo_Capability_PARTITION_AWARE.Enum()})
	}
	if rapid.Bool().Draw(w.t, "multi") {
		info.Roles = []string{"*", "web"}
		for _, c := range []mesos.FrameworkInfo_Capability_Type{
			mesos.FrameworkInfo_Capability_MULTI_ROLE, mesos.FrameworkInfo_Capability_RESERVATION_REFINEMENT, mesos.FrameworkInfo_Capability_SHARED_RESOURCES,
		} {
			info.Capabilities = append(info.Capabilities, &mesos.FrameworkInfo_Capability{Type: c.Enum()})
		}
	}
	return info
}

func (w *world) reregistration(p Peer) proto.Message {
	id := w.agentID()
	m := &cluster.ReregisterAgent{Agent: &mesos.AgentInfo{
		Id: &mesos.AgentID{Value: &id}, Hostname: proto.String(hostOf(p)), Resources: withDisk(),
	}}
	for range rapid.IntRange(0, 2).Draw(w.t, "frameworks") {
		m.Frameworks = append(m.Frameworks, w.info(w.frameworkID()))
	}
	for range rapid.IntRange(0, 3).Draw(w.t, "tasks") {
		m.Tasks = append(m.Tasks, &mesos.Task{
			Name: proto.String("t"), TaskId: w.taskID(), FrameworkId: w.frameworkID(), AgentId: m.Agent.Id,
			State: w.state(), Resources: amounts("", 1, 8),
		})
	}
	if rapid.Bool().Draw(w.t, "executors") {
		m.Executors = append(m.Executors, &mesos.ExecutorInfo{
			ExecutorId: &mesos.ExecutorID{Value: proto.String("e")}, FrameworkId: w.frameworkID(), Resources: amounts("", 0.5, 4),
		})
	}
	w.report(m)
	return m
}

func (w *world) subscription() proto.Message {
	call := &scheduler.Call{Type: scheduler.Call_SUBSCRIBE.Enum()}
	if rapid.Bool().Draw(w.t, "known") {
		call.FrameworkId = w.frameworkID()
	}
	call.Subscribe = &scheduler.Call_Subscribe{FrameworkInfo: w.info(call.FrameworkId)}
	return call
}

func (w *world) allocations() proto.Message {
	m := &cluster.Allocations{Epoch: proto.Uint64(w.m.allocator.epoch)}
	for range rapid.IntRange(1, 3).Draw(w.t, "allocations") {
		id := w.agentID()
		m.Allocations = append(m.Allocations, &cluster.Allocations_Allocation{
			FrameworkId: w.frameworkID(), AgentId: &mesos.AgentID{Value: &id}, Role: proto.String(rapid.SampledFrom([]string{"*", "web"}).Draw(w.t, "role")),
			Resources: amounts("", float64(rapid.IntRange(1, 5).Draw(w.t, "cpus")), 16),
		})
	}
	return m
}

func (w *world) accept() proto.Message {
	accept := &scheduler.Call_Accept{}
	for range rapid.IntRange(1, 2).Draw(w.t, "offers") {
		if n := len(w.offers); n > 0 {
			id := w.offers[max(0, n-1-rapid.IntRange(0, 5).Draw(w.t, "offer"))]
			accept.OfferIds = append(accept.OfferIds, &mesos.OfferID{Value: &id})
		}
	}
	agent := &mesos.AgentID{Value: proto.String(w.agentID())}
	f := w.frameworkID()
	for range accept.OfferIds {
		if o := w.m.offers.byID[OfferID(accept.OfferIds[0].GetValue())]; o != nil {
			agent, f = o.agent.view.Info.GetId(), o.framework.view.Info.GetId()
		}
	}
	group := rapid.IntRange(0, 3).Draw(w.t, "kind") == 0
	var infos []*mesos.TaskInfo
	for range rapid.IntRange(1, 3).Draw(w.t, "tasks") {
		info := &mesos.TaskInfo{Name: proto.String("t"), TaskId: w.taskID(), AgentId: agent, Resources: amounts("", 1, 4), Command: &mesos.CommandInfo{Value: proto.String("x")}}
		if rapid.IntRange(0, 2).Draw(w.t, "on a volume") == 0 {
			info.Resources = append(info.Resources, w.volume())
		}
		if lent := w.borrowed(slices.Concat(accept.OfferIds, []*mesos.OfferID{nil})[0]); len(lent) > 0 && len(infos) == 0 {
			info.Resources = lent
		}
		if !group && rapid.Bool().Draw(w.t, "custom") {
			info.Executor = &mesos.ExecutorInfo{
				ExecutorId: &mesos.ExecutorID{Value: proto.String("e")}, Resources: amounts("", 0.5, 4), Command: info.Command,
			}
			info.Command = nil
		}
		infos = append(infos, info)
		w.tasks++
	}
	op := &mesos.Offer_Operation{Type: mesos.Offer_Operation_LAUNCH.Enum(), Launch: &mesos.Offer_Operation_Launch{TaskInfos: infos}}
	if group {
		resources := append(amounts("", 0.5, 32), &mesos.Resource{Name: proto.String("disk"), Type: mesos.Value_SCALAR.Enum(), Scalar: &mesos.Value_Scalar{Value: proto.Float64(1)}})
		op = &mesos.Offer_Operation{Type: mesos.Offer_Operation_LAUNCH_GROUP.Enum(), LaunchGroup: &mesos.Offer_Operation_LaunchGroup{
			Executor:  &mesos.ExecutorInfo{Type: mesos.ExecutorInfo_DEFAULT.Enum(), ExecutorId: &mesos.ExecutorID{Value: proto.String("g")}, Resources: resources[:2]},
			TaskGroup: &mesos.TaskGroupInfo{Tasks: infos},
		}}
	}
	for range rapid.IntRange(0, 3).Draw(w.t, "before") {
		accept.Operations = append(accept.Operations, w.named(w.change()))
	}
	accept.Operations = append(accept.Operations, op)
	if rapid.IntRange(0, 3).Draw(w.t, "behind") == 0 {
		accept.Operations = append(accept.Operations, w.named(w.change()))
	}
	return &scheduler.Call{Type: scheduler.Call_ACCEPT.Enum(), FrameworkId: f, Accept: accept}
}

func (w *world) update() proto.Message {
	id := &mesos.AgentID{Value: proto.String(w.agentID())}
	m := &cluster.StatusUpdate{FrameworkId: w.frameworkID(), AgentId: id, Status: &mesos.TaskStatus{
		TaskId: w.taskID(), State: w.state(), AgentId: id, Uuid: w.uuid(),
	}}
	if rapid.Bool().Draw(w.t, "ahead") {
		m.LatestState = w.state()
	}
	return m
}

func (w *world) call() proto.Message {
	call := &scheduler.Call{FrameworkId: w.frameworkID()}
	agent := &mesos.AgentID{Value: proto.String(w.agentID())}
	switch rapid.IntRange(0, 8).Draw(w.t, "call") {
	case 0:
		call.Type = scheduler.Call_TEARDOWN.Enum()
	case 1:
		call.Type, call.Kill = scheduler.Call_KILL.Enum(), &scheduler.Call_Kill{TaskId: w.taskID()}
	case 2:
		call.Type = scheduler.Call_ACKNOWLEDGE.Enum()
		call.Acknowledge = &scheduler.Call_Acknowledge{TaskId: w.taskID(), AgentId: agent, Uuid: w.uuid()}
	case 3:
		call.Type, call.Reconcile = scheduler.Call_RECONCILE.Enum(), &scheduler.Call_Reconcile{Tasks: []*scheduler.Call_Reconcile_Task{{TaskId: w.taskID(), AgentId: agent}}}
	case 4:
		call.Type = scheduler.Call_REVIVE.Enum()
	case 5:
		call.Type, call.UpdateFramework = scheduler.Call_UPDATE_FRAMEWORK.Enum(), &scheduler.Call_UpdateFramework{FrameworkInfo: w.info(call.FrameworkId)}
	case 6:
		call.Type = scheduler.Call_ACCEPT_INVERSE_OFFERS.Enum()
		call.AcceptInverseOffers = &scheduler.Call_AcceptInverseOffers{InverseOfferIds: w.inverseOffers(), Filters: w.refusal()}
	case 7:
		call.Type = scheduler.Call_DECLINE_INVERSE_OFFERS.Enum()
		call.DeclineInverseOffers = &scheduler.Call_DeclineInverseOffers{InverseOfferIds: w.inverseOffers(), Filters: w.refusal()}
	default:
		call.Type, call.Decline = scheduler.Call_DECLINE.Enum(), &scheduler.Call_Decline{}
		if n := len(w.offers); n > 0 {
			call.Decline.OfferIds = []*mesos.OfferID{{Value: &w.offers[n-1]}}
		}
	}
	return call
}

func (w *world) breakLink() {
	peers := make([]string, 0, len(w.links))
	for p := range w.links {
		peers = append(peers, string(p))
	}
	if len(peers) == 0 {
		return
	}
	slices.Sort(peers)
	p := Peer(rapid.SampledFrom(peers).Draw(w.t, "broken"))
	delete(w.links, p)
	w.step(PeerExited{p})
}

func (w *world) fire() {
	keys := make([]string, 0, len(w.timers))
	for k := range w.timers {
		keys = append(keys, k)
	}
	if len(keys) == 0 {
		return
	}
	slices.Sort(keys)
	k := rapid.SampledFrom(keys).Draw(w.t, "lapsed")
	delete(w.timers, k)
	w.step(TimerFired{k})
}

func TestLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		for range rapid.IntRange(1, 120).Draw(t, "steps") {
			w.act()
		}
		for len(w.unsettled) > 0 {
			w.settle()
		}
		for ask := range w.pendingAsked() {
			delete(w.unanswered, ask)
		}
		if len(w.unanswered) > 0 {
			t.Fatalf("nobody answered the questions %v", w.unanswered)
		}
	})
}
