package e2e

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"troupe/tools/processtest"
)

// grouped is a cluster whose agent holds containers in groups and namespaces.
type grouped struct {
	*cluster
	root  string // of the agent's groups
	flags []string
	runs  string // every program that starts adds its name to this file
}

func (w *world) grouped() *grouped {
	w.t.Helper()
	return w.groupedWith("--isolation=cgroups/cpu,cgroups/mem,namespaces/pid")
}

func (w *world) groupedWith(flags ...string) *grouped {
	w.t.Helper()
	root := fmt.Sprintf("troupe-e2e-%d", os.Getpid())
	i := &grouped{root: root, runs: filepath.Join(w.dir, "runs")}
	i.flags = append(flags, "--cgroups_root="+root)
	w.t.Cleanup(i.sweep)
	i.cluster = &cluster{world: w, masterPort: processtest.FreePort(w.t), agentPort: processtest.FreePort(w.t)}
	i.world.flags = append(i.world.flags, fmt.Sprintf("--master=127.0.0.1:%d", i.masterPort))
	i.startMaster()
	i.begin()
	return i
}

func (i *grouped) begin() { i.startAgent(i.flags...) }

// groups are those below the agent's own, in all hierarchies.
func (i *grouped) groups() []string {
	var all []string
	for _, pattern := range []string{"/sys/fs/cgroup/" + i.root + "/*", "/sys/fs/cgroup/*/" + i.root + "/*"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			i.t.Fatal(err)
		}
		for _, path := range found {
			if info, err := os.Stat(path); err == nil && info.IsDir() {
				all = append(all, path)
			}
		}
	}
	return all
}

// sweep removes the agent's groups, with all that a test which failed has left.
func (i *grouped) sweep() {
	for _, g := range i.groups() {
		for _, pid := range i.members(g) {
			_ = syscall.Kill(pid, syscall.SIGKILL) // it may have ended by now
		}
	}
	processtest.Within(10*time.Second, func() bool {
		for _, g := range i.groups() {
			_ = os.Remove(g) // what is in it takes a moment to end
		}
		return len(i.groups()) == 0
	})
	roots, _ := filepath.Glob("/sys/fs/cgroup/*/" + i.root)
	for _, root := range append(roots, "/sys/fs/cgroup/"+i.root) {
		_ = os.Remove(root) // where there is one
	}
}

func (i *grouped) members(group string) []int {
	text, _ := os.ReadFile(filepath.Join(group, "cgroup.procs")) // it may be gone
	leaf, _ := os.ReadFile(filepath.Join(group, "leaf", "cgroup.procs"))
	var pids []int
	for _, word := range strings.Fields(string(text) + string(leaf)) {
		if pid, err := strconv.Atoi(word); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}

// populated tells that some program is in a group.
func (i *grouped) populated() bool {
	for _, g := range i.groups() {
		if len(i.members(g)) > 0 {
			return true
		}
	}
	return false
}

func (i *grouped) hosts() []processtest.Process {
	var hosts []processtest.Process
	for _, p := range i.Processes() {
		if strings.Contains(p.Command, " executor-host ") {
			hosts = append(hosts, p)
		}
	}
	return hosts
}

func (i *grouped) killHosts() {
	i.t.Helper()
	for _, h := range i.hosts() {
		if err := syscall.Kill(h.PID, syscall.SIGKILL); err != nil {
			i.t.Fatal(err)
		}
	}
}

// submit has a task run a script, and does not wait.
func (i *grouped) submit(name, script string) *daemon {
	i.t.Helper()
	args := append([]string{"run", "--name=" + name, "--mem=32", "--cpus=0.1"}, i.world.flags...)
	return i.start(append(args, "--", "sh", "-c", fmt.Sprintf("echo %s >>%s; %s", name, i.runs, script))...)
}

// started is how often a task's program was.
func (i *grouped) started(name string) int {
	text, _ := os.ReadFile(i.runs) // none has
	return strings.Count(string(text), name+"\n")
}

// clean: of containers nothing is left on the machine but their folders.
func (i *grouped) clean() {
	i.t.Helper()
	eventually(i.t, "nothing is left of any container", func() bool {
		mounts, err := os.ReadFile("/proc/self/mountinfo")
		if err != nil {
			i.t.Fatal(err)
		}
		exits, err := os.ReadDir(filepath.Join(i.dir, "agent", "meta", "exits"))
		if err != nil {
			i.t.Fatal(err)
		}
		for _, p := range i.Processes() {
			if p.PID != i.agent.PID() && p.PID != i.master.PID() && !strings.Contains(p.Command, " executor-host ") {
				return false
			}
		}
		return len(i.groups()) == 0 && !bytes.Contains(mounts, []byte(i.dir)) && len(exits) == 0
	})
}

// step is one that a launch or an end has come to.
type step struct {
	name    string
	reached func(task string) bool
}

// watch waits until a step is reached, more closely than others do.
func watch(t *testing.T, s step, task string) {
	t.Helper()
	late := time.After(processtest.Patience)
	tick := time.NewTicker(200 * time.Microsecond)
	defer tick.Stop()
	for !s.reached(task) {
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("%s does not come to this: %s", task, s.name)
		}
	}
}

