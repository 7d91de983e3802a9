package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"troupe/master/election/zookeepertest"
	"troupe/tools/processtest"
)

// calm elections are lost by a leader that is gone, and not by one whose machine
// is busy.
const calm = "--election_timeout=2secs"

// trio is three masters that keep the registry among themselves.
type trio struct {
	*world
	addresses []string
	masters   []*daemon
	secure    []string
}

// trio starts three masters; secure is the flags that all daemons share.
func (w *world) trio(secure ...string) *trio {
	w.t.Helper()
	m := &trio{world: w, masters: make([]*daemon, 3), secure: secure}
	for range m.masters {
		m.addresses = append(m.addresses, fmt.Sprintf("127.0.0.1:%d", processtest.FreePort(w.t)))
	}
	for i := range m.masters {
		m.startMaster(i)
	}
	w.flags = append(append(w.flags, "--master="+m.where()), secure...)
	return m
}

// where is --master of those who look for the leader.
func (m *trio) where() string { return strings.Join(m.addresses, ",") }

func (m *trio) startMaster(i int) {
	m.t.Helper()
	_, port, _ := strings.Cut(m.addresses[i], ":")
	m.masters[i] = m.start(append([]string{
		"master", "--port=" + port, "--masters=" + m.where(), calm, "--work_dir=" + filepath.Join(m.dir, fmt.Sprint("master-", i)),
	}, m.secure...)...)
	m.masters[i].Await(m.masters[i].Err, `"serving"`)
}

func (m *trio) startAgent(name string, port int) *daemon {
	m.t.Helper()
	d := m.start(append([]string{
		"agent", fmt.Sprint("--port=", port), "--master=" + m.where(), "--work_dir=" + filepath.Join(m.dir, name),
		"--resources=cpus:4;mem:1024;disk:1024", "--registration_backoff_factor=100ms",
	}, m.secure...)...)
	d.Await(d.Err, `"serving"`)
	return d
}

// supervise starts masters again that ended themselves: a leader that was not
// let run for a moment has lost its term, be it for a test or by chance.
func (m *trio) supervise() {
	m.t.Helper()
	for i, d := range m.masters {
		select {
		case <-d.Ended():
			if r := d.wait(); r.code == 1 {
				r.check(m.t, "a master that ended itself", 1, "", "leads no more")
				m.startMaster(i)
			}
		default:
		}
	}
}

// leader waits until one leads, and is its number.
func (m *trio) leader() int {
	m.t.Helper()
	leads := -1
	eventually(m.t, "a master leads", func() bool {
		m.supervise()
		r := m.do("masters")
		if r.code != 0 {
			return false
		}
		for line := range strings.Lines(r.out) {
			for i, a := range m.addresses {
				if f := strings.Fields(line); len(f) > 1 && f[0] == a && f[1] == "leading" {
					leads = i
				}
			}
		}
		return leads >= 0
	})
	return leads
}

