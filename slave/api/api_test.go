package api

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/protobuf/proto"

	"troupe/actors/inspect"
	"troupe/messages/mesos"
	"troupe/messages/resources"
	"troupe/slave/state/view"
)

type mux struct{ http.ServeMux }

func (m *mux) Route(pattern, _ string, h http.Handler) { m.Handle(pattern, h) }

// shown is an agent with a running command task, a queued one of a custom
// executor, and a framework that has ended.
func shown(t *testing.T) (*View, *httptest.Server) {
	t.Helper()
	dir := t.TempDir()
	v := NewView(view.Limits{}, func(agent string) string { return filepath.Join(dir, agent) })
	server := &mux{}
	Mount(server, v, Info{
		Version: "1.2", Program: "0.3", Started: time.Now().Add(-time.Minute), PID: "slave(1)@h:5051", Hostname: "h",
		Capabilities: []string{"MULTI_ROLE"}, Flags: map[string]string{"work_dir": "/w", "port": "5051"},
		Measure: measured(t, dir),
		Metrics: []func(func(string, float64)){inspect.Machine, func(put func(string, float64)) {
			put("gc/path_removals_pending", 4)
			for _, name := range []string{"cache_size_total_bytes", "cache_size_used_bytes", "task_fetches_failed", "task_fetches_succeeded"} {
				put("containerizer/fetcher/"+name, 0)
			}
			put("gc/path_removals_failed", 0)
			put("gc/path_removals_succeeded", 0)
			put("slave/executor_directory_max_allowed_age_secs", 1)
		}},
	})
	for _, e := range history(dir) {
		v.Publish(e)
	}
	s := httptest.NewServer(server)
	t.Cleanup(s.Close)
	return v, s
}

// measured is a Measure of the agent that is shown.
func measured(t *testing.T, dir string) Measure {
	return func(hosts []int, list []Measured) []*mesos.ResourceStatistics {
		if !slices.Equal(hosts, []int{77}) {
			t.Errorf("containers of hosts %v are measured", hosts)
		}
		all := make([]*mesos.ResourceStatistics, len(list))
		for i, c := range list {
			all[i] = &mesos.ResourceStatistics{
				Timestamp: proto.Float64(1), CpusSoftLimit: c.Amounts.Cpus, MemSoftLimitBytes: proto.Uint64(uint64(c.Amounts.GetMem()) << 20),
				MemLimitBytes: proto.Uint64(uint64(c.Amounts.GetMem()) << 20),
			}
			if slices.Equal(c.ID, []string{"C1"}) {
				if c.Sandbox != dir+"/box" {
					t.Errorf("%+v is measured", c)
				}
				all[i].CpusUserTimeSecs, all[i].CpusSystemTimeSecs = proto.Float64(1), proto.Float64(0.5)
				all[i].MemRssBytes, all[i].Processes, all[i].Threads = proto.Uint64(4096), proto.Uint32(2), proto.Uint32(3)
			}
		}
		return all
	}
}

// status is one as an agent sends it on.
func status(task, executor, container string, s mesos.TaskState) *mesos.TaskStatus {
	return &mesos.TaskStatus{
		TaskId: &mesos.TaskID{Value: &task}, State: s.Enum(), Source: mesos.TaskStatus_SOURCE_EXECUTOR.Enum(),
		AgentId: &mesos.AgentID{Value: proto.String("S0")}, ExecutorId: &mesos.ExecutorID{Value: &executor},
		Timestamp: proto.Float64(12.5), Uuid: []byte("0123456789abcdef"), Healthy: proto.Bool(true),
		ContainerStatus: &mesos.ContainerStatus{
			ContainerId: &mesos.ContainerID{Value: &container}, ExecutorPid: proto.Uint32(77),
			NetworkInfos: []*mesos.NetworkInfo{{IpAddresses: []*mesos.NetworkInfo_IPAddress{
				{Protocol: mesos.NetworkInfo_IPv4.Enum(), IpAddress: proto.String("127.0.0.1")},
			}}},
		},
	}
}

