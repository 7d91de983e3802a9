package api_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"

	"troupe/frameworks/service/api"
	"troupe/frameworks/service/app"
	"troupe/frameworks/service/state"
	"troupe/frameworks/service/wire"
)

func TestTasks(t *testing.T) {
	s := newStage(t, nil)
	s.create("/a/b", `,"instances":2`)
	s.create("/c", "")
	list := s.ask("GET", "/v2/tasks", "").is(200).json()["tasks"].([]any)
	if len(list) != 3 {
		t.Fatalf("%d tasks", len(list))
	}
	want := map[string]any{
		"appId": "/a/b", "id": "a_b.0000-0", "host": "host0", "ports": []any{31000.0}, "servicePorts": []any{0.0},
		"ipAddresses": []any{map[string]any{"ipAddress": "10.0.0.1", "protocol": "IPv4"}}, "slaveId": "S1",
		"state": "TASK_RUNNING", "stagedAt": "2026-03-04T05:06:07.000Z", "startedAt": "2026-03-04T05:06:08.000Z",
		"version": s.app("/a/b").Version.String(), "localVolumes": []any{}, "role": "*",
	}
	if !reflect.DeepEqual(list[0], want) {
		t.Errorf("got  %v\nwant %v", list[0], want)
	}
	for query, n := range map[string]int{"?status=running": 3, "?status=staging": 0, "?status[]=running&status[]=staging": 3} {
		if got := s.ask("GET", "/v2/tasks"+query, "").is(200).json()["tasks"].([]any); len(got) != n {
			t.Errorf("%s: %d tasks", query, len(got))
		}
	}
	s.ask("GET", "/v2/tasks?status=dead", "").is(422).says("dead")
	text := s.ask("GET", "/v2/tasks", "", "Accept", "text/plain").is(200)
	if string(text.body) != "a_b\t0\thost0:31000\thost1:31001\t\nc\t0\thost0:31000\t\n" {
		t.Errorf("text %q", text.body)
	}
	if got := len(s.ask("GET", "/v2/apps/a/b/tasks", "", "Accept", "*/*").is(200).json()["tasks"].([]any)); got != 2 {
		t.Errorf("%d tasks of /a/b", got)
	}
	s.ask("GET", "/v2/apps/c/tasks", "", "Accept", "text/plain").is(200).says("c\t0\thost0:31000\t\n")
	s.ask("GET", "/v2/apps/x/tasks", "").is(404).says("App '/x' does not exist")
}

func TestKillTasks(t *testing.T) {
	s := newStage(t, nil)
	s.create("/a/b", `,"instances":2`)
	for _, c := range []struct{ method, path, body, want string }{
		{"DELETE", "/v2/apps/a/b/tasks", "", `{"tasks":[{"appId":"/a/b","id":"a_b.0000-0"`},
		{"DELETE", "/v2/apps/a/b/tasks?host=host1", "", `{"tasks":[{"appId":"/a/b","id":"a_b.0000-1"`},
		{"DELETE", "/v2/apps/a/b/tasks?host=nowhere", "", `{"tasks":[]}`},
		{"DELETE", "/v2/apps/a/b/tasks?host=*&scale=true", "", `"deploymentId":"scaled"`},
		{"DELETE", "/v2/apps/a/b/tasks/a_b.0000-1", "", `{"task":{"appId":"/a/b","id":"a_b.0000-1"`},
		{"DELETE", "/v2/apps/a/b/tasks/a_b.0000-1?scale=true", "", `"deploymentId":"scaled"`},
		// The path that go-marathon makes of a task id with more dots.
		{"DELETE", "/v2/apps/a/b.x./y/tasks/a_b.0000-1?wipe=true", "", `{"task":{"appId":"/a/b"`},
		{"POST", "/v2/tasks/delete", `{"ids":["a_b.0000-0","nobody"]}`, `{"tasks":[{"appId":"/a/b","id":"a_b.0000-0"`},
		{"POST", "/v2/tasks/delete?scale=true&force=true", `{"ids":["a_b.0000-0"]}`, `"deploymentId":"scaled"`},
		{"POST", "/v2/tasks/delete", `{"ids":[]}`, `{"tasks":[]}`},
	} {
		s.ask(c.method, c.path, c.body).is(200).says(c.want)
	}
	for _, c := range []struct {
		method, path, body string
		status             int
		want               string
	}{
		{"DELETE", "/v2/apps/a/b/tasks?scale=true&wipe=true", "", 400, "scale and wipe"},
		{"DELETE", "/v2/apps/a/b/tasks/nobody", "", 404, "Task 'nobody' does not exist"},
		{"DELETE", "/v2/apps/nothing/tasks", "", 404, "App '/nothing' does not exist"},
		{"DELETE", "/v2/apps/nothing/tasks/nobody", "", 404, "Task 'nobody' does not exist"},
		{"POST", "/v2/tasks/delete", `{"ids":7}`, 400, "Invalid JSON"},
		{"POST", "/v2/tasks/delete", `nothing`, 400, "Invalid JSON"},
		{"POST", "/v2/tasks/delete?wipe=perhaps", `{"ids":[]}`, 422, "wipe"},
	} {
		s.ask(c.method, c.path, c.body).is(c.status).says(c.want)
	}
	last := s.inputs()[8].(state.KillTasks)
	if !slices.Equal(last.Tasks, []string{"a_b.0000-0", "nobody"}) {
		t.Errorf("asked for %+v", last)
	}
}

