package view

import (
	"testing"

	"troupe/messages/mesos"
)

func TestWhoIsFound(t *testing.T) {
	m := NewModel(Limits{})
	if m.Agent() == nil || m.Framework("F") != nil || m.Executor("F", "E") != nil || m.Container("C") != nil || m.Host("H") != nil {
		t.Error("of an agent that nothing is known of, something is")
	}
	agent, host := &Agent{Master: "m"}, &Host{ID: "H"}
	executor := &Executor{ID: "E", Framework: "F", Container: "C", Info: &mesos.ExecutorInfo{}, Phase: Running}
	m.Apply(AgentChanged{agent})
	m.Apply(HostChanged{host})
	m.Apply(TaskChanged{taskOf("F", "C", "T", mesos.TaskState_TASK_STAGING)})
	if m.Executor("F", "") != nil || m.Container("C") != nil {
		t.Error("an executor is found of which only a task was told")
	}
	m.Apply(ExecutorChanged{executor})
	if m.Agent() != agent || m.Host("H") != host || m.Executor("F", "E") != executor || m.Container("C") != executor || m.Framework("F") == nil {
		t.Error("what was told last is not found")
	}
	if m.Framework("F2") != nil || m.Executor("F", "E2") != nil || m.Executor("F2", "E") != nil || m.Container("C2") != nil || m.Host("H2") != nil {
		t.Error("another is found")
	}
	ended := *executor
	ended.Phase = Terminated
	m.Apply(ExecutorChanged{&ended})
	m.Apply(HostRemoved{"H"})
	m.Apply(FrameworkRemoved{"F"})
	if m.Framework("F") != nil || m.Executor("F", "E") != nil || m.Container("C") != nil || m.Host("H") != nil {
		t.Error("what has ended is found")
	}
}

func TestEveryPhaseHasAWord(t *testing.T) {
	seen := map[string]bool{}
	for p := range Terminated + 1 {
		seen[p.String()] = true
	}
	if len(seen) != int(Terminated)+1 || seen[""] || Terminated.String() != "terminated" {
		t.Errorf("phases are %v", seen)
	}
}

func TestQueuedAndLiveTasks(t *testing.T) {
	m := NewModel(Limits{})
	queued := taskOf("F", "C", "T1", mesos.TaskState_TASK_STAGING)
	queued.Launched = false
	m.Apply(TaskChanged{taskOf("F", "C", "T2", mesos.TaskState_TASK_STAGING)})
	m.Apply(TaskChanged{queued})
	x := m.Snapshot().Frameworks[0].Executors[0]
	if len(x.Queued) != 1 || x.Queued[0] != queued || len(x.Live) != 1 || x.Live[0].ID() != "T2" {
		t.Errorf("queued are %v, live %v", x.Queued, x.Live)
	}
}
