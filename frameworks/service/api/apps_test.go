package api_test

import (
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"troupe/frameworks/service/api"
	"troupe/frameworks/service/app"
	"troupe/frameworks/service/state"
)

func TestCreateApp(t *testing.T) {
	s := newStage(t, nil)
	r := s.ask("POST", "/v2/apps", `{"id":"/a/b","cmd":"x","instances":2,"env":null}`).is(201)
	v := r.json()
	if r.header.Get("Location") != "/v2/apps/a/b" || r.header.Get("Marathon-Deployment-Id") == "" {
		t.Errorf("headers %v", r.header)
	}
	for key, want := range map[string]any{
		"id": "/a/b", "tasksRunning": 0.0, "tasksStaged": 0.0, "tasksHealthy": 0.0, "tasksUnhealthy": 0.0, "tasks": []any{},
	} {
		if !reflect.DeepEqual(v[key], want) {
			t.Errorf("%s is %v, want %v", key, v[key], want)
		}
	}
	deployments := v["deployments"].([]any)
	if len(deployments) != 1 || deployments[0].(map[string]any)["id"] != r.header.Get("Marathon-Deployment-Id") {
		t.Errorf("deployments %v", deployments)
	}
	if v["version"] != app.VersionAt(start.Add(1e6)).String() {
		t.Errorf("version %v", v["version"])
	}
}

func TestRefusedApps(t *testing.T) {
	s := newStage(t, nil)
	s.create("/a/b", "")
	for _, c := range []struct {
		body   string
		status int
		want   string
	}{
		{`{`, 400, `"message":"Invalid JSON","details":"`},
		{``, 400, `"message":"Invalid JSON"`},
		{`[]`, 400, `error.expected.jsobject`},
		{`{"id":"/x","instances":"1"}`, 400, `{"path":"/instances","errors":["error.expected.jsnumber"]}`},
		{`{"id":"/x"}`, 422, `"message":"Object is not valid","details":[{"path":"`},
		{`{"id":"/x","cmd":"x","upgradeStrategy":{"minimumHealthCapacity":1.2},"instances":-3}`, 422, `{"path":"/upgradeStrategy/minimumHealthCapacity","errors":["got 1.2, expected between 0.0 and 1.0"]}`},
		{`{"cmd":"x"}`, 400, `{"path":"/id","errors":["error.path.missing"]}`},
		{`{"id":"/A","cmd":"x"}`, 422, `/id`},
		{`{"id":"/a/b","cmd":"x"}`, 409, `{"message":"An app with id [/a/b] already exists."}`},
		{`{"id":"/a","cmd":"x"}`, 409, `There is a group called /a`},
		{`{"id":"/a/b/c","cmd":"x"}`, 409, `There is an app called /a/b`},
		{`{"id":"/c","cmd":"x","dependencies":["/c"]}`, 422, `cyclic`},
	} {
		r := s.ask("POST", "/v2/apps", c.body).is(c.status).says(c.want)
		if got := r.header.Get("Content-Type"); got != "application/json" {
			t.Errorf("%s: Content-Type %q", c.body, got)
		}
	}
}

// What is wrong with an app's place is told by the fields of what was sent.
func TestRefusedPlaces(t *testing.T) {
	s := newStage(t, nil)
	s.create("/a/first", "")
	s.ask("PATCH", "/v2/groups/a", `{"enforceRole":true}`).is(422).says(`{"path":"/role"`)
	s.ask("PUT", "/v2/groups/b", `{"enforceRole":true,"apps":[]}`).is(201)
	s.ask("POST", "/v2/apps", `{"id":"/b/x","cmd":"x","role":"other"}`).is(422).says(`{"path":"/role"`)
}