func history(dir string) []view.Event {
	info := func(id string) *mesos.FrameworkInfo {
		return &mesos.FrameworkInfo{
			Id: &mesos.FrameworkID{Value: &id}, Name: proto.String("n"), User: proto.String("u"), Roles: []string{"web"},
			Capabilities: []*mesos.FrameworkInfo_Capability{{Type: mesos.FrameworkInfo_Capability_MULTI_ROLE.Enum()}},
		}
	}
	task := func(f view.FrameworkID, e view.ExecutorID, c view.ContainerID, id string, s mesos.TaskState, launched bool) *view.Task {
		return &view.Task{
			Info: &mesos.TaskInfo{
				Name: &id, TaskId: &mesos.TaskID{Value: &id},
				Resources: resources.MustParse("cpus:1;mem:64").Allocate("web").Proto(),
				Labels:    &mesos.Labels{Labels: []*mesos.Label{{Key: proto.String("k"), Value: proto.String("v")}}},
			},
			Framework: f, Executor: e, Container: c, State: s, Launched: launched,
			Statuses: []*mesos.TaskStatus{status(id, string(e), string(c), s)},
		}
	}
	executor := func(f view.FrameworkID, e view.ExecutorID, c view.ContainerID, p view.Phase) *view.Executor {
		id := string(e)
		return &view.Executor{
			ID: e, Framework: f, Container: c, Phase: p, Sandbox: dir + "/box", Generated: f == "F",
			Info: &mesos.ExecutorInfo{
				Type: mesos.ExecutorInfo_CUSTOM.Enum(), ExecutorId: &mesos.ExecutorID{Value: &id}, Name: proto.String("x"), Source: &id,
				FrameworkId: &mesos.FrameworkID{Value: proto.String(string(f))},
				Command:     &mesos.CommandInfo{Shell: proto.Bool(false), Value: proto.String("/bin/x"), Arguments: []string{"x"}},
				Resources:   resources.MustParse("cpus:0.1;mem:32").Allocate("web").Proto(),
			},
		}
	}
	running := executor("F", "T1", "C1", view.Running)
	running.Host = "H1"
	id := "S0"
	return []view.Event{
		view.AgentChanged{Agent: &view.Agent{
			Info: &mesos.AgentInfo{
				Id: &mesos.AgentID{Value: &id}, Hostname: proto.String("h"), Port: proto.Int32(5051),
				Resources:  resources.MustParse("cpus:4;mem:1024;ports:[31000-32000]").Proto(),
				Attributes: []*mesos.Attribute{{Name: proto.String("rack"), Type: mesos.Value_TEXT.Enum(), Text: &mesos.Value_Text{Value: proto.String("a")}}},
			},
			Master: "master@m:5050#1", Registered: true,
		}},
		view.FrameworkChanged{Framework: &view.Framework{ID: "F", Info: info("F")}},
		view.TaskChanged{Task: task("F", "T1", "C1", "T1", mesos.TaskState_TASK_RUNNING, true)},
		view.ExecutorChanged{Executor: running},
		view.HostChanged{Host: &view.Host{ID: "H1", Pid: 77, Containers: 1}},
		view.FrameworkChanged{Framework: &view.Framework{ID: "G", Info: info("G")}},
		view.ExecutorChanged{Executor: executor("G", "E", "C2", view.Registering)},
		view.TaskChanged{Task: task("G", "E", "C2", "T2", mesos.TaskState_TASK_STAGING, false)},
		view.FrameworkChanged{Framework: &view.Framework{ID: "Z", Info: info("Z")}},
		view.ExecutorChanged{Executor: executor("Z", "E", "C3", view.Running)},
		view.TaskChanged{Task: task("Z", "E", "C3", "T3", mesos.TaskState_TASK_RUNNING, true)},
		view.TaskChanged{Task: task("Z", "E", "C3", "T3", mesos.TaskState_TASK_FINISHED, true)},
		view.ExecutorChanged{Executor: executor("Z", "E", "C3", view.Terminated)},
		view.TaskRemoved{Task: task("Z", "E", "C3", "T3", mesos.TaskState_TASK_FINISHED, true)},
		view.FrameworkRemoved{ID: "Z"},
		view.Counted{Counter: view.ValidUpdates},
		view.Counted{Counter: view.ValidUpdates},
	}
}

