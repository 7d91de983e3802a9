package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"troupe/tools/processtest"
)

// cluster is a master and agents, each a process.
type cluster struct {
	*world
	masterPort, agentPort int
	masterFlags           []string
	master, agent         *daemon
}

// separate starts a cluster; secure is the flags that both daemons share.
func (w *world) separate(secure ...string) *cluster {
	w.t.Helper()
	return w.separateWith(nil, secure...)
}

// separateWith starts a cluster whose master has flags of its own.
func (w *world) separateWith(masterFlags []string, secure ...string) *cluster {
	w.t.Helper()
	c := &cluster{world: w, masterPort: processtest.FreePort(w.t), agentPort: processtest.FreePort(w.t), masterFlags: masterFlags}
	w.flags = append(w.flags, fmt.Sprintf("--master=127.0.0.1:%d", c.masterPort))
	w.flags = append(w.flags, secure...)
	w.t.Cleanup(func() {
		if text, err := os.ReadFile(filepath.Join(w.dir, "agent", "hosts.log")); err == nil && w.t.Failed() {
			w.t.Logf("executor hosts:\n%s", text)
		}
	})
	c.startMaster()
	c.startAgent()
	return c
}

// secure is the flags beside --master that the daemons share.
func (c *cluster) secure() []string { return c.flags[1:] }

func (c *cluster) startMaster() {
	c.t.Helper()
	c.master = c.start(append([]string{
		"master", fmt.Sprintf("--port=%d", c.masterPort), "--work_dir=" + filepath.Join(c.dir, "master"),
	}, append(c.masterFlags, c.secure()...)...)...)
	c.master.Await(c.master.Err, `"serving"`)
}

func (c *cluster) startAgent(more ...string) {
	c.t.Helper()
	c.agent = c.agentWith(more...)
	c.agent.Await(c.agent.Err, `"serving"`)
}

// agentWith starts an agent's process with more flags, of which the last of a
// name counts.
func (c *cluster) agentWith(more ...string) *daemon {
	c.t.Helper()
	return c.start(append([]string{
		"agent", fmt.Sprintf("--port=%d", c.agentPort), "--master=" + strings.TrimPrefix(c.flags[0], "--master="), "--work_dir=" + filepath.Join(c.dir, "agent"),
		"--resources=cpus:4;mem:1024;disk:1024", "--registration_backoff_factor=50ms",
	}, append(c.secure(), more...)...)...)
}

// end takes the cluster down with everything that runs on it.
func (c *cluster) end() {
	c.t.Helper()
	c.agent.Signal(syscall.SIGUSR1)
	c.agent.wait().check(c.t, "agent after SIGUSR1", 0, "", "")
	c.master.Signal(syscall.SIGTERM)
	c.master.wait().check(c.t, "master after SIGTERM", 0, "", `"ended in order"`)
	eventually(c.t, "no process is left", func() bool { return len(c.Processes()) == 0 })
}

// kill ends a process without a warning.
func (d *daemon) kill() {
	d.t.Helper()
	d.Signal(syscall.SIGKILL)
	if r := d.wait(); r.code != -1 {
		d.t.Errorf("it ended by itself with %d:\n%s", r.code, r.err)
	}
}

// running waits until the master knows the task for running.
func (c *cluster) running(task string) {
	c.t.Helper()
	eventually(c.t, task+" is known to run", func() bool {
		r := c.do("tasks", "list")
		return r.code == 0 && strings.Contains(r.out, task) && strings.Contains(r.out, "TASK_RUNNING")
	})
}

// endSleeper kills a task, which must have run in one process since it started.
func (c *cluster) endSleeper(s sleeper) {
	c.t.Helper()
	c.running(s.name)
	if !processtest.Exists("/proc/" + s.pid) {
		c.t.Error("the task has ended meanwhile")
	}
	c.do("tasks", "kill", s.name).check(c.t, "tasks kill", 0, "", "^$")
	s.wait().check(c.t, "run of a killed task", 143, "", "TASK_KILLED")
}

// Killing an agent, a master, or both ends no task, and what it writes in the
// meantime is not lost.
func TestKilledDaemonsEndNoTask(t *testing.T) {
	w := newWorld(t)
	c := w.separate()
	go1, go2 := filepath.Join(w.dir, "go1"), filepath.Join(w.dir, "go2")
	task := w.startTask("survivor", fmt.Sprintf(
		`echo pid $$; until [ -e %s ]; do sleep 0.05; done; echo while; until [ -e %s ]; do sleep 0.05; done; echo done; exit 9`, go1, go2))
	pid := task.Await(task.Out, `pid (\d+)`)[1]
	alive := func(when string) {
		t.Helper()
		if !processtest.Exists("/proc/" + pid) {
			t.Fatalf("the task has ended with %s", when)
		}
	}

	c.agent.kill()
	alive("the agent")
	touch(t, go1)
	c.startAgent()
	c.running("survivor")
	alive("the agent's restart")
	task.Await(task.Out, "while")

	c.master.kill()
	alive("the master")
	c.startMaster()
	c.running("survivor")

	c.master.kill()
	c.agent.kill()
	alive("both")
	c.startMaster()
	c.startAgent()
	c.running("survivor")
	alive("both's restart")

	touch(t, go2)
	task.wait().check(t, "run", 9, "done", "TASK_FAILED.*exited with status 9")
	if n := strings.Count(task.Err.String(), "TASK_RUNNING"); n != 1 {
		t.Errorf("run saw TASK_RUNNING %d times", n)
	}
	c.end()
}

// A task that ends while its agent is dead is told of afterwards.
func TestTaskThatEndsWithoutItsAgent(t *testing.T) {
	w := newWorld(t)
	c := w.separate()
	ready := filepath.Join(w.dir, "go")
	task := w.startTask("orphan", fmt.Sprintf(`echo pid $$; until [ -e %s ]; do sleep 0.05; done; exit 5`, ready))
	pid := task.Await(task.Out, `pid (\d+)`)[1]
	c.agent.kill()
	touch(t, ready)
	eventually(t, "the task has ended", func() bool { return !processtest.Exists("/proc/" + pid) })
	c.startAgent()
	task.wait().check(t, "run", 5, "", "TASK_FAILED.*exited with status 5")
	c.end()
}

// SIGTERM ends an agent but not its tasks.
func TestAgentStopsInOrder(t *testing.T) {
	w := newWorld(t)
	c := w.separate()
	task := w.startSleeper("lasting")
	c.agent.Signal(syscall.SIGTERM)
	c.agent.wait().check(t, "agent after SIGTERM", 0, "", `"ended in order"`)
	c.startAgent()
	c.endSleeper(task)
	c.end()
}

func touch(t *testing.T, path string) {
	t.Helper()
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
}
