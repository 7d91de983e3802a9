package master_test

import (
	"fmt"
	"testing"

	"google.golang.org/protobuf/proto"

	"troupe/actors"
	"troupe/allocator"
	"troupe/master"
	"troupe/master/api"
	"troupe/master/state"
	"troupe/master/state/view"
	"troupe/master/store"
	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/messages/mesos/scheduler"
)

// runner is an agent whose tasks run as soon as they arrive.
type runner struct {
	master   actors.PID
	id       *mesos.AgentID
	updates  uint64
	hostname string
}

func (r *runner) Init(c *actors.Context) {
	actors.Handle(c, func(_ *actors.Context, m *cluster.AgentRegistered) { r.id = m.GetAgentId() })
	actors.Handle(c, func(c *actors.Context, m *cluster.RunTask) {
		r.updates++
		c.Send(r.master, &cluster.StatusUpdate{
			FrameworkId: m.GetFramework().GetId(), AgentId: r.id, Status: &mesos.TaskStatus{
				TaskId: m.GetTask().GetTaskId(), State: mesos.TaskState_TASK_RUNNING.Enum(), AgentId: r.id,
				Source: mesos.TaskStatus_SOURCE_EXECUTOR.Enum(), Uuid: []byte(fmt.Sprintf("%016d", r.updates)),
			},
		})
	})
	c.HandleAny(func(*actors.Context, proto.Message) {})
	c.Send(r.master, &cluster.RegisterAgent{Agent: &mesos.AgentInfo{
		Hostname: &r.hostname, Resources: []*mesos.Resource{scalar("cpus", 64), scalar("mem", 262144)},
	}})
}

// hungry is a scheduler that fills every offer with tasks until it has enough.
type hungry struct {
	master            actors.PID
	framework         *mesos.FrameworkID
	want              int
	launched, running int
	done              chan struct{}
}

func (h *hungry) Init(c *actors.Context) {
	actors.Handle(c, h.event)
	c.Send(h.master, &scheduler.Call{Type: scheduler.Call_SUBSCRIBE.Enum(), Subscribe: &scheduler.Call_Subscribe{
		FrameworkInfo: &mesos.FrameworkInfo{
			User: proto.String("u"), Name: proto.String("hungry"), Roles: []string{"*"},
			Capabilities: []*mesos.FrameworkInfo_Capability{{Type: mesos.FrameworkInfo_Capability_MULTI_ROLE.Enum()}},
		},
	}})
}

func (h *hungry) event(c *actors.Context, e *scheduler.Event) {
	switch e.GetType() {
	case scheduler.Event_SUBSCRIBED:
		h.framework = e.GetSubscribed().GetFrameworkId()
	case scheduler.Event_OFFERS:
		for _, o := range e.GetOffers().GetOffers() {
			h.accept(c, o)
		}
	case scheduler.Event_UPDATE:
		s := e.GetUpdate().GetStatus()
		c.Send(h.master, &scheduler.Call{Type: scheduler.Call_ACKNOWLEDGE.Enum(), FrameworkId: h.framework, Acknowledge: &scheduler.Call_Acknowledge{
			AgentId: s.GetAgentId(), TaskId: s.GetTaskId(), Uuid: s.GetUuid(),
		}})
		if h.running++; h.running == h.want {
			close(h.done)
		}
	}
}

func (h *hungry) accept(c *actors.Context, o *mesos.Offer) {
	op := &mesos.Offer_Operation{Type: mesos.Offer_Operation_LAUNCH.Enum(), Launch: &mesos.Offer_Operation_Launch{}}
	for range min(200, h.want-h.launched) {
		h.launched++
		op.Launch.TaskInfos = append(op.Launch.TaskInfos, &mesos.TaskInfo{
			Name: proto.String("t"), TaskId: &mesos.TaskID{Value: proto.String(fmt.Sprintf("t%d", h.launched))}, AgentId: o.GetAgentId(),
			Resources: []*mesos.Resource{scalar("cpus", 0.1), scalar("mem", 32)}, Command: &mesos.CommandInfo{Value: proto.String("sleep 1000")},
		})
	}
	c.Send(h.master, &scheduler.Call{Type: scheduler.Call_ACCEPT.Enum(), FrameworkId: h.framework, Accept: &scheduler.Call_Accept{
		OfferIds: []*mesos.OfferID{o.GetId()}, Operations: []*mesos.Offer_Operation{op}, Filters: &mesos.Filters{RefuseSeconds: proto.Float64(1000)},
	}})
}

// loadCluster is a master with its allocator, its read side and n agents, in
// one process.
func loadCluster(tb testing.TB, n int) (*actors.System, *api.View) {
	tb.Helper()
	sys, err := actors.New(actors.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	v := api.NewView(view.Limits{})
	tb.Cleanup(func() {
		if err := sys.Close(tb.Context()); err != nil && tb.Context().Err() == nil {
			tb.Error(err)
		}
		v.Close()
	})
	if _, err := sys.Spawn(allocator.Name, allocator.New(allocator.Options{})); err != nil {
		tb.Fatal(err)
	}
	if _, err := master.Start(tb.Context(), sys, master.Options{
		Store: store.NewMemory("c"), Publisher: v, Config: state.Config{MasterID: "M"},
	}); err != nil {
		tb.Fatal(err)
	}
	for i := range n {
		r := &runner{master: sys.PID(master.Name), hostname: fmt.Sprintf("host%d", i)}
		if _, err := sys.Spawn(fmt.Sprintf("agent%d", i), r); err != nil {
			tb.Fatal(err)
		}
	}
	return sys, v
}

func TestEveryTaskOfALoadRuns(t *testing.T) {
	sys, v := loadCluster(t, 50)
	h := &hungry{master: sys.PID(master.Name), want: 5000, done: make(chan struct{})}
	if _, err := sys.Spawn("scheduler", h); err != nil {
		t.Fatal(err)
	}
	<-h.done
	if n := v.Snapshot().Counters.Live[mesos.TaskState_TASK_RUNNING]; n != 5000 {
		t.Errorf("%d tasks are shown running", n)
	}
}

// BenchmarkCluster brings b.N tasks on up to 5,000 agents to running: master,
// allocator, read side, agents and scheduler in one process, without network.
func BenchmarkCluster(b *testing.B) {
	sys, _ := loadCluster(b, max(1, (b.N+199)/200))
	h := &hungry{master: sys.PID(master.Name), want: b.N, done: make(chan struct{})}
	b.ReportAllocs()
	b.ResetTimer()
	if _, err := sys.Spawn("scheduler", h); err != nil {
		b.Fatal(err)
	}
	<-h.done
}
