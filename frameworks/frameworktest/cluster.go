package frameworktest

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/actors"
	"troupe/messages/mesos"
	"troupe/messages/mesos/scheduler"
	"troupe/messages/resources"
	"troupe/messages/tasks"
)

// cluster is what a master knows, and the agents behind it: the part that Master
// and Stage share. It is not safe for concurrent use.
type cluster struct {
	world

	scheduler  actors.PID
	framework  *mesos.FrameworkInfo
	frameworks int
	removed    string // the framework that was torn down
	suppressed bool
	// holdsKills: nobody dies of a KILL.
	holdsKills bool
	agents     map[string]*agent
	offers     map[string]*agent
	nextOffer  int
	tasks      map[string]*Task
	calls      []*scheduler.Call
}

// world is what differs between a Master and a Stage.
type world struct {
	script func(*mesos.TaskInfo) []Step
	// send brings an event to a scheduler.
	send func(to actors.PID, e *scheduler.Event)
	// uuid is the next one of an update.
	uuid func() []byte
	// after does something later; nil where no time passes: then what was declined
	// is not offered again before something changes, and all steps follow at once.
	after func(d time.Duration, f func())
}

func newCluster(w world) *cluster {
	return &cluster{world: w, agents: map[string]*agent{}, offers: map[string]*agent{}, tasks: map[string]*Task{}}
}

type agent struct {
	Agent
	free  resources.Resources
	offer string // the one outstanding
	// declined: until something changes, or the filter of that number lapses.
	declined bool
	filters  int
	// away: it cannot be reached.
	away bool
}

// Agent says what an agent is, where more than its name and resources matter.
type Agent struct {
	// Name is its id, too.
	Name string
	// Host is its host's name; empty means "host-" and Name.
	Host string
	// Resources is what it has: "cpus:4;mem:1024;ports:[31000-31999]". Without a
	// role they are anybody's; "cpus(web):4" is reserved.
	Resources string
	// Attributes are as an agent's flag has them: "rack:r1;ssd:yes".
	Attributes string
	// Region and Zone are its fault domain; empty for none.
	Region, Zone string
}

// Step is something that happens to a task.
type Step struct {
	// After is how long after the step before, or the launch. A Master lets no time
	// pass.
	After time.Duration
	State mesos.TaskState
	// Edit, if not nil, changes the status: its message, or its health.
	Edit func(*mesos.TaskStatus)
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

// Agent is the name of the agent where the task is.
func (t *Task) Agent() string { return t.agent.Name }

// Acknowledged tells whether the scheduler has acknowledged all that was
// reported.
func (t *Task) Acknowledged() bool { return len(t.unacknowledged) == 0 }

// join adds an agent, or gives one that is there more to offer.
func (m *cluster) join(a Agent) error {
	more, err := resources.Parse(a.Resources, "*")
	if err != nil {
		return err
	}
	if _, err := resources.ParseAttributes(a.Attributes); err != nil {
		return err
	}
	known := m.agents[a.Name]
	if known == nil {
		known = &agent{Agent: a}
		m.agents[a.Name] = known
	}
	known.free, known.declined = known.free.Add(more), false
	m.offer()
	return nil
}

// emit sends an event to the scheduler, if there is one.
func (m *cluster) emit(e *scheduler.Event) {
	if !m.scheduler.IsZero() {
		m.send(m.scheduler, e)
	}
}

// fail is an ERROR event.
func (m *cluster) fail(message string) {
	m.emit(&scheduler.Event{Type: scheduler.Event_ERROR.Enum(), Error: &scheduler.Event_Error{Message: &message}})
}

// disconnect forgets who is subscribed: offers are void.
func (m *cluster) disconnect() {
	m.scheduler = actors.PID{}
	for id := range m.offers {
		m.takeBack(id)
	}
}

// rescind takes back the offers of which keep is false.
func (m *cluster) rescind(keep func(a *agent) bool) {
	for _, id := range slices.Sorted(maps.Keys(m.offers)) {
		if keep(m.offers[id]) {
			continue
		}
		m.takeBack(id)
		m.emit(&scheduler.Event{Type: scheduler.Event_RESCIND.Enum(), Rescind: &scheduler.Event_Rescind{
			OfferId: &mesos.OfferID{Value: &id},
		}})
	}
}

// takeBack ends an offer, if it is there.
func (m *cluster) takeBack(id string) *agent {
	a := m.offers[id]
	if a != nil {
		a.offer = ""
		delete(m.offers, id)
	}
	return a
}

// task is a task by its id, or an error that says which there are.
func (m *cluster) task(id string) (*Task, error) {
	if t := m.tasks[id]; t != nil {
		return t, nil
	}
	return nil, fmt.Errorf("no task %q; there are %v", id, slices.Sorted(maps.Keys(m.tasks)))
}

// agent is an agent by its name, or an error that says which there are.
func (m *cluster) agent(name string) (*agent, error) {
	if a := m.agents[name]; a != nil {
		return a, nil
	}
	return nil, fmt.Errorf("no agent %q; there are %v", name, slices.Sorted(maps.Keys(m.agents)))
}

// update is an agent's news of a task, and repeated until it is acknowledged.
func (m *cluster) update(t *Task, st mesos.TaskState, edit func(*mesos.TaskStatus)) {
	t.State = st
	status := &mesos.TaskStatus{
		TaskId: t.Info.GetTaskId(), State: st.Enum(), AgentId: t.Info.GetAgentId(), Uuid: m.uuid(),
		Source: mesos.TaskStatus_SOURCE_EXECUTOR.Enum(),
	}
	if edit != nil {
		edit(status)
	}
	t.unacknowledged = append(t.unacknowledged, status)
	if tasks.Terminal(st) {
		t.agent.free, t.agent.declined = t.agent.free.Add(t.used), false
		t.used = resources.Resources{}
	}
	if len(t.unacknowledged) == 1 && !t.agent.away {
		m.forward(status)
	}
}

func (m *cluster) forward(st *mesos.TaskStatus) {
	m.emit(&scheduler.Event{
		Type: scheduler.Event_UPDATE.Enum(), Update: &scheduler.Event_Update{Status: proto.CloneOf(st)},
	})
}

// play lets the steps of a task happen, one after the other.
func (m *cluster) play(t *Task, steps []Step) {
	for i, step := range steps {
		if step.After > 0 && m.after != nil {
			m.after(step.After, func() {
				now := steps[i]
				now.After = 0
				m.play(t, append([]Step{now}, steps[i+1:]...))
				m.offer()
			})
			return
		}
		if tasks.Terminal(t.State) {
			return
		}
		m.update(t, step.State, step.Edit)
	}
}

func (m *cluster) summary() string {
	s := fmt.Sprintf("%d calls:", len(m.calls))
	for _, c := range m.calls {
		s += " " + c.GetType().String()
	}
	for _, id := range slices.Sorted(maps.Keys(m.tasks)) {
		s += fmt.Sprintf(", %s %s", id, m.tasks[id].State)
	}
	return s
}
