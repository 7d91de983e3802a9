package api_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"troupe/frameworks/cron/api"
	"troupe/frameworks/cron/api/apitest"
	"troupe/frameworks/cron/client"
	"troupe/frameworks/cron/plan"
)

var begin = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// site is a server over a plan in memory, with a client.
type site struct {
	*client.Client
	t      testing.TB
	world  *apitest.World
	api    *api.Server
	url    string
	leader string // where this process does not lead
}

func newSite(t testing.TB, o plan.Options) *site {
	s := &site{t: t, world: apitest.New(begin, o)}
	s.api = api.New(api.Options{
		Planner: s.world, Board: &s.world.Board, Cluster: s.world, Now: s.world.Now, Logging: zap.NewAtomicLevel(),
		Info:   func() api.Info { return api.Info{Name: "cron", Version: "1", FrameworkID: "F1", Connected: true} },
		Leader: func() (string, bool) { return "http://cron1.example:4400", s.leader == "" },
	})
	server := httptest.NewServer(s.api.Handler(nil))
	t.Cleanup(func() {
		s.api.Close()
		server.Close()
	})
	s.url, s.Client = server.URL, &client.Client{URL: server.URL}
	return s
}

// send sends a request as it is written.
func (s *site) send(method, path, body string) (status int, header http.Header, text string) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return response.StatusCode, response.Header, string(data)
}

// must sends a request that succeeds.
func (s *site) must(method, path, body string) string {
	s.t.Helper()
	status, _, text := s.send(method, path, body)
	if status >= 300 {
		s.t.Fatalf("%s %s: %d %s", method, path, status, text)
	}
	return text
}

const (
	prefix = "/v1/scheduler"
	daily  = `"schedule":"R/2026-03-02T02:00:00Z/P1D"`
)

// populated is a site with a job that ran and failed, one that depends on it, and
// an async one whose command has ended.
func populated(t testing.TB) *site {
	s := newSite(t, plan.Options{})
	s.must("POST", prefix+"/iso8601", `{"name":"ok","command":"true",`+daily+`,"tags":{"team":"red"},"retries":0}`)
	s.must("POST", prefix+"/dependency", `{"name":"then","command":"echo then","parents":["ok"]}`)
	s.must("POST", prefix+"/iso8601", `{"name":"async","command":"start","async":true,"dataProcessingJobType":true,"schedule":"@hourly","owner":"Me@x.y"}`)
	s.must("PUT", prefix+"/job/ok", "")
	s.world.Start("ok")
	s.world.Pass(90 * time.Second)
	s.world.End("ok", plan.Succeeded, 0, "done")
	s.must("PUT", prefix+"/job/async", "")
	s.world.Start("async")
	s.world.End("async", plan.Succeeded, 0, "")
	return s
}

// asyncTask is the task of the run of async that waits for its end.
func (s *site) asyncTask() string {
	return s.world.Board.Job("async").Runs[0].Task()
}

