package frameworktest

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"

	"troupe/actors"
	"troupe/messages/mesos"
	"troupe/messages/mesos/scheduler"
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

	mu       sync.Mutex
	changed  chan struct{}
	cluster  *cluster
	patience time.Duration
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
	m := &Master{system: sys, changed: make(chan struct{}), patience: patience}
	m.cluster = newCluster(world{
		script: func(info *mesos.TaskInfo) []Step {
			var steps []Step
			for _, st := range script(info) {
				steps = append(steps, Step{State: st})
			}
			return steps
		},
		send: func(to actors.PID, e *scheduler.Event) {
			m.system.Do(m.PID, func(c *actors.Context) { c.Send(to, e) })
		},
		uuid: func() []byte {
			id := uuid.New()
			return id[:]
		},
	})
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
	actors.Handle(c, func(c *actors.Context, call *scheduler.Call) {
		(*Master)(a).receive(c.Sender(), call)
		if c.Asked() { // as the gateways of HTTP do
			c.Reply(&scheduler.APIResult{StatusCode: proto.Uint32(http.StatusAccepted)})
		}
	})
}

// receive answers a call, and lets those look who wait for it.
func (m *Master) receive(from actors.PID, c *scheduler.Call) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.cluster.receive(from, c)
	close(m.changed)
	m.changed = make(chan struct{})
}

// Agent adds an agent, or gives one that is there more to offer.
func (m *Master) Agent(t TB, name, has string) {
	t.Helper()
	m.AgentWith(t, Agent{Name: name, Resources: has})
}

// AgentWith is Agent for one of which more is to be said.
func (m *Master) AgentWith(t TB, a Agent) {
	t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.cluster.join(a); err != nil {
		t.Fatal(err)
	}
}

// Timely lets time pass for the agents, too: what was declined is offered again when
// its filter lapses, 5 s by default, and Await waits for a year. That is for tests in
// a bubble of testing/synctest, where it takes no time.
func (m *Master) Timely() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.patience = 365 * 24 * time.Hour
	m.cluster.after = func(d time.Duration, f func()) {
		time.AfterFunc(d, func() {
			m.mu.Lock()
			defer m.mu.Unlock()
			f()
		})
	}
}

// Script is Stage.Script; After of its steps counts after Timely alone.
func (m *Master) Script(script func(*mesos.TaskInfo) []Step) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.cluster.script = script
}

// LoseAgent is Stage.LoseAgent.
func (m *Master) LoseAgent(t TB, name string) { t.Helper(); m.fate(t, name, (*cluster).lose) }

// ReturnAgent is Stage.ReturnAgent.
func (m *Master) ReturnAgent(t TB, name string) { t.Helper(); m.fate(t, name, (*cluster).comeBack) }

// RemoveAgent is Stage.RemoveAgent.
func (m *Master) RemoveAgent(t TB, name string) { t.Helper(); m.fate(t, name, (*cluster).remove) }

func (m *Master) fate(t TB, name string, befalls func(*cluster, *agent)) {
	t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	a, err := m.cluster.agent(name)
	if err != nil {
		t.Fatal(err)
	}
	befalls(m.cluster, a)
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
	m.cluster.disconnect()
	m.mu.Unlock()
	m.spawn(t)
}

// Fail ends the framework with an ERROR event.
func (m *Master) Fail(message string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.cluster.fail(message)
}

// Event sends any event.
func (m *Master) Event(e *scheduler.Event) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.cluster.emit(e)
}

// Update reports a state of a task.
func (m *Master) Update(t TB, task string, st mesos.TaskState) {
	t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	known, err := m.cluster.task(task)
	if err != nil {
		t.Fatal(err)
	}
	m.cluster.update(known, st, nil)
	m.cluster.offer()
}

// Rescind takes back every offer.
func (m *Master) Rescind() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.cluster.rescind(func(*agent) bool { return false })
}

// Await waits until a condition on the tasks by id holds. It is called with
// the master locked, and again after every call of the scheduler's.
func (m *Master) Await(t TB, what string, holds func(tasks map[string]*Task) bool) {
	t.Helper()
	m.await(t, what, func() bool { return holds(m.cluster.tasks) })
}

// AwaitCall waits for a call for which match holds, or any of that type if
// match is nil, and takes it.
func (m *Master) AwaitCall(t TB, ty scheduler.Call_Type, match func(*scheduler.Call) bool) *scheduler.Call {
	t.Helper()
	var found *scheduler.Call
	m.await(t, "call "+ty.String(), func() bool {
		i := slices.IndexFunc(m.cluster.calls, func(c *scheduler.Call) bool {
			return c.GetType() == ty && (match == nil || match(c))
		})
		if i >= 0 {
			found = m.cluster.calls[i]
			m.cluster.calls = slices.Delete(m.cluster.calls, i, i+1)
		}
		return i >= 0
	})
	return found
}

func (m *Master) await(t TB, what string, holds func() bool) {
	t.Helper()
	m.mu.Lock()
	late := time.NewTimer(m.patience)
	m.mu.Unlock()
	defer late.Stop()
	for {
		m.mu.Lock()
		ok, changed := holds(), m.changed
		summary := m.cluster.summary()
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
