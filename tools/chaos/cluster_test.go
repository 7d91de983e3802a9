package chaos

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"troupe/master/election/zookeepertest"
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
	name string
	// node is its place in the network, and in the cast.
	node int
	// ip and ports are where it serves; the first port is for clients.
	ip    string
	ports []int
}

// address is where clients find a member, host:port.
func (m *member) address() string { return net.JoinHostPort(m.ip, strconv.Itoa(m.ports[0])) }

// cluster is real processes under supervisors, and what is done to them.
type cluster struct {
	*processtest.World
	t       *testing.T
	network *network
	cast    []*member
	// masterFlags are those by which masters keep the registry and elect a
	// leader; master is where the others look for it.
	masterFlags []string
	master      string
	deaths      []steady.Death
	healing     []*healing
}

// newCluster makes the nodes of a cluster. Nothing runs yet.
func newCluster(t *testing.T, subnet, zookeepers, masters int) *cluster {
	t.Helper()
	c := &cluster{World: processtest.New(t, built), t: t, network: newNetwork(t, subnet)}
	t.Cleanup(c.remains)
	for range zookeepers {
		c.add(ZooKeeper, 2181, 2888, 3888)
	}
	for range masters {
		c.add(Master, 5050)
	}
	for range agents {
		c.add(Agent, 5051)
	}
	c.add(Scheduler)
	return c
}

// remains shows what executor hosts wrote if the test has failed, and copies
// everything away if somebody wants it.
func (c *cluster) remains() {
	if !c.t.Failed() {
		return
	}
	for _, m := range c.of(Agent) {
		c.t.Logf("executor hosts of %s:\n%s", m.name, tailOf(filepath.Join(c.Dir, m.name, "hosts.log")))
	}
	if to := os.Getenv(keepVariable); to != "" {
		if err := os.CopyFS(filepath.Join(to, fmt.Sprintf("%s-%d", c.t.Name(), seed)), os.DirFS(c.Dir)); err != nil {
			c.t.Error(err)
		}
	}
}

// add adds a member to the cast, at a node of its own.
func (c *cluster) add(r Role, ports ...int) {
	node := len(c.cast)
	c.network.join(node)
	if c.network == nil {
		for i := range ports {
			ports[i] = processtest.FreePort(c.t)
		}
	}
	c.cast = append(c.cast, &member{
		role: r, name: fmt.Sprintf("%s-%d", r, len(c.of(r))+1), node: node, ip: c.network.address(node), ports: ports,
	})
}

// start starts everything.
func (c *cluster) start() {
	c.t.Helper()
	c.configureZooKeepers()
	for _, m := range c.cast {
		m.supervised = supervise(c.t, m.name, filepath.Join(c.Dir, m.name+".log"), func() *exec.Cmd {
			return c.network.inside(m.node, c.command(m))
		})
	}
}

// command is what a member runs.
func (c *cluster) command(m *member) *exec.Cmd {
	dir := filepath.Join(c.Dir, m.name)
	switch m.role {
	case ZooKeeper:
		return zookeepertest.Command(dir)
	case Master:
		return c.Command(append([]string{
			"master", "--ip=" + m.ip, fmt.Sprintf("--port=%d", m.ports[0]), "--work_dir=" + dir,
			"--agent_ping_timeout=1secs", "--max_agent_ping_timeouts=3", "--agent_reregister_timeout=5secs", "--allocation_interval=200ms",
		}, c.masterFlags...)...)
	case Agent:
		return c.Command("agent", "--ip="+m.ip, fmt.Sprintf("--port=%d", m.ports[0]), "--master="+c.master, "--work_dir="+dir,
			"--registration_backoff_factor=100ms", fmt.Sprintf("--resources=cpus:%d;mem:2048;disk:1024", agentCPUs), "--containers_per_host=8")
	case Scheduler:
	}
	cmd, err := steady.Command(steady.Options{
		Master: c.master, Dir: c.framework(), Count: tasks, Brief: briefTask, KillEvery: killEvery,
		FailoverTimeout: time.Hour, Seed: seed,
	}, c.Environment())
	if err != nil {
		c.t.Error(err)
	}
	cmd.Dir = c.Dir
	return cmd
}

