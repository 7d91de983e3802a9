package e2e

import (
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"troupe/tools/processtest"
	"troupe/tools/steady"
)

// framework is a steady framework of a test, and how its schedulers are
// started.
type framework struct {
	*world
	options steady.Options
}

func (c *cluster) steady(count int, failover time.Duration) *framework {
	return c.world.steady(strings.TrimPrefix(c.flags[0], "--master="), count, failover)
}

func (w *world) steady(master string, count int, failover time.Duration) *framework {
	return &framework{w, steady.Options{Master: master, Dir: filepath.Join(w.dir, "framework"), Count: count, FailoverTimeout: failover}}
}

// start starts a scheduler; a second one is of the same framework.
func (f *framework) start() *daemon {
	f.t.Helper()
	cmd, err := steady.Command(f.options, f.Environment())
	if err != nil {
		f.t.Fatal(err)
	}
	cmd.Dir = f.dir
	return &daemon{f.Start(cmd), f.t}
}

// records are all that the framework has written down.
func (f *framework) records() []steady.Record {
	f.t.Helper()
	records, err := steady.ReadJournal(steady.JournalPath(f.options.Dir))
	if err != nil {
		f.t.Fatal(err)
	}
	return records
}

// states are the latest that it was told of its tasks.
func (f *framework) states() map[string]string {
	states := map[string]string{}
	for _, r := range f.records() {
		if r.Update != nil {
			states[r.Update.Task] = r.Update.State
		}
	}
	return states
}

// all waits until count tasks were ever launched, and the framework was last
// told this state of each.
func (f *framework) all(state string) {
	f.t.Helper()
	eventually(f.t, fmt.Sprintf("%d tasks are in %s", f.options.Count, state), func() bool {
		states := slices.Collect(maps.Values(f.states()))
		return len(states) == f.options.Count && !slices.ContainsFunc(states, func(s string) bool { return s != state })
	})
}

// pids are the processes of the tasks, by task; each has started once. A task
// runs a moment before its program says so.
func (f *framework) pids() map[string]int {
	f.t.Helper()
	var marks map[string][]string
	eventually(f.t, "every task has said that it started", func() (all bool) {
		var err error
		if marks, err = steady.ReadMarks(f.options.Dir); err != nil {
			f.t.Fatal(err)
		}
		return len(marks) >= f.options.Count && !slices.ContainsFunc(slices.Collect(maps.Values(marks)), func(lines []string) bool {
			return len(lines) == 0
		})
	})
	pids := map[string]int{}
	for task, lines := range marks {
		pid, err := strconv.Atoi(strings.TrimPrefix(lines[0], "start "))
		if err != nil || len(lines) > 1 {
			f.t.Errorf("%s: %q", task, lines)
		}
		pids[task] = pid
	}
	return pids
}

// alive checks that the tasks still have the processes that they had.
func (f *framework) alive(pids map[string]int, after string) {
	f.t.Helper()
	if now := f.pids(); !maps.Equal(now, pids) {
		f.t.Errorf("after %s: the tasks' processes are %v, not %v", after, now, pids)
	}
	for task, pid := range pids {
		if !processtest.Exists(fmt.Sprintf("/proc/%d", pid)) {
			f.t.Errorf("after %s: %s has ended", after, task)
		}
	}
}

// drain ends the framework by its scheduler, and compares what it was told
// with what happened.
func (f *framework) drain(scheduler *daemon) {
	f.t.Helper()
	if err := steady.Drain(f.options.Dir); err != nil {
		f.t.Fatal(err)
	}
	scheduler.wait().check(f.t, "drained scheduler", 0, "", "")
	marks, err := steady.ReadMarks(f.options.Dir)
	if err != nil {
		f.t.Fatal(err)
	}
	for _, wrong := range steady.Audit(f.records(), steady.Evidence{Marks: marks, Drained: true}) {
		f.t.Error(wrong)
	}
}

// A scheduler that is killed takes no task with it. The next one is the same
// framework: it knows the tasks and launches no others.
func TestKilledSchedulerIsReplaced(t *testing.T) {
	c := newWorld(t).separate()
	f := c.steady(3, time.Hour)
	first := f.start()
	f.all("TASK_RUNNING")
	pids := f.pids()
	first.kill()
	f.alive(pids, "the scheduler's death")
	c.do("frameworks").check(t, "frameworks", 0, "steady.* disconnected", "^$")

	second := f.start()
	second.Await(second.Err, `"subscribed".*"resumed":true`)
	c.do("frameworks").check(t, "frameworks", 0, "steady.* active", "^$")
	f.alive(pids, "the next scheduler's start")
	f.drain(second)
	c.end()
}