// Every endpoint gives every status that it says it may.
func TestWalk(t *testing.T) {
	type step struct {
		method, path, body string
		status             int
		has                string
	}
	long := `{"name":"` + strings.Repeat("a", 5<<20) + `"}`
	var steps []step
	add := func(method, path string, status int, body, has string) {
		steps = append(steps, step{method, path, body, status, has})
	}
	for _, method := range []string{"POST", "PUT"} {
		add(method, "/iso8601", 204, `{"name":"new",`+daily+`}`, "")
		add(method, "/iso8601", 400, `{"name":`, `"status":"Bad Request"`)
		add(method, "/iso8601", 413, long, `"Request Entity Too Large"`)
		add(method, "/iso8601", 422, `{"name":"a/b","cpus":"x"}`, `{"path":"cpus","errors":["a number is expected`)
		add(method, "/dependency", 204, `{"name":"new2","parents":["ok"]}`, "")
		add(method, "/dependency", 400, `[1]`, `an object is expected`)
		add(method, "/dependency", 413, long, `Too Large`)
		add(method, "/dependency", 422, `{"name":"x","parents":["nobody"]}`, `{"path":"parents","errors":["no job is called nobody"]}`)
	}
	add("GET", "/jobs", 200, "", `"name":"ok"`)
	add("GET", "/jobs?tag=", 422, "", `{"path":"tag"`)
	add("GET", "/jobs/summary", 200, "", `{"jobs":[{"name":"async","status":"fresh","state":"1 running"`)
	add("GET", "/jobs/summary?tag=", 422, "", `"tag"`)
	add("GET", "/jobs/search?name=ASY", 200, "", `"name":"async"`)
	add("GET", "/jobs/search?limit=many", 422, "", `{"path":"limit"`)
	add("GET", "/job/ok", 200, "", `"command":"true"`)
	add("GET", "/job/nobody", 404, "", `{"status":"Not Found","message":"name: no job is called nobody","details":[{"path":"name"`)
	add("PUT", "/job/ok?arguments=a%20b", 204, "", "")
	add("PUT", "/job/nobody", 404, "", "Not Found")
	add("PUT", "/job/ok?arguments=%00", 422, "", `"arguments"`)
	add("PUT", "/job/success/new", 200, "", `marked job new as successful`)
	add("PUT", "/job/success/nobody", 404, "", "nobody")
	add("GET", "/job/stat/ok", 200, "", `"median":90000`)
	add("GET", "/job/stat/nobody", 404, "", "nobody")
	add("POST", "/job/async/task/ASYNC/progress", 204, `{"numAdditionalElementsProcessed":5}`, "")
	add("POST", "/job/async/task/ASYNC/progress", 400, `{`, "unreadable")
	add("POST", "/job/async/task/nothing/progress", 404, `{"numAdditionalElementsProcessed":5}`, `"task"`)
	add("POST", "/job/async/task/ASYNC/progress", 413, long, "Too Large")
	add("POST", "/job/async/task/ASYNC/progress", 422, `{"numAdditionalElementsProcessed":-1}`, `"numAdditionalElementsProcessed"`)
	add("PUT", "/task/ASYNC", 400, `x`, "unreadable")
	add("PUT", "/task/ASYNC", 413, long, "Too Large")
	add("PUT", "/task/ASYNC", 422, `{}`, `{"path":"statusCode","errors":["is missing"]}`)
	add("PUT", "/task/nothing", 404, `{"statusCode":0}`, `no run has the task`)
	add("PUT", "/task/OK", 409, `{"statusCode":0}`, `"status":"Conflict"`)
	add("PUT", "/task/ASYNC", 204, `{"statusCode":0}`, "")
	add("GET", "/graph/dot", 200, "", `"ok" -> "then";`)
	add("GET", "/graph/csv", 200, "", "node,ok,success,queued\n")
	add("GET", "/graph/csv", 200, "", "link,ok,then\n")
	add("GET", "/graph/json", 200, "", `{"source":"ok","target":"then"`)
	for _, name := range []string{"99thPercentile", "98thPercentile", "95thPercentile", "75thPercentile", "median", "mean"} {
		add("GET", "/stats/"+name, 200, "", `{"jobNameLabel":"ok","time":90000}`)
	}
	add("GET", "/stats/mode", 404, "", `there is no statistic mode`)
	add("GET", "/leader", 200, "", `{"leader":"cron1.example:4400"}`)
	add("GET", "/isMaster", 200, "", `true`)
	add("GET", "/ping", 200, "", `pong`)
	add("GET", "/metrics", 200, "", `"jobs.run.success.ok":{"count":1}`)
	add("GET", "/logging", 200, "", `"level":"info"`)
	add("PUT", "/logging", 200, `{"level":"debug"}`, `"level":"debug"`)
	add("PUT", "/logging", 400, `{"level":"loud"}`, ``)
	add("GET", "/info", 200, "", `"frameworkId":"F1"`)
	add("GET", "/describe", 200, "", `"path":"/iso8601"`)
	add("GET", "/job/runs/ok", 200, "", `"exitCode":0`)
	add("GET", "/job/runs/nobody", 404, "", "nobody")
	add("GET", "/job/next/ok?n=2", 200, "", `{"time":"2026-03-02T02:00:00.000Z","local":"2026-03-02T02:00:00+00:00"},{"time":"2026-03-03T02:00:00.000Z"`)
	add("GET", "/job/next/ok?n=1001", 422, "", `"n"`)
	add("GET", "/job/next/nobody", 404, "", "nobody")
	add("GET", "/job/why/ok", 200, "", `waits for an offer of 0.1 CPUs`)
	add("GET", "/job/why/nobody", 404, "", "nobody")
	add("GET", "/job/log/ok?task=ENDED", 200, "", "the last line")
	add("GET", "/job/log/ok?task=OK", 502, "", "the agent is not known")
	add("GET", "/job/log/ok?task=other", 404, "", "other")
	add("GET", "/job/log/ok?task=ENDED&stream=stdin", 422, "", `"stream"`)
	add("GET", "/preview?schedule=30+2+*+*+*&scheduleTimeZone=Europe/Berlin&n=1", 200, "", `"local":"2026-03-02T02:30:00+01:00"`)
	add("GET", "/preview?schedule=R5", 422, "", `{"path":"schedule"`)
	add("DELETE", "/job/ok", 409, "", `has dependents: [\"new2\" \"then\"]`)
	add("DELETE", "/job/ok?cascade=perhaps", 422, "", `"cascade"`)
	add("DELETE", "/task/kill/ok", 204, "", "")
	add("DELETE", "/task/kill/nobody", 404, "", "nobody")
	add("DELETE", "/job/ok?cascade=true", 204, "", "")
	add("DELETE", "/job/ok", 404, "", "ok")

	for _, prefix := range append([]string{""}, api.Prefixes...) {
		s := populated(t)
		done := map[string]bool{}
		for _, e := range steps {
			path := e.path
			if v := s.world.Board.Job("ok"); v != nil {
				path = strings.ReplaceAll(path, "ENDED", v.State.History[0].Task)
				if len(v.Runs) > 0 {
					path = strings.ReplaceAll(path, "OK", v.Runs[0].Task())
				}
			}
			if v := s.world.Board.Job("async"); len(v.Runs) > 0 {
				path = strings.ReplaceAll(path, "ASYNC", s.asyncTask())
			}
			route := routeOf(t, s.api.Routes(), e.method, e.path)
			if prefix == "" && !route.Root {
				continue
			}
			status, header, text := s.send(e.method, prefix+path, e.body)
			what := fmt.Sprintf("%s %s%s %.60s", e.method, prefix, path, e.body)
			if status != e.status || !strings.Contains(text, e.has) {
				t.Errorf("%s: %d %.500s; want %d with %s", what, status, text, e.status, e.has)
			}
			if !slices.Contains(route.Codes, status) {
				t.Errorf("%s: %d is not among %v", what, status, route.Codes)
			}
			looksRight(t, what, status, header, text, route.Path == "/logging")
			done[fmt.Sprint(route.Method, " ", route.Path, " ", status)] = true
		}
		if prefix == "" {
			continue
		}
		for _, r := range s.api.Routes() {
			for _, code := range r.Codes {
				if key := fmt.Sprint(r.Method, " ", r.Path, " ", code); !done[key] && r.Path != "/events" {
					t.Errorf("nobody has seen %s", key)
				}
			}
		}
	}
}

