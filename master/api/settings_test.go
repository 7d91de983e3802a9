package api

import (
	"context"
	stdjson "encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"troupe/master/state"
	"troupe/messages/carrier"
	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/messages/mesos/maintenance"
	"troupe/messages/mesos/master"
	"troupe/messages/mesos/quota"
	"troupe/messages/mesos/scheduler"
)

// ruled is a master whose machine does what operators ask for: an agent with a
// task of role eng/web, and an offer to role ops.
func ruled(t testing.TB) (http.Handler, *testCluster) {
	c := newTestCluster(t)
	c.agent(0, "cpus:4;mem:1024;cpus(eng):2;ports:[1-10]")
	c.framework("eng/web", "ops")
	c.launch(c.offer(0, "eng/web", "cpus:1;mem:64;cpus(eng):1;ports:[1-2]"), task("t", 0, "cpus:1;mem:64;cpus(eng):1;ports:[1-2]"))
	c.update(0, "t", mesos.TaskState_TASK_RUNNING, true)
	c.offer(0, "ops", "cpus:1;mem:32")
	mux := http.NewServeMux()
	Mount(muxRouter{mux}, c.view, Info{})
	MountOperator(muxRouter{mux}, c.view, Info{}, func(_ context.Context, m proto.Message) (proto.Message, error) {
		if err := proto.CheckInitialized(m); err != nil {
			t.Errorf("the master is asked %v", err)
		}
		before := len(c.replies)
		c.step(state.Received{From: "op@o:0", Message: m, Ask: 1})
		if len(c.replies) == before { // the agent is asked, and does it
			return &cluster.OperatorReply{}, nil
		}
		return c.replies[len(c.replies)-1], nil
	})
	return mux, c
}

func send(t testing.TB, h http.Handler, method, path, body string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	if strings.HasSuffix(path, "/api/v1") {
		r.Header.Set("Content-Type", "application/json")
	}
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, r)
	return rec
}

