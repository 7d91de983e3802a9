package api

import (
	"context"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"google.golang.org/protobuf/proto"

	"troupe/actors"
	"troupe/messages/mesos"
	"troupe/slave/state/view"
)

// nobody is asked in vain; whom notes who was.
type nobody struct {
	mu   sync.Mutex
	whom []string
}

func (n *nobody) Ask(_ context.Context, to actors.PID, _ proto.Message) (proto.Message, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.whom = append(n.whom, to.String())
	return nil, actors.ErrUndelivered
}

// Hosts and executors in processes of their own are asked, each once, and
// nobody else.
func TestProcessesAreSeen(t *testing.T) {
	v := NewView(view.Limits{}, func(string) string { return "" })
	v.Publish(view.FrameworkChanged{Framework: &view.Framework{ID: "F", Info: &mesos.FrameworkInfo{}}})
	v.Publish(view.HostChanged{Host: &view.Host{ID: "H1-a", Peer: "host@h:0#one"}})
	v.Publish(view.HostChanged{Host: &view.Host{ID: "H2-b"}})
	for id, peer := range map[string]string{
		"built in": "executor/C1@h:0#one", "own": "executor@h:0#two", "over HTTP": "$1@a:5051#agent", "not subscribed": "",
	} {
		v.Publish(view.ExecutorChanged{Executor: &view.Executor{
			ID: view.ExecutorID(id), Framework: "F", Container: view.ContainerID(id), Peer: peer, Phase: view.Running,
		}})
	}
	server, from := &mux{}, &nobody{}
	MountProcesses(server, v, from, actors.PID{Name: "agent", Address: "a:5051"})
	for path, want := range map[string]struct {
		status int
		says   string
	}{
		"/metrics/processes":                {200, "troupe_process_answers{host=\"H1-a\"} 0\n"},
		"/slave(1)/metrics/processes":       {200, "troupe_process_answers{executor=\"own\",framework=\"F\"} 0\n"},
		"/hosts/H1-a/metrics":               {502, "does not answer"},
		"/slave(1)/hosts/H1-a/metrics":      {502, "does not answer"},
		"/hosts/H1-a/debug/pprof/heap":      {502, "does not answer"},
		"/hosts/H1-a/logging/toggle":        {404, "there are /metrics"},
		"/hosts/H2-b/metrics":               {503, "not linked"},
		"/hosts/H3-c/metrics":               {404, "no such executor host"},
		"/hosts/H1-a":                       {404, "there are /metrics"},
		"/slave(1)/hosts/H2-b/debug/pprof/": {503, "not linked"},
	} {
		w := httptest.NewRecorder()
		if server.ServeHTTP(w, httptest.NewRequest("GET", path, nil)); w.Code != want.status || !strings.Contains(w.Body.String(), want.says) {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	slices.Sort(from.whom)
	if whom := slices.Compact(from.whom); len(from.whom) != 7 || !slices.Equal(whom, []string{"inspect@h:0#one", "inspect@h:0#two"}) {
		t.Errorf("asked: %v", from.whom)
	}
}
