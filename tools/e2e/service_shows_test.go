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
	"strings"
	"syscall"
	"testing"

	"troupe/master/election/zookeepertest"
	"troupe/tools/processtest"
)

// What runs is shown to those who may ask: where it is reached, over HTTP and DNS,
// what it writes, how the framework does, and a page.
func TestWhatAServiceShows(t *testing.T) {
	c := newWorld(t).separate()
	secrets := filepath.Join(c.dir, "secrets")
	if err := os.WriteFile(secrets, []byte(`{"credentials": [{"principal": "ops", "secret": "tell"}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	names := processtest.FreePort(t)
	s := c.service(filepath.Join(c.dir, "service"), "--http_credentials="+secrets, fmt.Sprintf("--dns_port=%d", names), "--dns_domain=test")
	s.leads()
	accept := ""
	ask := func(path, secret string) (int, string) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+s.at+path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		if accept != "" {
			r.Header.Set("Accept", accept)
		}
		if secret != "" {
			r.SetBasicAuth("ops", secret)
		}
		answer, err := http.DefaultTransport.RoundTrip(r) // which follows nobody
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		text, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		return answer.StatusCode, string(text)
	}
	for path, want := range map[string]int{
		"/ping": 200, "/health": 200, "/v2/apps": 401, "/": 401, "/metrics": 401, "/v2/endpoints": 401, "/v2/tasks/a.1/files": 401, "/v2/apps//ping": 401,
		"//ping": 307, "/v2/apps/../../ping": 307, "/v2/apps/..%2f..%2fping": 401, "/ping/": 401,
	} {
		if status, _ := ask(path, ""); status != want {
			t.Errorf("%s for a stranger: %d, want %d", path, status, want)
		}
		if status, _ := ask(path, "guess"); status != want {
			t.Errorf("%s with a wrong secret: %d, want %d", path, status, want)
		}
	}

	s.secret = "tell"
	s.does(http.MethodPost, "/v2/apps", `{"id": "/prod/say", "cmd": "echo this is said; sleep 1000", "cpus": 0.1, "mem": 32}`)
	var app shownApp
	eventually(t, "the app runs", func() bool {
		app, _ = s.app("/prod/say")
		return app.TasksRunning == 1
	})
	task := app.Tasks[0]
	eventually(t, "what it said is there", func() bool {
		status, text := ask("/v2/tasks/"+task.ID+"/files?file=stdout&offset=0", "tell")
		return status == http.StatusOK && strings.Contains(text, "this is said")
	})
	for path, want := range map[string]int{
		"/v2/tasks/" + task.ID + "/files":                          200,
		"/v2/tasks/" + task.ID + "/files?file=none":                404,
		"/v2/tasks/" + task.ID + "/files?file=../../../etc/passwd": 400,
		"/v2/tasks/prod_say.none/files":                            404,
		"/v2/tasks/x/files":                                        404,
		"/ui/":                                                     200,
		"/v2/info":                                                 200,
		"/v2/nothing":                                              404,
	} {
		if status, text := ask(path, "tell"); status != want {
			t.Errorf("%s: %d, want %d: %s", path, status, want, text)
		}
	}
	if _, text := ask("/metrics", "tell"); !strings.Contains(text, `"marathon.apps.active.gauge"`) {
		t.Errorf("metrics for clients of Marathon:\n%s", text)
	}
	accept = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
	if _, text := ask("/metrics", "tell"); !strings.Contains(text, "troupe_service_tasks_launched_total 1") || !strings.Contains(text, `troupe_service_instances{state="TASK_RUNNING"} 1`) {
		t.Errorf("metrics:\n%s", text)
	}
	accept = ""
	var found struct {
		Service struct{ AppID string }
	}
	if _, text := ask("/v2/endpoints/prod/say", "tell"); json.Unmarshal([]byte(text), &found) != nil || found.Service.AppID != "/prod/say" {
		t.Errorf("endpoints: %s", text)
	}
	looksUp(t, names, task.Ports[0])

	s.Signal(syscall.SIGTERM)
	s.wait().check(t, "service after SIGTERM", 0, "", `"ended in order"`)
	c.end()
}

// looksUp asks the framework's own DNS server for the app.
func looksUp(t *testing.T, dnsPort, port int) {
	t.Helper()
	resolver := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, fmt.Sprintf("127.0.0.1:%d", dnsPort))
	}}
	if found, err := resolver.LookupHost(t.Context(), "say.prod.test."); err != nil || len(found) != 1 || found[0] != "127.0.0.1" {
		t.Errorf("say.prod.test is %v, %v", found, err)
	}
	_, records, err := resolver.LookupSRV(t.Context(), "say-prod", "tcp", "test.")
	if err != nil || len(records) != 1 || int(records[0].Port) != port {
		t.Errorf("its ports: %v, %v; want %d", records, err, port)
	}
}

// With certificates everything works as without: links to the master, requests, those
// that one process passes on to the other, and what is read from agents.
func TestServiceTLS(t *testing.T) {
	e := zookeepertest.Start(t, 1)
	w := newWorld(t)
	a := processtest.NewAuthority(t, filepath.Join(w.dir, "authority"))
	c := w.separate(a.Issue("everybody")...)
	first := c.service(e.URL("/service"))
	first.leads()
	second := c.service(e.URL("/service"))
	second.tls = a.Client("everybody")
	second.does(http.MethodPost, "/v2/apps", c.webApp("/web", "one", 1, ""))
	task := second.settled("/web", 1)[0]
	if files := second.does(http.MethodGet, "/v2/tasks/"+task+"/files", ""); !strings.Contains(files, `"stdout"`) {
		t.Errorf("files: %s", files)
	}
	other := processtest.NewAuthority(t, filepath.Join(w.dir, "stranger"))
	other.Issue("ops")
	stranger := service{daemon: second.daemon, at: second.at, tls: other.Client("ops")}
	stranger.tls.InsecureSkipVerify = true // it is they who are not known
	if status, _, text := stranger.call(http.MethodGet, "/v2/apps", ""); status != 0 || !strings.Contains(text, "certificate") {
		t.Errorf("a stranger: %d %s", status, text)
	}
	second.does(http.MethodDelete, "/v2/apps//web", "")
	eventually(t, "no server is left", func() bool { return len(c.servers()) == 0 })
	for _, s := range []*service{second, first} {
		s.Signal(syscall.SIGTERM)
		s.wait().check(t, "service after SIGTERM", 0, "", `"ended in order"`)
	}
	c.end()
}