// golden holds what paths and calls answer against a file.
func golden(t *testing.T, h http.Handler, name string, targets ...string) {
	t.Helper()
	var got strings.Builder
	for _, target := range targets {
		var rec *httptest.ResponseRecorder
		if strings.HasPrefix(target, "/") {
			rec = send(t, h, http.MethodGet, target, "")
		} else {
			rec = send(t, h, http.MethodPost, "/api/v1", `{"type":"`+target+`"}`)
		}
		var v any
		if err := stdjson.Unmarshal(rec.Body.Bytes(), &v); err != nil {
			t.Fatalf("%s: %v in %s", target, err, rec.Body)
		}
		text, err := stdjson.MarshalIndent(v, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		got.WriteString(target + "\n" + string(text) + "\n")
	}
	file := filepath.Join("testdata", "settings", name+".txt")
	if *update {
		if err := os.WriteFile(file, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got.String() != string(want) {
		t.Errorf("%s differs; see the difference after go test -update:\n%s", file, got.String())
	}
}

func TestQuotasByRoutes(t *testing.T) {
	h, c := ruled(t)
	for _, step := range []struct {
		method, path, body string
		status             int
		says               string
	}{
		{"POST", "/quota", `{"role":"ops","guarantee":[{"name":"cpus","type":"SCALAR","scalar":{"value":1}}]}`, 200, ""},
		{"POST", "/quota", `{"role":"ops","guarantee":[{"name":"cpus","type":"SCALAR","scalar":{"value":1}}]}`, 400, "already has a quota"},
		{"POST", "/quota", `{"role":"new","guarantee":[{"name":"cpus","type":"SCALAR","scalar":{"value":99}}]}`, 409, "the cluster has 6"},
		{"POST", "/quota", `{"role":"new","force":true,"guarantee":[{"name":"cpus","type":"SCALAR","scalar":{"value":99}}]}`, 200, ""},
		{"POST", "/quota", `{"role":"r","guarantee":[{"name":"ports","type":"RANGES","ranges":{"range":[{"begin":1,"end":2}]}}]}`, 400, "guarantee[0].type"},
		{"POST", "/quota", `{"role":"r","guarantee":[{"name":"cpus","type":"SCALAR","role":"r","scalar":{"value":1}}]}`, 400, "reserved"},
		{"POST", "/quota", `{"role":"r","guarantee":[]}`, 400, "body.guarantee"},
		{"POST", "/quota", `{"role":`, 400, "body"},
		{"POST", "/quota", strings.Repeat(" ", carrier.DefaultMaxBody+1), 413, "limit"},
		{"DELETE", "/master/quota/new", ``, 200, ""},
		{"DELETE", "/quota/new", ``, 400, "has no quota"},
		{"DELETE", "/quota/", ``, 400, "role"},
	} {
		rec := send(t, h, step.method, step.path, step.body)
		if rec.Code != step.status || !strings.Contains(rec.Body.String(), step.says) {
			t.Errorf("%s %s %.80s: %d %s", step.method, step.path, step.body, rec.Code, rec.Body)
		}
	}
	call := `{"type":"UPDATE_QUOTA","update_quota":{"quota_configs":[{"role":"eng","guarantees":{"cpus":{"value":2}},"limits":{"cpus":{"value":3.5},"mem":{"value":64}}}]}}`
	if rec := send(t, h, http.MethodPost, "/api/v1", call); rec.Code != 200 {
		t.Errorf("UPDATE_QUOTA: %d %s", rec.Code, rec.Body)
	}
	if rec := send(t, h, http.MethodPost, "/api/v1", strings.Replace(call, "3.5", "2", 1)); rec.Code != 400 || !strings.Contains(rec.Body.String(), "quota_configs[0].limits[cpus]") {
		t.Errorf("a limit below what is consumed: %d %s", rec.Code, rec.Body)
	}
	golden(t, h, "quota", "/quota", "/roles", "GET_QUOTA", "GET_ROLES")
	c.step(state.Received{From: "op@o:0", Principal: "ann", Ask: 1, Message: &cluster.QuotaRequest{
		Action: cluster.QuotaRequest_UPDATE.Enum(), Configs: []*quota.QuotaConfig{{Role: proto.String("ops"), Limits: map[string]*mesos.Value_Scalar{"cpus": {Value: proto.Float64(0)}}}},
	}})
	if body := send(t, h, http.MethodGet, "/quota", "").Body.String(); !strings.Contains(body, `"principal":"ann"`) {
		t.Errorf("who set a quota is not told: %s", body)
	}
	for _, body := range []string{`{"type":"REMOVE_QUOTA","remove_quota":{"role":"ops"}}`, `{"type":"REMOVE_QUOTA","remove_quota":{"role":"eng"}}`} {
		if rec := send(t, h, http.MethodPost, "/api/v1", body); rec.Code != 200 {
			t.Errorf("%s: %d %s", body, rec.Code, rec.Body)
		}
	}
	if body := send(t, h, http.MethodGet, "/quota", "").Body.String(); body != "{}" {
		t.Errorf("all removed, there is %s", body)
	}
}

func TestWeightsByRoutes(t *testing.T) {
	h, _ := ruled(t)
	for _, step := range []struct {
		method, path, body string
		status             int
		says               string
	}{
		{"PUT", "/weights", `[{"role":"eng/web","weight":2.5},{"role":"idle","weight":0.5}]`, 200, ""},
		{"PUT", "/weights", `[{"role":"eng","weight":2},{"role":"ops","weight":0}]`, 400, "weight_infos[1].weight"},
		{"PUT", "/weights", `[{"role":"eng","weight":"much"}]`, 400, "weight"},
		{"PUT", "/weights", `{"role":"eng"`, 400, "body"},
		{"PUT", "/weights", `[{"role":"eng"}]`, 400, "weight"},
		{"POST", "/api/v1", `{"type":"UPDATE_WEIGHTS","update_weights":{"weight_infos":[{"role":"eng","weight":3}]}}`, 200, ""},
		{"POST", "/api/v1", `{"type":"UPDATE_WEIGHTS","update_weights":{"weight_infos":[{"role":"a b","weight":3}]}}`, 400, "weight_infos[0].role"},
	} {
		rec := send(t, h, step.method, step.path, step.body)
		if rec.Code != step.status || !strings.Contains(rec.Body.String(), step.says) {
			t.Errorf("%s %s %.80s: %d %s", step.method, step.path, step.body, rec.Code, rec.Body)
		}
	}
	golden(t, h, "weights", "/weights", "/roles", "GET_WEIGHTS", "GET_ROLES")
}

func TestMaintenanceByRoutes(t *testing.T) {
	h, c := ruled(t)
	window := `{"windows":[{"machine_ids":[{"hostname":"HOST0"}],"unavailability":{"start":{"nanoseconds":7},"duration":{"nanoseconds":8}}},
		{"machine_ids":[{"ip":"10.0.0.1"},{"hostname":"a","ip":"10.0.0.2"}],"unavailability":{"start":{"nanoseconds":9}}}]}`
	for _, step := range []struct {
		method, path, body string
		status             int
		says               string
	}{
		{"POST", "/maintenance/schedule", `{"windows":[{"machine_ids":[{}],"unavailability":{"start":{"nanoseconds":7}}}]}`, 400, "schedule.windows[0].machine_ids[0]"},
		{"POST", "/maintenance/schedule", `{"windows":[{"machine_ids":[{"hostname":"a"}]}]}`, 400, "unavailability"},
		{"POST", "/maintenance/schedule", window, 200, ""},
		{"POST", "/machine/down", `[{"hostname":"nobody"}]`, 400, "not part of a maintenance schedule"},
		{"POST", "/machine/down", `[{"ip":"10.0.0.1"}]`, 200, ""},
		{"POST", "/machine/down", `[]`, 400, "is empty"},
		{"POST", "/machine/up", `[{"hostname":"host0"}]`, 400, "DRAINING and not DOWN"},
		{"POST", "/maintenance/schedule", `{}`, 400, "must stay in it"},
	} {
		rec := send(t, h, step.method, step.path, step.body)
		if rec.Code != step.status || !strings.Contains(rec.Body.String(), step.says) {
			t.Errorf("%s %s %.80s: %d %s", step.method, step.path, step.body, rec.Code, rec.Body)
		}
	}
	if len(c.inverse) != 1 {
		t.Fatalf("inverse offers: %v", c.inverse)
	}
	golden(t, h, "maintenance-asked", "/maintenance/status", "GET_MAINTENANCE_STATUS")
	if body := send(t, h, http.MethodPost, "/api/v1", `{"type":"GET_FRAMEWORKS"}`).Body.String(); !strings.Contains(body, `"inverse_offers":[{"id"`) {
		t.Errorf("the inverse offer is not shown: %s", body)
	}
	c.receive(subscriber, &scheduler.Call{
		Type: scheduler.Call_DECLINE_INVERSE_OFFERS.Enum(), FrameworkId: frameworkID(0),
		DeclineInverseOffers: &scheduler.Call_DeclineInverseOffers{InverseOfferIds: []*mesos.OfferID{c.inverse[0].GetId()}},
	})
	golden(t, h, "maintenance", "/maintenance/schedule", "/maintenance/status", "GET_MAINTENANCE_SCHEDULE", "GET_MAINTENANCE_STATUS")
	for _, body := range []string{
		`{"type":"START_MAINTENANCE","start_maintenance":{"machines":[{"hostname":"host0"}]}}`,
		`{"type":"STOP_MAINTENANCE","stop_maintenance":{"machines":[{"hostname":"host0"},{"ip":"10.0.0.1"}]}}`,
		`{"type":"UPDATE_MAINTENANCE_SCHEDULE","update_maintenance_schedule":{"schedule":{"windows":[]}}}`,
	} {
		if rec := send(t, h, http.MethodPost, "/api/v1", body); rec.Code != 200 {
			t.Errorf("%s: %d %s", body, rec.Code, rec.Body)
		}
	}
	golden(t, h, "maintenance-over", "/maintenance/schedule", "/maintenance/status", "/slaves")
}

// The calls say the same in protobuf.
func TestSettingsInProtobuf(t *testing.T) {
	h, _ := ruled(t)
	post := func(call *master.Call) *httptest.ResponseRecorder {
		body, err := proto.Marshal(call)
		if err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequest(http.MethodPost, "/api/v1", strings.NewReader(string(body)))
		r.Header.Set("Content-Type", "application/x-protobuf")
		r.Header.Set("Accept", "application/x-protobuf")
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, r)
		return rec
	}
	schedule := &maintenance.Schedule{Windows: []*maintenance.Window{{
		MachineIds:     []*mesos.MachineID{{Hostname: proto.String("host0")}},
		Unavailability: &mesos.Unavailability{Start: &mesos.TimeInfo{Nanoseconds: proto.Int64(7)}},
	}}}
	for _, call := range []*master.Call{
		{Type: master.Call_UPDATE_QUOTA.Enum(), UpdateQuota: &master.Call_UpdateQuota{Force: proto.Bool(true), QuotaConfigs: []*quota.QuotaConfig{{
			Role: proto.String("eng"), Limits: map[string]*mesos.Value_Scalar{"cpus": {Value: proto.Float64(1)}},
		}}}},
		{Type: master.Call_UPDATE_WEIGHTS.Enum(), UpdateWeights: &master.Call_UpdateWeights{WeightInfos: []*mesos.WeightInfo{{Role: proto.String("eng"), Weight: proto.Float64(2)}}}},
		{Type: master.Call_UPDATE_MAINTENANCE_SCHEDULE.Enum(), UpdateMaintenanceSchedule: &master.Call_UpdateMaintenanceSchedule{Schedule: schedule}},
	} {
		if rec := post(call); rec.Code != http.StatusOK {
			t.Errorf("%v: %d %s", call, rec.Code, rec.Body)
		}
	}
	for _, kind := range []string{"GET_QUOTA", "GET_WEIGHTS", "GET_MAINTENANCE_SCHEDULE", "GET_MAINTENANCE_STATUS", "GET_ROLES"} {
		rec := post(&master.Call{Type: master.Call_Type(master.Call_Type_value[kind]).Enum()})
		same(t, kind, call(t, h, kind).Body.Bytes(), rec.Body.Bytes())
	}
}

// FuzzSettings: whatever is sent to the routes, there is an answer, and the
// master is asked nothing that is incomplete.
func FuzzSettings(f *testing.F) {
	for _, s := range []string{
		`{"role":"a","guarantee":[{"name":"cpus","type":"SCALAR","scalar":{"value":1}}]}`, `[{"role":"a","weight":2}]`, `[{"hostname":"h"}]`,
		`{"windows":[{"machine_ids":[{"hostname":"a"}],"unavailability":{"start":{"nanoseconds":7}}}]}`, `[`, `{}`, "\xff", `[{"ip":"1.2.3.4"},null]`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, body string) {
		h, _ := ruled(t)
		for _, target := range []string{"POST /quota", "DELETE /quota/a", "PUT /weights", "POST /maintenance/schedule", "POST /machine/down", "POST /machine/up"} {
			method, path, _ := strings.Cut(target, " ")
			if rec := send(t, h, method, path, body); rec.Code != http.StatusOK && rec.Body.Len() == 0 {
				t.Errorf("%s %q: %d without a word", target, body, rec.Code)
			}
		}
	})
}

func TestReservationsByRoutes(t *testing.T) {
	h, _ := ruled(t)
	for _, step := range []struct {
		method, path, body string
		status             int
		says               string
	}{
		{"GET", "/reservations", "", 200, `{"reservations":[]}`},
		{"POST", "/reservations", `{"id":"b","role":"ops","shares":[{"name":"cpus","percent":10}]}`, 200, ""},
		{"POST", "/reservations", `{"id":"a","role":"ops","shares":[{"name":"mem","amount":{"value":5}}]}`, 200, ""},
		{"POST", "/reservations", `{"id":"a","role":"ops","shares":[{"name":"mem","amount":{"value":6}}]}`, 200, ""},
		{"POST", "/master/reservations", `{"id":"c","role":"ops","shares":[{"name":"cpus","percent":91}]}`, 400, "reservation.shares[0].percent: 91"},
		{"POST", "/reservations", `{"id":"c","role":"ops","shares":[{"name":"cpus","percent":"x"}]}`, 400, "shares[0].percent"},
		{"POST", "/reservations", `{"id":`, 400, "body"},
		{"PUT", "/reservations", ``, 405, ""},
		{
			"GET", "/reservations.json", "", 200,
			`{"reservations":[{"id":"a","role":"ops","shares":[{"name":"mem","amount":{"value":6.0}}]},{"id":"b","role":"ops","shares":[{"name":"cpus","percent":10.0}]}]}`,
		},
		{"DELETE", "/reservations/c", "", 404, "is no standing reservation"},
		{"DELETE", "/reservations/a", "", 200, ""},
		{"DELETE", "/reservations/b", "", 200, ""},
		{"GET", "/reservations", "", 200, `{"reservations":[]}`},
	} {
		rec := send(t, h, step.method, step.path, step.body)
		if rec.Code != step.status || !strings.Contains(rec.Body.String(), step.says) {
			t.Errorf("%s %s %.80s: %d %s", step.method, step.path, step.body, rec.Code, rec.Body)
		}
	}
}
