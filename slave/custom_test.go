package slave

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
	"google.golang.org/protobuf/proto"

	"troupe/messages/cluster"
	"troupe/messages/mesos"
)

// runCustom launches a task under an executor in a process of its own, which
// is this program.
func (f *fakeMaster) runCustom(executor, task string) {
	m := runTask(task, "")
	m.Task.Command = nil
	m.Task.Executor = &mesos.ExecutorInfo{
		Type: mesos.ExecutorInfo_CUSTOM.Enum(), ExecutorId: &mesos.ExecutorID{Value: &executor},
		Command: &mesos.CommandInfo{
			Shell: proto.Bool(false), Value: &os.Args[0], Arguments: []string{os.Args[0]},
			Environment: &mesos.Environment{Variables: []*mesos.Environment_Variable{
				{Name: proto.String("AGENT_TEST_EXECUTOR"), Value: proto.String("1")},
			}},
		},
	}
	f.send(m)
}

// TestCustomExecutors outlive their agent, and say again what nobody heard; one
// that dies takes its own tasks along, and no others.
func TestCustomExecutors(t *testing.T) {
	master, dir := newMaster(t), t.TempDir()
	a := startAgent(t, master, dir, "127.0.0.1:0", nil)
	address := a.sys.Address()
	await(t, master, "RegisterAgent", func(*cluster.RegisterAgent) bool { return true })
	for _, launch := range [][2]string{{"X", "one"}, {"X", "two"}, {"Y", "other"}} {
		master.runCustom(launch[0], launch[1])
		master.awaitState(t, launch[1], mesos.TaskState_TASK_RUNNING)
	}
	sandbox, pid := a.events.sandbox("X"), a.events.pid("X")
	a.leave(t)
	if err := os.WriteFile(filepath.Join(sandbox, "one"), nil, 0o600); err != nil {
		t.Fatal(err)
	}

	b := startAgent(t, master, dir, address, nil)
	defer b.shutdown(t)
	if got := master.awaitState(t, "one", mesos.TaskState_TASK_FINISHED).GetData(); string(got) != "done" {
		t.Errorf("the result is %q", got)
	}
	if err := unix.Kill(pid, unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	st := master.awaitState(t, "two", mesos.TaskState_TASK_FAILED)
	if st.GetReason() != mesos.TaskStatus_REASON_EXECUTOR_TERMINATED || !strings.Contains(st.GetMessage(), "signal") {
		t.Errorf("the status is %v", st)
	}
	await(t, master, "ExecutorExited", func(m *cluster.ExecutorExited) bool {
		return m.GetExecutorId().GetValue() == "X" && m.GetStatus() == int32(unix.SIGKILL)
	})
	if err := os.WriteFile(filepath.Join(b.events.sandbox("Y"), "other"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	master.awaitState(t, "other", mesos.TaskState_TASK_FINISHED)
}