// launchSteps are those of a launch, as they are seen from outside.
func (i *grouped) launchSteps() []step {
	return []step{
		{"it is in the journal", func(task string) bool {
			text, _ := os.ReadFile(filepath.Join(i.dir, "agent", "meta", "journal")) // it may be rewritten
			return bytes.Contains(text, []byte(task))
		}},
		{"its sandbox is made", func(task string) bool {
			found, _ := filepath.Glob(filepath.Join(i.dir, "agent", "slaves", "*", "frameworks", "*", "executors", task, "runs", "*"))
			return len(found) > 0
		}},
		{"there is a host", func(string) bool { return len(i.hosts()) > 0 }},
		{"its groups are made", func(string) bool { return len(i.groups()) > 0 }},
		{"something is in its groups", func(string) bool { return i.populated() }},
		{"its program runs", func(task string) bool { return i.started(task) > 0 }},
	}
}

// TestAgentKilledAtEachStep: whatever an agent is killed at, and its hosts go on
// without it, its tasks are run once, or not at all if nothing of them was
// durable, and end as their framework is told; nothing of them is left.
func TestAgentKilledAtEachStep(t *testing.T) {
	w := newWorld(t)
	i := w.grouped()
	for n, s := range i.launchSteps() {
		name := fmt.Sprintf("launch%d", n)
		task := i.submit(name, "exec sleep 1000")
		watch(t, s, name)
		i.agent.kill()
		i.begin()
		if task.Await(task.Err, `TASK_(RUNNING|LOST|DROPPED|GONE)`)[1] == "RUNNING" {
			i.do("tasks", "kill", name).check(t, s.name+": tasks kill", 0, "", "^$")
			task.wait().check(t, s.name+": run", 143, "", "TASK_KILLED")
		} else {
			task.wait()
		}
		if times := i.started(name); times > 1 {
			t.Errorf("%s: the program was started %d times", s.name, times)
		}
		i.clean()
	}
	i.end()
}

// TestAgentKilledWhileTasksEnd: so it is with their end.
func TestAgentKilledWhileTasksEnd(t *testing.T) {
	w := newWorld(t)
	i := w.grouped()
	for n, s := range []step{
		{"it was asked to end", func(string) bool { return true }},
		{"nothing is in its groups", func(string) bool { return !i.populated() }},
		{"its groups are gone", func(string) bool { return len(i.groups()) == 0 }},
		{"its end is in the journal", func(string) bool {
			text, _ := os.ReadFile(filepath.Join(i.dir, "agent", "meta", "journal")) // it may be rewritten
			return bytes.Contains(text, []byte("exited with status 13"))
		}},
	} {
		name := fmt.Sprintf("end%d", n)
		task := i.submit(name, fmt.Sprintf(`trap 'sleep 0.2; exit %d' TERM; echo ready; while :; do sleep 0.01; done`, 10+n))
		task.Await(task.Out, "ready")
		i.do("tasks", "kill", name).check(t, "tasks kill", 0, "", "^$")
		watch(t, s, name)
		i.agent.kill()
		i.begin()
		task.wait().check(t, s.name+": run", 10+n, "", "TASK_KILLED")
		i.clean()
	}
	i.end()
}

