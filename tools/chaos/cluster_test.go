package chaos

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"troupe/tools/processtest"
	"troupe/tools/steady"
)

const (
	// tasks are kept running on this many agents, each of which has room for
	// half of them.
	tasks, agents = 60, 3
	briefTask     = 12 * time.Second
	killEvery     = 2 * time.Second
	// agentCPUs is what an agent has; a task takes 0.1.
	agentCPUs = 3
)

// member is a part of the cluster.
type member struct {
	*supervised
	role Role
	// address is host:port.
	address string
}

// cluster is real processes under supervisors, and what is done to them.
type cluster struct {
	*processtest.World
	t       *testing.T
	cast    []*member
	deaths  []steady.Death
	healing []*time.Timer
}

// newCluster starts a cluster with one master, which keeps its registry in a
// file.
func newCluster(t *testing.T) *cluster {
	t.Helper()
	c := &cluster{World: processtest.New(t, built), t: t}
	c.addMaster(1)
	for i := range agents {
		c.addAgent(i + 1)
	}
	c.add(Scheduler, 1, "", func() *exec.Cmd { return c.scheduler() })
	return c
}

// add adds a member to the cast and starts it.
func (c *cluster) add(r Role, number int, address string, command func() *exec.Cmd) {
	name := fmt.Sprintf("%s-%d", r, number)
	c.cast = append(c.cast, &member{
		supervised: supervise(c.t, name, filepath.Join(c.Dir, name+".log"), command),
		role:       r, address: address,
	})
}

func (c *cluster) addMaster(number int) {
	port := processtest.FreePort(c.t)
	c.add(Master, number, fmt.Sprintf("127.0.0.1:%d", port), func() *exec.Cmd {
		return c.Command("master", fmt.Sprintf("--port=%d", port), fmt.Sprintf("--work_dir=%s/master-%d", c.Dir, number),
			"--agent_ping_timeout=1secs", "--max_agent_ping_timeouts=3", "--agent_reregister_timeout=5secs", "--allocation_interval=200ms")
	})
}

func (c *cluster) addAgent(number int) {
	port := processtest.FreePort(c.t)
	c.add(Agent, number, fmt.Sprintf("127.0.0.1:%d", port), func() *exec.Cmd {
		return c.Command("agent", fmt.Sprintf("--port=%d", port), "--master="+c.master(),
			fmt.Sprintf("--work_dir=%s/agent-%d", c.Dir, number), "--registration_backoff_factor=100ms",
			fmt.Sprintf("--resources=cpus:%d;mem:2048;disk:1024", agentCPUs), "--containers_per_host=8")
	})
}

func (c *cluster) scheduler() *exec.Cmd {
	cmd := exec.Command(os.Args[0], c.master(), c.framework())
	cmd.Dir, cmd.Env = c.Dir, append(c.Environment(), roleVariable+"="+string(Scheduler))
	return cmd
}

// master is where clients look for the master.
func (c *cluster) master() string { return c.of(Master)[0].address }

// framework is the folder of the framework.
func (c *cluster) framework() string { return filepath.Join(c.Dir, "framework") }

func (c *cluster) of(r Role) []*member {
	var members []*member
	for _, m := range c.cast {
		if m.role == r {
			members = append(members, m)
		}
	}
	return members
}

func (c *cluster) roles() (roles []Role, names []string) {
	for _, m := range c.cast {
		roles, names = append(roles, m.role), append(names, m.name)
	}
	return roles, names
}

// strike carries out a fault. What lasts is healed by itself.
func (c *cluster) strike(f Fault) {
	m := c.cast[f.Part]
	switch f.Kind {
	case Kill:
		m.signal(syscall.SIGKILL)
	case Stop:
		c.heal(f.Lasts, m.hold())
	case KillHost:
		if h, ok := c.host(m, f.Pick); ok {
			c.killHost(h)
		}
	case StopHost:
		if h, ok := c.host(m, f.Pick); ok {
			_ = syscall.Kill(h.PID, syscall.SIGSTOP) // it may have ended by now
			c.heal(f.Lasts, func() { _ = syscall.Kill(h.PID, syscall.SIGCONT) })
		}
	}
}

