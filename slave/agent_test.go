package slave

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	"google.golang.org/protobuf/proto"

	"troupe/actors"
	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/slave/container/sandbox"
)

func TestCommandTasksRun(t *testing.T) {
	master := newMaster(t)
	a := startAgent(t, master, t.TempDir(), "127.0.0.1:0", nil)
	defer a.shutdown(t)
	await(t, master, "RegisterAgent", func(*cluster.RegisterAgent) bool { return true })
	for i := range 5 { // of which three fit in a host
		master.run(fmt.Sprint("good", i), "echo out; echo err >&2")
	}
	master.run("bad", "exit 3")
	for i := range 5 {
		master.awaitState(t, fmt.Sprint("good", i), mesos.TaskState_TASK_RUNNING)
		master.awaitState(t, fmt.Sprint("good", i), mesos.TaskState_TASK_FINISHED)
	}
	if got := master.awaitState(t, "bad", mesos.TaskState_TASK_FAILED).GetMessage(); !strings.Contains(got, "exited with status 3") {
		t.Errorf("the message is %q", got)
	}
	for name, want := range map[string]string{"stdout": "out\n", "stderr": "err\n"} {
		path := filepath.Join(a.events.sandbox("good0"), name)
		if got, err := os.ReadFile(path); err != nil || string(got) != want {
			t.Errorf("%s holds %q, %v", path, got, err)
		}
	}
}

func TestTasksAreKilled(t *testing.T) {
	master := newMaster(t)
	a := startAgent(t, master, t.TempDir(), "127.0.0.1:0", nil)
	defer a.shutdown(t)
	await(t, master, "RegisterAgent", func(*cluster.RegisterAgent) bool { return true })
	master.run("stubborn", "trap '' TERM; (sleep 1000 &) ; while :; do sleep 1; done")
	master.awaitState(t, "stubborn", mesos.TaskState_TASK_RUNNING)
	master.kill("F", "stubborn")
	master.awaitState(t, "stubborn", mesos.TaskState_TASK_KILLED)
	master.kill("G", "unknown")
	master.awaitState(t, "unknown", mesos.TaskState_TASK_DROPPED)
}

func TestWhatCannotBeLaunchedSaysWhy(t *testing.T) {
	master := newMaster(t)
	a := startAgent(t, master, t.TempDir(), "127.0.0.1:0", func(o *Options) { o.Config.SwitchUser = true })
	defer a.shutdown(t)
	await(t, master, "RegisterAgent", func(*cluster.RegisterAgent) bool { return true })
	nobody := runTask("nobody", "true")
	nobody.Task.Command.User = proto.String("nosuchuser")
	master.send(nobody)
	missing := runTask("missing", "/no/such/program")
	missing.Task.Command.Shell = proto.Bool(false)
	master.send(missing)
	for task, want := range map[string]string{"nobody": `"nosuchuser"`, "missing": `"/no/such/program"`} {
		if got := master.awaitState(t, task, mesos.TaskState_TASK_FAILED).GetMessage(); !strings.Contains(got, want) {
			t.Errorf("%s: the message is %q", task, got)
		}
	}
}