// get reads a path's JSON, with numbers as they are written.
func get(t *testing.T, s *httptest.Server, path string) any {
	t.Helper()
	r, err := http.Get(s.URL + path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil || r.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d %s, %v", path, r.StatusCode, body, err)
	}
	var value any
	if err := json.Unmarshal(body, &value); err != nil {
		t.Fatalf("%s: %v in %s", path, err, body)
	}
	return value
}

// at walks keys and indices: "frameworks 0 id".
func at(t *testing.T, value any, path string) any {
	t.Helper()
	for _, step := range strings.Fields(path) {
		switch v := value.(type) {
		case map[string]any:
			value = v[step]
		case []any:
			i := 0
			fmt.Sscan(step, &i)
			if i >= len(v) {
				t.Fatalf("%s: no element %d", path, i)
			}
			value = v[i]
		default:
			t.Fatalf("%s: %v has no %s", path, v, step)
		}
	}
	return value
}

func TestStateHasWhatMesosClientsRead(t *testing.T) {
	_, s := shown(t)
	for _, prefix := range []string{"", "/slave(1)"} {
		state := get(t, s, prefix+"/state")
		for path, want := range map[string]any{
			"version":                                               "1.2",
			"id":                                                    "S0",
			"pid":                                                   "slave(1)@h:5051",
			"hostname":                                              "h",
			"master_hostname":                                       "m",
			"capabilities 0":                                        "MULTI_ROLE",
			"attributes rack":                                       "a",
			"flags work_dir":                                        "/w",
			"resources cpus":                                        4.0,
			"resources ports":                                       "[31000-32000]",
			"unreserved_resources gpus":                             0.0,
			"unreserved_resources_allocated cpus":                   2.2,
			"unreserved_resources_full 0 name":                      "cpus",
			"unreserved_resources_full 0 role":                      "*",
			"frameworks 0 id":                                       "F",
			"frameworks 0 roles 0":                                  "web",
			"frameworks 0 executors 0 id":                           "T1",
			"frameworks 0 executors 0 container":                    "C1",
			"frameworks 0 executors 0 resources mem":                96.0,
			"frameworks 0 executors 0 role":                         "web",
			"frameworks 0 executors 0 tasks 0 id":                   "T1",
			"frameworks 0 executors 0 tasks 0 state":                "TASK_RUNNING",
			"frameworks 0 executors 0 tasks 0 slave_id":             "S0",
			"frameworks 0 executors 0 tasks 0 role":                 "web",
			"frameworks 0 executors 0 tasks 0 labels 0":             map[string]any{"key": "k", "value": "v"},
			"frameworks 1 executors 0 queued_tasks 0 id":            "T2",
			"frameworks 1 executors 0 type":                         "CUSTOM",
			"completed_frameworks 0 id":                             "Z",
			"frameworks 0 executors 0 tasks 0 statuses 0 state":     "TASK_RUNNING",
			"frameworks 0 executors 0 tasks 0 statuses 0 timestamp": 12.5,
			"frameworks 0 executors 0 tasks 0 statuses 0 healthy":   true,
			"completed_frameworks 0 completed_executors 0 completed_tasks 0 state": "TASK_FINISHED",
		} {
			if got := at(t, state, path); fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("%s: %s is %v, want %v", prefix, path, got, want)
			}
		}
	}
}

func TestKeysOfState(t *testing.T) {
	_, s := shown(t)
	state := get(t, s, "/state")
	for path, want := range map[string]string{
		"": "attributes build_date build_time build_user capabilities completed_frameworks flags frameworks hostname id master_hostname pid " +
			"reserved_resources reserved_resources_allocated reserved_resources_full resource_providers resources start_time " +
			"unreserved_resources unreserved_resources_allocated unreserved_resources_full version",
		"frameworks 0":                     "checkpoint completed_executors executors failover_timeout hostname id name roles user",
		"frameworks 0 executors 0":         "completed_tasks container directory id name queued_tasks resources role source tasks",
		"frameworks 0 executors 0 tasks 0": "executor_id framework_id id labels name resources role slave_id state statuses",
	} {
		keys := slices.Sorted(maps.Keys(at(t, state, path).(map[string]any)))
		if got := strings.Join(keys, " "); got != want {
			t.Errorf("%q has %s\nwant %s", path, got, want)
		}
	}
}

