package api

import (
	"bytes"
	"context"
	stdjson "encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/protobuf/proto"

	"troupe/master/state/view"
	"troupe/messages/carrier/files"
	"troupe/messages/json"
	"troupe/messages/mesos"
	"troupe/messages/mesos/master"
)

var update = flag.Bool("update", false, "write what the routes give into testdata")

// muxRouter mounts routes on a mux.
type muxRouter struct{ *http.ServeMux }

func (m muxRouter) Route(pattern, _ string, h http.Handler) { m.Handle(pattern, h) }

func serve(v *View) http.Handler {
	mux := http.NewServeMux()
	info := Info{
		Version: "0.1", Program: "0.2", Started: time.Unix(900, 0), Elected: time.Unix(901, 0), MasterID: masterID,
		Hostname: "m", Port: 5050, PID: "master@127.0.0.1:5050", Master: testMaster, Flags: map[string]string{"port": "5050", "hostname": "m"},
		Metrics: []func(func(string, float64)){func(put func(string, float64)) { put("registrar/queued_operations", 2) }},
		Logging: quiet{}, Files: new(files.Attached),
	}
	Mount(muxRouter{mux}, v, info)
	MountOperator(muxRouter{mux}, v, info, func(context.Context, proto.Message) (proto.Message, error) {
		return nil, errors.New("the master is not there")
	})
	return mux
}

// quiet is a log that is as it was configured.
type quiet struct{}

func (quiet) Verbosity() uint32 { return 0 }
func (quiet) SetVerbosity(level uint32, span time.Duration) error {
	return fmt.Errorf("level=%d duration=%v", level, span)
}

// same tells whether two bodies, in JSON and protobuf, say the same; of metrics,
// which differ from moment to moment, whether there are as many.
func same(t *testing.T, what string, inJSON, inProtobuf []byte) {
	t.Helper()
	a, b := new(master.Response), new(master.Response)
	if err := json.Unmarshal(inJSON, a); err != nil {
		t.Errorf("%s: %v", what, err)
	}
	if err := proto.Unmarshal(inProtobuf, b); err != nil {
		t.Errorf("%s: %v", what, err)
	}
	if err := json.Unmarshal(json.Marshal(b), b); err != nil { // which has defaults
		t.Errorf("%s: %v", what, err)
	}
	for _, r := range []*master.Response{a, b} {
		for _, m := range r.GetGetMetrics().GetMetrics() {
			m.Value = nil
		}
	}
	if !proto.Equal(a, b) {
		t.Errorf("%s: in JSON %v, in protobuf %v", what, a, b)
	}
}

func get(t *testing.T, h http.Handler, method, target string) *httptest.ResponseRecorder {
	t.Helper()
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, httptest.NewRequest(method, target, nil))
	return rec
}

// TestRoutes compares every route's answer with its file in testdata. Uptime
// is the one figure that differs from run to run.
func TestRoutes(t *testing.T) {
	h := serve(everyday(t).view)
	for _, target := range []string{
		"/state", "/state-summary", "/slaves", "/frameworks", "/tasks", "/roles", "/version", "/flags", "/metrics/snapshot",
		"/slaves?slave_id=" + masterID + "-S1", "/frameworks?framework_id=nonsense", "/tasks?limit=1&offset=1&order=asc",
		"/tasks?task_id=t2", "/tasks?limit=0",
	} {
		rec := get(t, h, http.MethodGet, target)
		if rec.Code != http.StatusOK || rec.Header().Get("Content-Type") != "application/json" {
			t.Errorf("%s: %d %s", target, rec.Code, rec.Header().Get("Content-Type"))
		}
		if twin := get(t, h, http.MethodGet, "/master"+target); target != "/metrics/snapshot" && twin.Body.String() != rec.Body.String() {
			t.Errorf("/master%s answers otherwise", target)
		}
		compare(t, target, rec.Body.Bytes())
	}
}

