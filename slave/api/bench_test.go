package api

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos"
	"troupe/messages/resources"
	"troupe/slave/state/view"
)

// crowded is an agent with n running command tasks.
func crowded(n int) (*mux, *View) {
	routes := &mux{}
	v := NewView(view.Limits{}, func(string) string { return "/nowhere" })
	Mount(routes, v, Info{Version: "1"})
	v.Publish(view.AgentChanged{Agent: &view.Agent{Info: &mesos.AgentInfo{Id: &mesos.AgentID{Value: proto.String("S0")}}}})
	v.Publish(view.FrameworkChanged{Framework: &view.Framework{ID: "F", Info: &mesos.FrameworkInfo{Name: proto.String("n"), User: proto.String("u")}}})
	for i := range n {
		id, container := fmt.Sprint("T", i), fmt.Sprint("C", i)
		v.Publish(view.ExecutorChanged{Executor: &view.Executor{
			ID: view.ExecutorID(id), Framework: "F", Container: view.ContainerID(container), Phase: view.Running, Generated: true,
			Info: &mesos.ExecutorInfo{ExecutorId: &mesos.ExecutorID{Value: &id}, Resources: resources.MustParse("cpus:0.1;mem:32").Proto()},
		}})
		v.Publish(view.TaskChanged{Task: &view.Task{
			Info:      &mesos.TaskInfo{Name: &id, TaskId: &mesos.TaskID{Value: &id}, Resources: resources.MustParse("cpus:1;mem:64").Proto()},
			Framework: "F", Executor: view.ExecutorID(id), Container: view.ContainerID(container), State: mesos.TaskState_TASK_RUNNING, Launched: true,
			Statuses: []*mesos.TaskStatus{status(id, id, container, mesos.TaskState_TASK_STARTING), status(id, id, container, mesos.TaskState_TASK_RUNNING)},
		}})
	}
	return routes, v
}

// BenchmarkState reads everything that an agent with 1,000 tasks knows.
func BenchmarkState(b *testing.B) {
	routes, _ := crowded(1000)
	for name, request := range map[string]func() *http.Request{
		"page": func() *http.Request { return httptest.NewRequest(http.MethodGet, "/state", nil) },
		"json": func() *http.Request { return getState("application/json") },
		"pb":   func() *http.Request { return getState("application/x-protobuf") },
	} {
		b.Run(name, func(b *testing.B) {
			size := 0
			for b.Loop() {
				answer := httptest.NewRecorder()
				routes.ServeHTTP(answer, request())
				size = answer.Body.Len()
			}
			b.SetBytes(int64(size))
		})
	}
}

func getState(accept string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/api/v1", strings.NewReader(`{"type":"GET_STATE"}`))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", accept)
	return r
}