func TestGroups(t *testing.T) {
	s := newStage(t, nil)
	root := s.ask("GET", "/v2/groups", "").is(200).json()
	if root["id"] != "/" || len(root["apps"].([]any)) != 0 || root["version"] != "1970-01-01T00:00:00.000Z" {
		t.Errorf("empty root %v", root)
	}
	r := s.ask("POST", "/v2/groups", `{"id":"/g","apps":[{"id":"x","cmd":"x"}],"groups":[{"id":"h","apps":[{"id":"y","cmd":"y"}]}]}`).is(201)
	if r.header.Get("Location") != "/v2/groups/g" || len(keys(r.json())) != 2 {
		t.Errorf("created: %v %s", r.header, r.body)
	}
	s.ask("POST", "/v2/groups", `{"id":"/g"}`).is(409).says("Group /g is already created. Use PUT to change this group.")
	s.ask("POST", "/v2/groups", `{"id":"/g/x"}`).is(409).says("There is an app called /g/x")
	s.ask("PUT", "/v2/groups/g/x/z", `{"apps":[]}`).is(409).says("There is an app called /g/x")
	s.ask("PUT", "/v2/groups/n", `{"apps":[{"id":"x","cmd":"x","cpus":-1}]}`).is(422).says("/apps(0)/cpus")
	s.ask("PUT", "/v2/groups/n", `{"apps":7}`).is(400).says("/apps")
	s.ask("PUT", "/v2/groups/n", `{"apps":[{"id":"x","cmd":"x"}]}`).is(201)
	s.ask("PUT", "/v2/groups/g", `{"scaleBy":2.5}`).is(200)
	if n := s.app("/g/x").Instances; n != 3 {
		t.Errorf("%d instances after scaleBy", n)
	}
	if got := ids(s.ask("GET", "/v2/groups/g/apps", "").is(200).json()["*"]); got != "/g/h/y /g/x" {
		t.Errorf("apps of /g: %s", got)
	}
	s.ask("PUT", "/v2/groups/g?dryRun=true", `{"apps":[]}`).is(200).says(`{"steps":[{"actions":[{"action":"StopApplication","app":"/g/x"}]}]`)
	s.ask("PUT", "/v2/groups/g", `{"apps":[]}`).is(200)
	if s.board.Root().App("/g/x") != nil || s.board.Root().App("/g/h/y") == nil {
		t.Error("the list of apps must be all that there are, and groups stay")
	}
	s.ask("PATCH", "/v2/groups/g", `{"enforceRole":false}`).is(200)
	s.ask("PATCH", "/v2/groups/g", `{"apps":[]}`).is(422)
	s.ask("PATCH", "/v2/groups/none", `{"enforceRole":false}`).is(404)
	s.ask("GET", "/v2/groups/none", "").is(404).says(`{"message":"Group '/none' does not exist"}`)
	s.ask("PUT", "/v2/groups/none", `{"scaleBy":2}`).is(404)
	s.ask("DELETE", "/v2/groups/none", "").is(404)
	s.ask("DELETE", "/v2/groups/g", "").is(200).says("deploymentId")
	s.ask("DELETE", "/v2/groups?force=true", "").is(200)
	if g := s.board.Root(); len(g.Apps)+len(g.Groups) != 0 {
		t.Errorf("left: %+v", g)
	}
}