func compare(t *testing.T, target string, body []byte) {
	t.Helper()
	var got bytes.Buffer
	if err := stdjson.Indent(&got, body, "", " "); err != nil {
		t.Errorf("%s: %v in %s", target, err, body)
		return
	}
	lines := strings.Split(got.String(), "\n")
	for i, line := range lines {
		if strings.Contains(line, "uptime_secs") {
			lines[i] = ` "master/uptime_secs": 0,`
		}
	}
	text := strings.Join(lines, "\n") + "\n"
	file := filepath.Join("testdata", strings.NewReplacer("/", "_", "?", "_", "&", "_", "=", "_").Replace(target[1:])+".json")
	if *update {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if text != string(want) {
		t.Errorf("%s differs from %s; see the difference after go test -update", target, file)
	}
}

func TestPrometheusCollects(t *testing.T) {
	r := prometheus.NewPedanticRegistry()
	if err := r.Register(NewCollector(everyday(t).view)); err != nil {
		t.Fatal(err)
	}
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for _, f := range families {
		for _, m := range f.GetMetric() {
			text.WriteString(f.GetName())
			for _, l := range m.GetLabel() {
				text.WriteString(" " + l.GetValue())
			}
			fmt.Fprintln(&text, "", m.GetGauge().GetValue()+m.GetCounter().GetValue())
		}
	}
	for _, want := range []string{
		"troupe_master_agents connected 2\n", "troupe_master_offers_outstanding 2\n", "troupe_master_tasks running 1\n",
		"troupe_master_resources cpus no 12\n", "troupe_master_resources_used cpus no 2.5\n", "troupe_master_tasks_ended_total finished 1\n",
		"troupe_master_calls_total acknowledge 4\n", "troupe_master_offers_total accepted 1\n", "troupe_master_messages_dropped_total 0\n",
	} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("%q is not in\n%s", want, &text)
		}
	}
}

func TestRedirectNamesTheLeader(t *testing.T) {
	h := serve(newTestCluster(t).view)
	for _, path := range []string{"/redirect", "/master/redirect"} {
		rec := get(t, h, http.MethodGet, path)
		if rec.Code != http.StatusTemporaryRedirect || rec.Header().Get("Location") != "//m:5050" {
			t.Errorf("%s: %d to %q", path, rec.Code, rec.Header().Get("Location"))
		}
	}
}

func TestBadRequests(t *testing.T) {
	h := serve(newTestCluster(t).view)
	for target, want := range map[string]string{
		"/tasks?limit=-1":                            `limit: "-1"`,
		"/tasks?limit=x":                             `limit: "x"`,
		"/tasks?offset=1e9":                          `offset: "1e9"`,
		"/tasks?order=up":                            `order: "up"`,
		"/master/tasks?limit=99999999999999999999":   `limit: "99999999999999999999": is more than 9223372036854775807`,
		"/tasks?offset=-99999999999999999999":        `offset: "-99999999999999999999": is not a number from 0`,
		"/tasks?offset=" + strings.Repeat("1", 2000): `1…": is more than`,
	} {
		rec := get(t, h, http.MethodGet, target)
		if rec.Code != http.StatusBadRequest || !strings.Contains(rec.Body.String(), want) {
			t.Errorf("%s: %d %s", target, rec.Code, rec.Body)
		}
	}
	rec := get(t, h, http.MethodPost, "/state")
	if rec.Code != http.StatusMethodNotAllowed || rec.Header().Get("Allow") == "" {
		t.Errorf("POST /state: %d", rec.Code)
	}
}

// stuck is a client that takes nothing until it is released.
type stuck struct {
	header  http.Header
	waiting chan struct{}
	release chan struct{}
	once    bool
}

func (s *stuck) Header() http.Header { return s.header }
func (s *stuck) WriteHeader(int)     {}
func (s *stuck) Write(p []byte) (int, error) {
	if !s.once {
		s.once = true
		close(s.waiting)
		<-s.release
	}
	return len(p), nil
}

// TestReadsNeverStopWrites publishes, and reads, while a client that reads the
// whole state is stuck. (Law 8.)
func TestReadsNeverStopWrites(t *testing.T) {
	c := everyday(t)
	h := serve(c.view)
	s := &stuck{header: make(http.Header), waiting: make(chan struct{}), release: make(chan struct{})}
	done := make(chan struct{})
	go func() {
		defer close(done)
		h.ServeHTTP(s, httptest.NewRequest(http.MethodGet, "/state", nil))
	}()
	<-s.waiting
	before := c.view.Snapshot().Version
	c.update(0, "t1", mesos.TaskState_TASK_FAILED, true)
	if after := c.view.Snapshot(); after.Version == before || after.Counters.Terminal[mesos.TaskState_TASK_FAILED] != 1 {
		t.Error("nothing was published beside a stuck reader")
	}
	close(s.release)
	<-done
}

