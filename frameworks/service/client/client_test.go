package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"troupe/frameworks/service/client"
)

// desk answers every request the same way, and keeps what was asked.
type desk struct {
	*httptest.Server
	status int
	body   string
	asked  []string // method, path and query, then the body
	header http.Header
}

func newDesk(t *testing.T, status int, body string) (*desk, *client.Client) {
	t.Helper()
	d := &desk{status: status, body: body}
	d.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		data, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		d.asked = append(d.asked, strings.TrimSpace(r.Method+" "+r.URL.RequestURI()+" "+string(data)))
		d.header = r.Header
		w.WriteHeader(d.status)
		fmt.Fprint(w, d.body)
	}))
	t.Cleanup(d.Close)
	return d, client.New(d.URL + "/")
}

func TestCalls(t *testing.T) {
	ctx := t.Context()
	for _, c := range []struct {
		answer string
		call   func(c *client.Client) (any, error)
		asked  string
		want   any
	}{
		{`{"leader":"h:1"}`, func(c *client.Client) (any, error) { return c.Leader(ctx) }, "GET /v2/leader", "h:1"},
		{`{"versions":["v"]}`, func(c *client.Client) (any, error) { return c.Versions(ctx, "/a/b") }, "GET /v2/apps/a/b/versions", []string{"v"}},
		{`["v"]`, func(c *client.Client) (any, error) { return c.GroupVersions(ctx, "/") }, "GET /v2/groups//versions", []string{"v"}},
		{`{"version":"v","deploymentId":"d"}`, func(c *client.Client) (any, error) {
			return c.Update(ctx, "a", map[string]int{"instances": 2}, client.Change{Force: true, Whole: true})
		}, `PUT /v2/apps/a?force=true&partialUpdate=false {"instances":2}`, client.Result{Version: "v", DeploymentID: "d"}},
		{`{"version":"v","deploymentId":"d"}`, func(c *client.Client) (any, error) { return c.Delete(ctx, "a", client.Change{}) }, "DELETE /v2/apps/a?force=false", client.Result{Version: "v", DeploymentID: "d"}},
		{`{"version":"v","deploymentId":"d"}`, func(c *client.Client) (any, error) { return c.Restart(ctx, "a", client.Change{}) }, "POST /v2/apps/a/restart", client.Result{Version: "v", DeploymentID: "d"}},
		{`{"version":"v","deploymentId":"d"}`, func(c *client.Client) (any, error) { return c.DeleteGroup(ctx, "g", client.Change{Force: true}) }, "DELETE /v2/groups/g?force=true", client.Result{Version: "v", DeploymentID: "d"}},
		{`{"version":"v","deploymentId":"d"}`, func(c *client.Client) (any, error) {
			return c.PutGroup(ctx, "g", json.RawMessage(`{"apps":[]}`), client.Change{})
		}, `PUT /v2/groups/g {"apps":[]}`, client.Result{Version: "v", DeploymentID: "d"}},
		{`{"steps":[],"changes":[{"app":"/a","change":"scaled"}]}`, func(c *client.Client) (any, error) {
			p, err := c.PlanApp(ctx, "a", json.RawMessage(`{}`), client.Change{})
			return p.Changes, err
		}, `PUT /v2/apps/a?dryRun=true {}`, []client.AppChange{{App: "/a", Change: "scaled"}}},
		{`{"steps":[{"actions":[{"action":"A","app":"/a"}]}]}`, func(c *client.Client) (any, error) {
			p, err := c.PlanGroup(ctx, "/", json.RawMessage(`{}`), client.Change{})
			return p.Steps, err
		}, `PUT /v2/groups/?dryRun=true {}`, []client.Step{{Actions: []client.Action{{Action: "A", App: "/a"}}}}},
		{`{"tasks":[{"id":"t"}]}`, func(c *client.Client) (any, error) { return c.Kill(ctx, "t", "u") }, `POST /v2/tasks/delete {"ids":["t","u"]}`, []client.Task{{ID: "t"}}},
		{`{"tasks":[]}`, func(c *client.Client) (any, error) { return c.Tasks(ctx) }, `GET /v2/tasks`, []client.Task{}},
		{`{"queue":[{"count":2}]}`, func(c *client.Client) (any, error) { return c.Queue(ctx) }, `GET /v2/queue`, []client.Queued{{Count: 2}}},
		{`{"reasons":["r"]}`, func(c *client.Client) (any, error) { return c.Why(ctx, "/a") }, `GET /v2/queue/a/why`, client.Why{Reasons: []string{"r"}}},
		{`{"id":"d","paused":true}`, func(c *client.Client) (any, error) { return c.Deployment(ctx, "d") }, `GET /v2/deployments/d`, client.Deployment{ID: "d", Paused: true}},
		{`{"version":"v","deploymentId":"e"}`, func(c *client.Client) (any, error) { return c.Rollback(ctx, "d") }, `DELETE /v2/deployments/d`, client.Result{Version: "v", DeploymentID: "e"}},
		{``, func(c *client.Client) (any, error) { return nil, c.Abort(ctx, "d") }, `DELETE /v2/deployments/d?force=true`, nil},
		{``, func(c *client.Client) (any, error) { return nil, c.Steer(ctx, "d", "pause") }, `POST /v2/deployments/d/pause`, nil},
		{``, func(c *client.Client) (any, error) { return nil, c.ResetDelay(ctx, "a") }, `DELETE /v2/queue/a/delay`, nil},
		{`pong`, func(c *client.Client) (any, error) { return nil, c.Ping(ctx) }, `GET /ping`, nil},
	} {
		d, cl := newDesk(t, 200, c.answer)
		got, err := c.call(cl)
		if err != nil || !reflect.DeepEqual(got, c.want) || d.asked[0] != c.asked {
			t.Errorf("asked %q, want %q; got %+v, %v, want %+v", d.asked[0], c.asked, got, err, c.want)
		}
	}
}

