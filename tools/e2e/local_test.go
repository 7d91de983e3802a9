package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"troupe/tools/processtest"
)

// A cluster in one process runs commands, shows them, and leaves nothing
// behind.
func TestLocalCluster(t *testing.T) {
	w := newWorld(t)
	cluster := w.local("--agents=2")
	t.Run("run", func(t *testing.T) { runsCommands(t, w) })
	t.Run("bytes", func(t *testing.T) { passesBytes(t, w) })
	t.Run("instances", func(t *testing.T) { runsInstances(t, w) })
	t.Run("file", func(t *testing.T) { runsTaskFile(t, w) })
	t.Run("tasks", func(t *testing.T) { listsAndKills(t, w) })
	t.Run("lists", func(t *testing.T) { listsEverything(t, w) })
	t.Run("interrupt", func(t *testing.T) { interruptKills(t, w) })

	// Two tasks run, one of which does not mind SIGTERM, when the cluster ends.
	w.startTask("stubborn", `trap "" TERM; while :; do sleep 1; done`)
	w.startTask("meek", "sleep 1000")
	if n := len(w.Processes()); n < 5 {
		t.Errorf("only %d processes run: the test cannot see them", n)
	}
	cluster.Signal(syscall.SIGINT)
	cluster.wait().check(t, "local after SIGINT", 0, "", "^$")
	eventually(t, "no process is left", func() bool { return len(w.Processes()) == 0 })
	if left := w.written(); len(left) > 0 {
		t.Errorf("left in the temporary folder: %v", left)
	}
}

func runsCommands(t *testing.T, w *world) {
	for _, test := range []struct {
		name, out, err string
		code           int
		args           []string
	}{
		{name: "echo", out: "^hello world\n$", err: "TASK_RUNNING on S[01](.|\n)*TASK_FINISHED", args: []string{"--", "echo", "hello world"}},
		{name: "true", out: "^$", err: "TASK_FINISHED", args: []string{"--", "true"}},
		{name: "false", out: "^$", err: "TASK_FAILED.*exited with status 1", code: 1, args: []string{"--", "false"}},
		{name: "exit status", err: "(?m)^oops$", code: 42, args: []string{"--", "sh", "-c", "echo oops >&2; exit 42"}},
		{name: "signal", err: "terminated with signal Killed", code: 137, args: []string{"--", "sh", "-c", "kill -9 $$"}},
		{name: "sleep", out: "^woke\n$", args: []string{"--", "sh", "-c", "sleep 0.3; echo woke"}},
		{name: "environment", out: "^a=b c\n$", args: []string{"--env=X=a=b c", "--", "sh", "-c", `echo "$X"`}},
		{name: "quiet", out: "^x\n$", err: "^$", args: []string{"-q", "--", "echo", "x"}},
		{name: "no such program", err: "TASK_FAILED.*/does/not/exist", code: 1, args: []string{"--", "/does/not/exist"}},
		{name: "no such user", err: "TASK_(FAILED|ERROR).*nobody-at-all", code: 1, args: []string{"--user=nobody-at-all", "--", "true"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			w.do(append([]string{"run"}, test.args...)...).check(t, test.name, test.code, test.out, test.err)
		})
	}
}

// Output is passed on as it is, whatever it is.
func passesBytes(t *testing.T, w *world) {
	if r := w.do("run", "--", "printf", `\000\377\n\376`); r.code != 0 || r.out != "\x00\xff\n\xfe" {
		t.Errorf("%+v", r)
	}
}

func runsInstances(t *testing.T, w *world) {
	r := w.do("run", "--name=many", "--instances=5", "--", "sh", "-c", "echo me; exit 3")
	r.check(t, "5 instances", 3, `(?m)^many-5 \| me$`, "many-1: TASK_FAILED")
}

func runsTaskFile(t *testing.T, w *world) {
	file := filepath.Join(w.dir, "tasks.json")
	text := `[{"name": "one", "command": "echo 1", "cpus": 0.2}, {"name": "two", "args": ["echo", "2"], "env": {"A": "b"}}]`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	w.do("run", "--file="+file).check(t, "task file", 0, `(?m)^two \| 2$`, "one: TASK_FINISHED")
}

// startTask runs a shell command as a task of its own, in the background.
func (w *world) startTask(name, script string) *daemon {
	w.t.Helper()
	args := append([]string{"run", "--name=" + name}, w.flags...)
	d := w.start(append(args, "--", "sh", "-c", script)...)
	d.Await(d.Err, "TASK_RUNNING")
	return d
}

// sleeper is a task that does nothing until it is killed.
type sleeper struct {
	*daemon
	name, pid string
}

func (w *world) startSleeper(name string) sleeper {
	w.t.Helper()
	d := w.startTask(name, "echo pid $$; exec sleep 1000")
	return sleeper{d, name, d.Await(d.Out, `pid (\d+)`)[1]}
}

