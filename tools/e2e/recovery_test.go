package e2e

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"troupe/tools/processtest"
)

// agentOf gives the id and the processors of the only agent.
func (c *cluster) agentOf() (id string, cpus float64) {
	c.t.Helper()
	var state struct {
		Agents []struct {
			ID        string
			Resources struct{ CPUs float64 }
		} `json:"slaves"`
	}
	if err := json.Unmarshal([]byte(get(c.t, c.masterPort, "/state")), &state); err != nil {
		c.t.Fatal(err)
	}
	if len(state.Agents) != 1 {
		return "", 0
	}
	return state.Agents[0].ID, state.Agents[0].Resources.CPUs
}

// TestRecoverCleanup ends what the agent before left, tells the master, and
// leaves a folder for a new agent, which may be another.
func TestRecoverCleanup(t *testing.T) {
	w := newWorld(t)
	c := w.separate()
	task := w.startSleeper("leftover")
	before, _ := c.agentOf()
	c.agent.kill()
	c.agentWith("--recover=cleanup").wait().check(t, "cleanup", 0, "", `--recover=cleanup`)
	if processtest.Exists("/proc/" + task.pid) {
		t.Error("the task has outlived the cleanup")
	}
	task.wait().check(t, "run", 1, "", "TASK_(LOST|GONE|DROPPED)")
	c.startAgent("--resources=cpus:2;mem:1024;disk:1024")
	eventually(t, "a new agent is there", func() bool {
		id, cpus := c.agentOf()
		return id != before && cpus == 2
	})
	w.do("run", "--", "echo", "again").check(t, "run", 0, "again", "TASK_FINISHED")
	c.end()
}

// TestChangedAgent: more is taken, less is refused by name, and neither touches
// what runs.
func TestChangedAgent(t *testing.T) {
	w := newWorld(t)
	c := w.separate()
	task := w.startSleeper("bystander")
	before, _ := c.agentOf()
	c.agent.kill()
	for _, flags := range [][]string{
		{"--resources=cpus:2;mem:1024;disk:1024"},
		{"--attributes=rack:r1", "--reconfiguration_policy=equal"},
		{"--hostname=another"},
	} {
		c.agentWith(flags...).wait().check(t, flags[0], 1, "",
			`(cpus was cpus:4 and is cpus:2|attribute rack was none and is|hostname was \S+ and is another).*--recover=cleanup`)
	}
	c.startAgent("--resources=cpus:8;mem:1024;disk:1024", "--attributes=rack:r1")
	eventually(t, "the agent offers more", func() bool {
		id, cpus := c.agentOf()
		return id == before && cpus == 8
	})
	c.endSleeper(task)
	c.end()
}

