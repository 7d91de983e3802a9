package master_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"google.golang.org/protobuf/proto"

	"troupe/actors"
	"troupe/actors/actortest"
	"troupe/master"
	"troupe/master/registry"
	"troupe/master/state"
	"troupe/master/store"
	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/messages/mesos/scheduler"
)

// patience bounds every wait; it is never waited for when all is well.
const patience = 3 * time.Minute

// probe is an actor that hands on what it receives.
type probe struct {
	received chan proto.Message
	linked   actors.PID // linked at the start, unless zero
	exited   chan actors.Exited
}

func (p *probe) Init(c *actors.Context) {
	c.HandleAny(func(_ *actors.Context, m proto.Message) { p.received <- m })
	c.HandleExited(func(_ *actors.Context, e actors.Exited) { p.exited <- e })
	if !p.linked.IsZero() {
		c.Link(p.linked)
	}
}

// bench is a master among probes.
type bench struct {
	t      *testing.T
	sys    *actors.System
	probes map[string]*probe
	lead   *master.Leadership
}

func newBench(t *testing.T, s master.Store, change func(*master.Options)) *bench {
	t.Helper()
	return newLoggingBench(t, s, change, nil)
}

func newLoggingBench(t *testing.T, s master.Store, change func(*master.Options), log *zap.Logger) *bench {
	t.Helper()
	sys := actortest.NewSystem(t, actors.Options{Logger: log})
	b := &bench{t: t, sys: sys, probes: make(map[string]*probe)}
	b.spawn(master.AllocatorName)
	o := master.Options{Store: s, Config: state.Config{MasterID: "M"}}
	if change != nil {
		change(&o)
	}
	var err error
	if b.lead, err = master.Start(t.Context(), sys, o); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *bench) spawn(name string) *probe {
	b.t.Helper()
	p := &probe{received: make(chan proto.Message, 1000), exited: make(chan actors.Exited, 10)}
	if _, err := b.sys.Spawn(name, p); err != nil {
		b.t.Fatal(err)
	}
	b.probes[name] = p
	return p
}

// as sends a message of a probe to the master.
func (b *bench) as(name string, m proto.Message) {
	b.t.Helper()
	if !b.sys.Do(b.sys.PID(name), func(c *actors.Context) { c.Send(b.sys.PID(master.Name), m) }) {
		b.t.Fatalf("%s is gone", name)
	}
}

// next waits for the next message to a probe that has the type M.
func next[M proto.Message](b *bench, name string) M {
	b.t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	for {
		select {
		case m := <-b.probes[name].received:
			if wanted, ok := m.(M); ok {
				return wanted
			}
		case <-deadline.C:
			var none M
			b.t.Fatalf("%s got no %T", name, none)
			return none
		}
	}
}

func (b *bench) event(typ scheduler.Event_Type) *scheduler.Event {
	b.t.Helper()
	for {
		if e := next[*scheduler.Event](b, "scheduler"); e.GetType() == typ {
			return e
		}
	}
}

func agentInfo() *mesos.AgentInfo {
	return &mesos.AgentInfo{Hostname: proto.String("h"), Resources: []*mesos.Resource{scalar("cpus", 4), scalar("mem", 1024)}}
}

func scalar(name string, amount float64) *mesos.Resource {
	return &mesos.Resource{Name: &name, Type: mesos.Value_SCALAR.Enum(), Scalar: &mesos.Value_Scalar{Value: &amount}}
}

func (b *bench) subscribe() *mesos.FrameworkID {
	b.spawn("scheduler")
	b.as("scheduler", &scheduler.Call{Type: scheduler.Call_SUBSCRIBE.Enum(), Subscribe: &scheduler.Call_Subscribe{
		FrameworkInfo: &mesos.FrameworkInfo{User: proto.String("u"), Name: proto.String("n")},
	}})
	return b.event(scheduler.Event_SUBSCRIBED).GetSubscribed().GetFrameworkId()
}

