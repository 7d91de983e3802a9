package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"troupe/tools/processtest"
)

// load asks for a URL without a pause, and counts what is answered.
type load struct {
	url     string
	stop    context.CancelFunc
	askers  sync.WaitGroup
	answers atomic.Int64

	mu       sync.Mutex
	failures []string
	last     map[string]int64 // greetings, and when each was last seen, by number of answers
}

// startLoad has so many clients ask; each keeps its connection for a while, as
// browsers do.
func startLoad(t *testing.T, url string, clients int) *load {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	l := &load{url: url, stop: stop, last: map[string]int64{}}
	for range clients {
		l.askers.Go(func() { l.ask(ctx) })
	}
	t.Cleanup(func() {
		stop()
		l.askers.Wait()
	})
	return l
}

func (l *load) ask(ctx context.Context) {
	transport := &http.Transport{DialContext: (&net.Dialer{Timeout: processtest.Patience}).DialContext}
	client := http.Client{Transport: transport, Timeout: processtest.Patience}
	for n := 1; ctx.Err() == nil; n++ {
		greeting, err := greetingAt(&client, l.url)
		if ctx.Err() != nil {
			break
		}
		number := l.answers.Add(1)
		l.mu.Lock()
		if err != nil {
			l.failures = append(l.failures, fmt.Sprintf("request %d at %s: %v", number, time.Now().Format(time.StampMilli), err))
		} else {
			l.last[greeting] = number
		}
		l.mu.Unlock()
		if n%20 == 0 {
			transport.CloseIdleConnections()
		}
	}
	transport.CloseIdleConnections()
}

// greetingAt is what whoever answers there says.
func greetingAt(client *http.Client, url string) (greeting string, err error) {
	r, err := client.Get(url)
	if err != nil {
		return "", err
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		return "", err
	}
	if r.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%s: %.200s", r.Status, text)
	}
	greeting, _, _ = strings.Cut(string(text), " from ")
	return greeting, nil
}

// unharmed checks that no request has failed, and that there were some since.
func (l *load) unharmed(t *testing.T, after string) {
	t.Helper()
	l.goesOn(t, 100)
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.failures) > 0 {
		t.Errorf("after %s: %d of %d requests have failed, such as: %s", after, len(l.failures), l.answers.Load(), l.failures[0])
		l.failures = nil
	}
}

// goesOn waits for more answers.
func (l *load) goesOn(t *testing.T, more int64) {
	t.Helper()
	until := l.answers.Load() + more
	eventually(t, "requests go on", func() bool { return l.answers.Load() >= until })
}

// only waits until no other greeting is heard any more.
func (l *load) only(t *testing.T, greeting string) {
	t.Helper()
	l.goesOn(t, 200)
	l.mu.Lock()
	defer l.mu.Unlock()
	for other, at := range l.last {
		if other != greeting && at > l.answers.Load()-100 {
			t.Errorf("%q answers although all should be %q", other, greeting)
		}
	}
}

// Twenty web servers behind a HAProxy are upgraded, rolled back, scaled up and down,
// the agent and the framework are killed, all under load: no request fails.
func TestNoRequestFails(t *testing.T) {
	c := newWorld(t).separate()
	t.Cleanup(func() { c.endProxies() })
	store := filepath.Join(c.dir, "service")
	flags := []string{"--haproxy_config=" + filepath.Join(c.dir, "haproxy.cfg"), "--haproxy_bind=127.0.0.1"}
	s := c.service(store, flags...)
	s.leads()
	port := processtest.FreePort(t)
	app := func(greeting string) string {
		return fmt.Sprintf(`{"id": "/web", "args": [%q, "demo-server", "--greeting=%s", "--drain=0s"], "cpus": 0.1, "mem": 32, "instances": 20,
			"portDefinitions": [{"port": %d}], "labels": {"HAPROXY_GROUP": "external", "HAPROXY_0_MODE": "http"},
			"upgradeStrategy": {"minimumHealthCapacity": 0.9, "maximumOverCapacity": 0.2},
			"healthChecks": [{"path": "/health", "intervalSeconds": 1, "timeoutSeconds": 10, "gracePeriodSeconds": 120}]}`,
			c.Program, greeting, port)
	}
	s.does(http.MethodPost, "/v2/apps", app("one"))
	s.settled("/web", 20)
	url := fmt.Sprintf("http://127.0.0.1:%d/", port)
	eventually(t, "the proxy answers", func() bool {
		greeting, err := greetingAt(http.DefaultClient, url)
		return err == nil && greeting == "one"
	})
	http.DefaultClient.CloseIdleConnections()
	l := startLoad(t, url, 4)
	l.unharmed(t, "the start")

	s.does(http.MethodPut, "/v2/apps//web", app("two"))
	s.settled("/web", 20)
	l.only(t, "two")
	l.unharmed(t, "an upgrade")

	var began struct{ DeploymentID string }
	if err := json.Unmarshal([]byte(s.does(http.MethodPut, "/v2/apps//web", app("three"))), &began); err != nil {
		t.Fatal(err)
	}
	eventually(t, "some are upgraded", func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.last["three"] > 0
	})
	s.does(http.MethodDelete, "/v2/deployments/"+began.DeploymentID, "")
	s.settled("/web", 20)
	l.only(t, "two")
	l.unharmed(t, "a rollback")

	s.does(http.MethodPut, "/v2/apps//web", `{"instances": 26}`)
	s.settled("/web", 26)
	s.does(http.MethodPut, "/v2/apps//web", `{"instances": 8}`)
	s.settled("/web", 8)
	l.unharmed(t, "scaling up and down")

	c.agent.kill()
	l.goesOn(t, 200)
	c.startAgent()
	s.settled("/web", 8)
	l.unharmed(t, "a kill of the agent")

	s.does(http.MethodPut, "/v2/apps//web", `{"instances": 12}`)
	s.kill()
	l.goesOn(t, 200)
	s = c.serviceAt(s.at, store, flags...)
	s.leads()
	s.settled("/web", 12)
	l.unharmed(t, "a kill of the framework")

	s.does(http.MethodPut, "/v2/apps//web", app("four"))
	s.settled("/web", 20)
	l.only(t, "four")
	l.unharmed(t, "an upgrade by the next life")
	t.Logf("%d requests", l.answers.Load())

	l.stop()
	l.askers.Wait()
	s.does(http.MethodDelete, "/v2/apps//web", "")
	eventually(t, "no server is left", func() bool { return len(c.servers()) == 0 })
	s.Signal(syscall.SIGTERM)
	s.wait().check(t, "service after SIGTERM", 0, "", `"ended in order"`)
	c.endProxies()
	c.end()
}

// endProxies ends what the framework has left running in front of its apps: their
// command line has the world's folder, but they work elsewhere.
func (c *cluster) endProxies() {
	c.t.Helper()
	entries, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		c.t.Fatal(err)
	}
	for _, e := range entries {
		command, err := os.ReadFile(e)
		if err != nil || !strings.HasPrefix(string(command), "haproxy\x00") && !strings.Contains(string(command), "/haproxy\x00") ||
			!strings.Contains(string(command), c.dir) {
			continue // it has ended, or is not one
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(e)))
		if err != nil {
			c.t.Fatal(err)
		}
		_ = syscall.Kill(pid, syscall.SIGTERM) // it may have ended meanwhile
	}
}