// heal undoes a fault later.
func (c *cluster) heal(after time.Duration, undo func()) {
	c.healing = append(c.healing, time.AfterFunc(after, undo))
}

// hosts are the executor hosts of an agent.
func (c *cluster) hosts(agent *member) []processtest.Process {
	var hosts []processtest.Process
	for _, p := range c.Processes() {
		if strings.Contains(p.Command, " executor-host ") && strings.Contains(p.Command, "--agent="+agent.address+" ") {
			hosts = append(hosts, p)
		}
	}
	return hosts
}

func (c *cluster) host(agent *member, pick uint32) (processtest.Process, bool) {
	hosts := c.hosts(agent)
	if len(hosts) == 0 {
		return processtest.Process{}, false
	}
	return hosts[int(pick)%len(hosts)], true
}

// killHost kills a host, and notes which tasks die with it. It is stopped
// first, so that it starts nothing in between.
func (c *cluster) killHost(h processtest.Process) {
	_ = syscall.Kill(h.PID, syscall.SIGSTOP) // it may have ended by now
	death := steady.Death{At: time.Now()}
	for _, p := range c.Processes() {
		if p.Parent == h.PID {
			death.Tasks = append(death.Tasks, taskOf(p))
		}
	}
	c.deaths = append(c.deaths, death)
	_ = syscall.Kill(h.PID, syscall.SIGKILL)
}

var ownFile = regexp.MustCompile(`^(?:/bin/)?sh -c echo "start .*/tasks/(\S+);`)

// taskOf is the id of the task whose main process p is; "" for others.
func taskOf(p processtest.Process) string {
	if m := ownFile.FindStringSubmatch(p.Command); m != nil {
		return m[1]
	}
	return ""
}

// running counts the main processes of each task. A shell that is about to
// become another program is its parent's work.
func (c *cluster) running() map[string]int {
	of := map[int]string{}
	all := c.Processes()
	for _, p := range all {
		of[p.PID] = taskOf(p)
	}
	running := map[string]int{}
	for _, p := range all {
		if task := of[p.PID]; task != "" && of[p.Parent] != task {
			running[task]++
		}
	}
	return running
}

// audit compares the framework's records with what happened.
func (c *cluster) audit(drained bool) []string {
	c.t.Helper()
	running := c.running()
	marks, err := steady.ReadMarks(c.framework())
	if err != nil {
		c.t.Fatal(err)
	}
	records, err := steady.ReadJournal(steady.JournalPath(c.framework()))
	if err != nil {
		c.t.Fatal(err)
	}
	return steady.Audit(records, steady.Evidence{Marks: marks, Running: running, Deaths: c.deaths, Drained: drained})
}

// summary is what a master says of the cluster; nil when it does not.
type summary struct {
	Agents []struct {
		Active      bool    `json:"active"`
		TaskRunning int     `json:"TASK_RUNNING"`
		Used        amounts `json:"used_resources"`
	} `json:"slaves"`
}

type amounts struct {
	CPUs float64 `json:"cpus"`
	Mem  float64 `json:"mem"`
}

func (c *cluster) summary() *summary {
	client := http.Client{Timeout: 5 * time.Second}
	r, err := client.Get("http://" + c.master() + "/state-summary")
	if err != nil {
		return nil
	}
	defer r.Body.Close()
	s := new(summary)
	if r.StatusCode != http.StatusOK || json.NewDecoder(r.Body).Decode(s) != nil {
		return nil
	}
	return s
}

// do runs a command of the program to its end.
func (c *cluster) do(args ...string) (string, error) {
	cmd := c.Command(append([]string{args[0], "--master=" + c.master()}, args[1:]...)...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}
