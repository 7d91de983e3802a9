package api

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/messages/json"
	"troupe/messages/mesos"
	"troupe/messages/mesos/agent"
	"troupe/messages/recordio"
	"troupe/messages/resources"
	"troupe/slave/state/view"
)

// post sends a body to /api/v1 with headers given as "name: value".
func post(t *testing.T, server *httptest.Server, body string, headers ...string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequest(http.MethodPost, server.URL+"/api/v1", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer, string(text)
}

const asJSON, asProtobuf = "Content-Type: application/json", "Content-Type: application/x-protobuf"

// ask makes a call in protobuf, and holds the answer in JSON against it.
func ask(t *testing.T, server *httptest.Server, call *agent.Call) *agent.Response {
	t.Helper()
	body, err := proto.Marshal(call)
	if err != nil {
		t.Fatal(err)
	}
	answer, text := post(t, server, string(body), asProtobuf, "Accept: application/x-protobuf")
	response := new(agent.Response)
	if err := proto.Unmarshal([]byte(text), response); err != nil || answer.StatusCode != http.StatusOK ||
		answer.Header.Get("Content-Type") != "application/x-protobuf" {
		t.Fatalf("%v: %d %s, %v", call, answer.StatusCode, text, err)
	}
	_, text = post(t, server, string(json.Marshal(call)), asJSON)
	written := new(agent.Response)
	if err := json.Unmarshal([]byte(text), written); err != nil {
		t.Fatalf("%v: %v in %s", call, err, text)
	}
	for _, r := range []*agent.Response{response, written} {
		for _, c := range r.GetGetContainers().GetContainers() {
			c.ResourceStatistics.Timestamp = proto.Float64(0)
		}
		r.GetMetrics = nil // they differ from moment to moment, and have a test of their own
	}
	again := new(agent.Response) // with the defaults that JSON shows
	if err := json.Unmarshal(json.Marshal(response), again); err != nil {
		t.Fatal(err)
	}
	if call.GetType().String() != response.GetType().String() || !proto.Equal(again, written) {
		t.Errorf("%v: %v\nin JSON %v", call, again, written)
	}
	return response
}

func TestCalls(t *testing.T) {
	v, s := shown(t)
	if got := ask(t, s, &agent.Call{Type: agent.Call_GET_HEALTH.Enum()}); !got.GetGetHealth().GetHealthy() {
		t.Errorf("health: %v", got)
	}
	flags := ask(t, s, &agent.Call{Type: agent.Call_GET_FLAGS.Enum()}).GetGetFlags().GetFlags()
	if len(flags) != 2 || flags[0].GetName() != "port" || flags[1].GetValue() != "/w" {
		t.Errorf("flags: %v", flags)
	}
	if got := ask(t, s, &agent.Call{Type: agent.Call_GET_VERSION.Enum()}).GetGetVersion().GetVersionInfo(); got.GetVersion() != "1.2" {
		t.Errorf("version: %v", got)
	}
	tasks := ask(t, s, &agent.Call{Type: agent.Call_GET_TASKS.Enum()}).GetGetTasks()
	if len(tasks.GetPendingTasks()) != 0 || id(tasks.GetQueuedTasks()) != "T2" || id(tasks.GetLaunchedTasks()) != "T1" ||
		id(tasks.GetTerminatedTasks()) != "" || id(tasks.GetCompletedTasks()) != "T3" {
		t.Errorf("tasks: %v", tasks)
	}
	if task := tasks.GetLaunchedTasks()[0]; task.ExecutorId != nil || task.GetStatusUpdateState() != mesos.TaskState_TASK_RUNNING ||
		task.GetLabels().GetLabels()[0].GetKey() != "k" || len(task.GetStatusUpdateUuid()) != 16 {
		t.Errorf("a command task: %v", task)
	}
	if task := tasks.GetQueuedTasks()[0]; task.GetExecutorId().GetValue() != "E" || task.GetAgentId().GetValue() != "S0" {
		t.Errorf("an executor's task: %v", task)
	}
	executors := ask(t, s, &agent.Call{Type: agent.Call_GET_EXECUTORS.Enum()}).GetGetExecutors()
	if len(executors.GetExecutors()) != 2 || len(executors.GetCompletedExecutors()) != 1 {
		t.Errorf("executors: %v", executors)
	}
	frameworks := ask(t, s, &agent.Call{Type: agent.Call_GET_FRAMEWORKS.Enum()}).GetGetFrameworks()
	if len(frameworks.GetFrameworks()) != 2 || frameworks.GetCompletedFrameworks()[0].GetFrameworkInfo().GetId().GetValue() != "Z" {
		t.Errorf("frameworks: %v", frameworks)
	}
	state := ask(t, s, &agent.Call{Type: agent.Call_GET_STATE.Enum()}).GetGetState()
	if !proto.Equal(state.GetGetTasks(), tasks) || !proto.Equal(state.GetGetExecutors(), executors) || !proto.Equal(state.GetGetFrameworks(), frameworks) {
		t.Errorf("state: %v", state)
	}
	for _, of := range []*agent.Call_GetContainers{nil, {}, {ShowNested: proto.Bool(true), ShowStandalone: proto.Bool(true)}} {
		got := ask(t, s, &agent.Call{Type: agent.Call_GET_CONTAINERS.Enum(), GetContainers: of}).GetGetContainers().GetContainers()
		if len(got) != 2 || got[0].GetContainerId().GetValue() != "C1" || got[0].GetResourceStatistics().GetMemRssBytes() != 4096 ||
			got[0].GetContainerStatus().GetExecutorPid() != 77 || got[1].GetResourceStatistics().MemRssBytes != nil {
			t.Errorf("containers: %v", got)
		}
	}
	if got := ask(t, s, &agent.Call{Type: agent.Call_GET_OPERATIONS.Enum()}).GetGetOperations(); got == nil || len(got.GetOperations()) != 0 {
		t.Errorf("operations: %v", got)
	}
	for n, id := range []string{"o1", "o2"} {
		v.Publish(view.OperationChanged{Operation: &view.Operation{ID: view.OperationID(id), Number: uint64(2 - n), Info: &mesos.Operation{
			Info: &mesos.Offer_Operation{Id: &mesos.OperationID{Value: &id}}, LatestStatus: &mesos.OperationStatus{State: mesos.OperationState_OPERATION_PENDING.Enum()},
			Uuid: &mesos.UUID{Value: []byte("0123456789abcdef")},
		}}})
	}
	v.Publish(view.OperationRemoved{ID: "o1"})
	if got := ask(t, s, &agent.Call{Type: agent.Call_GET_OPERATIONS.Enum()}).GetGetOperations().GetOperations(); len(got) != 1 || got[0].GetInfo().GetId().GetValue() != "o2" {
		t.Errorf("operations: %v", got)
	}
	if got := ask(t, s, &agent.Call{Type: agent.Call_GET_RESOURCE_PROVIDERS.Enum()}).GetGetResourceProviders(); got == nil {
		t.Error("no resource providers, but not none either")
	}
}

// id is that of the only task of a list.
func id(tasks []*mesos.Task) string {
	if len(tasks) != 1 {
		return ""
	}
	return tasks[0].GetTaskId().GetValue()
}

func TestGetMetrics(t *testing.T) {
	_, s := shown(t)
	_, text := post(t, s, `{"type":"GET_METRICS","get_metrics":{"timeout":{"nanoseconds":5000000000}}}`, asJSON)
	response := new(agent.Response)
	if err := json.Unmarshal([]byte(text), response); err != nil {
		t.Fatal(err)
	}
	metrics := response.GetGetMetrics().GetMetrics()
	named := func(a, b *mesos.Metric) int { return strings.Compare(a.GetName(), b.GetName()) }
	if !slices.IsSortedFunc(metrics, named) {
		t.Error("metrics are in no order")
	}
	for _, line := range golden(t, "metrics-snapshot")[1:] {
		name := strings.TrimSuffix(line, " number")
		if _, there := slices.BinarySearchFunc(metrics, &mesos.Metric{Name: &name}, named); !there {
			t.Errorf("%s is not there", name)
		}
	}
}

func TestAgentAndItsDrain(t *testing.T) {
	v, s := shown(t)
	got := ask(t, s, &agent.Call{Type: agent.Call_GET_AGENT.Enum()}).GetGetAgent()
	if got.GetAgentInfo().GetId().GetValue() != "S0" || got.DrainConfig != nil || got.EstimatedDrainStartTime != nil {
		t.Errorf("agent: %v", got)
	}
	before := time.Now()
	a := *v.Agent()
	a.Drain = &mesos.DrainConfig{MarkGone: proto.Bool(true), MaxGracePeriod: &mesos.DurationInfo{Nanoseconds: proto.Int64(5)}}
	v.Publish(view.AgentChanged{Agent: &a})
	got = ask(t, s, &agent.Call{Type: agent.Call_GET_AGENT.Enum()}).GetGetAgent()
	if !proto.Equal(got.GetDrainConfig(), a.Drain) || got.GetEstimatedDrainStartTime().GetNanoseconds() < before.UnixNano() {
		t.Errorf("drained: %v", got)
	}
	state := get(t, s, "/state")
	if at(t, state, "drain_config mark_gone") != true || at(t, state, "estimated_drain_start_time_seconds").(float64) < float64(before.Unix()) {
		t.Errorf("/state: %v", state)
	}
	b := a
	b.Drain = nil
	v.Publish(view.AgentChanged{Agent: &b})
	if state := get(t, s, "/state").(map[string]any); state["drain_config"] != nil || state["estimated_drain_start_time_seconds"] != nil {
		t.Errorf("/state after the drain: %v", state)
	}
}

// volume is a log whose level is a number.
type volume struct {
	level uint32
	span  time.Duration
}

func (v *volume) Verbosity() uint32 { return v.level }

func (v *volume) SetVerbosity(level uint32, span time.Duration) error {
	if span <= 0 {
		return errors.New("duration is not above 0")
	}
	v.level, v.span = level, span
	return nil
}

func TestLoggingLevel(t *testing.T) {
	log := &volume{}
	routes := &mux{}
	v := NewView(view.Limits{}, func(string) string { return t.TempDir() })
	v.Publish(view.AgentChanged{Agent: &view.Agent{Info: &mesos.AgentInfo{}}})
	Mount(routes, v, Info{Log: log})
	s := httptest.NewServer(routes)
	defer s.Close()
	answer, text := post(t, s, `{"type":"SET_LOGGING_LEVEL","set_logging_level":{"level":2,"duration":{"nanoseconds":60000000000}}}`, asJSON)
	if answer.StatusCode != http.StatusOK || text != "" || log.level != 2 || log.span != time.Minute {
		t.Errorf("%d %s, %+v", answer.StatusCode, text, log)
	}
	if got := ask(t, s, &agent.Call{Type: agent.Call_GET_LOGGING_LEVEL.Enum()}).GetGetLoggingLevel(); got.GetLevel() != 2 {
		t.Errorf("level: %v", got)
	}
	answer, text = post(t, s, `{"type":"SET_LOGGING_LEVEL","set_logging_level":{"level":2,"duration":{"nanoseconds":-1}}}`, asJSON)
	if answer.StatusCode != http.StatusBadRequest || !strings.Contains(text, "duration") {
		t.Errorf("a negative duration: %d %s", answer.StatusCode, text)
	}
}

func TestFilesOfCalls(t *testing.T) {
	dir := t.TempDir()
	run := filepath.Join(dir, "S0", "frameworks", "F", "executors", "E", "runs", "C")
	if err := errors.Join(os.MkdirAll(run, 0o755), os.WriteFile(filepath.Join(run, "stdout"), []byte("hello"), 0o644), os.Symlink("C", filepath.Join(filepath.Dir(run), "latest"))); err != nil {
		t.Fatal(err)
	}
	log := filepath.Join(dir, "agent.log")
	if err := os.WriteFile(log, []byte("started"), 0o600); err != nil {
		t.Fatal(err)
	}
	routes := &mux{}
	v := NewView(view.Limits{}, func(agent string) string { return filepath.Join(dir, agent) })
	v.Publish(view.AgentChanged{Agent: &view.Agent{Info: &mesos.AgentInfo{Id: &mesos.AgentID{Value: proto.String("S0")}}}})
	Mount(routes, v, Info{LogFile: log})
	s := httptest.NewServer(routes)
	defer s.Close()
	for _, folder := range []string{run, "/frameworks/F/executors/E/runs/latest"} {
		list := ask(t, s, &agent.Call{Type: agent.Call_LIST_FILES.Enum(), ListFiles: &agent.Call_ListFiles{Path: &folder}}).GetListFiles().GetFileInfos()
		if len(list) != 1 || list[0].GetPath() != folder+"/stdout" || list[0].GetSize() != 5 {
			t.Errorf("%s: %v", folder, list)
		}
	}
	for _, test := range []struct {
		path           string
		offset, length uint64
		want           string
		size           uint64
	}{{run + "/stdout", 1, 3, "ell", 5}, {run + "/stdout", 9, 3, "", 5}, {"/slave/log", 0, 1 << 40, "started", 7}} {
		got := ask(t, s, &agent.Call{
			Type:     agent.Call_READ_FILE.Enum(),
			ReadFile: &agent.Call_ReadFile{Path: &test.path, Offset: &test.offset, Length: &test.length},
		}).GetReadFile()
		if string(got.GetData()) != test.want || got.GetSize() != test.size {
			t.Errorf("%v: %v", test, got)
		}
	}
	for body, code := range map[string]int{
		`{"type":"LIST_FILES","list_files":{"path":"/none"}}`:                                404,
		`{"type":"READ_FILE","read_file":{"path":"/slave/log/x","offset":0}}`:                404,
		`{"type":"READ_FILE","read_file":{"path":"` + run + `","offset":0}}`:                 400,
		`{"type":"READ_FILE","read_file":{"path":"/frameworks/../../agent.log","offset":0}}`: 404,
		`{"type":"READ_FILE","read_file":{"path":"","offset":0}}`:                            400,
		`{"type":"READ_FILE","read_file":{"path":"/slave/log","offset":-1}}`:                 400,
	} {
		if answer, text := post(t, s, body, asJSON); answer.StatusCode != code || text == "" {
			t.Errorf("%s: %d %s", body, answer.StatusCode, text)
		}
	}
}

func TestWhatIsRefused(t *testing.T) {
	_, s := shown(t)
	const health = `{"type":"GET_HEALTH"}`
	recordJSON := []string{"Content-Type: application/recordio", "Message-Content-Type: application/json"}
	record := string(recordio.Append(nil, []byte(health)))
	for _, test := range []struct {
		name, body string
		headers    []string
		code       int
		text       string
	}{
		{"no content type", health, nil, 400, "Content-Type"},
		{"another", health, []string{"Content-Type: text/plain"}, 415, `"text/plain"`},
		{"with parameters", health, []string{"Content-Type: application/json; charset=utf-8"}, 415, "charset"},
		{"recordio without an inner type", record, recordJSON[:1], 400, "Message-Content-Type"},
		{"recordio of text", record, []string{recordJSON[0], "Message-Content-Type: text/plain"}, 415, "text/plain"},
		{"an inner type of what does not stream", health, []string{asJSON, recordJSON[1]}, 415, "Message-Content-Type"},
		{"a stream for what needs none", record, recordJSON, 415, "GET_HEALTH"},
		{"an empty stream", "", recordJSON, 400, "ends"},
		{"a stream of garbage", "x\n", recordJSON, 400, ""},
		{"a stream cut short", "100\n{", recordJSON, 400, ""},
		{"a record too long", "1048577\n", recordJSON, 400, ""},
		{"input that does not stream", `{"type":"ATTACH_CONTAINER_INPUT","attach_container_input":{}}`, []string{asJSON}, 415, "recordio"},
		{"an answer of text", health, []string{asJSON, "Accept: text/plain"}, 406, "text/plain"},
		{"records for what is none", health, []string{asJSON, "Accept: application/recordio"}, 406, "GET_HEALTH"},
		{"records of text", health, []string{asJSON, "Accept: application/recordio", "Message-Accept: text/plain"}, 406, "Message-Accept"},
		{"an inner form of what is no record", health, []string{asJSON, "Message-Accept: application/json"}, 406, "Message-Accept"},
		{"nothing", "", []string{asJSON}, 400, ""},
		{"no type", "{}", []string{asJSON}, 400, "'type'"},
		{"no part", `{"type":"GET_METRICS"}`, []string{asJSON}, 400, "'get_metrics'"},
		{"no path", `{"type":"LIST_FILES","list_files":{}}`, []string{asJSON}, 400, "list_files.path"},
		{"a wrong type", `{"type":"LIST_FILES","list_files":{"path":{}}}`, []string{asJSON}, 400, "list_files.path"},
		{"no JSON", `{"type":`, []string{asJSON}, 400, ""},
		{"no protobuf", "\xff\xff", []string{asProtobuf}, 400, ""},
		{"unknown", `{"type":"UNKNOWN"}`, []string{asJSON}, 501, "UNKNOWN"},
		{"images", `{"type":"PRUNE_IMAGES"}`, []string{asJSON}, 501, "PRUNE_IMAGES"},
		{"a provider", `{"type":"MARK_RESOURCE_PROVIDER_GONE","mark_resource_provider_gone":{"resource_provider_id":{"value":"p"}}}`, []string{asJSON}, 501, "MARK_RESOURCE_PROVIDER_GONE"},
		{"a level without a log", `{"type":"SET_LOGGING_LEVEL","set_logging_level":{"level":1,"duration":{"nanoseconds":1}}}`, []string{asJSON}, 501, "SET_LOGGING_LEVEL"},
	} {
		answer, text := post(t, s, test.body, test.headers...)
		if answer.StatusCode != test.code || !strings.Contains(text, test.text) {
			t.Errorf("%s: %d %s; want %d with %q", test.name, answer.StatusCode, text, test.code, test.text)
		}
	}
	r, err := http.Get(s.URL + "/slave(1)/api/v1")
	if err != nil {
		t.Fatal(err)
	}
	r.Body.Close()
	if r.StatusCode != http.StatusMethodNotAllowed || r.Header.Get("Allow") != http.MethodPost {
		t.Errorf("GET: %d %v", r.StatusCode, r.Header)
	}
}

func TestNothingIsAnsweredBeforeRecovery(t *testing.T) {
	routes := &mux{}
	v := NewView(view.Limits{}, func(string) string { return t.TempDir() })
	Mount(routes, v, Info{})
	s := httptest.NewServer(routes)
	defer s.Close()
	for _, a := range []*view.Agent{nil, {Info: &mesos.AgentInfo{}, Recovering: true}} {
		if a != nil {
			v.Publish(view.AgentChanged{Agent: a})
		}
		answer, text := post(t, s, `{"type":"GET_HEALTH"}`, asJSON)
		if answer.StatusCode != http.StatusServiceUnavailable || answer.Header.Get("Retry-After") == "" || !strings.Contains(text, "recovery") {
			t.Errorf("%v: %d %s", a, answer.StatusCode, text)
		}
	}
	v.Publish(view.AgentChanged{Agent: &view.Agent{Info: &mesos.AgentInfo{Resources: resources.MustParse("cpus:1").Proto()}}})
	if answer, text := post(t, s, `{"type":"GET_HEALTH"}`, asJSON); answer.StatusCode != http.StatusOK {
		t.Errorf("after recovery: %d %s", answer.StatusCode, text)
	}
}

func TestContainerCallsAreHandedOn(t *testing.T) {
	routes := &mux{}
	v := NewView(view.Limits{}, func(string) string { return t.TempDir() })
	v.Publish(view.AgentChanged{Agent: &view.Agent{Info: &mesos.AgentInfo{}}})
	var got []string
	Mount(routes, v, Info{Containers: func(w http.ResponseWriter, _ *http.Request, request Request) {
		got = append(got, request.Call.GetType().String())
		for request.Input != nil {
			next, err := request.Input()
			if err != nil {
				got = append(got, err.Error())
				break
			}
			got = append(got, next.GetAttachContainerInput().GetType().String())
		}
	}})
	s := httptest.NewServer(routes)
	defer s.Close()
	post(t, s, `{"type":"KILL_CONTAINER","kill_container":{"container_id":{"value":"c"}}}`, asJSON)
	var input bytes.Buffer
	for _, kind := range []agent.Call_AttachContainerInput_Type{agent.Call_AttachContainerInput_CONTAINER_ID, agent.Call_AttachContainerInput_PROCESS_IO} {
		body, err := proto.Marshal(&agent.Call{
			Type:                 agent.Call_ATTACH_CONTAINER_INPUT.Enum(),
			AttachContainerInput: &agent.Call_AttachContainerInput{Type: kind.Enum()},
		})
		if err != nil {
			t.Fatal(err)
		}
		input.Write(recordio.Append(nil, body))
	}
	post(t, s, input.String(), "Content-Type: application/recordio", "Message-Content-Type: application/x-protobuf", "Accept: application/recordio, application/json")
	want := []string{"KILL_CONTAINER", "ATTACH_CONTAINER_INPUT", "PROCESS_IO", "the body ends where a record is expected"}
	if !slices.Equal(got, want) {
		t.Errorf("handed on: %q", got)
	}
}

// FuzzOperator: no body does more than be refused.
func FuzzOperator(f *testing.F) {
	f.Add([]byte(`{"type":"GET_STATE"}`), "application/json", "")
	f.Add([]byte(`{"type":"READ_FILE","read_file":{"path":"/../x","offset":18446744073709551615,"length":0}}`), "application/json", "")
	f.Add([]byte("9\n{\"type\":1"), "application/recordio", "application/json")
	f.Add([]byte("\x08\x0a"), "application/x-protobuf", "")
	routes := &mux{}
	v := NewView(view.Limits{}, func(string) string { return "/nowhere" })
	Mount(routes, v, Info{Log: &volume{}})
	for _, e := range history("/nowhere") {
		v.Publish(e)
	}
	f.Fuzz(func(t *testing.T, body []byte, content, message string) {
		r := httptest.NewRequest(http.MethodPost, "/api/v1", bytes.NewReader(body))
		r.Header.Set("Content-Type", content)
		if message != "" {
			r.Header.Set("Message-Content-Type", message)
		}
		answer := httptest.NewRecorder()
		routes.ServeHTTP(answer, r)
		switch answer.Code {
		case 200, 400, 404, 406, 413, 415, 501:
		default:
			t.Errorf("%d %s", answer.Code, answer.Body)
		}
		if answer.Code != http.StatusOK && answer.Body.Len() == 0 {
			t.Errorf("%d without a word", answer.Code)
		}
	})
}