// A task outlives the leading master that it was launched by; whoever waits for
// it is told what happens, and how it ended. Every command finds the leader from
// any of the masters.
func TestRunSurvivesAMasterFailover(t *testing.T) {
	w := newWorld(t)
	m := w.trio()
	leader := m.leader()
	agent := m.startAgent("agent", 0)
	ready := filepath.Join(w.dir, "go")
	task := w.startTask("survivor", fmt.Sprintf(`echo before; until [ -e %s ]; do sleep 0.05; done; echo after; exit 7`, ready))
	task.Await(task.Out, "before")
	m.masters[leader].kill()
	next := m.leader()
	if next == leader {
		t.Fatalf("the master that was killed leads")
	}
	task.Await(task.Err, `the master is out of reach, tasks run on`)
	task.Await(task.Err, `the master is back: `+m.addresses[next]+` leads now`)
	eventually(t, "the agent is back, too", func() bool { return strings.Contains(w.do("agents").out, "active") })
	for i, at := range m.addresses {
		r := w.only("agents", "--master="+at)
		if i == leader {
			r.check(t, "a master that is not there", 1, "^$", at+" does not answer")
		} else {
			r.check(t, "a master that lives", 0, "active", "^$")
		}
	}
	w.do("masters").check(t, "masters", 0, m.addresses[leader]+` +unreachable`, "^$")
	w.only("masters", "--master="+m.addresses[next]).check(t, "masters, of one", 0, m.addresses[leader]+` +unreachable`, "^$")
	// One that is ended in order takes nothing with it either.
	m.startMaster(leader)
	m.masters[next].Signal(syscall.SIGTERM)
	m.masters[next].wait().check(t, "leader after SIGTERM", 0, "", `"ended in order"`)
	third := m.leader()
	task.Await(task.Err, `the master is back: `+m.addresses[third]+` leads now`)
	leader = next
	touch(t, ready)
	task.wait().check(t, "run", 7, "^before\nafter\n$", "TASK_FAILED.*exited with status 7")
	if n := strings.Count(task.Err.String(), "TASK_RUNNING"); n != 1 {
		t.Errorf("TASK_RUNNING was told %d times", n)
	}
	agent.Signal(syscall.SIGUSR1)
	agent.wait().check(t, "agent after SIGUSR1", 0, "", "")
	for i, d := range m.masters {
		if i != leader {
			d.Signal(syscall.SIGTERM)
			d.wait().check(t, "master after SIGTERM", 0, "", `"ended in order"`)
		}
	}
}

// active waits until so many agents are registered with the leader.
func (m *trio) active(count int) {
	m.t.Helper()
	eventually(m.t, fmt.Sprintf("%d agents are active", count), func() bool {
		r := m.do("agents")
		return r.code == 0 && strings.Count(r.out, " active") == count
	})
}

// updates counts what the framework was told.
func (f *framework) updates() int {
	n := 0
	for _, r := range f.records() {
		if r.Update != nil {
			n++
		}
	}
	return n
}

// busy waits until the framework was told of a good deal more.
func (f *framework) busy() {
	f.t.Helper()
	before := f.updates()
	eventually(f.t, "the framework is told more", func() bool { return f.updates() >= before+f.options.Count })
}

// The rolling restart of docs/operations.md, while tasks come and go: every
// agent, then the masters that stand by, then the leader. No task ends that
// should not, none runs twice, and no update is lost.
func TestRollingRestart(t *testing.T) {
	w := newWorld(t)
	m := w.trio()
	m.leader()
	names := []string{"agent-0", "agent-1"}
	ports := map[string]int{}
	agents := map[string]*daemon{}
	for _, name := range names {
		ports[name] = processtest.FreePort(t)
		agents[name] = m.startAgent(name, ports[name])
	}
	m.active(len(names))
	f := (&cluster{world: w}).steady(12, time.Hour)
	// Without kills there would be tasks in the end that last, and no others: the
	// slower the machine, the sooner.
	f.options.Brief, f.options.KillEvery = time.Second, time.Second/4
	scheduler := f.start()
	f.busy()
	for _, name := range names {
		agents[name].Signal(syscall.SIGTERM)
		agents[name].wait().check(t, name+" after SIGTERM", 0, "", `"ended in order"`)
		agents[name] = m.startAgent(name, ports[name])
		m.active(len(names))
		f.busy()
	}
	leader := m.leader()
	for i := 1; i <= len(m.masters); i++ {
		restarted := (leader + i) % len(m.masters) // the leader at last
		m.masters[restarted].Signal(syscall.SIGTERM)
		m.masters[restarted].wait().check(t, "master after SIGTERM", 0, "", `"ended in order"`)
		m.startMaster(restarted)
		m.leader()
		m.active(len(names))
		f.busy()
	}
	if now := m.leader(); now == leader {
		t.Logf("the leader that was restarted leads again")
	}
	f.drain(scheduler)
	for _, name := range names {
		agents[name].Signal(syscall.SIGUSR1)
		agents[name].wait().check(t, name+" after SIGUSR1", 0, "", "")
	}
	for _, d := range m.masters {
		d.Signal(syscall.SIGTERM)
		d.wait().check(t, "master after SIGTERM", 0, "", `"ended in order"`)
	}
}