func TestMediaTypes(t *testing.T) {
	s := newStage(t, nil)
	s.ask("POST", "/v2/apps", `{"id":"a1","cmd":"x"}`, "Content-Type", "application/json; charset=UTF-8").is(201)
	s.ask("POST", "/v2/apps", `{"id":"a2","cmd":"x"}`, "Content-Type", "").is(201)
	s.ask("POST", "/v2/apps", `{"id":"a3","cmd":"x"}`, "Content-Type", "application/x-www-form-urlencoded").is(415).says("expecting application/json")
	s.ask("POST", "/v2/apps", `{"id":"a3","cmd":"x"}`, "Content-Type", ";;").is(415)
	s.ask("POST", "/v2/apps", strings.Repeat(" ", 17<<20)).is(413).says(`{"message":"`)
}

func TestGetApp(t *testing.T) {
	s := newStage(t, nil)
	s.create("/a/b", `,"instances":2`)
	for _, path := range []string{"/v2/apps/a/b", "/v2/apps//a/b", "/v2/apps/a/b/", "/v2/apps/a%2Fb"} {
		v := s.ask("GET", path, "").is(200).json()
		if got := keys(v); !slices.Equal(got, []string{"app"}) {
			t.Fatalf("%s: keys %v", path, got)
		}
		a := v["app"].(map[string]any)
		if a["id"] != "/a/b" || len(a["tasks"].([]any)) != 2 || a["tasksRunning"] != 2.0 {
			t.Errorf("%s: %v", path, a)
		}
	}
	s.ask("GET", "/v2/apps/a", "").is(404).says(`{"message":"App '/a' does not exist"}`)
	s.ask("GET", "/v2/apps/NO", "").is(404).says(`{"message":"`)
	s.ask("HEAD", "/v2/apps/a/b", "").is(200)
	s.ask("GET", "/v2/apps/a/b", `""`).is(200) // as go-marathon asks
}

