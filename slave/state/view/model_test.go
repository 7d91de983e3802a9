package view

import (
	"fmt"
	"testing"

	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos"
)

func taskOf(f FrameworkID, c ContainerID, id string, s mesos.TaskState) *Task {
	return &Task{
		Info: &mesos.TaskInfo{TaskId: &mesos.TaskID{Value: proto.String(id)}}, Framework: f, Container: c, State: s, Launched: true,
	}
}

func TestThePastIsLimited(t *testing.T) {
	m := NewModel(Limits{CompletedFrameworks: 2, CompletedExecutors: 3, CompletedTasks: 4})
	for f := range 5 {
		id := FrameworkID(fmt.Sprint("F", f))
		m.Apply(FrameworkChanged{&Framework{ID: id}})
		for e := range 6 {
			c := ContainerID(fmt.Sprintf("C%d%d", f, e))
			m.Apply(ExecutorChanged{&Executor{Framework: id, Container: c}})
			for n := range 7 {
				m.Apply(TaskChanged{taskOf(id, c, fmt.Sprint(n), mesos.TaskState_TASK_FINISHED)})
				m.Apply(TaskRemoved{taskOf(id, c, fmt.Sprint(n), mesos.TaskState_TASK_FINISHED)})
			}
			m.Apply(ExecutorChanged{&Executor{Framework: id, Container: c, Phase: Terminated}})
		}
		m.Apply(FrameworkRemoved{id})
	}
	s := m.Snapshot()
	if len(s.Frameworks) != 0 || len(s.Completed) != 2 || s.Completed[1].ID != "F4" {
		t.Fatalf("frameworks are %v and %v", s.Frameworks, s.Completed)
	}
	x := s.Completed[1].Completed
	if len(x) != 3 || x[2].Container != "C45" || len(x[2].Over) != 4 || x[2].Over[3].ID() != "6" {
		t.Errorf("executors are %v", x)
	}
	if got := s.Ended[mesos.TaskState_TASK_FINISHED]; got != 5*6*7 {
		t.Errorf("%d tasks ended", got)
	}
}

func TestTasksOfEndedExecutors(t *testing.T) {
	m := NewModel(Limits{})
	m.Apply(FrameworkChanged{&Framework{ID: "F"}})
	m.Apply(TaskChanged{taskOf("F", "C", "T", mesos.TaskState_TASK_RUNNING)}) // before its executor
	m.Apply(ExecutorChanged{&Executor{ID: "E", Framework: "F", Container: "C", Phase: Running}})
	before := m.Snapshot()
	m.Apply(ExecutorChanged{&Executor{ID: "E", Framework: "F", Container: "C", Phase: Terminated}})
	m.Apply(TaskChanged{taskOf("F", "C", "T", mesos.TaskState_TASK_FAILED)})
	m.Apply(TaskChanged{taskOf("F", "C", "T", mesos.TaskState_TASK_FAILED)})
	after := m.Snapshot()
	if len(before.Frameworks[0].Executors[0].Live) != 1 || before.Ended[mesos.TaskState_TASK_FAILED] != 0 {
		t.Error("an earlier snapshot has changed, or was wrong")
	}
	f := after.Frameworks[0]
	if len(f.Executors) != 0 || len(f.Completed) != 1 || len(f.Completed[0].Ended) != 1 || after.Ended[mesos.TaskState_TASK_FAILED] != 1 {
		t.Errorf("after its end: %+v", f)
	}
	m.Apply(TaskRemoved{taskOf("nobody", "C", "T", mesos.TaskState_TASK_FAILED)})
	m.Apply(FrameworkRemoved{"nobody"})
}

func TestHostsAndAgent(t *testing.T) {
	m := NewModel(Limits{})
	m.Apply(AgentChanged{&Agent{Master: "m"}})
	m.Apply(HostChanged{&Host{ID: "H2"}})
	m.Apply(HostChanged{&Host{ID: "H1", Pid: 1}})
	m.Apply(HostRemoved{"H2"})
	if s := m.Snapshot(); len(s.Hosts) != 1 || s.Hosts[0].Pid != 1 || s.Agent.Master != "m" {
		t.Errorf("snapshot is %+v", s)
	}
}

func TestTasksThatWantedTooMuchAreCounted(t *testing.T) {
	m := NewModel(Limits{})
	for i, reason := range []mesos.TaskStatus_Reason{
		mesos.TaskStatus_REASON_CONTAINER_LIMITATION_MEMORY, mesos.TaskStatus_REASON_CONTAINER_LIMITATION_MEMORY,
		mesos.TaskStatus_REASON_CONTAINER_LIMITATION_DISK, mesos.TaskStatus_REASON_COMMAND_EXECUTOR_FAILED,
	} {
		task := taskOf("F", "C", fmt.Sprint(i), mesos.TaskState_TASK_FAILED)
		task.Statuses = []*mesos.TaskStatus{{}, {Reason: reason.Enum()}}
		m.Apply(TaskChanged{task})
		m.Apply(TaskChanged{task})
	}
	limited := m.Snapshot().Limited
	if len(limited) != 2 || limited[mesos.TaskStatus_REASON_CONTAINER_LIMITATION_MEMORY] != 2 || limited[mesos.TaskStatus_REASON_CONTAINER_LIMITATION_DISK] != 1 {
		t.Errorf("%v", limited)
	}
}

func TestSlackIsReplaced(t *testing.T) {
	m := NewModel(Limits{})
	m.Apply(SlackChanged{[]Slack{{Role: "a"}, {Role: "b"}}})
	before := m.Snapshot()
	m.Apply(SlackChanged{[]Slack{{Role: "b"}}})
	if after := m.Snapshot(); len(before.Slack) != 2 || len(after.Slack) != 1 || after.Slack[0].Role != "b" {
		t.Errorf("slack is %v, and was %v", after.Slack, before.Slack)
	}
}