// What an operator does to an agent: no more tasks for it, its tasks killed, all
// as before, and out of the cluster. Any master takes the commands.
func TestOperatorsOfAgents(t *testing.T) {
	w := newWorld(t)
	m := w.trio()
	m.leader()
	port := processtest.FreePort(t)
	agent := m.startAgent("agent", port)
	task := w.startTask("stays", "exec sleep 1000")
	shows := func(state string) {
		t.Helper()
		eventually(t, "the agent is "+state, func() bool {
			return strings.Contains(w.do("agents").out, " "+state+" ")
		})
	}
	shows("active")
	w.do("agents", "deactivate", "S0").check(t, "deactivate", 0, "^$", "^$")
	shows("deactivated")
	w.do("agents", "reactivate", "S0").check(t, "reactivate", 0, "^$", "^$")
	shows("active")
	w.do("agents", "reactivate", "S0").check(t, "reactivate once more", 1, "^$", `reactivate agent ".*-S0": .*is not deactivated`)
	w.do("agents", "drain", "S0", "--max_grace=1secs").check(t, "drain", 0, "^$", "^$")
	task.wait().check(t, "run", 143, "", "TASK_(KILLED|GONE)")
	shows("drained")
	agent.Signal(syscall.SIGTERM)
	agent.wait().check(t, "agent after SIGTERM", 0, "", `"ended in order"`)
	agent = m.startAgent("agent", port)
	shows("drained")
	w.do("agents", "reactivate", "S0").check(t, "reactivate", 0, "^$", "^$")
	w.do("run", "--", "echo", "again").check(t, "run", 0, "again", "TASK_FINISHED")
	w.do("agents", "drain").check(t, "drain nobody", 2, "^$", "AGENT is missing")
	w.do("agents", "drain", "S9").check(t, "drain nobody", 1, "^$", `drain agent "S9": `)

	lasting := w.startTask("lasting", "exec sleep 1000")
	r := w.do("frameworks")
	id := strings.Fields(strings.Split(r.out, "\n")[1])[0]
	w.do("frameworks", "teardown", id).check(t, "teardown", 0, "^$", "^$")
	lasting.wait().check(t, "run", 1, "", "has been removed|torn down")
	w.do("frameworks", "teardown", "nobody").check(t, "teardown of nobody", 1, "^$", `tear down framework "nobody": `)

	w.do("agents", "gone", "S0").check(t, "gone", 0, "^$", "^$")
	agent.wait().check(t, "agent that is gone", 1, "", "(?i)gone")
	w.do("agents").check(t, "agents", 0, "No agents", "^$")
	for _, d := range m.masters {
		d.Signal(syscall.SIGTERM)
		d.wait().check(t, "master after SIGTERM", 0, "", `"ended in order"`)
	}
}