func TestAppsAreKeptRaw(t *testing.T) {
	_, c := newDesk(t, 200, `{"app":{"id":"/a","tasksRunning":2,"what":"ever"}}`)
	a, err := c.App(t.Context(), "a")
	if err != nil || a.ID != "/a" || a.Running != 2 || string(a.Raw) != `{"id":"/a","tasksRunning":2,"what":"ever"}` {
		t.Errorf("%+v, %v", a, err)
	}
	_, c = newDesk(t, 200, `{"app":{"id":7}}`)
	if a, err := c.App(t.Context(), "a"); err == nil {
		t.Errorf("an id that is no text: %+v", a)
	}
}

func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		status int
		body   string
		want   client.Error
	}{
		{409, `{"message":"locked","deployments":[{"id":"d"}]}`, client.Error{Message: "locked", Deployments: []string{"d"}}},
		{422, `{"message":"Object is not valid","details":[{"path":"/p","errors":["e"]}]}`, client.Error{Message: "Object is not valid", Details: []client.Detail{{Path: "/p", Errors: []string{"e"}}}}},
		{400, `{"message":"Invalid JSON","details":"at 7"}`, client.Error{Message: "Invalid JSON", Text: "at 7"}},
		{400, `{"message":"Invalid JSON","details":{"at":7}}`, client.Error{Message: "Invalid JSON", Text: `{"at":7}`}},
		{502, " bad gateway\n", client.Error{Message: "bad gateway"}},
		{503, `{"error":"x"}`, client.Error{Message: `{"error":"x"}`}},
	} {
		_, cl := newDesk(t, c.status, c.body)
		_, err := cl.Leader(t.Context())
		var got *client.Error
		if !errors.As(err, &got) || !client.Is(err, c.status) {
			t.Errorf("%s: %v", c.body, err)
			continue
		}
		c.want.Method, c.want.Path, c.want.Status = "GET", "/v2/leader", c.status
		if !reflect.DeepEqual(*got, c.want) {
			t.Errorf("got %+v, want %+v", *got, c.want)
		}
		for _, part := range append([]string{c.want.Message, c.want.Text, fmt.Sprint(c.status)}, c.want.Deployments...) {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%q lacks %q", err, part)
			}
		}
	}
	if client.Is(io.EOF, 404) {
		t.Error("io.EOF is no answer")
	}
}

func TestHeaders(t *testing.T) {
	d, c := newDesk(t, 200, `{}`)
	c.User, c.Password = "u", "p"
	if _, err := c.Create(t.Context(), struct{}{}, client.Change{Match: "v"}); err != nil {
		t.Fatal(err)
	}
	if d.header.Get("If-Match") != `"v"` || d.header.Get("Authorization") != "Basic dTpw" || d.header.Get("Content-Type") != "application/json" {
		t.Errorf("headers %v", d.header)
	}
	if _, err := c.Create(t.Context(), func() {}, client.Change{}); err == nil {
		t.Error("a function has no JSON")
	}
}

func TestWait(t *testing.T) {
	d, c := newDesk(t, 200, `[{"id":"other"}]`)
	if err := c.Wait(t.Context(), "d"); err != nil {
		t.Error(err)
	}
	d.body = `[{"id":"d"}]`
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.Wait(ctx, "d"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	d.status = 500
	if err := c.Wait(t.Context(), "d"); !client.Is(err, 500) {
		t.Errorf("got %v", err)
	}
}

func TestEvents(t *testing.T) {
	d, c := newDesk(t, 200, "event: a\r\ndata: {\"x\":1}\r\n\r\n\r\n:comment\nevent: b\ndata: [\ndata: 2]\n\n")
	s, err := c.Events(t.Context(), "a", "b")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if d.asked[0] != "GET /v2/events?event_type=a&event_type=b&plan-format=light" || d.header.Get("Accept") != "text/event-stream" {
		t.Errorf("asked %q, %v", d.asked, d.header)
	}
	for _, want := range []client.Event{{Type: "a", Data: json.RawMessage(`{"x":1}`)}, {Type: "b", Data: json.RawMessage(`[2]`)}} {
		if e, err := s.Next(); err != nil || !reflect.DeepEqual(e, want) {
			t.Errorf("got %+v, %v", e, err)
		}
	}
	if _, err := s.Next(); !errors.Is(err, io.EOF) {
		t.Errorf("the end: %v", err)
	}
	_, c = newDesk(t, 406, `{"message":"no"}`)
	if _, err := c.Events(t.Context()); !client.Is(err, 406) {
		t.Errorf("refused: %v", err)
	}
}
