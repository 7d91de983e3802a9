package e2e

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"troupe/tools/cgrouptest"
	"troupe/tools/processtest"
)

// isolatedCluster starts a cluster whose agent has that --isolation, with control groups
// of its own.
func isolatedCluster(t *testing.T, isolation string, more ...string) (c *cluster, groups string) {
	t.Helper()
	groups = cgrouptest.Root(t)
	w := newWorld(t)
	c = &cluster{world: w, masterPort: processtest.FreePort(t), agentPort: processtest.FreePort(t)}
	w.flags = append(w.flags, fmt.Sprintf("--master=127.0.0.1:%d", c.masterPort))
	t.Cleanup(func() {
		if text, err := os.ReadFile(filepath.Join(w.dir, "agent", "hosts.log")); err == nil && t.Failed() {
			t.Logf("executor hosts:\n%s", text)
		}
	})
	c.startMaster()
	c.startAgent(append([]string{"--isolation=" + isolation, "--cgroups_root=" + groups}, more...)...)
	return c, groups
}

// leftNothing: no group of a container is left.
func leftNothing(t *testing.T, groups string) {
	t.Helper()
	left, err := filepath.Glob("/sys/fs/cgroup/*/" + groups + "/*-*")
	if err != nil || len(left) > 0 {
		t.Errorf("control groups are left: %v, %v", left, err)
	}
}

const confined = "cgroups/cpu,cgroups/mem,namespaces/pid"

// hog writes more memory than most tasks have, and then says so.
const hog = `head -c 200000000 /dev/zero | tail -c 200000000 >/dev/null; echo "survived with $?"`

// TestMemoryHog: the kernel ends what wants more memory than it has, the framework
// learns what happened with the figures, and nothing happens to its neighbour.
func TestMemoryHog(t *testing.T) {
	c, groups := isolatedCluster(t, confined)
	neighbour := c.startSleeper("neighbour")
	c.do("run", "--mem=64", "--name=hog", "--", "sh", "-c", hog).check(t, "hog", 1, "^$",
		`TASK_FAILED.*Memory limit exceeded: Requested: 64MB Maximum Used: 6[0-9](\.\d+)?MB`)
	c.endSleeper(neighbour)
	c.end()
	leftNothing(t, groups)
}

// TestMemoryHogWithoutLimit: what is only measured is held to nothing.
func TestMemoryHogWithoutLimit(t *testing.T) {
	c, _ := isolatedCluster(t, "posix/cpu,posix/mem")
	c.do("run", "--mem=64", "--name=hog", "--", "sh", "-c", hog).check(t, "hog", 0, "survived with 0", "TASK_FINISHED")
	c.end()
}

// TestURIs: what a command wants is there before it begins, or the task fails and
// says which URI it was.
func TestURIs(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/words" {
			http.NotFound(w, r)
			return
		}
		_, _ = io.WriteString(w, "some words\n")
	}))
	defer server.Close()
	for _, isolation := range []string{"posix/cpu,posix/mem", confined} {
		t.Run(isolation, func(t *testing.T) {
			c, groups := isolatedCluster(t, isolation)
			c.do("run", "--uri="+server.URL+"/words", "--", "cat", "words").check(t, "run", 0, "^some words\n$", "TASK_FINISHED")
			c.do("run", "--uri="+server.URL+"/none", "--", "true").check(t, "run", 1, "^$", "TASK_FAILED.*"+server.URL+"/none.*404")
			c.end()
			leftNothing(t, groups)
		})
	}
}

// TestKillWhileFetching ends a launch that a server holds up.
func TestKillWhileFetching(t *testing.T) {
	asked, over := make(chan struct{}, 1), make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case asked <- struct{}{}:
		default:
		}
		select {
		case <-r.Context().Done():
		case <-over:
		}
	}))
	defer server.Close()
	defer close(over)
	c, groups := isolatedCluster(t, confined)
	d := c.start(append([]string{"run", "--failover_timeout=0", "--name=slow", "--uri=" + server.URL + "/slow"}, append(c.flags, "--", "true")...)...)
	<-asked
	d.Signal(syscall.SIGINT)
	d.wait().check(t, "run", 130, "^$", "TASK_KILLED")
	c.end()
	leftNothing(t, groups)
}