// What a task writes comes back byte for byte, be it no text at all: at once, in
// pieces while it is written, and over a restart of its agent.
func TestLogsAreExact(t *testing.T) {
	w := newWorld(t)
	c := w.separate()
	all := make([]byte, 3<<20)
	for i := range all {
		all[i] = byte(i * i >> 5) // every byte, and no UTF-8
	}
	first, second, gate := filepath.Join(w.dir, "first"), filepath.Join(w.dir, "second"), filepath.Join(w.dir, "gate")
	for path, data := range map[string][]byte{first: all[:1<<20], second: all[1<<20:]} {
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	task := w.startTask("binary", fmt.Sprintf("cat %s; until [ -e %s ]; do sleep 0.05; done; cat %s", first, gate, second))
	eventually(t, "the first half is there", func() bool { return len(w.do("tasks", "logs", "binary").out) == 1<<20 })
	if got := w.do("tasks", "logs", "binary").out; got != string(all[:1<<20]) {
		t.Error("the first half is not what was written")
	}
	follow := w.start(append([]string{"tasks", "logs", "--follow", "binary"}, w.flags...)...)
	eventually(t, "the first half is followed", func() bool { return len(follow.Out.String()) == 1<<20 })
	c.agent.kill()
	c.startAgent()
	c.running("binary")
	touch(t, gate)
	follow.wait().check(t, "logs --follow", 0, "", "^$")
	for name, d := range map[string]*daemon{"run": task, "logs --follow": follow} {
		if r := d.wait(); r.out != string(all) {
			t.Errorf("%s gave %d bytes that are not the %d that were written", name, len(r.out), len(all))
		}
	}
	if r := w.do("tasks", "logs", "--stderr", "binary"); r.code != 0 || r.out != "" {
		t.Errorf("stderr: %+v", r)
	}
	c.end()
}

// With ZooKeeper, commands and `troupe run` find the leader by its URL, which
// may be in a file; they follow it when it changes.
func TestCommandsFollowZooKeeper(t *testing.T) {
	e := zookeepertest.Start(t, 1)
	w := newWorld(t)
	url := e.URL("/troupe")
	file := filepath.Join(w.dir, "masters")
	if err := os.WriteFile(file, []byte(url+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	w.flags = append(w.flags, "--master=file://"+file)
	first := w.stand("first", url)
	first.leads()
	second := w.stand("second", url)
	second.Await(second.Err, `"A master leads"`)
	eventually(t, "both masters are listed", func() bool {
		r := w.do("masters")
		return r.code == 0 && regexp.MustCompile(first.at+` +leading +`+first.at).MatchString(r.out) &&
			regexp.MustCompile(second.at+` +standby +`+first.at).MatchString(r.out)
	})
	agent := w.start("agent", "--port=0", "--master=file://"+file, "--work_dir="+filepath.Join(w.dir, "agent"),
		"--resources=cpus:4;mem:1024;disk:1024", "--registration_backoff_factor=50ms")
	ready := filepath.Join(w.dir, "go")
	task := w.startTask("survivor", fmt.Sprintf(`echo before; until [ -e %s ]; do sleep 0.05; done; echo after; exit 7`, ready))
	first.kill()
	task.Await(task.Err, `the master is out of reach, tasks run on`)
	task.Await(task.Err, `the master is back: `+second.at+` leads now`)
	eventually(t, "commands find the new leader", func() bool { return w.do("agents").code == 0 })
	touch(t, ready)
	task.wait().check(t, "run", 7, "^before\nafter\n$", "TASK_FAILED.*exited with status 7")
	agent.Signal(syscall.SIGUSR1)
	agent.wait().check(t, "agent after SIGUSR1", 0, "", "")
	second.Signal(syscall.SIGTERM)
	second.wait().check(t, "master after SIGTERM", 0, "", `"ended in order"`)
	w.do("masters").check(t, "masters, all ended", 1, "No masters stand for election", "^$")
}

// SIGTERM ends the only master, and nothing else: also frameworks that may not
// be away find it again.
func TestMasterStopsInOrder(t *testing.T) {
	w := newWorld(t)
	c := w.separate()
	task := w.startSleeper("lasting")
	for range 3 {
		before := strings.Count(task.Err.String(), "the master is back")
		c.master.Signal(syscall.SIGTERM)
		c.master.wait().check(t, "master after SIGTERM", 0, "", `"ended in order"`)
		c.startMaster()
		eventually(t, "run is told that the master is back", func() bool {
			return strings.Count(task.Err.String(), "the master is back") > before
		})
		c.running("lasting")
	}
	c.endSleeper(task)
	c.end()
}