// What a launch takes its time for is shown for as long as it does.
func TestLaunchThatTakesItsTime(t *testing.T) {
	v, s := shown(t)
	x := &view.Executor{ID: "E9", Framework: "F9", Container: "C9", Phase: view.Launching, Doing: "fetching http://h/x"}
	v.Publish(view.FrameworkChanged{Framework: &view.Framework{ID: "F9", Info: &mesos.FrameworkInfo{}}})
	v.Publish(view.ExecutorChanged{Executor: x})
	if got := at(t, get(t, s, "/state"), "frameworks 1 executors 0 doing"); got != x.Doing {
		t.Errorf("it does %v", got)
	}
}

// An executor may be known by its tasks alone, whose updates nobody acknowledged.
func TestExecutorsThatNobodyDescribes(t *testing.T) {
	v, s := shown(t)
	v.Publish(view.ExecutorChanged{Executor: &view.Executor{ID: "E9", Framework: "F", Container: "C9", Phase: view.Running}})
	for _, path := range []string{"/state", "/containers", "/monitor/statistics"} {
		get(t, s, path)
	}
}

func TestContainersAndStatistics(t *testing.T) {
	_, s := shown(t)
	containers, statistics := get(t, s, "/containers"), get(t, s, "/monitor/statistics")
	for path, want := range map[string]any{
		"0 container_id": "C1", "0 status executor_pid": 77.0, "0 status container_id value": "C1",
		"0 executor_id": "T1", "0 framework_id": "F", "1 container_id": "C2", "1 statistics mem_rss_bytes": nil,
	} {
		if got := at(t, containers, path); got != want {
			t.Errorf("/containers: %s is %v, want %v", path, got, want)
		}
	}
	for path, want := range map[string]any{
		"0 source": "T1", "0 statistics cpus_user_time_secs": 1.0, "0 statistics cpus_system_time_secs": 0.5,
		"0 statistics mem_rss_bytes": 4096.0, "0 statistics mem_limit_bytes": 64.0 * (1 << 20), "0 statistics cpus_soft_limit": 1.0,
		"0 statistics processes": 2.0, "0 statistics threads": 3.0,
	} {
		if got := at(t, statistics, path); got != want {
			t.Errorf("/monitor/statistics: %s is %v, want %v", path, got, want)
		}
	}
}

func TestMetrics(t *testing.T) {
	v, s := shown(t)
	metrics := get(t, s, "/metrics/snapshot").(map[string]any)
	for key, want := range map[string]float64{
		"slave/registered": 1, "slave/cpus_total": 4, "slave/cpus_used": 2.2, "slave/cpus_percent": 0.55,
		"slave/tasks_running": 1, "slave/tasks_staging": 1, "slave/tasks_finished": 1, "slave/executors_running": 1,
		"slave/executors_registering": 1, "slave/frameworks_active": 2, "slave/valid_status_updates": 2,
		"slave/invalid_status_updates": 0, "gc/path_removals_pending": 4, "slave/mem_revocable_total": 0,
	} {
		if got, ok := metrics[key].(float64); !ok || got != want {
			t.Errorf("%s is %v, want %v", key, metrics[key], want)
		}
	}
	for _, path := range []string{"/stats", "/stats.json", "/slave(1)/stats", "/slave(1)/stats.json"} {
		if again := get(t, s, path).(map[string]any); len(again) != len(metrics) || again["slave/tasks_running"] != 1.0 {
			t.Errorf("%s is not /metrics/snapshot: %v", path, again)
		}
	}
	if up := metrics["slave/uptime_secs"].(float64); up < 60 {
		t.Errorf("up for %v s", up)
	}
	registry := prometheus.NewPedanticRegistry()
	if err := registry.Register(NewCollector(v, nil)); err != nil {
		t.Fatal(err)
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			names[f.GetName()] += m.GetGauge().GetValue() + m.GetCounter().GetValue()
		}
	}
	for name, want := range map[string]float64{
		"troupe_agent_registered": 1, "troupe_agent_tasks": 2, "troupe_agent_tasks_ended_total": 1,
		"troupe_agent_executor_hosts": 1, "troupe_agent_events_total": 2,
	} {
		if names[name] != want {
			t.Errorf("%s is %v, want %v", name, names[name], want)
		}
	}
}