// TestDamagedJournal: an agent refuses to guess, unless it is told to.
func TestDamagedJournal(t *testing.T) {
	w := newWorld(t)
	c := w.separate()
	task := w.startTask("known", "exec sleep 1000")
	c.agent.kill()
	journal := filepath.Join(w.dir, "agent", "meta", "journal")
	data, err := os.ReadFile(journal)
	if err != nil {
		t.Fatal(err)
	}
	damaged := append([]byte(nil), data...)
	damaged[20] ^= 0xff
	write := func(data []byte) {
		t.Helper()
		if err := os.WriteFile(journal, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(damaged)
	c.agentWith().wait().check(t, "strict", 1, "",
		regexp.QuoteMeta(journal)+` is damaged: frame 1, at offset 0: .*--no-strict.*remove`)
	write(data)
	c.startAgent()
	c.running("known")
	c.agent.kill()

	write(damaged)
	c.startAgent("--no-strict")
	c.agent.Await(c.agent.Err, `cannot be read, and was left out.*journal\.damaged`)
	counted(t, c.agentPort, "/metrics/snapshot", `"slave/recovery_errors":(\d+)`, 1)
	w.do("run", "--", "echo", "still here").check(t, "run", 0, "still here", "TASK_FINISHED")
	task.Signal(unix.SIGINT)
	task.wait()
	c.end()
}

// TestForeignCluster: an agent that is sent to the master of another cluster
// ends and says so; its tasks run on, and are found by the next start.
func TestForeignCluster(t *testing.T) {
	w := newWorld(t)
	c := w.separate()
	task := w.startSleeper("homesick")
	other := processtest.FreePort(t)
	stranger := w.start("master", fmt.Sprintf("--port=%d", other), "--work_dir="+filepath.Join(w.dir, "other"))
	stranger.Await(stranger.Err, `"serving"`)
	c.agent.kill()
	c.agentWith(fmt.Sprintf("--master=127.0.0.1:%d", other)).wait().check(t, "agent at the other master", 1, "",
		`is another cluster than this master's.*start it with --master of the cluster that it belongs to`)
	stranger.Await(stranger.Err, `Refused an agent: cluster_id: .* is another cluster`)
	stranger.Signal(unix.SIGTERM)
	stranger.wait()
	c.startAgent()
	c.endSleeper(task)
	c.end()
}

// TestStoppedAgent: one that is stopped while its executors return, for longer
// than they have, listens to them before it gives them up.
func TestStoppedAgent(t *testing.T) {
	w := newWorld(t)
	c := w.separate()
	task := w.startSleeper("patient")
	c.agent.kill()
	c.agent = c.agentWith("--executor_reregistration_timeout=1secs")
	c.agent.Await(c.agent.Err, `"serving"`)
	c.agent.Signal(unix.SIGSTOP)
	stopped := time.Now()
	eventually(t, "the executors' time is over", func() bool { return time.Since(stopped) > 3*time.Second })
	c.agent.Signal(unix.SIGCONT)
	c.endSleeper(task)
	c.end()
}

// TestFullDisk: an agent without room for its journal launches nothing and
// wants nothing offered; what runs goes on, and when there is room again so does
// the agent, with all that it was told meanwhile.
func TestFullDisk(t *testing.T) {
	w := newWorld(t)
	c := w.separate()
	ready := filepath.Join(w.dir, "go")
	task := w.startTask("bystander", fmt.Sprintf(`echo pid $$; until [ -e %s ]; do sleep 0.05; done; exit 7`, ready))
	pid := task.Await(task.Out, `pid (\d+)`)[1]
	limitFiles(t, c.agent, 1)
	late := w.start(append([]string{"run", "--name=late"}, append(w.flags, "--", "echo", "late")...)...)
	c.agent.Await(c.agent.Err, `The journal has no room.*file too large`)
	c.master.Await(c.master.Err, `An agent takes no tasks for now.*file too large`)
	counted(t, c.agentPort, "/metrics/snapshot", `"slave/journal_stalls":(\d+)`, 1)
	touch(t, ready)
	eventually(t, "the task has ended", func() bool { return !processtest.Exists("/proc/" + pid) })
	waiting := w.start(append([]string{"run", "--name=waiting"}, append(w.flags, "--", "echo", "waited")...)...)
	waiting.Await(waiting.Err, "still waiting for an offer")
	if strings.Contains(task.Err.String(), "TASK_FAILED") || strings.Contains(late.Err.String(), "TASK_RUNNING") {
		t.Error("what cannot be durable was told")
	}

	limitFiles(t, c.agent, unix.RLIM_INFINITY)
	c.master.Await(c.master.Err, `An agent takes tasks again`)
	task.wait().check(t, "run", 7, "", "TASK_FAILED.*exited with status 7")
	late.wait().check(t, "late run", 0, "late", "TASK_FINISHED")
	waiting.wait().check(t, "waiting run", 0, "waited", "TASK_FINISHED")
	c.end()
}

// TestAgentKilledUnderLoad: whatever the moment, no task is lost, none runs
// twice, and every update arrives.
func TestAgentKilledUnderLoad(t *testing.T) {
	c := newWorld(t).separate()
	f := c.steady(12, time.Hour)
	f.options.Brief, f.options.KillEvery = 600*time.Millisecond, 200*time.Millisecond
	scheduler := f.start()
	for round := range 10 { // tasks come and go all the time
		more := len(f.records()) + 1 + rand.IntN(40)
		eventually(t, fmt.Sprintf("round %d has its records", round), func() bool { return len(f.records()) >= more })
		c.agent.kill()
		c.startAgent()
	}
	f.drain(scheduler)
	c.end()
}

// limitFiles bounds the size of the files that a process writes from now on,
// as a full disk would.
func limitFiles(t *testing.T, d *daemon, size uint64) {
	t.Helper()
	var old unix.Rlimit
	pid := d.PID()
	if err := unix.Prlimit(pid, unix.RLIMIT_FSIZE, nil, &old); err != nil {
		t.Fatal(err)
	}
	if err := unix.Prlimit(pid, unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: size, Max: old.Max}, nil); err != nil {
		t.Fatal(err)
	}
}