// TestAgentRestart: tasks outlive their agent's process, and what the master
// had not acknowledged is told again.
func TestAgentRestart(t *testing.T) {
	master, dir := newMaster(t), t.TempDir()
	a := startAgent(t, master, dir, "127.0.0.1:0", nil)
	address := a.sys.Address()
	await(t, master, "RegisterAgent", func(*cluster.RegisterAgent) bool { return true })
	master.run("long", "while [ ! -e end ]; do sleep 0.02; done")
	master.awaitState(t, "long", mesos.TaskState_TASK_RUNNING)
	master.hold(true)
	master.run("short", "exit 0")
	master.awaitState(t, "short", mesos.TaskState_TASK_STARTING)
	sandbox := a.events.sandbox("long")
	a.leave(t)

	master.hold(false)
	b := startAgent(t, master, dir, address, nil)
	defer b.shutdown(t)
	again := await(t, master, "ReregisterAgent", func(m *cluster.ReregisterAgent) bool { return len(m.GetTasks()) == 2 })
	if id := again.GetAgent().GetId().GetValue(); id != "S0" {
		t.Errorf("the agent came back as %q", id)
	}
	master.awaitState(t, "short", mesos.TaskState_TASK_FINISHED)
	if err := os.WriteFile(filepath.Join(sandbox, "end"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	master.awaitState(t, "long", mesos.TaskState_TASK_FINISHED)
}

// TestHostDeath: the tasks of a host that dies are told of, with all their
// processes gone; those of others are not touched.
func TestHostDeath(t *testing.T) {
	master := newMaster(t)
	a := startAgent(t, master, t.TempDir(), "127.0.0.1:0", func(o *Options) { o.Config.ContainersPerHost = 1 })
	defer a.shutdown(t)
	await(t, master, "RegisterAgent", func(*cluster.RegisterAgent) bool { return true })
	script := "(setsid sh -c 'echo $$ >pid; sleep 1000' &) ; sleep 1000"
	master.run("victim", script)
	master.awaitState(t, "victim", mesos.TaskState_TASK_RUNNING)
	victims := a.events.hostPids()
	master.run("other", script)
	master.awaitState(t, "other", mesos.TaskState_TASK_RUNNING)
	escaped, kept := pidIn(t, a.events.sandbox("victim")), pidIn(t, a.events.sandbox("other"))
	if len(victims) != 1 {
		t.Fatalf("hosts are %v", victims)
	}
	if err := unix.Kill(victims[0], unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	st := master.awaitState(t, "victim", mesos.TaskState_TASK_FAILED)
	if st.GetReason() != mesos.TaskStatus_REASON_EXECUTOR_TERMINATED || !strings.Contains(st.GetMessage(), "killed") {
		t.Errorf("the status is %v", st)
	}
	if alive(escaped) {
		t.Errorf("its process %d is left", escaped)
	}
	if !alive(kept) {
		t.Errorf("the other's process %d is gone", kept)
	}
}

// alive does not count a zombie that its parent has not waited for yet.
func alive(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, rest, _ := strings.Cut(string(stat), ") ")
	return err == nil && !strings.HasPrefix(rest, "Z")
}

func pidIn(t *testing.T, sandbox string) int {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	late := time.After(patience)
	for {
		text, _ := os.ReadFile(filepath.Join(sandbox, "pid"))
		if pid, err := strconv.Atoi(strings.TrimSpace(string(text))); err == nil {
			return pid
		}
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("no pid in %s", sandbox)
		}
	}
}

func TestOptionsThatCannotBe(t *testing.T) {
	for _, o := range []Options{{}, {Journal: failingJournal{}}} {
		if _, err := Start(nil, o); err == nil || !strings.Contains(err.Error(), "Options.") {
			t.Errorf("error is %v", err)
		}
	}
}

// failingJournal has no disk.
type failingJournal struct{}

var errDisk = errors.New("the disk is gone")

func (failingJournal) Append(_ []*cluster.JournalRecord, done func(error))  { done(errDisk) }
func (failingJournal) Rewrite(_ []*cluster.JournalRecord, done func(error)) { done(errDisk) }
func (failingJournal) OnStall(func(error))                                  {}
func (failingJournal) Grown() bool                                          { return false }

func TestAFailedJournalEndsTheAgent(t *testing.T) {
	master := newMaster(t)
	a := startAgent(t, master, t.TempDir(), "127.0.0.1:0", func(o *Options) { o.Journal = failingJournal{} })
	defer a.leave(t)
	select {
	case <-a.service.Done():
	case <-time.After(patience):
		t.Fatal("the agent goes on")
	}
	if reason, err := a.service.End(); !errors.Is(err, errDisk) {
		t.Errorf("it ended with %q, %v", reason, err)
	}
}

// TestSandboxesAreCollected: those of ended containers go, those of others and
// of the newest agent stay.
func TestSandboxesAreCollected(t *testing.T) {
	master, dir := newMaster(t), t.TempDir()
	layout := sandbox.Layout{WorkDir: dir}
	left, err := layout.Make("S9", "F", "E", "C", "") // by an agent that is no more
	if err != nil {
		t.Fatal(err)
	}
	a := startAgent(t, master, dir, "127.0.0.1:0", func(o *Options) {
		o.DiskWatchInterval = 10 * time.Millisecond
		o.Sandboxes = sandboxes{layout, sandbox.NewCollector(layout, sandbox.Policy{})}
	})
	defer a.shutdown(t)
	await(t, master, "RegisterAgent", func(*cluster.RegisterAgent) bool { return true })
	master.run("stays", "sleep 1000")
	master.awaitState(t, "stays", mesos.TaskState_TASK_RUNNING)
	master.run("goes", "true")
	master.awaitState(t, "goes", mesos.TaskState_TASK_FINISHED)
	for _, path := range []string{left, a.events.sandbox("goes")} {
		awaitGone(t, path)
	}
	if _, err := os.Stat(a.events.sandbox("stays")); err != nil {
		t.Error(err)
	}
}

func awaitGone(t *testing.T, path string) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	late := time.After(patience)
	for {
		if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
			return
		}
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("%s is not collected", path)
		}
	}
}

// TestTheMasterMoves: an agent without a master waits for one, and follows it.
func TestTheMasterMoves(t *testing.T) {
	one, two := newMaster(t), newMaster(t)
	a := startAgent(t, one, t.TempDir(), "127.0.0.1:0", func(o *Options) { o.Master = actors.PID{} })
	defer a.shutdown(t)
	a.service.SetMaster(one.pid)
	await(t, one, "RegisterAgent", func(*cluster.RegisterAgent) bool { return true })
	one.run("task", "true")
	one.awaitState(t, "task", mesos.TaskState_TASK_FINISHED) // so it has heard that it is registered
	a.service.SetMaster(actors.PID{})
	a.service.SetMaster(two.pid)
	await(t, two, "ReregisterAgent", func(m *cluster.ReregisterAgent) bool { return m.GetAgent().GetId().GetValue() == "S0" })
}

// TestAMasterEndsItsAgent: the order of a master ends the tasks, the hosts and
// the agent.
func TestAMasterEndsItsAgent(t *testing.T) {
	master := newMaster(t)
	a := startAgent(t, master, t.TempDir(), "127.0.0.1:0", nil)
	await(t, master, "RegisterAgent", func(*cluster.RegisterAgent) bool { return true })
	master.run("task", "echo $$ >pid; exec sleep 1000")
	master.awaitState(t, "task", mesos.TaskState_TASK_RUNNING)
	pid := pidIn(t, a.events.sandbox("task"))
	master.send(&cluster.ShutdownAgent{Message: proto.String("it is gone")})
	await(t, master, "UnregisterAgent", func(*cluster.UnregisterAgent) bool { return true })
	select {
	case <-a.service.Done():
	case <-time.After(patience):
		t.Fatal("the agent goes on")
	}
	if reason, err := a.service.End(); err != nil || !strings.Contains(reason, "it is gone") {
		t.Errorf("it ended with %q, %v", reason, err)
	}
	if alive(pid) {
		t.Errorf("the task's process %d is left", pid)
	}
	a.leave(t)
}