func TestEmbedOfGroups(t *testing.T) {
	s := newStage(t, nil)
	s.ask("POST", "/v2/groups", `{"id":"/g","apps":[{"id":"x","cmd":"x"}]}`).is(201)
	for query, want := range map[string]string{
		"":                         "apps,dependencies,groups,id,pods,version /x: ",
		"?embed=group.groups":      "dependencies,groups,id,pods,version",
		"?embed=group.apps":        "apps,dependencies,id,pods,version /x: ",
		"?embed=group.apps.tasks":  "apps,dependencies,id,pods,version /x: tasks",
		"?embed=group.apps.counts": "apps,dependencies,id,pods,version /x: tasksRunning",
		"?embed=group.groups&embed=group.apps&embed=group.apps.deployments": "apps,dependencies,groups,id,pods,version /x: deployments",
	} {
		v := s.ask("GET", "/v2/groups/g"+query, "").is(200).json()
		got := keys(v)
		slices.Sort(got)
		text := strings.Join(got, ",")
		if list, there := v["apps"].([]any); there {
			text += " /x: "
			for _, key := range []string{"tasks", "tasksRunning", "deployments"} {
				if _, there := list[0].(map[string]any)[key]; there {
					text += key
				}
			}
		}
		if text != want {
			t.Errorf("%s: %s, want %s", query, text, want)
		}
	}
}

func TestVersionsOfGroups(t *testing.T) {
	s := newStage(t, nil)
	s.ask("PUT", "/v2/groups/g", `{"apps":[{"id":"x","cmd":"x"}]}`).is(201)
	s.ask("PUT", "/v2/groups/g", `{"apps":[]}`).is(200)
	var versions []string
	if err := json.Unmarshal(s.ask("GET", "/v2/groups/versions", "").is(200).body, &versions); err != nil || len(versions) != 3 {
		t.Fatalf("a bare list: %v, %v", versions, err)
	}
	s.ask("GET", "/v2/groups/versions/"+versions[1], "").is(200).says(`"id":"/g/x"`)
	s.ask("GET", "/v2/groups/g/versions/"+versions[1], "").is(200).says(`{"id":"/g","apps":[{"id":"/g/x"`)
	s.ask("GET", "/v2/groups/g/versions/2001-01-01T00:00:00.000Z", "").is(404)
	s.ask("GET", "/v2/groups/g/versions/x", "").is(422)
	s.ask("GET", "/v2/groups/h/versions", "").is(404)
	s.ask("PUT", "/v2/groups/g", fmt.Sprintf(`{"version":%q}`, versions[1])).is(200)
	if s.board.Root().App("/g/x") == nil {
		t.Error("it did not go back")
	}
	s.ask("PUT", "/v2/groups/g", `{"version":"2001-01-01T00:00:00.000Z"}`).is(404)
}

