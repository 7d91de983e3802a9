// Package executortest has what tests of executors need: an agent that answers
// as a real one does, and a launcher whose processes exit when the test says
// so. Tests import it.
package executortest

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/actors"
	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/messages/mesos/executor"
)

// patience bounds every wait of a test; it decides nothing.
const patience = 3 * time.Minute

// Container is what an Agent calls every executor's container.
const Container = "C1"

// TB is what of testing.TB is used here; examples, which have none, bring
// their own.
type TB interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// Agent plays the agent to executors and hosts of one actor system. It answers
// SUBSCRIBE, acknowledges updates and ended containers (see Hold), and keeps
// everything it gets for Await.
type Agent struct {
	PID    actors.PID
	system *actors.System

	mu       sync.Mutex
	got      []received
	changed  chan struct{}
	holding  bool
	executor actors.PID
	info     *mesos.FrameworkInfo
}

type received struct {
	from actors.PID
	m    proto.Message
}

// NewAgent spawns an agent in s, under the name agents have.
func NewAgent(t TB, s *actors.System) *Agent {
	t.Helper()
	a := &Agent{system: s, changed: make(chan struct{}), info: &mesos.FrameworkInfo{
		User: proto.String("nobody"), Name: proto.String("test"),
		Id: &mesos.FrameworkID{Value: proto.String("F1")},
		Capabilities: []*mesos.FrameworkInfo_Capability{
			{Type: mesos.FrameworkInfo_Capability_TASK_KILLING_STATE.Enum()},
		},
	}}
	pid, err := s.Spawn("agent", (*agentActor)(a))
	if err != nil {
		t.Fatal(err)
	}
	a.PID = pid
	return a
}

type agentActor Agent

// Init installs the agent's handlers.
func (a *agentActor) Init(c *actors.Context) {
	c.HandleAny(func(c *actors.Context, m proto.Message) { (*Agent)(a).receive(c, m) })
}

func (a *Agent) receive(c *actors.Context, m proto.Message) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.got = append(a.got, received{c.Sender(), m})
	close(a.changed)
	a.changed = make(chan struct{})
	switch m := m.(type) {
	case *executor.Call:
		a.answer(c, m)
	case *cluster.HostReady:
		c.Reply(&cluster.HostReadyAck{HostId: m.HostId})
		for _, ended := range m.GetEnded() {
			if !a.holding {
				c.Reply(&cluster.ContainerEndedAck{ContainerId: ended.GetContainerId()})
			}
		}
	case *cluster.ContainerEnded:
		if !a.holding {
			c.Reply(&cluster.ContainerEndedAck{ContainerId: m.GetContainerId()})
		}
	}
}

func (a *Agent) answer(c *actors.Context, m *executor.Call) {
	switch m.GetType() {
	case executor.Call_SUBSCRIBE:
		a.executor = c.Sender()
		c.Reply(&executor.Event{Type: executor.Event_SUBSCRIBED.Enum(), Subscribed: &executor.Event_Subscribed{
			ExecutorInfo:  &mesos.ExecutorInfo{ExecutorId: m.GetExecutorId()},
			FrameworkInfo: a.info,
			AgentInfo:     &mesos.AgentInfo{Hostname: proto.String("localhost")},
			ContainerId:   &mesos.ContainerID{Value: proto.String(Container)},
		}})
		for _, u := range m.GetSubscribe().GetUnacknowledgedUpdates() {
			a.acknowledge(c, u.GetStatus())
		}
	case executor.Call_UPDATE:
		a.acknowledge(c, m.GetUpdate().GetStatus())
	}
}

func (a *Agent) acknowledge(c *actors.Context, st *mesos.TaskStatus) {
	if !a.holding {
		c.Reply(Acknowledgement(st))
	}
}

// Acknowledgement is the event that acknowledges an update.
func Acknowledgement(st *mesos.TaskStatus) *executor.Event {
	return &executor.Event{
		Type:         executor.Event_ACKNOWLEDGED.Enum(),
		Acknowledged: &executor.Event_Acknowledged{TaskId: st.GetTaskId(), Uuid: st.GetUuid()},
	}
}

// Hold stops or resumes acknowledgements.
func (a *Agent) Hold(on bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.holding = on
}

