package api

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"troupe/master/api/operator"
	"troupe/master/state/view"
	"troupe/messages/cluster"
	"troupe/messages/json"
	"troupe/messages/mesos"
	"troupe/messages/mesos/master"
)

const oneDisk = `{"name":"disk","type":"SCALAR","scalar":{"value":8.0},"role":"*"}`

// remembering is an asker that answers with reply.
func remembering(asked *proto.Message, reply *cluster.OperatorReply) operator.Asker {
	return func(_ context.Context, request proto.Message) (proto.Message, error) {
		*asked = request
		return reply, nil
	}
}

func TestOperationsReachTheMaster(t *testing.T) {
	var asked proto.Message
	ask := remembering(&asked, &cluster.OperatorReply{})
	for call, want := range map[string]mesos.Offer_Operation_Type{
		`"RESERVE_RESOURCES","reserve_resources":{"agent_id":{"value":"S1"},"source":[` + oneDisk + `],"resources":[` + oneDisk + `]}`: mesos.Offer_Operation_RESERVE,
		`"UNRESERVE_RESOURCES","unreserve_resources":{"agent_id":{"value":"S1"},"resources":[` + oneDisk + `]}`:                        mesos.Offer_Operation_UNRESERVE,
		`"CREATE_VOLUMES","create_volumes":{"agent_id":{"value":"S1"},"volumes":[` + oneDisk + `]}`:                                    mesos.Offer_Operation_CREATE,
		`"DESTROY_VOLUMES","destroy_volumes":{"agent_id":{"value":"S1"},"volumes":[` + oneDisk + `]}`:                                  mesos.Offer_Operation_DESTROY,
		`"GROW_VOLUME","grow_volume":{"agent_id":{"value":"S1"},"volume":` + oneDisk + `,"addition":` + oneDisk + `}`:                  mesos.Offer_Operation_GROW_VOLUME,
		`"SHRINK_VOLUME","shrink_volume":{"agent_id":{"value":"S1"},"volume":` + oneDisk + `,"subtract":{"value":1}}`:                  mesos.Offer_Operation_SHRINK_VOLUME,
	} {
		asked = nil
		rec := post(t, ask, "application/json", `{"type":`+call+`}`)
		request, _ := asked.(*cluster.OperationRequest)
		if rec.Code != http.StatusAccepted || rec.Body.Len() > 0 || request.GetAgentId().GetValue() != "S1" ||
			request.GetOperation().GetType() != want || !strings.Contains(string(json.Marshal(request)), `"value":8.0`) {
			t.Errorf("%s: %d %s; the master got %v", call, rec.Code, rec.Body, asked)
		}
	}
	for _, call := range []string{
		`"GROW_VOLUME","grow_volume":{"volume":` + oneDisk + `,"addition":` + oneDisk + `}`,
		`"SHRINK_VOLUME","shrink_volume":{"volume":` + oneDisk + `,"subtract":{"value":1}}`,
	} {
		if rec := post(t, ask, "application/json", `{"type":`+call+`}`); rec.Code != http.StatusBadRequest || !strings.Contains(rec.Body.String(), "agent_id") {
			t.Errorf("%s: %d %s", call, rec.Code, rec.Body)
		}
	}
	refusing := remembering(&asked, &cluster.OperatorReply{Error: proto.String("resources: too few"), StatusCode: proto.Uint32(409)})
	rec := post(t, refusing, "application/json", `{"type":"CREATE_VOLUMES","create_volumes":{"agent_id":{"value":"S1"},"volumes":[`+oneDisk+`]}}`)
	if rec.Code != http.StatusConflict || !strings.Contains(rec.Body.String(), "too few") {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
}

func TestOperationsByForm(t *testing.T) {
	var asked proto.Message
	mux := http.NewServeMux()
	mountCalls(t, mux, remembering(&asked, &cluster.OperatorReply{}))
	send := func(method, path string, form url.Values) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, path, strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		rec := httptest.NewRecorder()
		mux.ServeHTTP(rec, r)
		return rec
	}
	for path, c := range map[string]struct {
		key string
		of  mesos.Offer_Operation_Type
	}{
		"/reserve":         {"resources", mesos.Offer_Operation_RESERVE},
		"/unreserve":       {"resources", mesos.Offer_Operation_UNRESERVE},
		"/create-volumes":  {"volumes", mesos.Offer_Operation_CREATE},
		"/destroy-volumes": {"volumes", mesos.Offer_Operation_DESTROY},
	} {
		rec := send(http.MethodPost, "/master"+path, url.Values{"slaveId": {"S1"}, c.key: {"[" + oneDisk + "]"}})
		request, _ := asked.(*cluster.OperationRequest)
		if rec.Code != http.StatusAccepted || request.GetAgentId().GetValue() != "S1" || request.GetOperation().GetType() != c.of {
			t.Errorf("%s: %d %s; the master got %v", path, rec.Code, rec.Body, asked)
		}
		asked = nil
		for what, form := range map[string]url.Values{
			"slaveId":          {c.key: {"[]"}},
			c.key:              {"slaveId": {"S1"}},
			c.key + ": ":       {"slaveId": {"S1"}, c.key: {"[{"}},
			c.key + ": [0].na": {"slaveId": {"S1"}, c.key: {`[{"name":7}]`}},
		} {
			if rec := send(http.MethodPost, path, form); rec.Code != http.StatusBadRequest || !strings.Contains(rec.Body.String(), what) || asked != nil {
				t.Errorf("%s without %s: %d %s; the master got %v", path, what, rec.Code, rec.Body, asked)
			}
		}
		if rec := send(http.MethodGet, path, nil); rec.Code != http.StatusMethodNotAllowed || rec.Header().Get("Allow") != "POST" {
			t.Errorf("GET %s: %d", path, rec.Code)
		}
	}
}