// configureZooKeepers tells the servers of each other.
func (c *cluster) configureZooKeepers() {
	c.t.Helper()
	members := ""
	for i, m := range c.of(ZooKeeper) {
		members += fmt.Sprintf("server.%d=%s:%d:%d\n", i+1, m.ip, m.ports[1], m.ports[2])
	}
	for i, m := range c.of(ZooKeeper) {
		if err := zookeepertest.Configure(filepath.Join(c.Dir, m.name), i+1, m.ip, m.ports[0], members); err != nil {
			c.t.Fatal(err)
		}
	}
}

// addresses are those of all members of a role, with commas between.
func (c *cluster) addresses(r Role) string {
	var all []string
	for _, m := range c.of(r) {
		all = append(all, m.address())
	}
	return strings.Join(all, ",")
}

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
	case KillLeader:
		c.leader(m).signal(syscall.SIGKILL)
	case Stop:
		c.heal(f.Lasts, m.hold())
	case StopLeader:
		c.heal(f.Lasts, c.leader(m).hold())
	case KillHost:
		if h, ok := c.host(m, f.Pick); ok {
			c.killHost(h)
		}
	case StopHost:
		if h, ok := c.host(m, f.Pick); ok {
			_ = syscall.Kill(h.PID, syscall.SIGSTOP) // it may have ended by now
			c.heal(f.Lasts, func() { _ = syscall.Kill(h.PID, syscall.SIGCONT) })
		}
	case Isolate:
		c.heal(f.Lasts, c.network.isolate(m.node))
	case Part:
		c.heal(f.Lasts, c.network.part(m.node, f.Other))
	}
}

// healing undoes a fault, once.
type healing struct {
	sync.Once
	undo  func()
	timer *time.Timer
}

// heal undoes a fault later.
func (c *cluster) heal(after time.Duration, undo func()) {
	h := &healing{undo: undo}
	h.timer = time.AfterFunc(after, func() { h.Do(undo) })
	c.healing = append(c.healing, h)
}

// healAll undoes at once what is not undone yet.
func (c *cluster) healAll() {
	for _, h := range c.healing {
		h.timer.Stop()
		h.Do(h.undo)
	}
}

// hosts are the executor hosts of an agent.
func (c *cluster) hosts(agent *member) []processtest.Process {
	var hosts []processtest.Process
	for _, p := range c.Processes() {
		if strings.Contains(p.Command, " executor-host ") && strings.Contains(p.Command, "--agent="+agent.address()+" ") {
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
	death := steady.Death{At: time.Now(), Host: hostID.FindStringSubmatch(h.Command)[1]}
	for _, p := range c.Processes() {
		if p.Parent == h.PID {
			death.Tasks = append(death.Tasks, taskOf(p))
		}
	}
	c.deaths = append(c.deaths, death)
	_ = syscall.Kill(h.PID, syscall.SIGKILL)
}

var hostID = regexp.MustCompile(`--host_id=(\S+)`)

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
	s := new(summary)
	if json.Unmarshal(c.get("/state-summary"), s) != nil {
		return nil
	}
	return s
}

// leader is the master that says that it leads, or the other one if none does
// at once.
func (c *cluster) leader(other *member) *member {
	client := http.Client{Timeout: 200 * time.Millisecond, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}
	for _, m := range c.of(Master) {
		if _, err := ask(&client, "http://"+m.address()+"/state-summary"); err == nil {
			return m
		}
	}
	return other
}

// get is what the leading master says; nothing when none answers.
func (c *cluster) get(path string) []byte {
	client := http.Client{Timeout: 2 * time.Second}
	for _, m := range c.of(Master) {
		if body, err := ask(&client, "http://"+m.address()+path); err == nil {
			return body
		}
	}
	return nil
}

// ask returns the body of a good answer.
func ask(client *http.Client, url string) ([]byte, error) {
	r, err := client.Get(url)
	if err != nil {
		return nil, err
	}
	defer r.Body.Close()
	if r.StatusCode != http.StatusOK {
		return nil, errors.New(r.Status)
	}
	return io.ReadAll(r.Body)
}

// do runs a command of the program to its end.
func (c *cluster) do(args ...string) (string, error) {
	cmd := c.Command(append([]string{args[0], "--master=" + c.master}, args[1:]...)...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}