// Send sends a message as the agent does.
func (a *Agent) Send(to actors.PID, m proto.Message) {
	a.system.Do(a.PID, func(c *actors.Context) { c.Send(to, m) })
}

// Event sends an event to the executor that subscribed last.
func (a *Agent) Event(e *executor.Event) {
	a.mu.Lock()
	to := a.executor
	a.mu.Unlock()
	a.Send(to, e)
}

// Launch sends LAUNCH.
func (a *Agent) Launch(t *mesos.TaskInfo) {
	a.Event(&executor.Event{Type: executor.Event_LAUNCH.Enum(), Launch: &executor.Event_Launch{Task: t}})
}

// LaunchGroup sends LAUNCH_GROUP.
func (a *Agent) LaunchGroup(tasks ...*mesos.TaskInfo) {
	a.Event(&executor.Event{Type: executor.Event_LAUNCH_GROUP.Enum(), LaunchGroup: &executor.Event_LaunchGroup{
		TaskGroup: &mesos.TaskGroupInfo{Tasks: tasks},
	}})
}

// Kill sends KILL, with the task's own grace.
func (a *Agent) Kill(task string) {
	a.Event(&executor.Event{
		Type: executor.Event_KILL.Enum(),
		Kill: &executor.Event_Kill{TaskId: &mesos.TaskID{Value: &task}},
	})
}

// Shutdown sends SHUTDOWN.
func (a *Agent) Shutdown() { a.Event(&executor.Event{Type: executor.Event_SHUTDOWN.Enum()}) }

// Await waits for a message of type M for which match holds, or any if match
// is nil, and takes the first.
func Await[M proto.Message](t TB, a *Agent, match func(M) bool) M {
	t.Helper()
	m, _ := AwaitFrom(t, a, match)
	return m
}

// AwaitFrom is Await, and says who sent it.
func AwaitFrom[M proto.Message](t TB, a *Agent, match func(M) bool) (M, actors.PID) {
	t.Helper()
	late := time.NewTimer(patience)
	defer late.Stop()
	for {
		a.mu.Lock()
		m, from, ok := take(a, match)
		changed := a.changed
		a.mu.Unlock()
		if ok {
			return m, from
		}
		select {
		case <-changed:
		case <-late.C:
			var none M
			t.Fatalf("no %T came; there is %s", none, a.summary())
		}
	}
}

func take[M proto.Message](a *Agent, match func(M) bool) (M, actors.PID, bool) {
	for i, r := range a.got {
		if m, is := r.m.(M); is && (match == nil || match(m)) {
			a.got = slices.Delete(a.got, i, i+1)
			return m, r.from, true
		}
	}
	var none M
	return none, actors.PID{}, false
}

func (a *Agent) summary() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	s := fmt.Sprintf("%d messages:", len(a.got))
	for _, r := range a.got {
		s += fmt.Sprintf("\n%s from %s: %v", r.m.ProtoReflect().Descriptor().Name(), r.from, r.m)
	}
	return s
}

// Subscribed waits for the next SUBSCRIBE.
func (a *Agent) Subscribed(t TB) *executor.Call_Subscribe {
	t.Helper()
	return Await(t, a, func(c *executor.Call) bool { return c.GetType() == executor.Call_SUBSCRIBE }).GetSubscribe()
}

// Update waits for the next update of a task.
func (a *Agent) Update(t TB, task string) *mesos.TaskStatus {
	t.Helper()
	return Await(t, a, func(c *executor.Call) bool {
		return c.GetUpdate().GetStatus().GetTaskId().GetValue() == task
	}).GetUpdate().GetStatus()
}

// WantStates waits for one update after the other and compares their states.
func (a *Agent) WantStates(t TB, task string, states ...mesos.TaskState) *mesos.TaskStatus {
	t.Helper()
	var last *mesos.TaskStatus
	for _, want := range states {
		last = a.Update(t, task)
		if last.GetState() != want {
			t.Fatalf("task %s: state %s (%s), want %s", task, last.GetState(), last.GetMessage(), want)
		}
	}
	return last
}

// Stop ends the agent: everybody linked to it is told.
func (a *Agent) Stop(t TB) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := a.system.Stop(ctx, a.PID); err != nil {
		t.Fatal(err)
	}
}