func TestListApps(t *testing.T) {
	s := newStage(t, nil)
	s.create("/web/front", `,"labels":{"tier":"1","x":"y"}`)
	s.create("/web/back", `,"labels":{"tier":"2"}`)
	s.ask("POST", "/v2/apps", `{"id":"/db","cmd":"run database"}`).is(201)
	for query, want := range map[string]string{
		"":                                "/db /web/back /web/front",
		"?id=web":                         "/web/back /web/front",
		"?cmd=data":                       "/db",
		"?cmd=sleep&id=ck":                "/web/back",
		"?label=tier":                     "/web/back /web/front",
		"?label=tier%3D%3D2":              "/web/back",
		"?label=tier%20in%20(1,3)":        "/web/front",
		"?label=tier%20notin%20(1)":       "/db /web/back",
		"?label=tier&label=x":             "/web/front",
		"?label=tier%21%3D1,tier":         "/web/back",
		"?label=%21tier":                  "/db",
		"?embed=apps.tasks&embed=unknown": "/db /web/back /web/front",
	} {
		v := s.ask("GET", "/v2/apps"+query, "").is(200).json()
		if got := ids(v["apps"]); got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
	s.ask("GET", "/v2/apps?label=a%20in%20b", "").is(422).says(`{"message":"label selector`)
	s.ask("GET", "/v2/apps?a=%zz", "").is(400)
	for _, path := range []string{"/v2/apps/web/*", "/v2/apps//web/*"} {
		v := s.ask("GET", path, "").is(200).json()
		if got := ids(v["*"]); got != "/web/back /web/front" {
			t.Errorf("%s: %s", path, got)
		}
	}
	if got := ids(s.ask("GET", "/v2/apps/*", "").is(200).json()["*"]); got != "/db /web/back /web/front" {
		t.Errorf("all below the root: %s", got)
	}
	s.ask("GET", "/v2/apps/no/*", "").is(404).says("Group '/no' does not exist")
}

// ids are those of a list of objects, in order.
func ids(v any) string {
	var list []string
	for _, one := range v.([]any) {
		list = append(list, fmt.Sprint(one.(map[string]any)["id"]))
	}
	slices.Sort(list)
	return strings.Join(list, " ")
}

func TestEmbed(t *testing.T) {
	s := newStage(t, nil)
	s.create("/a", "")
	always := []string{"tasksRunning", "tasksStaged", "tasksHealthy", "tasksUnhealthy", "deployments"}
	for query, want := range map[string][]string{
		"":                              nil,
		"?embed=apps.tasks":             {"tasks"},
		"?embed=apps.readiness":         {"readinessCheckResults"},
		"?embed=apps.taskStats":         {"taskStats"},
		"?embed=apps.lastTaskFailure":   nil, // there was none
		"?embed=apps.failures":          {"tasks"},
		"?embed=apps.tasks,apps.counts": {"tasks"},
	} {
		a := s.ask("GET", "/v2/apps"+query, "").is(200).json()["apps"].([]any)[0].(map[string]any)
		for _, key := range append(always, want...) {
			if _, there := a[key]; !there {
				t.Errorf("%s: no %s", query, key)
			}
		}
		for _, key := range []string{"tasks", "readinessCheckResults", "taskStats", "lastTaskFailure"} {
			if _, there := a[key]; there && !slices.Contains(want, key) {
				t.Errorf("%s: %s is there", query, key)
			}
		}
	}
}

func TestPutApp(t *testing.T) {
	s := newStage(t, nil)
	r := s.ask("PUT", "/v2/apps/a", `{"cmd":"x","cpus":2}`).is(201)
	if got := keys(r.json()); len(got) != 2 || r.json()["deploymentId"] != r.header.Get("Marathon-Deployment-Id") {
		t.Errorf("created: %s", r.body)
	}
	s.ask("PUT", "/v2/apps/a", `{"id":"/a","instances":3,"ports":null,"dependencies":null}`).is(200)
	if a := s.app("/a"); a.Instances != 3 || a.Resources.CPUs != 2 {
		t.Errorf("partial: %+v", a)
	}
	s.ask("PUT", "/v2/apps/a?partialUpdate=false", `{"cmd":"y"}`).is(200)
	if a := s.app("/a"); a.Instances != 1 || a.Resources.CPUs != 1 || a.Process.Command != "y" {
		t.Errorf("whole: %+v", a)
	}
	s.ask("PATCH", "/v2/apps/a", `{"instances":2}`).is(200)
	s.ask("PATCH", "/v2/apps/b", `{"instances":2}`).is(404).says("App '/b' does not exist")
	s.ask("PUT", "/v2/apps/a", `{"id":"/b","instances":2}`).is(422).says("/id")
	s.ask("PUT", "/v2/apps/B", `{"cmd":"x"}`).is(422).says("/id")
	s.ask("PUT", "/v2/apps/a?partialUpdate=maybe", `{}`).is(422).says("partialUpdate")
	s.ask("PUT", "/v2/apps/a/restart", `{"cmd":"x"}`).is(405)
}

// app is one of the root's.
func (s *stage) app(id app.Path) *app.App {
	s.t.Helper()
	a := s.board.Root().App(id)
	if a == nil {
		s.t.Fatalf("no app %s", id)
	}
	return a
}

func TestPutAndPatchLists(t *testing.T) {
	s := newStage(t, nil)
	s.create("/a", "")
	s.ask("PUT", "/v2/apps", `[{"id":"/a","instances":2},{"id":"b","cmd":"x"}]`).is(200)
	if s.app("/a").Instances != 2 || s.app("/b") == nil {
		t.Error("not both were changed")
	}
	s.ask("PATCH", "/v2/apps", `[{"id":"/a","instances":5},{"id":"c","cmd":"x"}]`).is(404)
	if s.app("/a").Instances != 2 {
		t.Error("half was applied")
	}
	s.ask("PUT", "/v2/apps", `[{"id":"/a","cpus":-1},{"id":"/b","mem":-1}]`).is(422).says("(0)/cpus").says("(1)/mem")
	s.ask("PUT", "/v2/apps", `{}`).is(400).says("jsarray")
}

func TestVersionsOfApps(t *testing.T) {
	s := newStage(t, nil)
	s.create("/a", "")
	first := s.app("/a").Version.String()
	s.ask("PUT", "/v2/apps/a", `{"cmd":"other"}`).is(200)
	second := s.app("/a").Version.String()
	v := s.ask("GET", "/v2/apps/a/versions", "").is(200).json()
	if want := []any{second, first}; !reflect.DeepEqual(v["versions"], want) {
		t.Errorf("versions %v, want %v", v["versions"], want)
	}
	one := s.ask("GET", "/v2/apps/a/versions/"+first, "").is(200).json()
	if one["cmd"] != "sleep 1" || one["id"] != "/a" || one["version"] != first {
		t.Errorf("the first: %v", one)
	}
	s.ask("GET", "/v2/apps/a/versions/2001-01-01T00:00:00.000Z", "").is(404).says("does not exist")
	s.ask("GET", "/v2/apps/a/versions/yesterday", "").is(422)
	s.ask("GET", "/v2/apps/b/versions", "").is(404).says("App '/b' does not exist")
	s.ask("PUT", "/v2/apps/a", fmt.Sprintf(`{"version":%q}`, first)).is(200)
	if a := s.app("/a"); a.Process.Command != "sleep 1" || a.Version.String() == first {
		t.Errorf("gone back: %+v", a)
	}
	s.ask("PUT", "/v2/apps/a", `{"version":"2001-01-01T00:00:00.000Z"}`).is(404)
	s.ask("PUT", "/v2/apps/b", fmt.Sprintf(`{"version":%q}`, first)).is(404).says("App '/b' does not exist")
	s.ask("PUT", "/v2/apps/a", fmt.Sprintf(`{"version":%q,"cmd":"x"}`, first)).is(422)
}

func TestDeleteApp(t *testing.T) {
	s := newStage(t, nil)
	s.create("/a", "")
	s.ask("DELETE", "/v2/apps/a", "").is(200).says(`"deploymentId":"deployment-`)
	s.ask("DELETE", "/v2/apps/a", "").is(404).says("App '/a' does not exist")
	forced := s.inputs()[1].(state.Update).Force
	s.ask("DELETE", "/v2/apps/a?force=false", "").is(404)
	if last := s.inputs(); !forced || last[len(last)-1].(state.Update).Force {
		t.Error("force must be true by default")
	}
}

func TestRestartApp(t *testing.T) {
	s := newStage(t, nil)
	s.create("/a", "")
	config := s.app("/a").History.LastConfig
	s.ask("POST", "/v2/apps/a/restart", "").is(200).says("deploymentId")
	s.ask("POST", "/v2/apps/a/restart?force", "{}").is(200)
	if s.app("/a").History.LastConfig == config {
		t.Error("lastConfigChangeAt is what it was")
	}
	s.ask("POST", "/v2/apps/b/restart", "").is(404).says("App '/b' does not exist")
}

func TestLockedApps(t *testing.T) {
	s := newStage(t, nil)
	s.with(func(s *stage) { s.held = true })
	s.create("/a", "")
	r := s.ask("PUT", "/v2/apps/a", `{"instances":2}`).is(409)
	v := r.json()
	if !strings.HasPrefix(fmt.Sprint(v["message"]), "App is locked by one or more deployments.") || !strings.HasPrefix(ids(v["deployments"]), "deployment-") {
		t.Errorf("body %s", r.body)
	}
	s.ask("PUT", "/v2/apps/a?force=true", `{"instances":2}`).is(200)
}

func TestDryRunOfApps(t *testing.T) {
	s := newStage(t, nil)
	s.create("/a", `,"env":{"X":"1","Y":"2"}`)
	r := s.ask("PUT", "/v2/apps/a?dryRun=true", `{"env":{"X":"1","Z":"3"},"instances":4}`).is(200)
	r.says(`"steps":[{"actions":[{"action":"RestartApplication","app":"/a"}]}]`)
	r.says(`{"app":"/a","change":"replaced","fields":[{"path":"/env/Y","old":"2","new":null},{"path":"/env/Z","old":null,"new":"3"},{"path":"/instances","old":1,"new":4}]}`)
	if s.app("/a").Instances != 1 {
		t.Error("it was done")
	}
	s.ask("POST", "/v2/apps?dryRun=true", `{"id":"/b","cmd":"x"}`).is(200).says(`"change":"created"`)
	s.ask("DELETE", "/v2/apps/a?dryRun=true", "").is(200).says(`"change":"removed"`)
	s.ask("PUT", "/v2/apps/a?dryRun=1", `{"cpus":-1}`).is(422)
}

func TestConditions(t *testing.T) {
	s := newStage(t, nil)
	s.create("/a", "")
	tag := s.ask("GET", "/v2/apps/a", "").header.Get("ETag")
	s.ask("PUT", "/v2/apps/a", `{"instances":2}`, "If-Match", tag).is(200)
	s.ask("PUT", "/v2/apps/a", `{"instances":3}`, "If-Match", tag).is(412).says("If-Match")
	s.ask("PUT", "/v2/apps/a", `{"instances":3}`, "If-Match", "*").is(200)
	s.ask("PUT", "/v2/apps/b", `{"cmd":"x"}`, "If-Match", "*").is(412)
	s.ask("PUT", "/v2/apps/a", `{"instances":3}`, "If-None-Match", "*").is(412)
	s.ask("PUT", "/v2/apps/a", `{"instances":3}`, "If-None-Match", tag).is(400)
	s.ask("PUT", "/v2/apps/b", `{"cmd":"x"}`, "If-None-Match", "*").is(201)
	s.ask("POST", "/v2/apps", `{"id":"/c","cmd":"x"}`, "If-None-Match", "*").is(201)
	s.ask("PUT", "/v2/apps", `[{"id":"/c","cmd":"x"}]`, "If-Match", "*").is(200)
	group := s.ask("GET", "/v2/groups", "").header.Get("ETag")
	s.ask("PUT", "/v2/groups", `{"apps":[]}`, "If-Match", `"x", `+group).is(200)
	s.ask("DELETE", "/v2/groups", "", "If-Match", group).is(412)
}

func TestNoAnswerInTime(t *testing.T) {
	s := newStage(t, nil)
	s.with(func(s *stage) { s.silent = true })
	s2 := newStageLike(s)
	r := s2.ask("POST", "/v2/apps", `{"id":"/a","cmd":"x"}`).is(503).says("did not answer (context deadline exceeded)")
	if r.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
}

func TestErrorsOfTheCore(t *testing.T) {
	s := newStage(t, nil)
	for _, c := range []struct {
		err    error
		status int
		want   string
	}{
		{&state.RefusedError{Text: "as things are"}, 403, `{"message":"as things are"}`},
		{&state.LockedError{Deployments: []string{"d1", "d2"}}, 409, `"deployments":[{"id":"d1"},{"id":"d2"}]`},
		{fmt.Errorf("edit: %w", app.ErrPortsExhausted), 503, `no service port is left`},
		{fmt.Errorf("disk is gone"), 500, `{"message":"disk is gone"}`},
		{app.Problems{{Path: "/groups(0)/id", Text: "wrong"}}, 422, `{"path":"/groups(0)/id","errors":["wrong"]}`},
	} {
		s.with(func(s *stage) { s.refuse = c.err })
		s.ask("POST", "/v2/apps", `{"id":"/a","cmd":"x"}`).is(c.status).says(c.want)
	}
}

// newStageLike serves the same core with less patience.
func newStageLike(s *stage) *stage {
	return newStage(s.t, func(o *api.Options) {
		o.Core, o.Board, o.Patience = s, s.board, time.Millisecond
	})
}

var _ http.Handler = (*api.Server)(nil)
