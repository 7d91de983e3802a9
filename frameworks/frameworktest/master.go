// Package frameworktest lets the author of a scheduler test it without a
// cluster: a master with agents in name only, which offers what they have and
// reports of each task what the test wants. Tests import it.
package frameworktest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"

	"troupe/actors"
	"troupe/messages/mesos"
	"troupe/messages/mesos/scheduler"
	"troupe/messages/resources"
	"troupe/messages/tasks"
)

// patience bounds every wait of a test; it decides nothing.
const patience = 3 * time.Minute

// TB is what of testing.TB is used here; examples, which have none, bring
// their own.
type TB interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// Master plays the master, and the agents behind it, to the schedulers of one
// actor system: one framework at a time. It offers whatever is free on an
// agent unless that was declined; updates are repeated after a reconnection
// until they are acknowledged.
type Master struct {
	// PID is where schedulers find it.
	PID actors.PID

	system *actors.System
	script func(*mesos.TaskInfo) []mesos.TaskState

	mu         sync.Mutex
	changed    chan struct{}
	scheduler  actors.PID
	framework  *mesos.FrameworkInfo
	frameworks int
	removed    string // the framework that was torn down
	suppressed bool
	agents     map[string]*agent
	offers     map[string]*agent
	nextOffer  int
	tasks      map[string]*Task
	calls      []*scheduler.Call
}

type agent struct {
	name     string
	free     resources.Resources
	offer    string // the one outstanding
	declined bool   // until something changes
}

// Task is a task as the master knows it.
type Task struct {
	Info  *mesos.TaskInfo
	State mesos.TaskState
	agent *agent
	used  resources.Resources
	// unacknowledged are its updates, oldest first.
	unacknowledged []*mesos.TaskStatus
}

// New spawns a master in sys. script says which updates follow a task's
// launch; nil means TASK_RUNNING and TASK_FINISHED.
func New(t TB, sys *actors.System, script func(*mesos.TaskInfo) []mesos.TaskState) *Master {
	t.Helper()
	if script == nil {
		script = func(*mesos.TaskInfo) []mesos.TaskState {
			return []mesos.TaskState{mesos.TaskState_TASK_RUNNING, mesos.TaskState_TASK_FINISHED}
		}
	}
	m := &Master{
		system: sys, script: script, changed: make(chan struct{}),
		agents: map[string]*agent{}, offers: map[string]*agent{}, tasks: map[string]*Task{},
	}
	m.spawn(t)
	return m
}

// spawn holds the lock so that no call is answered before PID says who answers.
func (m *Master) spawn(t TB) {
	t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	pid, err := m.system.Spawn("master", (*actor)(m))
	if err != nil {
		t.Fatal(err)
	}
	m.PID = pid
}

// actor is the Master in its system.
type actor Master

// Init installs the handler of calls.
func (a *actor) Init(c *actors.Context) {
	actors.Handle(c, func(c *actors.Context, call *scheduler.Call) { (*Master)(a).receive(c.Sender(), call) })
}

// Agent adds an agent, or gives one that is there more to offer.
func (m *Master) Agent(t TB, name, has string) {
	t.Helper()
	more, err := resources.Parse(has, "*")
	if err != nil {
		t.Fatal(err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	a := m.agents[name]
	if a == nil {
		a = &agent{name: name}
		m.agents[name] = a
	}
	a.free, a.declined = a.free.Add(more), false
	m.offer()
}

// Restart ends the master and starts one that knows as much: schedulers lose
// their connection and subscribe again.
func (m *Master) Restart(t TB) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := m.system.Stop(ctx, m.PID); err != nil {
		t.Fatal(err)
	}
	m.mu.Lock()
	m.scheduler = actors.PID{}
	for id := range m.offers {
		m.takeBack(id)
	}
	m.mu.Unlock()
	m.spawn(t)
}

// Fail ends the framework with an ERROR event.
func (m *Master) Fail(message string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fail(message)
}

// fail needs the lock.
func (m *Master) fail(message string) {
	m.send(&scheduler.Event{Type: scheduler.Event_ERROR.Enum(), Error: &scheduler.Event_Error{Message: &message}})
}

// Event sends any event.
func (m *Master) Event(e *scheduler.Event) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.send(e)
}

