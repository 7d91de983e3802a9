package scheduler_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/actors"
	"troupe/actors/actortest"
	"troupe/allocator"
	"troupe/master"
	api "troupe/master/api/scheduler"
	"troupe/master/state"
	"troupe/master/store"
	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/messages/mesos/scheduler"
	"troupe/tools/mesosclient"
)

// bench is a master that leads, with its allocator, and its HTTP side.
type bench struct {
	t       testing.TB
	sys     *actors.System
	handler http.Handler
}

func newBench(t testing.TB, o api.Options) *bench {
	t.Helper()
	sys := actortest.NewSystem(t, actors.Options{Listen: "127.0.0.1:0"})
	if _, err := sys.Spawn(allocator.Name, allocator.New(allocator.Options{})); err != nil {
		t.Fatal(err)
	}
	if _, err := master.Start(t.Context(), sys, master.Options{Store: store.NewMemory("c"), Config: state.Config{MasterID: "M"}}); err != nil {
		t.Fatal(err)
	}
	o.Master = sys.PID(master.Name)
	h := api.NewHandler(sys, o)
	sys.Route(mesosclient.SchedulerPath, "", h)
	return &bench{t, sys, h}
}

// runner is an agent whose tasks run as soon as they arrive.
type runner struct {
	master  actors.PID
	id      *mesos.AgentID
	updates int
}

func (r *runner) Init(c *actors.Context) {
	actors.Handle(c, func(_ *actors.Context, m *cluster.AgentRegistered) { r.id = m.GetAgentId() })
	actors.Handle(c, func(c *actors.Context, m *cluster.RunTask) {
		r.updates++
		c.Send(r.master, &cluster.StatusUpdate{FrameworkId: m.GetFramework().GetId(), AgentId: r.id, Status: &mesos.TaskStatus{
			TaskId: m.GetTask().GetTaskId(), State: mesos.TaskState_TASK_RUNNING.Enum(), AgentId: r.id,
			Source: mesos.TaskStatus_SOURCE_EXECUTOR.Enum(), Uuid: []byte(fmt.Sprintf("%016d", r.updates)),
		}})
	})
	c.HandleAny(func(*actors.Context, proto.Message) {})
	c.Send(r.master, &cluster.RegisterAgent{Agent: &mesos.AgentInfo{
		Hostname: proto.String("h"), Resources: []*mesos.Resource{scalar("cpus", 64), scalar("mem", 65536)},
	}})
}

func scalar(name string, amount float64) *mesos.Resource {
	return &mesos.Resource{Name: &name, Type: mesos.Value_SCALAR.Enum(), Scalar: &mesos.Value_Scalar{Value: &amount}}
}

// agent adds one.
func (b *bench) agent() {
	b.t.Helper()
	if _, err := b.sys.Spawn("", &runner{master: b.sys.PID(master.Name)}); err != nil {
		b.t.Fatal(err)
	}
}

// info is a framework that outlives its subscription.
func info(id string) *mesos.FrameworkInfo {
	f := &mesos.FrameworkInfo{User: proto.String("u"), Name: proto.String("n"), FailoverTimeout: proto.Float64(1000)}
	if id != "" {
		f.Id = &mesos.FrameworkID{Value: &id}
	}
	return f
}

func (b *bench) subscribe(enc mesosclient.Encoding, f *mesos.FrameworkInfo) *mesosclient.Scheduler {
	b.t.Helper()
	s, err := mesosclient.Subscribe(b.t.Context(), b.sys.Address(), enc, &scheduler.Call_Subscribe{FrameworkInfo: f})
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { s.Close() })
	return s
}

// event waits for an event of a type.
func (b *bench) event(s *mesosclient.Scheduler, typ scheduler.Event_Type) *scheduler.Event {
	b.t.Helper()
	for {
		e, err := s.Event()
		if err != nil {
			b.t.Fatalf("waiting for %s: %v", typ, err)
		}
		if e.GetType() == typ {
			return e
		}
	}
}

// say makes a call, which must have the status.
func (b *bench) say(s *mesosclient.Scheduler, call *scheduler.Call, status int) {
	b.t.Helper()
	a, err := s.Say(b.t.Context(), call)
	if a == nil || a.Status != status {
		b.t.Fatalf("%s: %v, %v; want %d", call.GetType(), a, err, status)
	}
}

// eventually waits until cond holds.
func (b *bench) eventually(what string, cond func() bool) {
	b.t.Helper()
	deadline := time.After(3 * time.Minute)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !cond() {
		select {
		case <-deadline:
			b.t.Fatalf("not in time: %s", what)
		case <-tick.C:
		}
	}
}

// post sends a request with any headers and returns its answer.
func (b *bench) post(body []byte, headers map[string]string) *mesosclient.Answer {
	b.t.Helper()
	e := mesosclient.Endpoint{Address: b.sys.Address(), Path: mesosclient.SchedulerPath, Encoding: mesosclient.JSON{}}
	a, err := e.Post(b.t.Context(), body, headers)
	if err != nil {
		b.t.Fatal(err)
	}
	return a
}

const accepted = http.StatusAccepted
