package view

import (
	"fmt"
	"testing"
	"time"

	"troupe/messages/mesos"
	"troupe/messages/resources"
)

const f1 FrameworkID = "f1"

func newTask(id TaskID, state mesos.TaskState) *Task {
	return &Task{
		TaskSpec: &TaskSpec{ID: id, Framework: f1, Agent: "a1", Role: "web", Resources: resources.MustParse("cpus:1;mem:8")},
		State:    state,
	}
}

func with(t *Task, state mesos.TaskState) *Task {
	next := *t
	next.State = state
	return &next
}

func newTestModel() *Model {
	m := NewModel(Limits{CompletedFrameworks: 2, CompletedTasks: 3, UnreachableTasks: 2})
	m.Apply(AgentAdded{&Agent{ID: "a1", Status: Connected, Registered: time.Unix(2, 0)}})
	m.Apply(FrameworkAdded{&Framework{ID: f1}})
	return m
}

func ids(list []*Task) string {
	text := ""
	for _, t := range list {
		text += string(t.ID) + " "
	}
	return text
}

func TestTheOldestAreForgotten(t *testing.T) {
	m := newTestModel()
	for i := range 20 {
		task := newTask(TaskID(fmt.Sprint("t", i)), mesos.TaskState_TASK_RUNNING)
		m.Apply(TaskAdded{task})
		m.Apply(TaskRemoved{Task: task, Fate: TaskFate(i % 2)})
	}
	f := m.Snapshot().Frameworks[0]
	if got := ids(f.CompletedTasks); got != "t14 t16 t18 " {
		t.Errorf("completed are %s", got)
	}
	if got := ids(f.UnreachableTasks); got != "t17 t19 " {
		t.Errorf("unreachable are %s", got)
	}
	m.Apply(TaskForgotten{Framework: f1, Task: "t19"})
	if got := ids(m.Snapshot().Frameworks[0].UnreachableTasks); got != "t17 " {
		t.Errorf("unreachable are %s after one came back", got)
	}
	for i := range 10 {
		id := FrameworkID(fmt.Sprint("g", i))
		m.Apply(FrameworkAdded{&Framework{ID: id}})
		m.Apply(FrameworkRemoved{&Framework{ID: id}})
	}
	if past := m.Snapshot().Completed; len(past) != 2 || past[0].ID != "g8" || past[1].ID != "g9" {
		t.Errorf("%d completed frameworks", len(past))
	}
}

func TestALimitOfNothingKeepsNothing(t *testing.T) {
	m := NewModel(Limits{-1, -1, -1})
	m.Apply(FrameworkAdded{&Framework{ID: f1}})
	task := newTask("t", mesos.TaskState_TASK_RUNNING)
	for _, fate := range []TaskFate{Completed, Unreachable} {
		m.Apply(TaskAdded{task})
		m.Apply(TaskRemoved{Task: task, Fate: fate})
	}
	f := m.Snapshot().Frameworks[0]
	if len(f.CompletedTasks)+len(f.UnreachableTasks) > 0 {
		t.Error("something is kept")
	}
	m.Apply(FrameworkRemoved{&Framework{ID: f1}})
	if len(m.Snapshot().Completed) > 0 {
		t.Error("a framework is kept")
	}
}

func TestWhatIsUsed(t *testing.T) {
	m := newTestModel()
	cpus := Amount{Name: resources.CPUs}
	used := func() string { return m.Snapshot().Used[cpus].String() }
	expect := func(want string) {
		t.Helper()
		if got := used(); got != want {
			t.Errorf("%s cpus are used, want %s", got, want)
		}
	}
	task := newTask("t", mesos.TaskState_TASK_STAGING)
	m.Apply(TaskAdded{task})
	m.Apply(ExecutorAdded{&Executor{ID: "e", Framework: f1, Agent: "a1", Role: "web", Resources: resources.MustParse("cpus:0.5")}})
	m.Apply(OffersMade{[]*Offer{{ID: "o", Framework: f1, Agent: "a1", Role: "*", Resources: resources.MustParse("cpus:2")}}})
	expect("1.5")
	s := m.Snapshot()
	u := s.UsageByAgent(func() {})["a1"]
	if u.Used.String() != "cpus:1.5; mem:8" || u.Offered.String() != "cpus:2" {
		t.Errorf("the agent has %s used and %s offered", u.Used, u.Offered)
	}
	roles := s.UsageByRole(func() {})["a1"]
	if len(roles) != 2 || roles[0].Role != "*" || roles[1].Role != "web" || !Total(roles).Used.Equal(u.Used) {
		t.Errorf("by role it has %v", roles)
	}
	if r := s.Frameworks[0].UsageByRole(func() {})["web"]; !r.Used.Equal(u.Used) {
		t.Errorf("the framework has %s used as web", r.Used)
	}
	finished := with(task, mesos.TaskState_TASK_FINISHED)
	m.Apply(TaskUpdated{Task: finished, Before: task.State})
	expect("0.5")
	m.Apply(TaskRemoved{Task: finished})
	expect("0.5")
	m.Apply(ExecutorRemoved{Framework: f1, Agent: "a1", ID: "e"})
	m.Apply(ExecutorRemoved{Framework: f1, Agent: "a1", ID: "e"})
	expect("0")
}