// routeOf finds the endpoint of a path.
func routeOf(t *testing.T, all []api.Route, method, path string) api.Route {
	t.Helper()
	path, _, _ = strings.Cut(path, "?")
	best, score := api.Route{}, -1
	for _, r := range all {
		parts, want := strings.Split(path, "/"), strings.Split(r.Path, "/")
		same := 0
		fits := r.Method == method && len(parts) == len(want)
		for i := range min(len(parts), len(want)) {
			if parts[i] == want[i] {
				same++
			} else if !strings.HasPrefix(want[i], "{") {
				fits = false
			}
		}
		if fits && same > score {
			best, score = r, same
		}
	}
	if score < 0 {
		t.Fatalf("%s %s is no endpoint", method, path)
	}
	return best
}

// looksRight checks what is the same for all answers.
func looksRight(t *testing.T, what string, status int, header http.Header, text string, others bool) {
	t.Helper()
	if header.Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("%s: no CORS header", what)
	}
	if status == 204 && (text != "" || header.Get("Transfer-Encoding") != "") {
		t.Errorf("%s: a body: %s", what, text)
	}
	if strings.HasPrefix(header.Get("Content-Type"), "application/json") && !others && (strings.ContainsAny(text, "\n") || !json.Valid([]byte(text))) {
		t.Errorf("%s: not one line of JSON: %s", what, text)
	}
	if status < 400 || others {
		return
	}
	var refusal api.Refusal
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	d.DisallowUnknownFields()
	if err := d.Decode(&refusal); err != nil || refusal.Status != http.StatusText(status) || refusal.Message == "" {
		t.Errorf("%s: refused by %s, %v", what, text, err)
	}
	if named := status == 404 || status == 409 || status == 422; named != (len(refusal.Details) > 0) {
		t.Errorf("%s: %d has details %v", what, status, refusal.Details)
	}
}

