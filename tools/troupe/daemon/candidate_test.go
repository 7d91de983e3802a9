package daemon

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos"
)

func TestWhatIsNotServedLeadsToTheLeader(t *testing.T) {
	other := &mesos.MasterInfo{
		Id: proto.String("other"), Ip: proto.Uint32(0), Pid: proto.String("master@h1:5050"), Hostname: proto.String("h1"), Port: proto.Uint32(5050),
		Address: &mesos.Address{Hostname: proto.String("h1"), Ip: proto.String("127.0.0.1"), Port: proto.Int32(5050)},
	}
	self := &mesos.MasterInfo{Id: proto.String("self"), Ip: proto.Uint32(0), Pid: proto.String("master@h2:5050"), Hostname: proto.String("h2"), Port: proto.Uint32(5050)}
	for _, c := range []struct {
		name, method, path string
		leader             *mesos.MasterInfo
		leading            bool
		status             int
		location           string
	}{
		{"a call", http.MethodPost, "/api/v1/scheduler?x=1", other, false, http.StatusTemporaryRedirect, "/api/v1/scheduler?x=1"},
		{"whatever its method", http.MethodGet, "/master/api/v1/scheduler", other, false, http.StatusTemporaryRedirect, "/master/api/v1/scheduler"},
		{"redirect", http.MethodGet, "/master/redirect", other, false, http.StatusTemporaryRedirect, ""},
		{"redirect of redirect", http.MethodGet, "/redirect/redirect", other, false, http.StatusNotFound, ""},
		{"redirect below master", http.MethodGet, "/master/redirect/state", other, false, http.StatusNotFound, ""},
		{"nobody leads", http.MethodPost, "/api/v1/scheduler", nil, false, http.StatusServiceUnavailable, ""},
		{"about to lead", http.MethodPost, "/api/v1/scheduler", self, false, http.StatusServiceUnavailable, ""},
		{"leads", http.MethodPost, "/nonsense", self, true, http.StatusNotFound, ""},
	} {
		d := &candidate{}
		d.options.Config.Info = self
		d.leader.Store(c.leader)
		d.leading.Store(c.leading)
		w := httptest.NewRecorder()
		d.redirect(w, httptest.NewRequest(c.method, c.path, nil))
		location := ""
		if c.status == http.StatusTemporaryRedirect {
			location = "//h1:5050" + c.location
		}
		if got := w.Header().Get("Location"); w.Code != c.status || got != location {
			t.Errorf("%s: %d to %q; want %d to %q", c.name, w.Code, got, c.status, location)
		}
	}
}

func TestMastersAreInOneRegion(t *testing.T) {
	at := func(region string) *mesos.MasterInfo {
		info := new(mesos.MasterInfo)
		if region != "" {
			info.Domain = &mesos.DomainInfo{FaultDomain: &mesos.DomainInfo_FaultDomain{
				Region: &mesos.DomainInfo_FaultDomain_RegionInfo{Name: &region}, Zone: &mesos.DomainInfo_FaultDomain_ZoneInfo{Name: proto.String("z")},
			}}
		}
		return info
	}
	for _, c := range []struct {
		leader, own string
		fine        bool
	}{{"", "", true}, {"a", "", true}, {"", "a", true}, {"a", "a", true}, {"a", "b", false}} {
		if err := sameRegion(at(c.leader), at(c.own)); (err == nil) != c.fine {
			t.Errorf("a leader in %q, a master in %q: %v", c.leader, c.own, err)
		}
	}
	if err := sameRegion(nil, at("a")); err != nil {
		t.Errorf("nobody leads: %v", err)
	}
}