func TestCounters(t *testing.T) {
	m := newTestModel()
	m.Apply(AgentAdded{&Agent{ID: "a2", Status: Connected, Reregistered: time.Unix(1, 0), Registered: time.Unix(1, 0)}})
	m.Apply(AgentAdded{&Agent{ID: "a3", Status: Recovered}})
	m.Apply(AgentRemoved{ID: "a2", Cause: Unhealthy, Unreachable: true})
	task := newTask("t", mesos.TaskState_TASK_STAGING)
	lost := &mesos.TaskStatus{
		State: mesos.TaskState_TASK_LOST.Enum(), Source: mesos.TaskStatus_SOURCE_MASTER.Enum(), Reason: mesos.TaskStatus_REASON_AGENT_REMOVED.Enum(),
	}
	m.Apply(TaskAdded{task})
	m.Apply(TaskUpdated{Task: with(task, mesos.TaskState_TASK_LOST), Before: task.State, Status: lost})
	m.Apply(TaskRefused{Framework: f1, Status: lost})
	m.Apply(Judged{Kind: Others})
	m.Apply(Judged{Kind: StatusUpdates, Valid: true})
	c := m.Snapshot().Counters
	for what, ok := range map[string]bool{
		"registrations":    c.AgentRegistrations == 1 && c.AgentReregistrations == 1,
		"removals":         c.AgentRemovals[Unhealthy] == 1 && c.AgentsUnreachable == 1 && m.Snapshot().Unreachable == 1,
		"states":           c.Live[mesos.TaskState_TASK_STAGING] == 0 && c.Live[mesos.TaskState_TASK_LOST] == 1,
		"terminal states":  c.Terminal[mesos.TaskState_TASK_LOST] == 2,
		"reasons":          c.Reasons[StateReason{mesos.TaskState_TASK_LOST, mesos.TaskStatus_SOURCE_MASTER, mesos.TaskStatus_REASON_AGENT_REMOVED}] == 2,
		"judged":           c.Invalid[Others] == 1 && c.Valid[StatusUpdates] == 1,
		"recovered agents": len(m.Snapshot().Agents) == 2,
	} {
		if !ok {
			t.Errorf("%s are counted wrongly: %+v", what, c)
		}
	}
	m.Apply(AgentAdded{&Agent{ID: "a2", Status: Connected, Reregistered: time.Unix(3, 0)}})
	if m.Snapshot().Unreachable != 0 {
		t.Error("an agent that is back still counts as unreachable")
	}
	if first := m.Snapshot().SortedAgents()[0].ID; first != "a3" && first != "a2" {
		t.Errorf("%s is the agent that registered first", first)
	}
}

// TestStrayEventsAreHarmless applies events about what is not there.
func TestStrayEventsAreHarmless(t *testing.T) {
	m := NewModel(Limits{CompletedTasks: 1})
	task := newTask("t", mesos.TaskState_TASK_RUNNING)
	for _, e := range []Event{
		AgentRemoved{ID: "x"},
		FrameworkChanged{&Framework{ID: "x"}},
		FrameworkRemoved{&Framework{ID: "x"}},
		TaskAdded{task},
		TaskUpdated{Task: task, Rank: 7},
		TaskRemoved{Task: task, Rank: 7},
		TaskForgotten{Framework: "x"},
		ExecutorAdded{&Executor{Framework: "x"}},
		ExecutorRemoved{Framework: "x"},
		OffersMade{[]*Offer{{Framework: "x"}}},
		OfferRemoved{Offer: &Offer{Framework: "x"}},
	} {
		m.Apply(e)
	}
	if s := m.Snapshot(); len(s.Agents)+len(s.Frameworks)+len(s.Completed) > 0 {
		t.Errorf("the model holds %+v", s)
	}
}