func listsAndKills(t *testing.T, w *world) {
	task := w.startTask("victim", "echo started; exec sleep 1000")
	task.Await(task.Out, "started")
	w.do("tasks", "list").check(t, "tasks list", 0, `(?m)^victim +victim +TASK_RUNNING`, "^$")
	w.do("tasks", "logs", "victim").check(t, "tasks logs", 0, "^started\n$", "^$")
	w.do("tasks", "sandbox", "victim").check(t, "tasks sandbox", 0, "(?m)/stdout$", "^$")
	follower := w.start(append([]string{"tasks", "logs", "-f", "victim"}, w.flags...)...)
	follower.Await(follower.Out, "started")
	w.do("tasks", "kill", "victim").check(t, "tasks kill", 0, "^$", "^$")
	task.wait().check(t, "run of a killed task", 143, "started", "TASK_KILLED")
	follower.wait().check(t, "tasks logs -f", 0, "^started\n$", "^$")
	w.do("tasks", "list", "--all").check(t, "tasks list --all", 0, `(?m)^victim +victim +TASK_KILLED`, "^$")
	w.do("tasks", "kill", "nobody").check(t, "tasks kill nobody", 1, "^$", `task "nobody"`)
	w.do("tasks", "logs", "nobody").check(t, "tasks logs nobody", 1, "^$", `no task "nobody"`)
}

func listsEverything(t *testing.T, w *world) {
	var agents []struct{ ID string }
	if r := w.do("agents", "--json"); json.Unmarshal([]byte(r.out), &agents) != nil || len(agents) != 2 {
		t.Errorf("agents --json: %+v", r)
	}
	w.do("agents").check(t, "agents", 0, "(?m)-S1 .* active", "^$")
	w.do("frameworks", "--all").check(t, "frameworks", 0, "many", "^$")
	w.do("offers").check(t, "offers", 0, "", "^$")
	w.do("actors").check(t, "actors", 0, "(?m)^master .*\n(.|\n)*^PEER", "^$")
	if r := w.do("actors", "--json"); !json.Valid([]byte(r.out)) {
		t.Errorf("actors --json: %+v", r)
	}
	watch := w.start(append([]string{"actors", "--watch"}, w.flags...)...)
	watch.Await(watch.Out, `(?s)allocator.*allocator +\d+ +\d+ +\d+\.\d`)
	watch.Signal(syscall.SIGINT)
	watch.wait().check(t, "actors --watch", 0, "", "^$")
}

func interruptKills(t *testing.T, w *world) {
	pidFile := filepath.Join(w.dir, "pid")
	task := w.startTask("interrupted", fmt.Sprintf("echo $$ > %s; echo up; exec sleep 1000", pidFile))
	task.Await(task.Out, "up")
	task.Signal(syscall.SIGINT)
	task.wait().check(t, "run after SIGINT", 130, "up", "TASK_KILLED")
	text, err := os.ReadFile(pidFile)
	if err != nil {
		t.Fatal(err)
	}
	var pid int
	if _, err := fmt.Sscan(string(text), &pid); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the task's process is gone", func() bool { return !processtest.Exists(fmt.Sprintf("/proc/%d", pid)) })
}

// The demo counts its words and keeps its command alive until Ctrl-C.
func TestDemo(t *testing.T) {
	w := newWorld(t)
	cluster := w.local("--demo")
	cluster.Await(cluster.Out, `(?m)heartbeat TASK_RUNNING on S[01]$`)
	cluster.Await(cluster.Out, `(?m)^\d+ words counted; the most frequent:  the \d+`)
	at := cluster.Await(cluster.Out, `see them: http://(\S+)/`)
	jobs := &service{daemon: cluster, at: at[1]}
	eventually(t, "the last of the demo's jobs has run", func() bool {
		return strings.Contains(jobs.does(http.MethodGet, "/v1/scheduler/job/runs/demo-report", ""), `"outcome":"succeeded"`)
	})
	w.do("tasks", "list").check(t, "tasks list", 0, `(?m)^heartbeat +heartbeat +TASK_RUNNING`, "^$")
	cluster.Signal(syscall.SIGINT)
	cluster.wait().check(t, "demo after SIGINT", 0, "", "^$")
	eventually(t, "no process is left", func() bool { return len(w.Processes()) == 0 })
	if left := w.written(); len(left) > 0 {
		t.Errorf("left in the temporary folder: %v", left)
	}
}

// A cluster that is killed takes its tasks with it, a little later: nobody can
// come back for them.
func TestKilledLocalClusterLeavesNoProcess(t *testing.T) {
	w := newWorld(t)
	cluster := w.local("--agents=1")
	task := w.startTask("lasting", "echo up; exec sleep 1000")
	task.Await(task.Out, "up")
	cluster.kill()
	task.Signal(syscall.SIGKILL)
	eventually(t, "no process is left", func() bool { return len(w.Processes()) == 0 })
}