func TestDeployments(t *testing.T) {
	s := newStage(t, nil)
	if got := string(s.ask("GET", "/v2/deployments", "").is(200).body); got != "[]" {
		t.Errorf("none: %s", got)
	}
	s.with(func(s *stage) { s.held = true })
	s.create("/a", "")
	var list []map[string]any
	if err := json.Unmarshal(s.ask("GET", "/v2/deployments", "").is(200).body, &list); err != nil || len(list) != 1 {
		t.Fatalf("%v, %v", list, err)
	}
	id := fmt.Sprint(list[0]["id"])
	want := map[string]any{
		"id": id, "version": s.board.Root().Version.String(), "affectedApps": []any{"/a"}, "affectedPods": []any{},
		"steps":          []any{map[string]any{"actions": []any{map[string]any{"action": "ScaleApplication", "app": "/a"}}}},
		"currentActions": []any{map[string]any{"action": "ScaleApplication", "app": "/a", "readinessCheckResults": []any{}}},
		"currentStep":    1.0, "totalSteps": 1.0,
	}
	if !reflect.DeepEqual(list[0], want) {
		t.Errorf("got  %v\nwant %v", list[0], want)
	}
	s.ask("POST", "/v2/deployments/"+id+"/pause", "").is(204)
	s.ask("GET", "/v2/deployments/"+id, "").is(200).says(`"paused":true`).says(`"waits":"0 of 1 instances run"`)
	s.ask("POST", "/v2/deployments/"+id+"/resume", "").is(204)
	s.ask("POST", "/v2/deployments/"+id+"/promote", "").is(403).says("canaries")
	for _, ask := range []string{"GET ", "DELETE ", "POST /pause", "POST /resume"} {
		method, rest, _ := strings.Cut(ask, " ")
		s.ask(method, "/v2/deployments/none"+rest, "").is(404).says(`{"message":"DeploymentPlan none does not exist"}`)
	}
	s.ask("DELETE", "/v2/deployments/"+id, "").is(200).says("deploymentId")
	s.ask("POST", "/v2/apps?force=true", `{"id":"/b","cmd":"x"}`).is(201)
	last := s.board.Deployments()[0].ID
	if r := s.ask("DELETE", "/v2/deployments/"+last+"?force=true", "").is(202); len(r.body) != 0 {
		t.Errorf("a body: %s", r.body)
	}
}

func TestQueue(t *testing.T) {
	s := newStage(t, nil)
	if got := string(s.ask("GET", "/v2/queue", "").is(200).body); got != `{"queue":[]}` {
		t.Errorf("empty: %s", got)
	}
	s.with(func(s *stage) { s.held = true })
	s.create("/g/a", `,"instances":3`)
	item := s.ask("GET", "/v2/queue", "").is(200).json()["queue"].([]any)[0].(map[string]any)
	if got, want := item["delay"], map[string]any{"timeLeftSeconds": 30.0, "overdue": false}; !reflect.DeepEqual(got, want) {
		t.Errorf("delay %v", got)
	}
	if item["count"] != 3.0 || item["app"].(map[string]any)["id"] != "/g/a" || item["since"] != "2026-03-04T05:06:07.000Z" {
		t.Errorf("item %v", item)
	}
	if _, there := item["role"]; there {
		t.Error("the usual role is shown")
	}
	summary := item["processedOffersSummary"].(map[string]any)
	attempt := summary["rejectSummaryLaunchAttempt"].([]any)
	if got := attempt[4]; !reflect.DeepEqual(got, map[string]any{"reason": "InsufficientCpus", "declined": 2.0, "processed": 2.0}) {
		t.Errorf("funnel %v", attempt)
	}
	if _, there := item["lastUnusedOffers"]; there {
		t.Error("offers nobody asked for")
	}
	s.ask("GET", "/v2/queue?embed=lastUnusedOffers", "").is(200).says(`"lastUnusedOffers":[]`)
	s.ask("DELETE", "/v2/queue/g/a/delay", "").is(204)
	s.ask("DELETE", "/v2/queue/nothing/delay", "").is(404).says("Application /nothing not found in tasks queue.")
	s.ask("GET", "/v2/queue/g/a/why", "").is(200).says(`"instances":3,"running":0,"staged":0,"waiting":3`).
		says("3 instances are not launched before 2026-03-04T05:07:37.000Z").says("0 of 1 instances run")
	s.ask("GET", "/v2/queue/nothing/why", "").is(404)
	s.ask("GET", "/v2/queue/g", "").is(404)
}