func TestWhatIsNotThere(t *testing.T) {
	s := newSite(t, plan.Options{})
	for _, path := range []string{"/", "/v2/apps", "/scheduler", "/v1/scheduler/", "/v1/scheduler/nothing", "/scheduler/job/a/b", "/v1/scheduler/job/a%2Fb"} {
		status, header, text := s.send("GET", path, "")
		if status != 404 || !strings.Contains(text, `"status":"Not Found"`) || header.Get("Content-Type") != "application/json" {
			t.Errorf("%s: %d %s", path, status, text)
		}
	}
	status, header, text := s.send("PATCH", prefix+"/jobs", "")
	if status != 405 || header.Get("Allow") != "GET, HEAD, OPTIONS" || !strings.Contains(text, `"status":"Method Not Allowed"`) {
		t.Errorf("%d %v %s", status, header, text)
	}
	status, header, _ = s.send("OPTIONS", prefix+"/job/x", "")
	if status != 204 || header.Get("Access-Control-Allow-Methods") != "DELETE, GET, HEAD, OPTIONS, PUT" || header.Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("%d %v", status, header)
	}
	if status, _, text := s.send("HEAD", prefix+"/jobs", ""); status != 200 || text != "" {
		t.Errorf("HEAD: %d %q", status, text)
	}
	if text := s.must("GET", prefix+"/jobs/", ""); text != "[]" {
		t.Errorf("a slash at the end: %s", text)
	}
}

// While the plan does not answer, what changes something is 503, and reading goes on.
func TestNoPlan(t *testing.T) {
	s := populated(t)
	s.world.Down(errors.New("it is ending"))
	for _, path := range []string{"POST /iso8601", "DELETE /job/ok", "PUT /job/ok", "DELETE /task/kill/ok", "PUT /job/success/ok", "PUT /task/x"} {
		method, path, _ := strings.Cut(path, " ")
		status, _, text := s.send(method, prefix+path, `{"name":"a","statusCode":0}`)
		if status != 503 || !strings.Contains(text, "it is ending") || !strings.Contains(text, `"status":"Service Unavailable"`) {
			t.Errorf("%s: %d %s", path, status, text)
		}
	}
	s.must("GET", prefix+"/jobs", "")
}
