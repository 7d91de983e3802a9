package discovery

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"troupe/frameworks/match"
	"troupe/frameworks/service/app"
	"troupe/frameworks/service/board"
	"troupe/frameworks/service/discovery/endpoints"
	"troupe/frameworks/service/state"
	"troupe/messages/mesos"
)

// view is an app with instances in a state.
func view(id app.Path, checks int, in mesos.TaskState, tasks ...string) *state.AppView {
	v := &state.AppView{App: &app.App{
		ID: id, Version: 1, Networks: []app.Network{{Mode: app.ModeHost}}, Ports: []app.Port{{Number: 10000, Protocol: "tcp"}},
		Checks: app.Checks{Health: make([]app.HealthCheck, checks)},
	}}
	for _, task := range tasks {
		v.Instances = append(v.Instances, &state.Instance{
			ID: task, Task: task, App: id, Version: 1, State: in, Ready: true,
			Place: state.Place{Agent: "S1", Host: match.Host{Hostname: "node1"}, Ports: []int{31000}},
		})
	}
	return v
}

func publish(b *board.Board, v *state.AppView) { b.PublishApp(state.PublishApp{ID: v.App.ID, View: v}) }

func statuses(s *endpoints.Service) string {
	var list []string
	for _, e := range s.Endpoints {
		list = append(list, e.Task+" "+string(e.Status))
	}
	return strings.Join(list, ", ")
}

const up, staging = mesos.TaskState_TASK_RUNNING, mesos.TaskState_TASK_STAGING

// What ran when the framework began to lead is used until its checks say otherwise;
// what started since then, not before they say so.
func TestWhatRanBeforeIsTrusted(t *testing.T) {
	b := board.New()
	publish(b, view("/a", 1, up, "a.1"))
	d := New(b)
	defer d.Close()
	publish(b, view("/b", 1, up, "b.1"))
	for id, want := range map[app.Path]string{"/a": "a.1 live", "/b": "b.1 live"} {
		if got := statuses(d.Service(id)); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	publish(b, view("/a", 1, up, "a.1", "a.2"))
	if got := statuses(d.Service("/a")); got != "a.1 live, a.2 starting" {
		t.Error(got)
	}
	publish(b, view("/c", 1, staging, "c.1"))
	publish(b, view("/c", 1, up, "c.1"))
	if got := statuses(d.Service("/c")); got != "c.1 starting" {
		t.Error(got)
	}
	b.PublishApp(state.PublishApp{ID: "/a"})
	publish(b, view("/a", 1, staging, "a.3"))
	publish(b, view("/a", 1, up, "a.3"))
	if got := statuses(d.Service("/a")); got != "a.3 starting" {
		t.Error(got)
	}
	if all := d.Services(); len(all) != 3 || all[0].App != "/a" || all[2].App != "/c" {
		t.Error(all)
	}
	if first := d.Service("/a"); first != d.Service("/a") {
		t.Error("made twice, though nothing changed")
	}
}

// overtaking tells of a change while the first apps are read.
type overtaking struct {
	*board.Board
	then func()
}

func (o overtaking) Apps() []*state.AppView {
	apps := o.Board.Apps()
	o.then()
	return apps
}

func TestChangesWhileItIsMade(t *testing.T) {
	b := board.New()
	publish(b, view("/a", 0, up, "a.1"))
	publish(b, view("/b", 1, up, "b.1"))
	d := New(overtaking{b, func() {
		b.PublishApp(state.PublishApp{ID: "/a"})
		publish(b, view("/b", 1, up, "b.1", "b.2"))
	}})
	defer d.Close()
	if s := d.Service("/a"); s != nil {
		t.Error(s)
	}
	if got := statuses(d.Service("/b")); got != "b.1 live, b.2 starting" {
		t.Error(got)
	}
}

func get(t *testing.T, h http.Handler, path string) (int, string) {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w.Code, w.Body.String()
}

func TestList(t *testing.T) {
	b := board.New()
	for _, id := range []app.Path{"/prod/web", "/prod/db", "/test"} {
		publish(b, view(id, 0, up, id.Flat()+".1"))
	}
	d := New(b)
	defer d.Close()
	for path, want := range map[string]string{
		"/v2/endpoints": "/prod/db /prod/web /test", "/v2/endpoints/": "/prod/db /prod/web /test", "/v2/endpoints/*": "/prod/db /prod/web /test",
		"/v2/endpoints/prod/*": "/prod/db /prod/web", "/v2/endpoints/none/*": "",
	} {
		status, body := get(t, d.Handler(), path)
		var got Answer
		if err := json.Unmarshal([]byte(body), &got); err != nil || status != 200 || got.Services == nil {
			t.Errorf("%s: %d %s: %v", path, status, body, err)
		}
		var ids []string
		for _, s := range got.Services {
			ids = append(ids, string(s.App))
		}
		if strings.Join(ids, " ") != want {
			t.Errorf("%s: %s, want %s", path, ids, want)
		}
	}
	status, body := get(t, d.Handler(), "/v2/endpoints//prod/web")
	var got One
	if err := json.Unmarshal([]byte(body), &got); err != nil || status != 200 || got.Service.App != "/prod/web" {
		t.Error(status, body, err)
	}
	for path, want := range map[string]string{
		"/v2/endpoints/prod": `{"message":"App '/prod' does not exist"}`, "/v2/endpoints/BAD": "path", "/v2/endpoints/BAD/*": "path",
	} {
		if status, body := get(t, d.Handler(), path); status != 404 || !strings.Contains(body, want) {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	w := httptest.NewRecorder()
	d.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodPost, Path, nil))
	if w.Code != 405 || w.Header().Get("Allow") != "GET, HEAD" {
		t.Error(w.Code, w.Header())
	}
}

// follow opens a stream and gives its events one after the other.
func follow(t *testing.T, server, path string) (next func() string) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, server+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept", "text/html, text/event-stream;q=0.9")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := answer.Body.Close(); err != nil && ctx.Err() == nil {
			t.Error(err)
		}
	})
	if kind := answer.Header.Get("Content-Type"); kind != "text/event-stream" {
		t.Fatal(kind)
	}
	lines := bufio.NewReader(answer.Body)
	return func() string {
		t.Helper()
		var name, data string
		for {
			line, err := lines.ReadString('\n')
			if err != nil {
				t.Fatal(err)
			}
			switch {
			case line == "\n" && name != "":
				var about struct {
					App       string `json:"appId"`
					Endpoints []endpoints.Endpoint
				}
				if err := json.Unmarshal([]byte(data), &about); err != nil {
					t.Fatalf("%s: %s", data, err)
				}
				return strings.TrimSpace(name + " " + about.App + strings.Repeat(" +", len(about.Endpoints)))
			case strings.HasPrefix(line, "event: "):
				name = strings.TrimSpace(line[7:])
			case strings.HasPrefix(line, "data: "):
				data = line[6:]
			}
		}
	}
}