func TestATaskFromOfferToAcknowledgement(t *testing.T) {
	b := newBench(t, store.NewMemory("c"), nil)
	epoch := next[*cluster.StartAllocator](b, master.AllocatorName).GetEpoch()
	b.spawn("agent")
	b.as("agent", &cluster.RegisterAgent{Agent: agentInfo()})
	id := next[*cluster.AgentRegistered](b, "agent").GetAgentId()
	next[*cluster.AddAgent](b, master.AllocatorName)
	framework := b.subscribe()
	b.as(master.AllocatorName, &cluster.Allocations{Epoch: &epoch, Allocations: []*cluster.Allocations_Allocation{{
		FrameworkId: framework, AgentId: id, Role: proto.String("*"), Resources: agentInfo().GetResources(),
	}}})
	offer := b.event(scheduler.Event_OFFERS).GetOffers().GetOffers()[0]
	b.as("scheduler", &scheduler.Call{Type: scheduler.Call_ACCEPT.Enum(), FrameworkId: framework, Accept: &scheduler.Call_Accept{
		OfferIds: []*mesos.OfferID{offer.GetId()}, Operations: []*mesos.Offer_Operation{{
			Type: mesos.Offer_Operation_LAUNCH.Enum(), Launch: &mesos.Offer_Operation_Launch{TaskInfos: []*mesos.TaskInfo{{
				Name: proto.String("t"), TaskId: &mesos.TaskID{Value: proto.String("t")}, AgentId: id,
				Resources: []*mesos.Resource{scalar("cpus", 1)}, Command: &mesos.CommandInfo{Value: proto.String("true")},
			}}},
		}},
	}})
	run := next[*cluster.RunTask](b, "agent")
	uuid := []byte("0123456789abcdef")
	b.as("agent", &cluster.StatusUpdate{FrameworkId: framework, AgentId: id, Status: &mesos.TaskStatus{
		TaskId: run.GetTask().GetTaskId(), State: mesos.TaskState_TASK_FINISHED.Enum(), AgentId: id, Uuid: uuid,
	}})
	b.event(scheduler.Event_UPDATE)
	b.as("scheduler", &scheduler.Call{Type: scheduler.Call_ACKNOWLEDGE.Enum(), FrameworkId: framework, Acknowledge: &scheduler.Call_Acknowledge{
		AgentId: id, TaskId: run.GetTask().GetTaskId(), Uuid: uuid,
	}})
	if got := next[*cluster.StatusUpdateAck](b, "agent").GetUuid(); string(got) != string(uuid) {
		t.Errorf("the agent got the acknowledgement of %q", got)
	}
}

func TestAnOperatorsAskIsAnswered(t *testing.T) {
	b := newBench(t, store.NewMemory("c"), nil)
	reply, err := b.sys.Ask(t.Context(), b.sys.PID(master.Name), &cluster.TeardownRequest{
		FrameworkId: &mesos.FrameworkID{Value: proto.String("x")},
	})
	if err != nil {
		t.Fatal(err)
	}
	if r, ok := reply.(*cluster.OperatorReply); !ok || !strings.Contains(r.GetError(), "no such framework") {
		t.Errorf("got %v", reply)
	}
}

func TestASchedulerThatStopsIsDisconnected(t *testing.T) {
	b := newBench(t, store.NewMemory("c"), nil)
	framework := b.subscribe()
	if err := b.sys.Stop(t.Context(), b.sys.PID("scheduler")); err != nil {
		t.Fatal(err)
	}
	if got := next[*cluster.RemoveFramework](b, master.AllocatorName).GetFrameworkId(); !proto.Equal(got, framework) {
		t.Errorf("framework %v was removed", got)
	}
}

func TestASilentAgentBecomesUnreachable(t *testing.T) {
	b := newBench(t, store.NewMemory("c"), func(o *master.Options) {
		o.PingTimeout, o.MaxPingTimeouts = 5*time.Millisecond, 2
	})
	b.subscribe()
	b.spawn("agent")
	b.as("agent", &cluster.RegisterAgent{Agent: agentInfo()})
	id := next[*cluster.AgentRegistered](b, "agent").GetAgentId()
	next[*cluster.Ping](b, "agent")
	if got := b.event(scheduler.Event_FAILURE).GetFailure().GetAgentId(); !proto.Equal(got, id) {
		t.Errorf("agent %v failed", got)
	}
}

