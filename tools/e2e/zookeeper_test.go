package e2e

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"troupe/master/election/zookeeper"
	"troupe/master/election/zookeepertest"
	"troupe/messages/masters"
	"troupe/messages/mesos"
	"troupe/tools/processtest"
)

// candidate is a master that stands for election in ZooKeeper.
type candidate struct {
	*daemon
	at string // host:port
}

const zkSession = 8 * time.Second

// stand starts a master whose work directory has a name.
func (w *world) stand(name, url string) *candidate {
	w.t.Helper()
	port := processtest.FreePort(w.t)
	c := &candidate{w.start("master", fmt.Sprintf("--port=%d", port), "--zk="+url, "--zk_session_timeout="+zkSession.String(),
		"--work_dir="+filepath.Join(w.dir, name)), fmt.Sprintf("127.0.0.1:%d", port)}
	return c
}

func (c *candidate) leads() {
	c.t.Helper()
	c.Await(c.Err, `"This master leads"`)
}

// get asks a master, without following where it leads; nobody there is status 0.
func (c *candidate) get(path string) (status int, location, body string) {
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, Timeout: processtest.Patience}
	r, err := client.Get("http://" + c.at + path)
	if err != nil {
		return 0, "", ""
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		return 0, "", ""
	}
	return r.StatusCode, r.Header.Get("Location"), string(text)
}

// answers waits until a path has a status.
func (c *candidate) answers(path string, want int) (location, body string) {
	c.t.Helper()
	eventually(c.t, fmt.Sprintf("%s%s is %d", c.at, path, want), func() bool {
		var status int
		status, location, body = c.get(path)
		return status == want
	})
	return location, body
}

func (c *candidate) kill() { c.daemon.kill() }

// Of several masters one leads. Killed or stopped for longer than its session,
// it is followed by another, to which the agent turns; one that goes on after
// its session ends itself.
func TestMastersElectedByZooKeeper(t *testing.T) {
	e := zookeepertest.Start(t, 3)
	url := e.URL("/troupe")
	w := newWorld(t)
	first := w.stand("first", url)
	first.leads()
	second := w.stand("second", url)
	second.Await(second.Err, `"A master leads".*`+first.at)
	second.answers("/redirect/redirect", http.StatusNotFound)
	if location, _ := second.answers("/master/redirect", http.StatusTemporaryRedirect); location != "//"+first.at {
		t.Errorf("/master/redirect leads to %q", location)
	}
	if location, _ := second.answers("/state?x=1", http.StatusTemporaryRedirect); location != "//"+first.at+"/state?x=1" {
		t.Errorf("/state leads to %q", location)
	}
	second.answers("/health", http.StatusOK)
	if _, body := second.answers("/metrics/snapshot", http.StatusOK); !strings.Contains(body, `"master/elected":0`) {
		t.Errorf("the figures of a master that stands by: %s", body)
	}
	if _, body := first.answers("/metrics/snapshot", http.StatusOK); !strings.Contains(body, `"master/elected":1`) {
		t.Errorf("the figures of a leader: %s", body)
	}
	agent := w.start("agent", "--port=0", "--master="+url, "--work_dir="+filepath.Join(w.dir, "agent"),
		"--resources=cpus:4;mem:1024;disk:1024", "--registration_backoff_factor=50ms")
	first.hasAgent()
	began := time.Now()
	first.kill()
	second.leads()
	t.Logf("%s without a leader, with a session of %s", time.Since(began).Round(time.Millisecond), zkSession)
	second.hasAgent()
	second.Signal(syscall.SIGSTOP)
	third := w.stand("third", url)
	third.leads()
	third.hasAgent()
	second.Signal(syscall.SIGCONT)
	second.wait().check(t, "a leader that was stopped", 1, "", `"ended","error":"the leadership of /troupe/json.info_[0-9]{10} has ended: `)
	third.answers("/health", http.StatusOK)
	agent.Signal(syscall.SIGUSR1)
	agent.wait().check(t, "agent after SIGUSR1", 0, "", "")
	third.Signal(syscall.SIGTERM)
	third.wait().check(t, "master after SIGTERM", 0, "", `"ended in order"`)
	eventually(t, "no process is left", func() bool { return len(w.Processes()) == 0 })
}

// hasAgent waits until an agent is registered.
func (c *candidate) hasAgent() {
	c.t.Helper()
	eventually(c.t, "the agent is registered at "+c.at, c.knowsAgent)
}

func (c *candidate) knowsAgent() bool {
	status, _, body := c.get("/slaves")
	return status == http.StatusOK && strings.Contains(body, `"active":true`)
}