func TestASnapshotNeverChanges(t *testing.T) {
	c := everyday(t)
	before := c.view.Snapshot()
	states := func() (all []mesos.TaskState) {
		for _, task := range before.Frameworks[0].Tasks {
			all = append(all, task.State)
		}
		return all
	}
	was := states()
	c.update(0, "t1", mesos.TaskState_TASK_FAILED, true)
	c.agent(2, "cpus:1")
	if now := states(); len(now) != len(was) || now[0] != was[0] || now[1] != was[1] {
		t.Errorf("tasks were %v and are %v", was, now)
	}
	if len(before.Agents) != 2 || before.Counters.Terminal[mesos.TaskState_TASK_FAILED] != 0 {
		t.Error("agents or counters changed")
	}
	if c.view.Snapshot() == before {
		t.Error("the newer snapshot is the older")
	}
	first := c.view.Snapshot()
	if second := c.view.Snapshot(); first != second {
		t.Error("nothing happened between two snapshots that differ")
	}
}

// BenchmarkState writes 10,000 tasks on 100 agents.
func BenchmarkState(b *testing.B) {
	c := newTestCluster(b)
	c.framework("*")
	for i := range 100 {
		c.agent(i, "cpus:100;mem:10000")
		var infos []*mesos.TaskInfo
		for j := range 100 {
			infos = append(infos, task(strings.Repeat("t", 1+j)+string(rune('a'+i%26)), i, "cpus:0.1;mem:10"))
		}
		c.launch(c.offer(i, "*", "cpus:100;mem:10000"), infos...)
	}
	s := &server{view: c.view}
	for b.Loop() {
		c.view.Publish(view.AgentChanged{Agent: c.view.Snapshot().Agents[0]})
		rec := httptest.NewRecorder()
		s.answer(routes[0], rec, httptest.NewRequest(http.MethodGet, "/state", nil))
		n, err := io.Copy(io.Discard, rec.Body)
		if err != nil {
			b.Fatal(err)
		}
		b.SetBytes(n)
	}
}

// BenchmarkSnapshot makes a snapshot of 100,000 tasks after each update.
func BenchmarkSnapshot(b *testing.B) {
	c := newTestCluster(b)
	c.framework("*")
	c.agent(0, "cpus:100000;mem:100000")
	for i := range 100_000 {
		c.view.Publish(view.TaskAdded{Task: &view.Task{TaskSpec: &view.TaskSpec{
			ID: view.TaskID(rune(i)), Framework: view.FrameworkID(frameworkID(0).GetValue()),
		}}})
	}
	for b.Loop() {
		c.view.Publish(view.Judged{})
		c.view.Snapshot()
	}
}

// A master that stands by tells of itself alone, and of everything once it
// leads.
func TestStandingBy(t *testing.T) {
	r := new(plainRouter)
	v := NewView(view.Limits{})
	defer v.Close()
	lead := MountOwn(r, v, Info{Version: "1"})
	get := func(path string) (int, string) {
		rec := httptest.NewRecorder()
		r.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, path, nil))
		return rec.Code, rec.Body.String()
	}
	elected := func(want string) {
		t.Helper()
		if code, body := get("/metrics/snapshot"); code != http.StatusOK || !strings.Contains(body, `"master/elected":`+want) {
			t.Errorf("%d, %s; want %s", code, body, want)
		}
	}
	elected("0")
	if code, _ := get("/master/version"); code != http.StatusOK {
		t.Errorf("/version is %d", code)
	}
	if code, _ := get("/state"); code != http.StatusNotFound {
		t.Errorf("/state of a master that stands by is %d", code)
	}
	lead(Info{Version: "1", Elected: time.Unix(1, 0)})
	elected("1")
	if code, _ := get("/state"); code != http.StatusOK {
		t.Errorf("/state of a leader is %d", code)
	}
}