// answering is an agent that answers every ping.
type answering struct{ pings chan bool }

func (a *answering) Init(c *actors.Context) {
	actors.Handle(c, func(c *actors.Context, m *cluster.Ping) {
		c.Reply(&cluster.Pong{})
		select {
		case a.pings <- m.GetConnected():
		default:
		}
	})
	actors.Handle(c, func(c *actors.Context, m *cluster.AgentRegistered) {})
}

func TestAnAgentThatAnswersStays(t *testing.T) {
	b := newBench(t, store.NewMemory("c"), func(o *master.Options) {
		o.PingTimeout, o.MaxPingTimeouts = 5*time.Millisecond, 50
	})
	a := &answering{pings: make(chan bool, 1)}
	if _, err := b.sys.Spawn("agent", a); err != nil {
		t.Fatal(err)
	}
	b.as("agent", &cluster.RegisterAgent{Agent: agentInfo()})
	for range 60 { // more than may stay unanswered
		if connected := <-a.pings; !connected {
			t.Fatal("a connected agent was told that it is not")
		}
	}
	reply, err := b.sys.Ask(t.Context(), b.sys.PID(master.Name), &cluster.KillTaskRequest{TaskId: &mesos.TaskID{Value: proto.String("x")}})
	if err != nil {
		t.Fatal(err)
	}
	if reply.(*cluster.OperatorReply).GetError() == "" {
		t.Error("a task that nobody has was killed")
	}
}

func TestAFailedStoreEndsTheLeadership(t *testing.T) {
	s := store.NewMemory("c")
	b := newBench(t, s, nil)
	s.FailWith(errors.New("disk full"))
	b.spawn("agent")
	b.as("agent", &cluster.RegisterAgent{Agent: agentInfo()})
	select {
	case <-b.lead.Done():
	case <-time.After(patience):
		t.Fatal("the master still leads")
	}
	if err := b.lead.Err(); err == nil || !strings.Contains(err.Error(), "disk full") {
		t.Errorf("it ended with %v", err)
	}
	if n := len(b.probes["agent"].received); n != 0 {
		t.Errorf("the agent was told %d things that are not durable", n)
	}
}

// stuckStore never ends a write.
type stuckStore struct {
	*store.Memory
	release chan struct{}
}

func (s stuckStore) Write(context.Context, []registry.Change) error {
	<-s.release
	return nil
}

func TestAStuckStoreEndsTheLeadership(t *testing.T) {
	s := stuckStore{store.NewMemory("c"), make(chan struct{})}
	b := newBench(t, s, func(o *master.Options) { o.RegistryStoreTimeout = 10 * time.Millisecond })
	b.spawn("agent")
	b.as("agent", &cluster.RegisterAgent{Agent: agentInfo()})
	select {
	case <-b.lead.Done():
	case <-time.After(patience):
		t.Error("the master still leads")
	}
	if err := b.lead.Err(); err == nil || !strings.Contains(err.Error(), "not written within 10ms") {
		t.Errorf("it ended with %v", err)
	}
	close(s.release)
}