// A master that starts before ZooKeeper serves what it can, says what it waits
// for, and is elected when ZooKeeper is there.
func TestMasterStartsBeforeZooKeeper(t *testing.T) {
	e := zookeepertest.Start(t, 1)
	e.Kill(0)
	w := newWorld(t)
	m := w.stand("m", e.URL("/troupe"))
	m.Await(m.Err, `ZooKeeper cannot be reached; trying on.*connection refused`)
	m.answers("/health", http.StatusOK)
	m.answers("/state", http.StatusServiceUnavailable)
	m.answers("/master/redirect", http.StatusServiceUnavailable)
	e.Restart(0)
	m.leads()
	m.answers("/state", http.StatusOK)
	m.Signal(syscall.SIGTERM)
	m.wait().check(t, "master after SIGTERM", 0, "", `"ended in order"`)
}

// Masters that elect their leader among themselves show it in ZooKeeper, to
// clients that know no other way; also when it was killed a moment ago.
func TestLeaderAmongMastersIsShownInZooKeeper(t *testing.T) {
	e := zookeepertest.Start(t, 1)
	place, err := masters.ParseZooKeeper(e.URL("/troupe"))
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t)
	var ports []int
	var all []string
	for range 3 {
		ports = append(ports, processtest.FreePort(t))
		all = append(all, fmt.Sprintf("127.0.0.1:%d", ports[len(ports)-1]))
	}
	running := map[string]*candidate{}
	for i, at := range all {
		running[at] = &candidate{w.start("master", fmt.Sprintf("--port=%d", ports[i]), "--masters="+strings.Join(all, ","), calm,
			"--zk="+e.URL("/troupe"), fmt.Sprintf("--work_dir=%s/%d", w.dir, i)), at}
	}
	d := zookeeper.NewDetector(zookeeper.Options{Place: place})
	defer d.Close()
	var known *mesos.MasterInfo
	for range 2 {
		found := known
		for found == nil || found == known {
			next, err := d.Leader(t.Context(), known)
			if err != nil {
				t.Fatal(err)
			}
			found = next
		}
		at, err := masters.Address(found)
		if err != nil || running[at] == nil {
			t.Fatalf("%v leads: %v", found, err)
		}
		running[at].answers("/state", http.StatusOK)
		if known == nil {
			running[at].kill()
			delete(running, at)
		}
		known = found
	}
	for _, m := range running {
		m.Signal(syscall.SIGTERM)
		m.wait().check(t, "master after SIGTERM", 0, "", `"ended in order"`)
	}
}

// What would make two clusters of one, or one of two, is refused, and so is a
// wrong password; no password is shown.
func TestMasterRefusesAWrongPlaceInZooKeeper(t *testing.T) {
	e := zookeepertest.Start(t, 1)
	w := newWorld(t)
	secret := strings.Replace(e.URL("/one"), "zk://", "zk://troupe:secret@", 1)
	file := filepath.Join(w.dir, "zk")
	if err := os.WriteFile(file, []byte(secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	one := w.stand("one", "file://"+file)
	one.leads()
	if _, body := one.answers("/flags", http.StatusOK); strings.Contains(body, "secret") || !strings.Contains(body, `"zk":"zk://troupe:***@`) {
		t.Errorf("/flags shows %s", body)
	}
	for name, c := range map[string]struct{ url, want string }{
		"wrong password": {strings.Replace(secret, "secret", "wrong", 1), "another user or password"},
		"no password":    {e.URL("/one"), "another user or password"},
	} {
		w.stand("other", c.url).wait().check(t, name, 1, "", c.want)
	}
	one.Signal(syscall.SIGTERM)
	one.wait().check(t, "master after SIGTERM", 0, "", `"ended in order"`)
	if strings.Contains(one.Err.String(), "secret") {
		t.Error("the log has the password")
	}
	// The work directory knows its cluster, and finds none at another path.
	w.stand("one", e.URL("/two")).wait().check(t, "an empty path", 1, "", `it is not there, and this master belongs to cluster`)
	two := w.stand("two", e.URL("/two"))
	two.leads()
	two.Signal(syscall.SIGTERM)
	two.wait().check(t, "master after SIGTERM", 0, "", `"ended in order"`)
	w.stand("one", e.URL("/two")).wait().check(t, "another cluster's path", 1, "", `/two/registry: cluster_id: .*this master belongs to cluster`)
	again := w.stand("one", secret)
	again.leads()
	again.Signal(syscall.SIGTERM)
	again.wait().check(t, "master after SIGTERM", 0, "", `"ended in order"`)
	for args, want := range map[string]string{
		"--zk=zk://h:1/":                             "path",
		"--zk=zk://u:p@h/p":                          "servers",
		"--zk=zk://h:1/p --registry=in_memory":       "leave it out",
		"--zk=zk://h:1/p --registry=replicated_log":  "leave it out",
		"--zk=zk://h:1/p --zk_session_timeout=-1min": "zk_session_timeout",
	} {
		w.only(append([]string{"master", "--port=0", "--work_dir=" + w.dir}, strings.Fields(args)...)...).check(t, args, 2, "", want)
	}
}
