package api

import (
	stdjson "encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos"
	"troupe/messages/mesos/master"
)

// testdata/mesos has the shape of what a master of Mesos 1.12 answered, of one
// agent and one framework with one running task: a line for each member, its
// path and the type of its value. Of /flags and of metrics only what does not
// depend on the cluster is in them.

// observed is a cluster like that.
func observed(t testing.TB) *testCluster {
	c := newTestCluster(t)
	c.container = &mesos.ContainerStatus{
		ContainerId: &mesos.ContainerID{Value: proto.String("c")}, ExecutorPid: proto.Uint32(16500),
		NetworkInfos: []*mesos.NetworkInfo{{IpAddresses: []*mesos.NetworkInfo_IPAddress{{
			Protocol: mesos.NetworkInfo_IPv4.Enum(), IpAddress: proto.String("127.0.0.1"),
		}}}},
	}
	c.agent(0, "cpus:64;mem:262144;disk:262144;ports:[31000-32000]")
	c.framework("*")
	c.launch(c.offer(0, "*", "cpus:64;mem:262144"), task("t000000", 0, "cpus:1;mem:64"))
	for _, s := range []mesos.TaskState{mesos.TaskState_TASK_STARTING, mesos.TaskState_TASK_RUNNING} {
		c.update(0, "t000000", s, true)
	}
	return c
}

// shapeOf adds the lines of a value to shape.
func shapeOf(shape map[string]bool, path string, v any) {
	line := func(kind string) { shape[strings.TrimPrefix(path, ".")+" "+kind] = true }
	switch v := v.(type) {
	case map[string]any:
		line("object")
		for key, member := range v {
			if path == ".flags" {
				key = "*"
			}
			shapeOf(shape, path+"."+key, member)
		}
	case []any:
		line("array")
		for _, element := range v {
			shapeOf(shape, path+"[]", element)
		}
	case string:
		line("string")
	case float64:
		line("number")
	case bool:
		line("bool")
	default:
		line("null")
	}
}

// lacks reads a shape from testdata, and lists what of it ours does not have.
func lacks(t *testing.T, file string, body []byte) []string {
	t.Helper()
	var v any
	if err := stdjson.Unmarshal(body, &v); err != nil {
		t.Fatalf("%s: %v in %s", file, err, body)
	}
	ours := make(map[string]bool)
	shapeOf(ours, "", v)
	if ours[" object"] || ours[" array"] { // the root
		maps.DeleteFunc(ours, func(line string, _ bool) bool { return strings.HasPrefix(line, " ") })
		ours[fmt.Sprintf(". %s", map[bool]string{true: "object", false: "array"}[body[0] == '{'])] = true
	}
	return slices.DeleteFunc(linesOf(t, file), func(line string) bool { return ours[line] })
}

func linesOf(t *testing.T, file string) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "mesos", file+".txt"))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(text)), "\n")
}

// Every member that Mesos answers is in our answer, with the same type.
func TestLegacyEndpointsHaveMesosShape(t *testing.T) {
	h := serve(observed(t).view)
	for _, path := range []string{
		"state", "state-summary", "slaves", "frameworks", "tasks", "roles", "flags", "version", "quota", "weights",
		"maintenance/schedule", "maintenance/status",
	} {
		for _, alias := range []string{"/" + path, "/" + path + ".json", "/master/" + path, "/master/" + path + ".json"} {
			rec := get(t, h, http.MethodGet, alias)
			if rec.Code != http.StatusOK {
				t.Errorf("%s: %d %s", alias, rec.Code, rec.Body)
				continue
			}
			for _, line := range lacks(t, strings.ReplaceAll(path, "/", "_"), rec.Body.Bytes()) {
				t.Errorf("%s lacks %s", alias, line)
			}
		}
	}
}

// call posts a call of the operator API in JSON, and returns the answer.
func call(t testing.TB, h http.Handler, kind string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, "/api/v1", strings.NewReader(`{"type":"`+kind+`","get_metrics":{}}`))
	r.Header.Set("Content-Type", "application/json")
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, r)
	return rec
}

// The same for the operator API; and in protobuf it says the same.
func TestOperatorCallsHaveMesosShape(t *testing.T) {
	h := serve(observed(t).view)
	for _, kind := range []string{
		"GET_AGENTS", "GET_EXECUTORS", "GET_FLAGS", "GET_FRAMEWORKS", "GET_HEALTH", "GET_LOGGING_LEVEL", "GET_MAINTENANCE_SCHEDULE",
		"GET_MAINTENANCE_STATUS", "GET_MASTER", "GET_METRICS", "GET_OPERATIONS", "GET_QUOTA", "GET_ROLES", "GET_STATE", "GET_TASKS",
		"GET_VERSION", "GET_WEIGHTS",
	} {
		rec := call(t, h, kind)
		if rec.Code != http.StatusOK {
			t.Errorf("%s: %d %s", kind, rec.Code, rec.Body)
			continue
		}
		for _, line := range lacks(t, kind, rec.Body.Bytes()) {
			if strings.HasSuffix(line, "agent_info.checkpoint bool") {
				continue // no field of mesos.v1.AgentInfo, though Mesos writes it
			}
			t.Errorf("%s lacks %s", kind, line)
		}
		r := httptest.NewRequest(http.MethodPost, "/master/api/v1", strings.NewReader(string(marshal(t, kind))))
		r.Header.Set("Content-Type", "application/x-protobuf")
		r.Header.Set("Accept", "application/x-protobuf")
		wire := httptest.NewRecorder()
		h.ServeHTTP(wire, r)
		same(t, kind, rec.Body.Bytes(), wire.Body.Bytes())
	}
}

func marshal(t testing.TB, kind string) []byte {
	t.Helper()
	body, err := proto.Marshal(&master.Call{Type: master.Call_Type(master.Call_Type_value[kind]).Enum(), GetMetrics: &master.Call_GetMetrics{}})
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// Every metric that Mesos has is among ours, but for those of the allocator,
// the registrar and the machine, which are put by others: tools/apidoc asks a
// whole master for them.
func TestMetricsOfMesos(t *testing.T) {
	h := serve(observed(t).view)
	var ours map[string]float64
	if err := stdjson.Unmarshal(get(t, h, http.MethodGet, "/metrics/snapshot?timeout=5secs").Body.Bytes(), &ours); err != nil {
		t.Fatal(err)
	}
	framework := strings.NewReplacer("bench/68efc341-25d3-4305-8cde-0d13ba972218-0000", "n/"+frameworkID(0).GetValue())
	for _, key := range linesOf(t, "metrics") {
		if strings.HasPrefix(key, "allocator/") && !strings.Contains(key, "/resources/cpus/total") || strings.HasPrefix(key, "master/event_queue_") || strings.HasPrefix(key, "registrar/") || strings.HasPrefix(key, "system/") {
			continue
		}
		if _, ok := ours[framework.Replace(key)]; !ok {
			t.Errorf("/metrics/snapshot lacks %s", key)
		}
	}
	if rec := get(t, h, http.MethodGet, "/metrics/snapshot?timeout=soon"); rec.Code != http.StatusBadRequest {
		t.Errorf("timeout=soon: %d", rec.Code)
	}
}
