package api

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"troupe/messages/cluster"
	"troupe/messages/mesos"
)

func TestExplain(t *testing.T) {
	known := func(id string, known bool) *cluster.OffersExplained {
		return &cluster.OffersExplained{
			FrameworkId: &mesos.FrameworkID{Value: &id}, Known: &known, Agents: proto.Uint32(2), LookedAt: proto.Uint32(2),
			Roles: []*cluster.OffersExplained_Role{{
				Role: proto.String("web"), Share: proto.Float64(0.5), RoleShare: proto.Float64(0.25), Before: proto.Uint32(1),
				Agents: []*cluster.OffersExplained_Agents{{
					Reason: cluster.OffersExplained_REFUSED.Enum(), Agents: proto.Uint32(2), Text: proto.String("2 agents: because"),
				}},
			}},
		}
	}
	for name, c := range map[string]struct {
		method, query string
		reply         proto.Message
		err           error
		status        int
		body          string
	}{
		"explained": {
			http.MethodGet, "?framework=f", known("f", true), nil, http.StatusOK,
			`{"framework_id":{"value":"f"},"known":true,"roles":[{"role":"web","share":0.5,"role_share":0.25,"before":1,` +
				`"agents":[{"reason":"REFUSED","agents":2,"text":"2 agents: because"}]}],"agents":2,"looked_at":2}`,
		},
		"unknown":      {http.MethodGet, "?framework=f", known("f", false), nil, http.StatusNotFound, "framework f: is not known"},
		"no framework": {http.MethodGet, "", nil, nil, http.StatusBadRequest, "framework is missing"},
		"not UTF-8":    {http.MethodGet, "?framework=%ff", nil, nil, http.StatusBadRequest, "is not UTF-8"},
		"method":       {http.MethodPost, "?framework=f", nil, nil, http.StatusMethodNotAllowed, "expecting GET"},
		"silence":      {http.MethodGet, "?framework=f", nil, errors.New("it is gone"), http.StatusServiceUnavailable, "it is gone"},
		"another kind": {http.MethodGet, "?framework=f", &cluster.Allocations{}, nil, http.StatusNotImplemented, "cannot explain"},
	} {
		t.Run(name, func(t *testing.T) {
			mux := muxRouter{http.NewServeMux()}
			MountExplain(mux, func(_ context.Context, m proto.Message) (proto.Message, error) {
				if id := m.(*cluster.ExplainOffers).GetFrameworkId().GetValue(); id != "f" {
					t.Errorf("asked for %q", id)
				}
				return c.reply, c.err
			})
			for _, path := range []string{"/allocator/explain", "/master/allocator/explain"} {
				rw := httptest.NewRecorder()
				mux.ServeHTTP(rw, httptest.NewRequest(c.method, path+c.query, nil))
				if rw.Code != c.status || !strings.Contains(rw.Body.String(), c.body) {
					t.Errorf("%s: %d %s, want %d %s", path, rw.Code, rw.Body, c.status, c.body)
				}
			}
		})
	}
}