// TestSessionSeesItsTask: who debugs a task is in its namespaces and groups.
func TestSessionSeesItsTask(t *testing.T) {
	c, groups := isolatedCluster(t, confined)
	const look = "readlink /proc/self/ns/pid; grep memory /proc/self/cgroup"
	d := c.start(append([]string{"run", "--name=debugged"}, append(c.flags, "--", "sh", "-c",
		"("+look+") >own; until test -f done; do sleep 0.05; done; cmp own seen && cat own")...)...)
	var sandbox string
	eventually(t, "the task runs", func() bool {
		found, err := filepath.Glob(filepath.Join(c.dir, "agent", "slaves", "*", "frameworks", "*", "executors", "*", "runs", "*-*", "own"))
		if err != nil || len(found) != 1 {
			return false
		}
		sandbox = filepath.Dir(found[0])
		text, err := os.ReadFile(found[0])
		return err == nil && bytes.Count(text, []byte("\n")) == 2
	})
	call := fmt.Sprintf(`{"type": "LAUNCH_NESTED_CONTAINER_SESSION", "launch_nested_container_session": {
		"container_id": {"value": "debug", "parent": {"value": %q}}, "command": {"value": "(%s) >seen; touch done"}}}`, filepath.Base(sandbox), look)
	r, err := http.Post(fmt.Sprintf("http://127.0.0.1:%d/api/v1", c.agentPort), "application/json", strings.NewReader(call))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	if _, err := io.Copy(io.Discard, r.Body); err != nil || r.StatusCode != http.StatusOK {
		t.Errorf("the session: %s, %v", r.Status, err)
	}
	end := d.wait()
	end.check(t, "run", 0, `pid:\[\d+\]\n.*/`+groups+"/"+filepath.Base(sandbox), "TASK_FINISHED")
	if machine, err := os.Readlink("/proc/self/ns/pid"); err != nil || strings.Contains(end.out, machine) {
		t.Errorf("the task sees the machine's processes: %s, %v", machine, err)
	}
	c.end()
	leftNothing(t, groups)
}

// TestIsolationThatCannotBe ends the agent before it promises anything.
func TestIsolationThatCannotBe(t *testing.T) {
	w := newWorld(t)
	for isolation, want := range map[string]string{
		"cgroups/cpu,magic":              `--isolation="cgroups/cpu,magic" names "magic", which is no isolator; there are .*cgroups/mem`,
		"network/port_mapping":           `names network/port_mapping, which is not here: .*leave it out`,
		"posix/cpu,process":              "names posix/cpu twice",
		"volume/host_path":               "names volume/host_path, which needs filesystem/linux",
		"filesystem/posix,volume/secret": "names volume/secret, which needs filesystem/linux",
		"disk/du,disk/xfs":               "names disk/du and disk/xfs",
	} {
		w.only("agent", "--port=0", "--master=127.0.0.1:1", "--work_dir="+filepath.Join(w.dir, "agent"), "--isolation="+isolation).
			check(t, isolation, 2, "^$", want)
	}
	w.only("agent", "--port=0", "--master=127.0.0.1:1", "--work_dir="+filepath.Join(w.dir, "agent"),
		"--isolation=cgroups/mem", "--cgroups_hierarchy=/nowhere").check(t, "no hierarchy", 1, "^$", `--isolation=.*cgroups/mem: control groups: stat /nowhere`)
	w.only("agent", "--port=0", "--master=127.0.0.1:1", "--work_dir="+filepath.Join(w.dir, "agent"),
		"--isolation=disk/xfs").check(t, "no XFS", 1, "^$", `--isolation=.*disk/xfs: .*prjquota`)
	w.only("agent", "--port=0", "--master=127.0.0.1:1", "--work_dir="+filepath.Join(w.dir, "agent"),
		"--enforce_container_disk_quota").check(t, "no isolator", 2, "^$", "is kept by disk/du alone")
}
