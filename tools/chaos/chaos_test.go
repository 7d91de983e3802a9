package chaos

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"troupe/tools/processtest"
	"troupe/tools/steady"
)

// One master that keeps its registry in a file. There is less that can go
// wrong, so it gets a quarter of the time.
func TestFile(t *testing.T) {
	c := newCluster(t, 1, 0, 1)
	c.master = c.addresses(Master)
	c.suffer(span() / 4)
}

// Three masters that keep their registry in ZooKeeper, which elects the
// leader.
func TestZooKeeper(t *testing.T) {
	c := newCluster(t, 2, 3, 3)
	c.master = "zk://" + c.addresses(ZooKeeper) + "/troupe"
	c.masterFlags = []string{"--zk=" + c.master, "--zk_session_timeout=3secs"}
	c.suffer(span())
}

// Three masters that keep their registry, and elect their leader, among
// themselves.
func TestReplicated(t *testing.T) {
	c := newCluster(t, 3, 0, 3)
	c.master = c.addresses(Master)
	c.masterFlags = []string{"--masters=" + c.master}
	c.suffer(span())
}

// span is how long faults come.
func span() time.Duration {
	if testing.Short() {
		return length / 4
	}
	return length
}

// suffer lets faults come for a while, and then checks that nothing is wrong.
func (c *cluster) suffer(length time.Duration) {
	c.t.Helper()
	c.start()
	c.eventually("most tasks run", c.begun)
	c.watchClock()
	roles, names := c.roles()
	plan := Plan(seed, length, roles, c.network != nil)
	var done []string
	c.t.Cleanup(func() {
		if c.t.Failed() {
			c.t.Logf("seed %d: faults, after which it failed:\n%s\nagain:\n%s", seed, strings.Join(done, "\n"), replay(c.t))
		}
	})
	began := time.Now()
	for _, f := range plan {
		<-time.After(time.Until(began.Add(f.At)))
		text := f.Describe(names)
		if met := c.strike(f); met != "" {
			text += " (" + met + ")"
		}
		done = append(done, text)
	}
	<-time.After(time.Until(began.Add(length)))
	c.healAll()
	if err := steady.Calm(c.framework()); err != nil {
		c.t.Fatal(err)
	}
	c.eventually("all tasks run again, and none is unaccounted for", c.settled)
	c.works()
	c.drain()
	c.whole()
	c.end()
	c.t.Logf("seed %d: %d faults in %s, %d hosts died; %s", seed, len(done), length, len(c.deaths), c.lives())
}

// watchClock tells of moments in which the machine stood still: what was
// waited for then may have been given up, with no fault of anybody's.
func (c *cluster) watchClock() {
	began := time.Now()
	tick := time.NewTicker(100 * time.Millisecond)
	done := make(chan struct{})
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		for last := time.Now(); ; last = time.Now() {
			select {
			case <-tick.C:
			case <-done:
				return
			}
			if gap := time.Since(last); gap > 2*time.Second {
				c.t.Logf("%7.3fs: the machine stood still for %s", last.Sub(began).Seconds(), gap.Round(time.Millisecond))
			}
		}
	}()
	c.t.Cleanup(func() {
		tick.Stop()
		close(done)
		<-stopped
	})
}

// lives says how often each member was started.
func (c *cluster) lives() string {
	var parts []string
	for _, m := range c.cast {
		parts = append(parts, fmt.Sprintf("%s %d", m.name, m.starts))
	}
	return "lives: " + strings.Join(parts, ", ")
}

// eventually polls until what is wrong is nothing.
func (c *cluster) eventually(what string, wrong func() string) {
	c.t.Helper()
	last, began := "", time.Now()
	defer func() { c.t.Logf("%6.1fs until %s", time.Since(began).Seconds(), what) }()
	if !processtest.Within(processtest.Patience, func() bool { last = wrong(); return last == "" }) {
		c.t.Fatalf("still not: %s:\n%s\nthe master: %s", what, last, c.get("/tasks"))
	}
}

// begun says what is missing for faults to make sense.
func (c *cluster) begun() string {
	if n, s := len(c.running()), c.summary(); n < tasks/2 || s == nil || len(s.Agents) != agents {
		return fmt.Sprintf("%d tasks have processes; %+v", n, s)
	}
	return ""
}

// settled says what is missing for all to be well while tasks run.
func (c *cluster) settled() string {
	s := c.summary()
	if s == nil {
		return "the master does not answer"
	}
	active, running := 0, 0
	for _, a := range s.Agents {
		if a.Active {
			active++
			running += a.TaskRunning
		}
	}
	wrong := c.audit(false)
	if n := len(c.running()); active != agents || running != tasks || n != tasks {
		wrong = append(wrong, fmt.Sprintf("%d agents, %d tasks are said to run, %d have processes", active, running, n))
	}
	return strings.Join(wrong, "\n")
}

// works checks that the cluster takes another framework's work beside the
// rest.
func (c *cluster) works() {
	c.t.Helper()
	if out, err := c.do("run", "--", "echo", "still at work"); err != nil || !strings.Contains(out, "still at work") {
		c.t.Errorf("troupe run: %v\n%s", err, out)
	}
}

// drain ends the framework and its tasks, and checks what became of each.
func (c *cluster) drain() {
	c.t.Helper()
	if err := steady.Drain(c.framework()); err != nil {
		c.t.Fatal(err)
	}
	c.of(Scheduler)[0].finish()
	c.eventually("every task has its end", func() string { return strings.Join(c.audit(true), "\n") })
}

// whole checks that no resource has leaked: each agent can be given away as a
// whole.
func (c *cluster) whole() {
	c.t.Helper()
	c.eventually("nothing is used", func() string {
		s := c.summary()
		if s == nil {
			return "the master does not answer"
		}
		for _, a := range s.Agents {
			if a.Used != (amounts{}) || !a.Active {
				return fmt.Sprintf("%+v", s)
			}
		}
		return ""
	})
	out, err := c.do("run", fmt.Sprintf("--cpus=%d", agentCPUs), fmt.Sprintf("--instances=%d", agents), "--", "true")
	if err != nil {
		c.t.Errorf("tasks that need whole agents: %v\n%s", err, out)
	}
}

// end takes everything down in order.
func (c *cluster) end() {
	c.t.Helper()
	for _, order := range []struct {
		role   Role
		signal syscall.Signal
	}{{Agent, syscall.SIGUSR1}, {Master, syscall.SIGTERM}} {
		for _, m := range c.of(order.role) {
			m.retire()
			m.signal(order.signal)
			m.finish()
		}
	}
	c.eventually("no process is left", func() string {
		return strings.TrimSpace(fmt.Sprintln(c.left()...))
	})
}

func (c *cluster) left() (all []any) {
	for _, p := range c.Processes() {
		all = append(all, p)
	}
	return all
}
