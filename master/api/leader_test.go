package api

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos"
)

type plainRouter struct{ http.ServeMux }

func (r *plainRouter) Route(pattern, _ string, h http.Handler) { r.Handle(pattern, h) }

func TestLeader(t *testing.T) {
	r := new(plainRouter)
	var info *mesos.MasterInfo
	self := false
	MountLeader(r, func() (*mesos.MasterInfo, bool) { return info, self })
	get := func(method string) *httptest.ResponseRecorder {
		rec := httptest.NewRecorder()
		r.ServeHTTP(rec, httptest.NewRequest(method, "/master/leader", nil))
		return rec
	}
	if got := get(http.MethodGet).Body.String(); got != `{"leading":false}` {
		t.Errorf("nobody leads: %s", got)
	}
	info, self = &mesos.MasterInfo{Id: proto.String("A"), Ip: proto.Uint32(1), Pid: proto.String("master@h:1")}, true
	if got := get(http.MethodGet).Body.String(); got != `{"leading":true,"leader":{"id":"A","ip":1,"pid":"master@h:1"}}` {
		t.Errorf("this one leads: %s", got)
	}
	if rec := get(http.MethodPost); rec.Code != http.StatusMethodNotAllowed || rec.Header().Get("Allow") == "" {
		t.Errorf("POST: %d", rec.Code)
	}
}
