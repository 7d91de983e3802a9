package slave

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"google.golang.org/protobuf/proto"

	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/slave/api"
	executorapi "troupe/slave/api/executor"
	"troupe/slave/state/view"
)

// tee publishes to several.
type tee []Publisher

func (t tee) Publish(e view.Event) {
	for _, p := range t {
		p.Publish(e)
	}
}

// startAgentWithAPI is startAgent with the executor API mounted.
func startAgentWithAPI(t *testing.T, f *fakeMaster, workDir, listen string) *testAgent {
	t.Helper()
	v := api.NewView(view.Limits{}, func(agent string) string { return filepath.Join(workDir, "slaves", agent) })
	a := startAgent(t, f, workDir, listen, func(o *Options) { o.Publisher = tee{o.Publisher, v} })
	executorapi.Mount(a.sys, a.sys.PID(Name), v, executorapi.Options{})
	return a
}

// runForeign launches a task under an executor that shares no code with this
// repository.
func (f *fakeMaster) runForeign(t *testing.T, executor, task string) {
	t.Helper()
	// Wherever python3 is found may be a script that needs more environment than
	// executors have.
	out, err := exec.Command("python3", "-c", "import sys; print(sys.executable)").Output()
	if err != nil {
		t.Fatal(err)
	}
	python := string(bytes.TrimSpace(out))
	script, err := filepath.Abs("testdata/executor.py")
	if err != nil {
		t.Fatal(err)
	}
	m := runTask(task, "")
	m.Task.Command = nil
	m.Task.Executor = &mesos.ExecutorInfo{
		Type: mesos.ExecutorInfo_CUSTOM.Enum(), ExecutorId: &mesos.ExecutorID{Value: &executor},
		Command: &mesos.CommandInfo{
			Shell: proto.Bool(false), Value: &python, Arguments: []string{python, script},
		},
	}
	f.send(m)
}

// TestExecutorWrittenAgainstMesos runs tasks over HTTP, outlives its agent with
// updates that nobody has acknowledged, and is heard again.
func TestExecutorWrittenAgainstMesos(t *testing.T) {
	master, dir := newMaster(t), t.TempDir()
	a := startAgentWithAPI(t, master, dir, "127.0.0.1:0")
	address := a.sys.Address()
	t.Cleanup(func() {
		if said, err := os.ReadFile(filepath.Join(a.events.sandbox("X"), "stderr")); t.Failed() {
			t.Logf("the executor said: %s (%v)", said, err)
		}
	})
	await(t, master, "RegisterAgent", func(*cluster.RegisterAgent) bool { return true })
	for _, task := range []string{"one", "two"} {
		master.runForeign(t, "X", task)
		master.awaitState(t, task, mesos.TaskState_TASK_RUNNING)
	}
	master.send(&cluster.FrameworkMessage{
		FrameworkId: &mesos.FrameworkID{Value: proto.String("F")}, ExecutorId: &mesos.ExecutorID{Value: proto.String("X")}, Data: []byte("there and back"),
	})
	await(t, master, "ExecutorMessage", func(m *cluster.ExecutorMessage) bool { return string(m.GetData()) == "there and back" })
	sandbox := a.events.sandbox("X")
	a.leave(t)
	// It ends while there is no agent: its last update waits in the executor.
	if err := os.WriteFile(filepath.Join(sandbox, "one"), []byte("unheard"), 0o600); err != nil {
		t.Fatal(err)
	}

	b := startAgentWithAPI(t, master, dir, address)
	if got := master.awaitState(t, "one", mesos.TaskState_TASK_FINISHED).GetData(); string(got) != "unheard" {
		t.Errorf("the result is %q", got)
	}
	master.runForeign(t, "X", "three")
	master.awaitState(t, "three", mesos.TaskState_TASK_RUNNING)
	master.kill("F", "three")
	master.awaitState(t, "three", mesos.TaskState_TASK_KILLED)
	if err := os.WriteFile(filepath.Join(sandbox, "two"), []byte("2"), 0o600); err != nil {
		t.Fatal(err)
	}
	master.awaitState(t, "two", mesos.TaskState_TASK_FINISHED)
	b.shutdown(t) // it obeys SHUTDOWN
}
