package conformance

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"troupe/messages/mesos/master"
	"troupe/tools/mesosclient"
	"troupe/tools/processtest"
)

// cluster is a master and an agent, each a process.
type cluster struct {
	*processtest.World
	t *testing.T
	// master and agent are addresses.
	master, agent               string
	masterProcess, agentProcess *processtest.Daemon
	// masterFlags and agentFlags go beside those that all have.
	masterFlags, agentFlags []string
	// as is how the test asks: whose Authorization, and over TLS or not.
	as    mesosclient.Endpoint
	ended bool
}

// newCluster starts them; they end with the test.
func newCluster(t *testing.T) *cluster {
	t.Helper()
	return newWorld(t).start()
}

// newWorld is a cluster of which nothing runs yet.
func newWorld(t *testing.T) *cluster {
	t.Helper()
	return &cluster{World: processtest.New(t, built), t: t}
}

// start starts master and agent.
func (c *cluster) start() *cluster {
	c.t.Helper()
	c.masterProcess, c.master = c.startMaster(processtest.FreePort(c.t))
	c.startAgent(processtest.FreePort(c.t))
	processtest.Eventually(c.t, "the agent is registered", func() bool {
		r := &master.Response{}
		err := c.operate().Ask(c.t.Context(), &master.Call{Type: master.Call_GET_AGENTS.Enum()}, r)
		return err == nil && len(r.GetGetAgents().GetAgents()) == 1
	})
	return c
}

// newMaster is a cluster that has no agent yet.
func newMaster(t *testing.T) *cluster {
	t.Helper()
	c := newWorld(t)
	c.masterProcess, c.master = c.startMaster(processtest.FreePort(t))
	return c
}

const served = `"serving".*"url":"https?://([^"]+)"`

// startMaster starts one that is the only one.
func (c *cluster) startMaster(port int) (d *processtest.Daemon, address string) {
	c.t.Helper()
	d = c.launchMaster(port)
	return d, d.Await(d.Err, served)[1]
}

// launchMaster does not wait until it serves.
func (c *cluster) launchMaster(port int) *processtest.Daemon {
	c.t.Helper()
	d := c.Start(c.Command(append([]string{
		"master", fmt.Sprint("--port=", port), "--work_dir=" + filepath.Join(c.Dir, "master"), "--allocation_interval=50ms",
	}, c.masterFlags...)...))
	c.t.Cleanup(c.end)
	return d
}

func (c *cluster) startAgent(port int) {
	c.t.Helper()
	c.agentProcess = c.Start(c.Command(append([]string{
		"agent", fmt.Sprint("--port=", port), "--master=" + c.master, "--work_dir=" + filepath.Join(c.Dir, "agent"),
		"--resources=cpus:8;mem:2048;disk:1024;ports:[31000-31099]", "--attributes=rack:r1",
		"--registration_backoff_factor=50ms", "--executor_shutdown_grace_period=1secs",
	}, c.agentFlags...)...))
	c.t.Cleanup(c.end)
	c.agent = c.agentProcess.Await(c.agentProcess.Err, served)[1]
}

// restartAgent kills the agent and starts it where it was.
func (c *cluster) restartAgent() {
	c.t.Helper()
	c.agentProcess.Signal(syscall.SIGKILL)
	c.agentProcess.Wait()
	c.startAgent(c.port(c.agent))
}

// port is that of an address.
func (c *cluster) port(address string) int {
	c.t.Helper()
	_, text, _ := strings.Cut(address, ":")
	n, err := strconv.Atoi(text)
	if err != nil {
		c.t.Fatal(err)
	}
	return n
}

// end takes the agent down with all that runs there, and then the master, once.
// Each process that is started asks for it anew, so that it comes before they
// are killed.
func (c *cluster) end() {
	if c.ended {
		return
	}
	c.ended = true
	if c.agentProcess != nil {
		c.agentProcess.Signal(syscall.SIGUSR1)
		if code := c.agentProcess.Wait(); code != 0 {
			c.t.Errorf("the agent's exit status is %d", code)
		}
	}
	if c.masterProcess != nil {
		c.masterProcess.Signal(syscall.SIGTERM)
		if code := c.masterProcess.Wait(); code != 0 {
			c.t.Errorf("the master's exit status is %d", code)
		}
	}
	processtest.Eventually(c.t, "no process is left", func() bool { return len(c.Processes()) == 0 })
}

// operate is the master's operator API.
func (c *cluster) operate() *mesosclient.Endpoint {
	return c.at(c.master, mesosclient.OperatorPath, mesosclient.JSON{})
}

// at is an API as the test asks it.
func (c *cluster) at(address, path string, enc mesosclient.Encoding) *mesosclient.Endpoint {
	e := c.as
	e.Address, e.Path, e.Encoding = address, path, enc
	return &e
}

// inEach runs a test in each encoding.
func inEach(t *testing.T, test func(t *testing.T, enc mesosclient.Encoding)) {
	t.Helper()
	for _, enc := range mesosclient.Encodings() {
		t.Run(strings.TrimPrefix(enc.MediaType(), "application/"), func(t *testing.T) { test(t, enc) })
	}
}
