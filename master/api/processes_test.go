package api

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"troupe/actors"
	"troupe/master/state/view"
	"troupe/messages/mesos"
)

// nobody is asked in vain; whom notes who was.
type nobody struct{ whom []string }

func (n *nobody) Ask(_ context.Context, to actors.PID, m proto.Message) (proto.Message, error) {
	n.whom = append(n.whom, to.String())
	return nil, actors.ErrUndelivered
}

// processes is a cluster of three agents, of which one is away, and of three
// frameworks: an actor's, one that speaks HTTP, and one that is away.
func processes(t *testing.T) (muxRouter, *nobody) {
	t.Helper()
	v := NewView(view.Limits{})
	t.Cleanup(v.Close)
	for id, peer := range map[string]string{"S1": "agent@10.0.0.1:5051#a", "S2": "agent@[::1]:5051#b", "S3": ""} {
		v.Publish(view.AgentAdded{Agent: &view.Agent{
			ID: view.AgentID(id), Peer: peer, Info: &mesos.AgentInfo{Hostname: proto.String("away.example.org"), Port: proto.Int32(5059)},
		}})
	}
	for id, peer := range map[string]string{"F 1": "scheduler@h:0#s", "F2": "gateway/1@m:5050#m", "F3": ""} {
		v.Publish(view.FrameworkAdded{Framework: &view.Framework{
			ID: view.FrameworkID(id), Peer: peer, Connected: peer != "", Info: &mesos.FrameworkInfo{Name: proto.String("n" + id)},
		}})
	}
	r, from := muxRouter{http.NewServeMux()}, new(nobody)
	MountProcesses(r, v, Processes{
		From: from, Self: actors.PID{Name: "master", Address: "m:5050"}, Scheme: "https",
		Members: func() []string { return []string{"m:5050", "o:5050"} },
	})
	return r, from
}

func TestTargets(t *testing.T) {
	r, _ := processes(t)
	for _, path := range []string{"/metrics/targets", "/master/metrics/targets"} {
		w := httptest.NewRecorder()
		r.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		var got []struct {
			Targets []string
			Labels  map[string]string
		}
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Header().Get("Content-Type") != "application/json" {
			t.Fatalf("%s, %v, %v", w.Body, w.Header(), err)
		}
		agents := []string{"10.0.0.1:5051", "[::1]:5051", "away.example.org:5059"}
		if len(got) != 4 || !slices.Equal(got[0].Targets, []string{"m:5050", "o:5050"}) || !slices.Equal(got[1].Targets, agents) || !slices.Equal(got[2].Targets, agents) {
			t.Fatalf("%s", w.Body)
		}
		if l := got[2].Labels; l["__metrics_path__"] != "/metrics/processes" || l["__scheme__"] != "https" {
			t.Errorf("%v", l)
		}
		if l := got[3].Labels; l["__metrics_path__"] != "/frameworks/F%201/metrics" || l["framework"] != "F 1" || l["framework_name"] != "nF 1" ||
			!slices.Equal(got[3].Targets, []string{"m:5050"}) {
			t.Errorf("%v", got[3])
		}
	}
	w := httptest.NewRecorder()
	if r.ServeHTTP(w, httptest.NewRequest("POST", "/metrics/targets", nil)); w.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", w.Code)
	}
}

func TestSchedulersAreSeen(t *testing.T) {
	r, from := processes(t)
	for path, want := range map[string]struct {
		status int
		says   string
	}{
		"/frameworks/F%201/metrics":             {502, "does not answer"},
		"/master/frameworks/F%201/debug/pprof/": {502, "does not answer"},
		"/frameworks/F%201/logging/toggle":      {404, "there are /metrics"},
		"/frameworks/F%201":                     {404, "there are /metrics"},
		"/frameworks/F2/metrics":                {503, "speaks HTTP"},
		"/frameworks/F3/metrics":                {503, "is away"},
		"/frameworks/F4/metrics":                {404, "no such framework"},
	} {
		w := httptest.NewRecorder()
		if r.ServeHTTP(w, httptest.NewRequest("GET", path, nil)); w.Code != want.status || !strings.Contains(w.Body.String(), want.says) {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	if !slices.Equal(from.whom, []string{"inspect@h:0#s", "inspect@h:0#s"}) {
		t.Errorf("asked: %v", from.whom)
	}
}
