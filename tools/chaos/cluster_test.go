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
	"strconv"
	"strings"
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
	n := newNetwork(t, subnet) // first: what runs in it ends before it goes
	c := &cluster{World: processtest.New(t, built), t: t, network: n}
	t.Cleanup(c.remains)
	t.Cleanup(c.healAll) // nothing is to be healed when the test is over
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

// get is what the leading master says; nothing when none answers.
func (c *cluster) get(path string) []byte {
	client := http.Client{Timeout: 10 * time.Second}
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