// Update reports a state of a task.
func (m *Master) Update(t TB, task string, st mesos.TaskState) {
	t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.tasks[task] == nil {
		t.Fatalf("no task %q; there are %v", task, slices.Sorted(maps.Keys(m.tasks)))
	}
	m.update(m.tasks[task], st)
	m.offer()
}

// Rescind takes back every offer.
func (m *Master) Rescind() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, id := range slices.Sorted(maps.Keys(m.offers)) {
		m.takeBack(id)
		m.send(&scheduler.Event{Type: scheduler.Event_RESCIND.Enum(), Rescind: &scheduler.Event_Rescind{
			OfferId: &mesos.OfferID{Value: &id},
		}})
	}
}

// Await waits until a condition on the tasks by id holds. It is called with
// the master locked, and again after every call of the scheduler's.
func (m *Master) Await(t TB, what string, holds func(tasks map[string]*Task) bool) {
	t.Helper()
	m.await(t, what, func() bool { return holds(m.tasks) })
}

// AwaitCall waits for a call for which match holds, or any of that type if
// match is nil, and takes it.
func (m *Master) AwaitCall(t TB, ty scheduler.Call_Type, match func(*scheduler.Call) bool) *scheduler.Call {
	t.Helper()
	var found *scheduler.Call
	m.await(t, "call "+ty.String(), func() bool {
		i := slices.IndexFunc(m.calls, func(c *scheduler.Call) bool {
			return c.GetType() == ty && (match == nil || match(c))
		})
		if i >= 0 {
			found = m.calls[i]
			m.calls = slices.Delete(m.calls, i, i+1)
		}
		return i >= 0
	})
	return found
}

func (m *Master) await(t TB, what string, holds func() bool) {
	t.Helper()
	late := time.NewTimer(patience)
	defer late.Stop()
	for {
		m.mu.Lock()
		ok, changed := holds(), m.changed
		summary := m.summary()
		m.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-changed:
		case <-late.C:
			t.Fatalf("waited in vain for %s; %s", what, summary)
		}
	}
}

func (m *Master) summary() string {
	s := fmt.Sprintf("%d calls:", len(m.calls))
	for _, c := range m.calls {
		s += " " + c.GetType().String()
	}
	for _, id := range slices.Sorted(maps.Keys(m.tasks)) {
		s += fmt.Sprintf(", %s %s", id, m.tasks[id].State)
	}
	return s
}

// send needs the lock. Without a scheduler nothing is sent.
func (m *Master) send(e *scheduler.Event) {
	if to := m.scheduler; !to.IsZero() {
		m.system.Do(m.PID, func(c *actors.Context) { c.Send(to, e) })
	}
}

// update needs the lock.
func (m *Master) update(t *Task, st mesos.TaskState) {
	id := uuid.New()
	t.State = st
	status := &mesos.TaskStatus{
		TaskId: t.Info.GetTaskId(), State: st.Enum(), AgentId: t.Info.GetAgentId(), Uuid: id[:],
		Source: mesos.TaskStatus_SOURCE_EXECUTOR.Enum(),
	}
	t.unacknowledged = append(t.unacknowledged, status)
	if tasks.Terminal(st) {
		t.agent.free, t.agent.declined = t.agent.free.Add(t.used), false
		t.used = resources.Resources{}
	}
	if len(t.unacknowledged) == 1 {
		m.forward(status)
	}
}

func (m *Master) forward(st *mesos.TaskStatus) {
	m.send(&scheduler.Event{
		Type: scheduler.Event_UPDATE.Enum(), Update: &scheduler.Event_Update{Status: proto.CloneOf(st)},
	})
}