func TestItself(t *testing.T) {
	s := newStage(t, func(o *api.Options) {
		o.Leadership = &leadership{leader: "here:8080"}
		o.Info = func() wire.Info { return wire.Info{Name: "service", Elected: true} }
		o.Numbers = func() ([]api.Number, error) {
			return []api.Number{{Name: "mesos.offers.declined", Counter: true, Value: 7}}, nil
		}
		o.Page = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "page ", r.URL.Path) })
	})
	r := s.ask("GET", "/ping", "").is(200)
	if string(r.body) != "pong" || !strings.HasPrefix(r.header.Get("Content-Type"), "text/plain") {
		t.Errorf("ping: %s, %v", r.body, r.header)
	}
	if r.header.Get("X-Marathon-Leader") != "http://here:8080" {
		t.Errorf("headers %v", r.header)
	}
	s.ask("HEAD", "/ping", "").is(200)
	if r := s.ask("GET", "/", "").is(302); r.header.Get("Location") != "/ui/" {
		t.Errorf("home: %v", r.header)
	}
	s.ask("GET", "/ui/apps", "").is(200).says("page /ui/apps")
	info := s.ask("GET", "/v2/info", "").is(200).json()
	if info["leader"] != "here:8080" || info["elected"] != true || info["zookeeper_config"] == nil {
		t.Errorf("info %v", info)
	}
	s.ask("GET", "/config", "").is(200).says(`"framework_name"`)
	s.ask("GET", "/v2/plugins", "").is(200).says(`{"plugins":[]}`)
	s.ask("GET", "/v2/leader", "").is(200).says(`{"leader":"here:8080"}`)
	s.ask("GET", "/metrics", "").is(200).says(`"marathon.apps.active.gauge":{"value":0}`).says(`"marathon.mesos.offers.declined.counter":{"count":7}`)
	for _, r := range []reply{s.ask("GET", "/metrics/prometheus", ""), s.ask("GET", "/metrics", "", "Accept", "application/openmetrics-text;version=1.0.0,text/plain;q=0.5")} {
		r.is(200).says("# TYPE marathon_mesos_offers_declined_counter counter\nmarathon_mesos_offers_declined_counter 7\n")
	}
	s.ask("DELETE", "/v2/leader", "").is(200).says(`{"message":"Leadership abdicated"}`)
	s.ask("DELETE", "/v2/leader", "").is(404)
	s.ask("GET", "/v2/leader", "").is(404).says("There is no leader")
}

func TestAloneItLeads(t *testing.T) {
	s := newStage(t, nil)
	s.ask("GET", "/v2/leader", "").is(200).says(`{"leader":"127.0.0.1:`)
	s.ask("DELETE", "/v2/leader", "").is(409)
	s.ask("GET", "/ui/", "").is(404)
	s.ask("GET", "/logging", "").is(404)
	failing := newStage(t, func(o *api.Options) {
		o.Numbers = func() ([]api.Number, error) { return nil, errors.New("no figures") }
		o.Leadership = &leadership{leader: "x:1", fail: errors.New("no store")}
	})
	failing.ask("DELETE", "/v2/leader", "").is(500).says("no store")
	failing.ask("GET", "/metrics", "").is(500).says("no figures")
	failing.ask("GET", "/metrics/prometheus", "").is(500).says("no figures")
}

func TestLogging(t *testing.T) {
	s := newStage(t, func(o *api.Options) {
		o.Logging = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Method) })
	})
	s.ask("GET", "/logging", "").is(200).says("GET")
	s.ask("POST", "/logging", "{}").is(200).says("PUT")
}

func TestUnknownRoutesAndMethods(t *testing.T) {
	s := newStage(t, nil)
	for _, path := range []string{"/v2", "/v2/nothing", "/x", "/v2/pods", "/v2/pods/a", "/v2/artifacts", "/v2/schemas/app", "/v2/deployments/a/b", "/v2/queue/a"} {
		for _, method := range []string{"GET", "POST", "DELETE"} {
			s.ask(method, path, "").is(404).says(`{"message":"There is no resource`)
		}
	}
	for _, c := range []struct{ method, path, allow string }{
		{"DELETE", "/v2/apps", "GET, HEAD, OPTIONS, PATCH, POST, PUT"},
		{"GET", "/v2/apps/a/restart", "OPTIONS, POST"},
		{"POST", "/ping", "GET, HEAD, OPTIONS"},
		{"PUT", "/v2/tasks/delete", "OPTIONS, POST"},
		{"POST", "/v2/deployments", "GET, HEAD, OPTIONS"},
		{"GET", "/v2/queue/a/delay", "DELETE, OPTIONS"},
		{"POST", "/v2/events", "GET, HEAD, OPTIONS"},
	} {
		if r := s.ask(c.method, c.path, "").is(405).says(`{"message":"`); r.header.Get("Allow") != c.allow {
			t.Errorf("%s %s: allow %q", c.method, c.path, r.header.Get("Allow"))
		}
		if r := s.ask("OPTIONS", c.path, "").is(204); r.header.Get("Allow") != c.allow {
			t.Errorf("OPTIONS %s: allow %q", c.path, r.header.Get("Allow"))
		}
	}
}

