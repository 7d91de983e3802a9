package e2e

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"troupe/master/election/zookeepertest"
	"troupe/tools/processtest"
)

// service is a process of the service framework, or of another one that answers
// requests.
type service struct {
	*daemon
	at     string      // host:port
	tls    *tls.Config // nil: without
	secret string      // of the principal ops; "" where nobody is asked
}

// service starts one; it may lead at once, or later.
func (w *world) service(store string, more ...string) *service {
	w.t.Helper()
	at := fmt.Sprintf("127.0.0.1:%d", processtest.FreePort(w.t))
	return w.serviceAt(at, store, more...)
}

func (w *world) serviceAt(at, store string, more ...string) *service {
	w.t.Helper()
	_, port, _ := strings.Cut(at, ":")
	s := &service{daemon: w.start(append([]string{"service", "--port=" + port, "--store=" + store}, append(w.flags, more...)...)...), at: at}
	s.Await(s.Err, `"serving"`)
	return s
}

// leads waits until it is subscribed.
func (s *service) leads() {
	s.t.Helper()
	s.Await(s.Err, `"subscribed"`)
}

// call makes a request; nobody there is status 0.
func (s *service) call(method, path, body string) (status int, header http.Header, text string) {
	s.t.Helper()
	scheme := "http://"
	if s.tls != nil {
		scheme = "https://"
	}
	r, err := http.NewRequestWithContext(s.t.Context(), method, scheme+s.at+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	if s.secret != "" {
		r.SetBasicAuth("ops", s.secret)
	}
	client := http.Client{Timeout: processtest.Patience, Transport: &http.Transport{TLSClientConfig: s.tls}}
	defer client.CloseIdleConnections()
	answer, err := client.Do(r)
	if err != nil {
		return 0, nil, err.Error()
	}
	defer answer.Body.Close()
	data, err := io.ReadAll(answer.Body)
	if err != nil {
		return 0, nil, err.Error()
	}
	return answer.StatusCode, answer.Header, string(data)
}

// does makes a request that must succeed.
func (s *service) does(method, path, body string) string {
	s.t.Helper()
	status, _, text := s.call(method, path, body)
	if status < 200 || status > 299 {
		s.t.Fatalf("%s %s %s: %d %s", method, path, body, status, text)
	}
	return text
}

// app is what is looked at of an app.
type shownApp struct {
	Instances, TasksRunning, TasksHealthy int
	Tasks                                 []struct {
		ID, Host, Version, State string
		Ports                    []int
	}
	Deployments []struct{ ID string }
}

func (s *service) app(id string) (a shownApp, found bool) {
	s.t.Helper()
	status, _, text := s.call(http.MethodGet, "/v2/apps"+id, "")
	if status != http.StatusOK {
		return a, false
	}
	wrapped := struct{ App *shownApp }{&a}
	if err := json.Unmarshal([]byte(text), &wrapped); err != nil {
		s.t.Fatalf("%v: %s", err, text)
	}
	return a, true
}

// settled waits until n instances of an app are healthy and nothing is deployed any
// more, and returns their task ids, sorted.
func (s *service) settled(id string, n int) []string {
	s.t.Helper()
	var tasks []string
	eventually(s.t, fmt.Sprintf("%d instances of %s are healthy", n, id), func() bool {
		a, found := s.app(id)
		tasks = nil
		for _, task := range a.Tasks {
			tasks = append(tasks, task.ID)
		}
		slices.Sort(tasks)
		return found && a.Instances == n && a.TasksHealthy == n && len(a.Tasks) == n && len(a.Deployments) == 0
	})
	return tasks
}

// greetings are what the instances of an app answer, without who answers, by task.
func (s *service) greetings(id string) map[string]string {
	s.t.Helper()
	all := map[string]string{}
	a, _ := s.app(id)
	for _, task := range a.Tasks {
		if len(task.Ports) == 0 {
			continue
		}
		r, err := http.Get(fmt.Sprintf("http://%s:%d/", task.Host, task.Ports[0]))
		if err != nil {
			continue // it has not begun, or has ended
		}
		text, err := io.ReadAll(r.Body)
		if err == nil {
			greeting, _, _ := strings.Cut(string(text), " from ")
			all[task.ID] = greeting
		}
		if err := r.Body.Close(); err != nil {
			s.t.Error(err)
		}
	}
	return all
}

// webApp is a web server with a health check.
func (w *world) webApp(id, greeting string, instances int, more string) string {
	return fmt.Sprintf(`{"id": %q, "args": [%q, "demo-server", "--greeting=%s", "--drain=100ms"], "cpus": 0.1, "mem": 32, "instances": %d,
		"healthChecks": [{"path": "/health", "intervalSeconds": 1, "timeoutSeconds": 10, "gracePeriodSeconds": 120}]%s}`,
		id, w.Program, greeting, instances, more)
}

// servers are the processes of web servers.
func (w *world) servers() []int {
	var pids []int
	for _, p := range w.Processes() {
		if strings.Contains(p.Command, "demo-server") && !strings.Contains(p.Command, "executor-host") {
			pids = append(pids, p.PID)
		}
	}
	slices.Sort(pids)
	return pids
}

// An app is created, scaled and upgraded; what is killed meanwhile is the framework,
// and no instance ends or begins for it.
func TestServiceIsKilled(t *testing.T) {
	c := newWorld(t).separate()
	store := filepath.Join(c.dir, "service", "state")
	s := c.service(store)
	s.leads()
	s.does(http.MethodPost, "/v2/apps", c.webApp("/shop/web", "one", 3, ""))
	three := s.settled("/shop/web", 3)
	if g := s.greetings("/shop/web"); len(g) != 3 || slices.ContainsFunc(slices.Collect(maps.Values(g)), func(x string) bool { return x != "one" }) {
		t.Errorf("greetings %v", g)
	}
	s.does(http.MethodPut, "/v2/apps//shop/web", `{"instances": 4}`)
	four := s.settled("/shop/web", 4)
	for _, id := range three {
		if !slices.Contains(four, id) {
			t.Errorf("%s was replaced by scaling up", id)
		}
	}
	pids := c.servers()
	s.kill()
	s = c.serviceAt(s.at, store)
	s.leads()
	if again := s.settled("/shop/web", 4); !slices.Equal(again, four) || !slices.Equal(c.servers(), pids) {
		t.Errorf("after a kill: tasks %v, were %v; processes %v, were %v", again, four, c.servers(), pids)
	}

	// In the middle of an upgrade, once some are new and some are old.
	s.does(http.MethodPut, "/v2/apps//shop/web", c.webApp("/shop/web", "two", 4, `, "upgradeStrategy": {"minimumHealthCapacity": 0.75, "maximumOverCapacity": 0}`))
	eventually(t, "the upgrade has begun", func() bool {
		return slices.Contains(slices.Collect(maps.Values(s.greetings("/shop/web"))), "two")
	})
	s.kill()
	s = c.serviceAt(s.at, store)
	s.leads()
	upgraded := s.settled("/shop/web", 4)
	for id, g := range s.greetings("/shop/web") {
		if g != "two" || slices.Contains(four, id) {
			t.Errorf("%s answers %q", id, g)
		}
	}
	if len(c.servers()) != 4 {
		t.Errorf("%d processes of %v", len(c.servers()), upgraded)
	}

	// In order, the tasks stay as well.
	s.Signal(syscall.SIGTERM)
	s.wait().check(t, "service after SIGTERM", 0, "", `"ended in order"`)
	if len(c.servers()) != 4 {
		t.Errorf("%d processes after the framework's end", len(c.servers()))
	}
	s = c.serviceAt(s.at, store)
	s.leads()
	s.does(http.MethodDelete, "/v2/groups//shop?force=true", "")
	eventually(t, "no server is left", func() bool { return len(c.servers()) == 0 })
	s.Signal(syscall.SIGTERM)
	s.wait().check(t, "service after SIGTERM", 0, "", `"ended in order"`)
	c.end()
}

// Of two processes one leads; the other passes everything on. Killed, the first is
// followed by the other, which goes on with what was deployed.
func TestServicesElectALeader(t *testing.T) {
	e := zookeepertest.Start(t, 3)
	c := newWorld(t).separate()
	store, session := e.URL("/service"), "--zk_session_timeout="+zkSession.String()
	first := c.service(store, session)
	first.leads()
	second := c.service(store, session)
	if status, _, text := second.call(http.MethodGet, "/ping", ""); status != http.StatusOK || text != "pong" {
		t.Errorf("ping of the standby: %d %s", status, text)
	}
	second.does(http.MethodPost, "/v2/apps", c.webApp("/web", "one", 2, ""))
	tasks := second.settled("/web", 2)
	if _, header, _ := second.call(http.MethodGet, "/v2/info", ""); !strings.Contains(header.Get("X-Marathon-Leader"), first.at) {
		t.Errorf("the standby says %q leads, not %s", header.Get("X-Marathon-Leader"), first.at)
	}
	pids := c.servers()
	began := time.Now()
	first.kill()
	second.leads()
	t.Logf("%s without a leader, with a session of %s", time.Since(began).Round(time.Millisecond), zkSession)
	third := c.service(store, session)
	if again := third.settled("/web", 2); !slices.Equal(again, tasks) || !slices.Equal(c.servers(), pids) {
		t.Errorf("after a kill: tasks %v, were %v; processes %v, were %v", again, tasks, c.servers(), pids)
	}
	third.does(http.MethodPut, "/v2/apps//web", `{"instances": 3}`)
	third.settled("/web", 3)

	// Who is told to give leadership up ends, and the next one leads.
	third.does(http.MethodDelete, "/v2/leader", "")
	second.wait().check(t, "who abdicated", 1, "", "abdicated")
	third.leads()
	third.settled("/web", 3)
	third.does(http.MethodDelete, "/v2/apps//web", "")
	eventually(t, "no server is left", func() bool { return len(c.servers()) == 0 })
	third.Signal(syscall.SIGTERM)
	third.wait().check(t, "service after SIGTERM", 0, "", `"ended in order"`)
	c.end()
}