func TestOperationsAreShown(t *testing.T) {
	v := NewView(view.Limits{})
	t.Cleanup(v.Close)
	picture := func(n byte, f view.FrameworkID, s mesos.OperationState) *view.Operation {
		return &view.Operation{
			UUID: [16]byte{n}, Framework: f, Agent: "S1", Info: &mesos.Offer_Operation{Type: mesos.Offer_Operation_CREATE.Enum()},
			Status: &mesos.OperationStatus{State: s.Enum()},
		}
	}
	first, second := picture(1, "F", mesos.OperationState_OPERATION_PENDING), picture(2, "", mesos.OperationState_OPERATION_PENDING)
	ended := picture(1, "F", mesos.OperationState_OPERATION_FINISHED)
	v.Publish(view.OperationAdded{Operation: first})
	v.Publish(view.OperationAdded{Operation: second})
	v.Publish(view.OperationUpdated{Operation: ended, Before: mesos.OperationState_OPERATION_PENDING})
	v.Publish(view.OperationRefused{Type: mesos.Offer_Operation_RESERVE})

	mux := http.NewServeMux()
	MountOperator(muxRouter{mux}, v, Info{}, nil)
	_, r := ask(t, mux, "/api/v1", `{"type":"GET_OPERATIONS"}`)
	var told []string
	for _, o := range r.GetGetOperations().GetOperations() {
		told = append(told, o.GetFrameworkId().GetValue()+" "+o.GetAgentId().GetValue()+" "+o.GetLatestStatus().GetState().String())
	}
	if want := []string{" S1 OPERATION_PENDING", "F S1 OPERATION_FINISHED"}; r.GetType() != master.Response_GET_OPERATIONS || !slices.Equal(told, want) {
		t.Errorf("told are %q, want %q", told, want)
	}
	figures := make(map[string]float64)
	putOperations(func(key string, value float64) { figures[key] = value }, &v.Snapshot().Counters)
	for key, want := range map[string]float64{
		"master/operations/pending": 1, "master/operations/finished": 1, "master/operations/error": 1, "master/operations/total": 3,
		"master/operations/create/pending": 1, "master/operations/create/total": 2, "master/operations/reserve/error": 1,
		"master/operations/destroy_disk/gone_by_operator": 0,
	} {
		if got, is := figures[key]; !is || got != want {
			t.Errorf("%s is %v, want %v", key, got, want)
		}
	}
	v.Publish(view.OperationRemoved{Operation: second})
	v.Publish(view.OperationRemoved{Operation: ended})
	if s := v.Snapshot(); len(s.Operations) > 0 || s.Counters.Operations[view.OperationKind{Type: mesos.Offer_Operation_CREATE, State: mesos.OperationState_OPERATION_PENDING}] != 0 {
		t.Errorf("left are %v, %v", s.Operations, s.Counters.Operations)
	}
}