func TestCallbacks(t *testing.T) {
	s := newStage(t, nil)
	got := make(chan string, 10)
	sink := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var e struct{ EventType string }
		if err := json.NewDecoder(r.Body).Decode(&e); err != nil {
			e.EventType = err.Error()
		}
		got <- e.EventType
	}))
	t.Cleanup(sink.Close)
	s.ask("GET", "/v2/eventSubscriptions", "").is(200).says(`{"callbackUrls":[]}`)
	v := s.ask("POST", "/v2/eventSubscriptions?callbackUrl="+sink.URL, "").is(200).json()
	if v["eventType"] != "subscribe_event" || v["callbackUrl"] != sink.URL || v["clientIp"] != "127.0.0.1" {
		t.Errorf("answer %v", v)
	}
	if first := <-got; first != "subscribe_event" {
		t.Errorf("first %s", first)
	}
	s.create("/a", "")
	if next := <-got; next != "api_post_event" {
		t.Errorf("then %s", next)
	}
	s.ask("GET", "/v2/eventSubscriptions", "").is(200).says(sink.URL)
	s.ask("DELETE", "/v2/eventSubscriptions?callbackUrl="+sink.URL, "").is(200).says("unsubscribe_event")
	s.ask("POST", "/v2/eventSubscriptions", "").is(422).says("callbackUrl")
}

func TestEventStream(t *testing.T) {
	s := newStage(t, nil)
	s.ask("GET", "/v2/events", "").is(406)
	s.ask("GET", "/v2/events", "", "Accept", "*/*").is(406).says("text/event-stream")
	s.ask("GET", "/v2/events?plan-format=heavy", "", "Accept", "text/event-stream").is(422)
	s.ask("HEAD", "/v2/events", "", "Accept", "text/event-stream").is(200)
	lines := s.listen("/v2/events?event_type=api_post_event,deployment_info&plan-format=light")
	s.create("/a", "")
	lines.expect(t, "event: api_post_event", "data: {\"clientIp\":\"127.0.0.1\",\"uri\":\"/v2/apps\",\"appDefinition\":{\"id\":\"/a\"")
	plan := planOf(app.NewRoot(), s.board.Root())
	s.api.Publish(state.Event{Occasion: state.StepBegan, At: start, Deployment: &state.DeploymentView{ID: "d", Plan: plan}})
	lines.expect(t, "", "event: deployment_info", `data: {"plan":{"id":"d","steps":[{"actions":[{"action":"ScaleApplication","app":"/a"}]}],"version":"`)
}

// lines are those of an event stream.
type lines struct{ *bufio.Scanner }

func (s *stage) listen(path string) lines {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, s.srv.URL+path, http.NoBody)
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Accept", "text/event-stream")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { res.Body.Close() })
	return lines{bufio.NewScanner(res.Body)}
}

func (l lines) expect(t *testing.T, prefixes ...string) {
	t.Helper()
	for _, want := range prefixes {
		if !l.Scan() || !strings.HasPrefix(l.Text(), want) {
			t.Fatalf("got %q, want %q", l.Text(), want)
		}
	}
}

// Streams that clients leave are forgotten, and those of a bus that closes end.
func TestStreamsLeaveNothing(t *testing.T) {
	s := newStage(t, nil)
	ctx, leave := context.WithCancel(t.Context())
	for range 20 {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.srv.URL+"/v2/events", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Accept", "text/event-stream")
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { res.Body.Close() })
	}
	if n := s.bus.Streams(); n != 20 {
		t.Errorf("%d streams", n)
	}
	stays := s.listen("/v2/events?event_type=event_stream_detached")
	leave()
	for range 20 {
		stays.expect(t, "event: event_stream_detached", `data: {"remoteAddress":"127.0.0.1:`, "")
	}
	if n := s.bus.Streams(); n != 1 {
		t.Errorf("%d streams are left", n)
	}
	s.bus.Close()
	stays.expect(t, "event: event_stream_detached", "data: ", "")
	if stays.Scan() || stays.Err() != nil {
		t.Errorf("after the end: %q, %v", stays.Text(), stays.Err())
	}
	s.ask("GET", "/v2/events", "", "Accept", "text/event-stream").is(503)
}