func TestStream(t *testing.T) {
	b := board.New()
	publish(b, view("/prod/web", 0, up, "prod_web.1"))
	publish(b, view("/test", 0, up, "test.1"))
	d := New(b)
	defer d.Close()
	server := httptest.NewServer(d.Handler())
	defer server.Close()
	defer server.CloseClientConnections()
	everything, group := follow(t, server.URL, Path), follow(t, server.URL, Path+"/prod/*")
	for _, want := range []string{"service /prod/web +", "service /test +", "synced"} {
		if got := everything(); got != want {
			t.Fatalf("%s, want %s", got, want)
		}
	}
	if one, two := group(), group(); one != "service /prod/web +" || two != "synced" {
		t.Fatal(one, two)
	}
	publish(b, view("/test", 0, up, "test.1", "test.2"))
	publish(b, view("/prod/web", 0, up))
	if got := group(); got != "service /prod/web" {
		t.Error(got)
	}
	seen := map[string]bool{}
	for !seen["service /test + +"] || !seen["service /prod/web"] {
		seen[everything()] = true
	}
	b.PublishApp(state.PublishApp{ID: "/prod/web"})
	if got := group(); got != "removed /prod/web" {
		t.Error(got)
	}
}

// A client that takes nothing costs no more than the names of the apps that changed.
func TestSlowClient(t *testing.T) {
	b := board.New()
	d := New(b)
	defer d.Close()
	n := &news{apps: map[app.Path]bool{}, ready: make(chan struct{}, 1)}
	defer d.Watch(n.add)()
	for range 1000 {
		publish(b, view("/a", 0, up, "a.1"))
		publish(b, view("/b", 0, up, "b.1"))
	}
	if got := n.take(); len(got) != 2 || len(n.take()) != 0 {
		t.Error(got)
	}
}

type broken struct{ http.ResponseWriter }

func (broken) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestStreamEndsWithItsClient(t *testing.T) {
	d := New(board.New())
	defer d.Close()
	r := httptest.NewRequest(http.MethodGet, Path, nil)
	r.Header.Set("Accept", "text/event-stream")
	d.Handler().ServeHTTP(broken{httptest.NewRecorder()}, r) // returns
	if len(d.watchers) != 0 {
		t.Error("it still watches")
	}
}
