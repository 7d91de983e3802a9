package api

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos"
	"troupe/messages/mesos/agent"
	"troupe/slave/state/view"
)

// listing is what hosts say they hold; ids have their parents' before a dot.
func listing(ids ...string) Others {
	return func(context.Context) ([]*agent.Response_GetContainers_Container, error) {
		var list []*agent.Response_GetContainers_Container
		for n, id := range ids {
			var c *mesos.ContainerID
			for _, part := range strings.Split(id, ".") {
				c = &mesos.ContainerID{Value: proto.String(part), Parent: c}
			}
			list = append(list, &agent.Response_GetContainers_Container{ContainerId: c, ContainerStatus: &mesos.ContainerStatus{
				ContainerId: c, ExecutorPid: proto.Uint32(uint32(1000 + n)),
				CgroupInfo: &mesos.CgroupInfo{NetCls: &mesos.CgroupInfo_NetCls{Classid: proto.Uint32(5)}},
			}})
		}
		return list, nil
	}
}

// TestFiguresOfClientsContainers: they have figures of their own, and tasks that
// hosts list as well are told of once.
func TestFiguresOfClientsContainers(t *testing.T) {
	v, _ := shown(t)
	pod(v, "/w")
	c := NewCollector(v, fully)
	if lines := scrape(t, c); !lines["troupe_agent_containers_listed 0"] {
		t.Error("nobody was asked, and somebody has listed")
	}
	c.Ask(listing("C1.debug", "P.cp1", "P.cp1.below", "alone", "alone.within"))
	lines := scrape(t, c)
	none := `executor="",framework="",framework_id="",role=""`
	for _, want := range []string{
		`troupe_container_threads{container="C1.debug",executor="T1",framework="n",framework_id="F",role="web"} 6`,
		`troupe_container_memory_bytes{container="P.cp1.below",executor="pod",framework="n",framework_id="F",role="*"} 9000`,
		`troupe_container_cpu_user_seconds_total{container="alone",` + none + `} 1.25`,
		`troupe_container_cpu_user_seconds_total{container="alone.within",` + none + `} 1.25`,
		`troupe_task_threads{executor="pod",framework="n",framework_id="F",role="*",task="p1"} 6`,
		"troupe_agent_containers_listed 1",
	} {
		if !lines[want] {
			t.Errorf("no line %s", want)
		}
	}
	for line := range lines {
		if strings.Contains(line, `container="P.cp1",`) {
			t.Errorf("a task is told of twice: %s", line)
		}
	}
	c.Ask(func(context.Context) ([]*agent.Response_GetContainers_Container, error) {
		return nil, errors.New("nobody answers")
	})
	if lines := scrape(t, c); !lines["troupe_agent_containers_listed 0"] ||
		!lines[`troupe_task_threads{executor="pod",framework="n",framework_id="F",role="*",task="p1"} 6`] {
		t.Error("when hosts do not answer, tasks have their figures, and nobody says so")
	}
}

// TestListedOnce: a task's container that its host lists, too, is one, with the
// process that the host knows.
func TestListedOnce(t *testing.T) {
	v, _ := shown(t)
	pod(v, "/w")
	list, err := listing("P.cp1", "P.other")(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	before := containersOf(v.Snapshot(), true)
	found := map[string]*mesos.ContainerStatus{}
	for _, c := range withOthers(containersOf(v.Snapshot(), true), list, true, true) {
		id := strings.Join(c.measured.ID, ".")
		if found[id] != nil {
			t.Errorf("%s is listed twice", id)
		}
		found[id] = c.status
	}
	if len(found) != len(before)+1 || found["P.cp1"].GetExecutorPid() != 1000 || found["P.other"].GetCgroupInfo().GetNetCls().GetClassid() != 5 {
		t.Errorf("%v", found)
	}
	for _, c := range before {
		if strings.Join(c.measured.ID, ".") == "P.cp1" && c.status.GetExecutorPid() != 77 {
			t.Error("what readers share was changed")
		}
	}
}

// TestProcessOfContainer: an executor's own, else that of the task which has the
// container for itself, else its host's; and its control groups.
func TestProcessOfContainer(t *testing.T) {
	groups := &mesos.CgroupInfo{NetCls: &mesos.CgroupInfo_NetCls{Classid: proto.Uint32(5)}}
	for name, c := range map[string]struct {
		own  int32
		task uint32
		want uint32
	}{
		"custom":   {own: 3, task: 4, want: 3},
		"command":  {task: 4, want: 4},
		"starting": {want: 9},
	} {
		told := &mesos.TaskStatus{ContainerStatus: &mesos.ContainerStatus{}}
		if c.task != 0 {
			told.ContainerStatus.ExecutorPid = &c.task
		}
		x := &view.ExecutorTree{
			Executor: &view.Executor{Container: "C", Generated: true, Pid: c.own, Groups: groups, Info: &mesos.ExecutorInfo{}},
			Live:     []*view.Task{{Info: &mesos.TaskInfo{}, Statuses: []*mesos.TaskStatus{told}}},
		}
		status := sampleOf(&view.Framework{}, x, 9).status
		if status.GetExecutorPid() != c.want || !proto.Equal(status.GetCgroupInfo(), groups) {
			t.Errorf("%s: %v, want process %d", name, status, c.want)
		}
	}
}

// BenchmarkScrapeListed writes the figures of 500 containers that clients of the API
// have launched; it does not measure them.
func BenchmarkScrapeListed(b *testing.B) {
	_, v := crowded(1)
	ids := make([]string, 500)
	for n := range ids {
		ids[n] = fmt.Sprint("alone", n)
	}
	c := NewCollector(v, fully)
	c.Ask(listing(ids...))
	registry := prometheus.NewRegistry()
	if err := registry.Register(c); err != nil {
		b.Fatal(err)
	}
	handler := promhttp.HandlerFor(registry, promhttp.HandlerOpts{})
	size := 0
	b.ReportAllocs()
	for b.Loop() {
		answer := httptest.NewRecorder()
		answer.Body = bytes.NewBuffer(make([]byte, 0, 4<<20))
		handler.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/metrics", nil))
		size = answer.Body.Len()
	}
	b.SetBytes(int64(size))
}
