package api

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"troupe/master/api/operator"
	"troupe/master/state/view"
	"troupe/messages/carrier"
	"troupe/messages/cluster"
	"troupe/messages/mesos"
)

func mountCalls(t testing.TB, mux *http.ServeMux, ask operator.Asker) {
	v := NewView(view.Limits{})
	t.Cleanup(v.Close)
	MountOperator(muxRouter{mux}, v, Info{}, ask)
}

// post serves one call of the operator API.
func post(t testing.TB, ask operator.Asker, contentType, body string) *httptest.ResponseRecorder {
	t.Helper()
	mux := http.NewServeMux()
	mountCalls(t, mux, ask)
	r := httptest.NewRequest(http.MethodPost, "/api/v1", strings.NewReader(body))
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	rec := httptest.NewRecorder()
	mux.ServeHTTP(rec, r)
	return rec
}

func TestCallsReachTheMaster(t *testing.T) {
	var got proto.Message
	ask := func(_ context.Context, request proto.Message) (proto.Message, error) {
		got = request
		return &cluster.OperatorReply{}, nil
	}
	id := &mesos.AgentID{Value: proto.String("S1")}
	for body, want := range map[string]proto.Message{
		`{"type":"MARK_AGENT_GONE","mark_agent_gone":{"agent_id":{"value":"S1"}}}`:   &cluster.AgentRequest{AgentId: id, Action: cluster.AgentRequest_MARK_GONE.Enum()},
		`{"type":"DEACTIVATE_AGENT","deactivate_agent":{"agent_id":{"value":"S1"}}}`: &cluster.AgentRequest{AgentId: id, Action: cluster.AgentRequest_DEACTIVATE.Enum()},
		`{"type":"REACTIVATE_AGENT","reactivate_agent":{"agent_id":{"value":"S1"}}}`: &cluster.AgentRequest{AgentId: id, Action: cluster.AgentRequest_REACTIVATE.Enum()},
		`{"type":"TEARDOWN","teardown":{"framework_id":{"value":"F"}}}`: &cluster.TeardownRequest{
			FrameworkId: &mesos.FrameworkID{Value: proto.String("F")},
		},
		`{"type":"DRAIN_AGENT","drain_agent":{"agent_id":{"value":"S1"}}}`: &cluster.AgentRequest{
			AgentId: id, Action: cluster.AgentRequest_DRAIN.Enum(), Drain: &mesos.DrainConfig{MarkGone: proto.Bool(false)},
		},
		`{"type":"DRAIN_AGENT","drain_agent":{"agent_id":{"value":"S1"},"max_grace_period":{"seconds":600},"mark_gone":true}}`: &cluster.AgentRequest{
			AgentId: id, Action: cluster.AgentRequest_DRAIN.Enum(), Drain: &mesos.DrainConfig{
				MarkGone: proto.Bool(true), MaxGracePeriod: &mesos.DurationInfo{Nanoseconds: proto.Int64(600e9)},
			},
		},
	} {
		got = nil
		rec := post(t, ask, "application/json", body)
		if rec.Code != http.StatusOK || rec.Body.Len() > 0 || !proto.Equal(got, want) {
			t.Errorf("%s: %d %s; the master got %v", body, rec.Code, rec.Body, got)
		}
	}
}