func TestANewMasterKnowsTheAgents(t *testing.T) {
	path := filepath.Join(t.TempDir(), "registry.db")
	f, err := store.Open(path, "c")
	if err != nil {
		t.Fatal(err)
	}
	b := newBench(t, f, nil)
	for i := range 20 {
		name := fmt.Sprintf("agent%d", i)
		b.spawn(name)
		b.as(name, &cluster.RegisterAgent{Agent: agentInfo()})
	}
	for i := range 20 {
		next[*cluster.AgentRegistered](b, fmt.Sprintf("agent%d", i))
	}
	figures := make(map[string]float64)
	b.lead.Metrics(func(key string, value float64) { figures[key] = value })
	if n := figures["registrar/state_store_ms/count"]; n < 1 || n > 20 || figures["registrar/registry_size_bytes"] == 0 ||
		figures["registrar/state_fetch_ms"] <= 0 || figures["registrar/state_store_ms/p50"] <= 0 {
		t.Errorf("the registrar's figures are %v", figures)
	}
	if err := b.sys.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if f, err = store.Open(path, "other"); err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	records, err := f.Load(t.Context())
	if err != nil || len(records) != 20 {
		t.Fatalf("%d agents are known, and %v", len(records), err)
	}
	b = newBench(t, f, func(o *master.Options) { o.Config.MasterID = "N" })
	b.spawn("agent")
	b.as("agent", &cluster.ReregisterAgent{Agent: records[7].GetAgent().GetAgent()})
	if got := next[*cluster.AgentReregistered](b, "agent").GetAgentId(); !proto.Equal(got, records[7].GetAgent().GetAgent().GetId()) {
		t.Errorf("agent %v came back", got)
	}
}

// lineCounter counts what is logged.
type lineCounter struct{ lines, bytes atomic.Int64 }

func (c *lineCounter) Write(p []byte) (int, error) {
	c.lines.Add(1)
	c.bytes.Add(int64(len(p)))
	return len(p), nil
}

// TestAFloodHarmsNobody sends what no master takes, and calls, registrations
// and updates that cannot be. They are counted, logged within bounds, and
// everybody else is served.
func TestAFloodHarmsNobody(t *testing.T) {
	counter := new(lineCounter)
	log := zap.New(zapcore.NewCore(zapcore.NewJSONEncoder(zapcore.EncoderConfig{MessageKey: "m"}), zapcore.AddSync(counter), zapcore.DebugLevel))
	b := newLoggingBench(t, store.NewMemory("c"), nil, log)
	framework := b.subscribe()
	flooder := func(c *actors.Context) {
		c.HandleAny(func(*actors.Context, proto.Message) {})
		for i := range 20_000 {
			var m proto.Message
			switch i % 4 {
			case 0:
				m = &cluster.Pong{}
			case 1:
				m = &scheduler.Call{Type: scheduler.Call_TEARDOWN.Enum(), FrameworkId: framework}
			case 2:
				m = &cluster.RegisterAgent{Agent: &mesos.AgentInfo{}}
			default:
				m = &cluster.StatusUpdate{FrameworkId: framework, AgentId: &mesos.AgentID{Value: proto.String("M-S0")}, Status: &mesos.TaskStatus{}}
			}
			c.Send(b.sys.PID(master.Name), m)
		}
	}
	if _, err := b.sys.Spawn("flooder", actorFunc(flooder)); err != nil {
		t.Fatal(err)
	}
	b.spawn("agent")
	b.as("agent", &cluster.RegisterAgent{Agent: agentInfo()})
	next[*cluster.AgentRegistered](b, "agent")
	b.as("scheduler", &scheduler.Call{Type: scheduler.Call_RECONCILE.Enum(), FrameworkId: framework, Reconcile: &scheduler.Call_Reconcile{
		Tasks: []*scheduler.Call_Reconcile_Task{{TaskId: &mesos.TaskID{Value: proto.String("t")}}},
	}})
	b.event(scheduler.Event_UPDATE)
	if n := counter.lines.Load(); n > 2_000 {
		t.Errorf("20,000 wrong messages left %d lines, %d bytes", n, counter.bytes.Load())
	}
}

type actorFunc func(c *actors.Context)

func (f actorFunc) Init(c *actors.Context) { f(c) }

func TestStartNeedsAStoreAndAnID(t *testing.T) {
	sys, err := actors.New(actors.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer sys.Close(t.Context())
	for want, o := range map[string]master.Options{
		"Store":    {Config: state.Config{MasterID: "M"}},
		"MasterID": {Store: store.NewMemory("c")},
	} {
		if _, err := master.Start(t.Context(), sys, o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error about %s", err, want)
		}
	}
}