// A scheduler that hangs is replaced by another one; when it goes on it is
// told, and ends. Its tasks do not notice.
func TestReplacedSchedulerIsTold(t *testing.T) {
	c := newWorld(t).separate()
	f := c.steady(2, time.Hour)
	old := f.start()
	f.all("TASK_RUNNING")
	pids := f.pids()
	old.Signal(syscall.SIGSTOP)
	next := f.start()
	next.Await(next.Err, `"subscribed".*"resumed":true`)
	old.Signal(syscall.SIGCONT)
	old.wait().check(t, "the old scheduler", 1, "", "Framework failed over")
	f.alive(pids, "the old scheduler's end")
	f.drain(next)
	c.end()
}

// A framework whose scheduler does not come back in time loses its tasks, and
// comes back no more.
func TestFailoverTimeoutLapses(t *testing.T) {
	c := newWorld(t).separate()
	f := c.steady(2, time.Second)
	first := f.start()
	f.all("TASK_RUNNING")
	first.kill()
	for _, pid := range f.pids() {
		eventually(t, "the task is killed", func() bool { return !processtest.Exists(fmt.Sprintf("/proc/%d", pid)) })
	}
	eventually(t, "the framework is completed", func() bool {
		return regexp.MustCompile("steady.* completed").MatchString(c.do("frameworks", "--all").out)
	})
	f.start().wait().check(t, "a scheduler that comes too late", 1, "", "(?i)framework.*(removed|completed)")
	c.do("run", "--cpus=4", "--", "echo", "all is free").check(t, "run on the whole agent", 0, "all is free", "")
	c.end()
}

// An agent that hangs becomes unreachable, and its tasks with it; when it goes
// on, it has them still, and the framework is told.
func TestUnreachableAgentReturns(t *testing.T) {
	w := newWorld(t)
	c := w.separateWith([]string{"--agent_ping_timeout=1secs", "--max_agent_ping_timeouts=2"})
	f := c.steady(2, time.Hour)
	scheduler := f.start()
	f.all("TASK_RUNNING")
	pids := f.pids()
	c.agent.Signal(syscall.SIGSTOP)
	f.all("TASK_UNREACHABLE")
	f.alive(pids, "the agent hangs")
	c.agent.Signal(syscall.SIGCONT)
	f.all("TASK_RUNNING")
	f.alive(pids, "the agent's return")
	f.drain(scheduler)
	c.end()
}

// A framework that ends while an agent hangs leaves nothing behind there.
func TestOrphansEndWhenTheirAgentReturns(t *testing.T) {
	c := newWorld(t).separate()
	f := c.steady(2, time.Second)
	scheduler := f.start()
	f.all("TASK_RUNNING")
	pids := f.pids()
	c.agent.Signal(syscall.SIGSTOP)
	scheduler.kill()
	eventually(t, "the framework is completed", func() bool {
		return regexp.MustCompile("steady.* completed").MatchString(c.do("frameworks", "--all").out)
	})
	f.alive(pids, "the framework's end, of which the agent has not heard")
	c.agent.Signal(syscall.SIGCONT)
	for _, pid := range pids {
		eventually(t, "the task is killed", func() bool { return !processtest.Exists(fmt.Sprintf("/proc/%d", pid)) })
	}
	c.do("run", "--cpus=4", "--", "echo", "all is free").check(t, "run on the whole agent", 0, "all is free", "")
	c.end()
}

// A kill that comes while the agent is dead reaches the task when the agent is
// back.
func TestKillWhileTheAgentIsDead(t *testing.T) {
	c := newWorld(t).separate()
	f := c.steady(1, time.Hour)
	scheduler := f.start()
	f.all("TASK_RUNNING")
	pid := f.pids()["steady-0"]
	c.agent.kill()
	c.do("tasks", "kill", "steady-0").check(t, "tasks kill", 0, "", "")
	c.startAgent()
	eventually(t, "the task is killed", func() bool { return !processtest.Exists(fmt.Sprintf("/proc/%d", pid)) })
	eventually(t, "the framework is told, and has replaced the task", func() bool {
		states := f.states()
		return states["steady-0"] == "TASK_KILLED" && states["steady-1"] == "TASK_RUNNING"
	})
	if err := steady.Drain(f.options.Dir); err != nil {
		t.Fatal(err)
	}
	scheduler.wait().check(t, "drained scheduler", 0, "", "")
	c.end()
}