func TestBadCalls(t *testing.T) {
	never := func(context.Context, proto.Message) (proto.Message, error) {
		t.Error("the master was asked")
		return nil, errors.New("asked")
	}
	const kind = "application/json"
	for _, c := range []struct {
		contentType, body string
		status            int
		names             string
	}{
		{"", `{}`, http.StatusBadRequest, "Content-Type"},
		{"text/plain", `{}`, http.StatusUnsupportedMediaType, "text/plain"},
		{kind, ``, http.StatusBadRequest, "expected an object"},
		{kind, `{}`, http.StatusBadRequest, "call.type"},
		{kind + "; charset=utf-8", `{}`, http.StatusUnsupportedMediaType, "charset"},
		{kind, `{"type":"UNKNOWN"}`, http.StatusNotImplemented, "UNKNOWN"},
		{kind, `{"type":"UPDATE_WEIGHTS"}`, http.StatusBadRequest, "call.update_weights"},
		{kind, `{"type":"SET_QUOTA","set_quota":{"quota_request":{"role":"a"}}}`, http.StatusBadRequest, "call.set_quota.quota_request.guarantee"},
		{kind, `{"type":"NONSENSE"}`, http.StatusBadRequest, "type"},
		{kind, `{"type":"MARK_AGENT_GONE","mark_agent_gone":{}}`, http.StatusBadRequest, "agent_id"},
		{kind, `{"type":"DRAIN_AGENT","drain_agent":{"agent_id":{"value":"S"},"max_grace_period":"10mins"}}`, http.StatusBadRequest, "max_grace_period"},
		{kind, `{"type":"DRAIN_AGENT"}`, http.StatusBadRequest, "drain_agent"},
		{kind, `{"type":"TEARDOWN"}`, http.StatusBadRequest, "teardown"},
		{kind, `{"type":"DRAIN_AGENT","drain_agent":{"agent_id":{"value":"S"},"max_grace_period":{"seconds":-1}}}`, http.StatusBadRequest, `"-1s": must not be negative`},
		{kind, `{"type":"DRAIN_AGENT","drain_agent":{"agent_id":{"value":"S"},"max_grace_period":{"seconds":300000000000}}}`, http.StatusBadRequest, "300000000000"},
		{kind, strings.Repeat(" ", carrier.DefaultMaxBody+1), http.StatusRequestEntityTooLarge, "limit"},
	} {
		rec := post(t, never, c.contentType, c.body)
		if rec.Code != c.status || !strings.Contains(rec.Body.String(), c.names) {
			t.Errorf("%.80q as %q: %d %s", c.body, c.contentType, rec.Code, rec.Body)
		}
	}
	mux := http.NewServeMux()
	mountCalls(t, mux, never)
	rec := httptest.NewRecorder()
	mux.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/master/api/v1", nil))
	if rec.Code != http.StatusMethodNotAllowed || rec.Header().Get("Allow") != http.MethodPost {
		t.Errorf("GET: %d", rec.Code)
	}
}

func TestWhatTheMasterAnswers(t *testing.T) {
	const call = `{"type":"MARK_AGENT_GONE","mark_agent_gone":{"agent_id":{"value":"S1"}}}`
	for _, c := range []struct {
		reply  proto.Message
		err    error
		status int
		text   string
	}{
		{&cluster.OperatorReply{Error: proto.String("agent_id: unknown"), StatusCode: proto.Uint32(404)}, nil, http.StatusNotFound, "agent_id: unknown"},
		{&cluster.OperatorReply{Error: proto.String("agent_id: unknown")}, nil, http.StatusBadRequest, "agent_id: unknown"},
		{&cluster.NotLeading{}, nil, http.StatusServiceUnavailable, "No leader elected"},
		{&cluster.Ping{}, nil, http.StatusInternalServerError, "what was not asked"},
		{nil, errors.New("gone"), http.StatusServiceUnavailable, "did not answer: gone"},
	} {
		rec := post(t, func(context.Context, proto.Message) (proto.Message, error) { return c.reply, c.err }, "application/json", call)
		if rec.Code != c.status || !strings.Contains(rec.Body.String(), c.text) {
			t.Errorf("%v, %v: %d %s", c.reply, c.err, rec.Code, rec.Body)
		}
	}
}

// FuzzCall: whatever bytes are posted, there is an answer.
func FuzzCall(f *testing.F) {
	for _, s := range []string{
		`{}`, `{"type":"TEARDOWN"}`, `{"type":"DRAIN_AGENT","drain_agent":{"agent_id":{"value":"S"},"max_grace_period":{"seconds":-1}}}`, `[`, "\xff",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, body string) {
		rec := post(t, func(_ context.Context, m proto.Message) (proto.Message, error) {
			if err := proto.CheckInitialized(m); err != nil {
				t.Errorf("%q reaches the master: %v", body, err)
			}
			return &cluster.OperatorReply{}, nil
		}, "application/json", body)
		if rec.Code != http.StatusOK && rec.Body.Len() == 0 {
			t.Errorf("%q: %d without a word", body, rec.Code)
		}
	})
}