func TestVersionFlagsAndMethods(t *testing.T) {
	_, s := shown(t)
	if got := at(t, get(t, s, "/version"), "troupe_version"); got != "0.3" {
		t.Errorf("troupe_version: %v", got)
	}
	if got := at(t, get(t, s, "/version"), "version"); got != "1.2" {
		t.Errorf("the version is %v", got)
	}
	if got := at(t, get(t, s, "/slave(1)/flags"), "flags port"); got != "5051" {
		t.Errorf("the port is %v", got)
	}
	if r, err := http.Get(s.URL + "/slave(1)/health"); err != nil || r.StatusCode != http.StatusOK || r.Body.Close() != nil {
		t.Errorf("health: %v, %v", r, err)
	}
	r, err := http.Post(s.URL+"/state", "text/plain", strings.NewReader("x"))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	if r.StatusCode != http.StatusMethodNotAllowed || r.Header.Get("Allow") != "GET, HEAD" {
		t.Errorf("a POST is answered %d", r.StatusCode)
	}
}

func TestSandboxesAreServed(t *testing.T) {
	dir := t.TempDir()
	runs := filepath.Join(dir, "S0", "frameworks", "F", "executors", "E", "runs")
	if err := os.MkdirAll(filepath.Join(runs, "C"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(runs, "C", "stdout"), []byte("hello"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("C", filepath.Join(runs, "latest")); err != nil {
		t.Fatal(err)
	}
	v := NewView(view.Limits{}, func(agent string) string { return filepath.Join(dir, agent) })
	routes := &mux{}
	Mount(routes, v, Info{})
	id := "S0"
	v.Publish(view.AgentChanged{Agent: &view.Agent{Info: &mesos.AgentInfo{Id: &mesos.AgentID{Value: &id}}}})
	s := httptest.NewServer(routes)
	defer s.Close()
	for _, path := range []string{filepath.Join(runs, "C"), "/frameworks/F/executors/E/runs/C", "/frameworks/F/executors/E/runs/latest"} {
		for _, prefix := range []string{"", "/slave(1)"} {
			got := at(t, get(t, s, prefix+"/files/read?path="+path+"/stdout&offset=1&length=3"), "data")
			if got != "ell" {
				t.Errorf("%s%s: %v", prefix, path, got)
			}
		}
	}
	for _, path := range []string{"/frameworks/../../etc/passwd", "/etc/passwd", dir} {
		r, err := http.Get(s.URL + "/files/browse?path=" + path)
		if err != nil {
			t.Fatal(err)
		}
		r.Body.Close()
		if r.StatusCode == http.StatusOK {
			t.Errorf("%s is served", path)
		}
	}
}

func TestPublishingDoesNotWaitForReaders(t *testing.T) {
	v := NewView(view.Limits{}, nil)
	v.model.mu.Lock() // a reader that takes its time
	var published sync.WaitGroup
	published.Go(func() {
		for range 3 * maxQueued {
			v.Publish(view.Counted{Counter: view.ValidUpdates})
		}
	})
	published.Wait()
	v.model.mu.Unlock()
	if got := v.Snapshot().Counters[view.ValidUpdates]; got != 3*maxQueued {
		t.Errorf("%d events were applied", got)
	}
	for range 2 * maxQueued {
		v.Publish(view.Counted{Counter: view.ValidUpdates})
	}
	if n := len(v.queue.events); n >= maxQueued {
		t.Errorf("%d events wait although nobody reads", n)
	}
}