// TestHostKilledAtEachStep: a host that dies takes its tasks along, whose framework
// hears of it, and nothing else is left; also if the agent dies with it.
func TestHostKilledAtEachStep(t *testing.T) {
	w := newWorld(t)
	i := w.grouped()
	for n, s := range i.launchSteps()[2:] {
		for _, both := range []bool{false, true} {
			name := fmt.Sprintf("host%d-%v", n, both)
			task := i.submit(name, "sleep 1000 & setsid sleep 1000 & exec sleep 1000")
			watch(t, s, name)
			if both {
				i.agent.kill()
			}
			i.killHosts()
			if both {
				i.begin()
			}
			task.Await(task.Err, `TASK_(FAILED|LOST|DROPPED|GONE|RUNNING)`)
			i.do("tasks", "kill", name) // should it have found another host in time
			r := task.wait()
			r.check(t, s.name+": run", r.code, "", "TASK_(FAILED|LOST|DROPPED|GONE|KILLED)")
			i.clean()
		}
	}
	i.end()
}

// TestEndThatOnlyTheInitKnows: a program's end is recorded by its init, and its host
// dies before it can tell.
func TestEndThatOnlyTheInitKnows(t *testing.T) {
	w := newWorld(t)
	i := w.grouped()
	for _, c := range []struct {
		exit int
		want string
	}{{0, "TASK_FINISHED.*exited with status 0"}, {7, "TASK_FAILED.*exited with status 7"}} {
		name, ready := fmt.Sprintf("exit%d", c.exit), filepath.Join(w.dir, fmt.Sprintf("go%d", c.exit))
		task := i.submit(name, fmt.Sprintf("until [ -e %s ]; do sleep 0.01; done; exit %d", ready, c.exit))
		task.Await(task.Err, "TASK_RUNNING")
		for _, h := range i.hosts() {
			if err := syscall.Kill(h.PID, syscall.SIGSTOP); err != nil {
				t.Fatal(err)
			}
		}
		touch(t, ready)
		eventually(t, "the init has recorded the end", func() bool {
			files, _ := filepath.Glob(filepath.Join(i.dir, "agent", "meta", "exits", "*"))
			for _, f := range files {
				if text, err := os.ReadFile(f); err == nil && regexp.MustCompile(`^\d+\n$`).Match(text) {
					return true
				}
			}
			return false
		})
		i.killHosts()
		r := task.wait()
		r.check(t, "run", r.code, "", c.want)
		i.clean()
	}
	i.end()
}

// TestContainersOfNobody: an agent that has lost all memory removes what is left of
// its containers when it starts.
func TestContainersOfNobody(t *testing.T) {
	w := newWorld(t)
	i := w.grouped()
	task := i.submit("nobodys", "setsid sleep 1000 & exec sleep 1000")
	task.Await(task.Err, "TASK_RUNNING")
	i.agent.kill()
	i.killHosts()
	if err := os.RemoveAll(filepath.Join(i.dir, "agent", "meta")); err != nil {
		t.Fatal(err)
	}
	if len(i.groups()) == 0 {
		t.Fatal("there is nothing to find")
	}
	i.begin()
	i.agent.Await(i.agent.Err, "nobody's, and is removed")
	i.clean()
	task.Signal(syscall.SIGKILL) // its agent will not come back
	task.wait()
	i.end()
}

// TestLimitWithoutAnAgent: a task that wants more memory than it was given, while its
// agent is not there, is told so, and its neighbour notices nothing.
func TestLimitWithoutAnAgent(t *testing.T) {
	w := newWorld(t)
	i := w.grouped()
	neighbour := i.submit("neighbour", "exec sleep 1000")
	neighbour.Await(neighbour.Err, "TASK_RUNNING")
	alone := len(i.groups())
	ready := filepath.Join(w.dir, "go")
	hog := i.submit("hog", fmt.Sprintf("until [ -e %s ]; do sleep 0.01; done; exec tail /dev/zero", ready))
	hog.Await(hog.Err, "TASK_RUNNING")
	i.agent.kill()
	touch(t, ready)
	eventually(t, "the hog is gone", func() bool { return len(i.groups()) == alone })
	i.begin()
	r := hog.wait()
	r.check(t, "run", r.code, "", "TASK_FAILED.*Memory limit exceeded")
	i.do("tasks", "kill", "neighbour").check(t, "tasks kill", 0, "", "^$")
	neighbour.wait().check(t, "run of the neighbour", 143, "", "TASK_KILLED")
	i.clean()
	i.end()
}
