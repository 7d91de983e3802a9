package api

import (
	"context"
	"net/http"

	"google.golang.org/protobuf/proto"

	"troupe/messages/carrier"
	"troupe/messages/carrier/legacy"
	"troupe/messages/json"
	"troupe/messages/mesos"
	"troupe/messages/mesos/agent"
)

// measured lists containers with what they use: those of executors, and others
// as far as they are asked for.
func (s *server) measured(ctx context.Context, nested, standalone bool) ([]sample, error) {
	snapshot := s.view.Snapshot()
	all, err := s.others(ctx, containersOf(snapshot, nested), nested, standalone)
	if err != nil {
		return nil, err
	}
	return s.meter.fill(snapshot, all), nil
}

// containers answers /containers.
func (s *server) containers() http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if !legacy.Allowed(rw, r) {
			return
		}
		q := r.URL.Query()
		all, err := s.measured(r.Context(), q.Get("show_nested") == "true", q.Get("show_standalone") == "true")
		if err != nil {
			carrier.Refuse(rw, err)
			return
		}
		legacy.Serve(rw, r, func(w *json.Writer) { writeContainers(w, all, q.Get("container_id")) })
	})
}

// writeContainers writes all of them, or the one that is asked for.
func writeContainers(w *json.Writer, all []sample, only string) {
	w.BeginArray()
	for _, c := range all {
		id := c.measured.ID[len(c.measured.ID)-1]
		if only != "" && only != id {
			continue
		}
		w.BeginObject()
		w.Field("container_id", id)
		writeWhose(w, c)
		if c.task != nil {
			w.Field("task_id", string(c.task.ID()))
		}
		if c.executor != nil {
			w.Field("framework_name", c.framework.Info.GetName())
			w.Field("role", c.role())
		}
		w.Field("status", c.status)
		w.EndObject()
	}
	w.EndArray()
}

func writeWhose(w *json.Writer, c sample) {
	if x := c.executor; x != nil {
		w.Field("executor_id", string(x.ID))
		w.Field("executor_name", x.Info.GetName())
		w.Field("framework_id", string(x.Framework))
		w.Field("source", x.Info.GetSource())
	}
	w.Field("statistics", c.statistics)
}

// getContainers answers GET_CONTAINERS.
func (s *server) getContainers(ctx context.Context, call *agent.Call) (*agent.Response, error) {
	of := call.GetGetContainers()
	all, err := s.measured(ctx, of.GetShowNested(), of.GetShowStandalone())
	if err != nil {
		return nil, err
	}
	found := &agent.Response_GetContainers{}
	for _, c := range all {
		one := &agent.Response_GetContainers_Container{
			ContainerId: c.status.ContainerId, ContainerStatus: c.status, ResourceStatistics: c.statistics,
		}
		if x := c.executor; x != nil {
			one.FrameworkId = &mesos.FrameworkID{Value: proto.String(string(x.Framework))}
			one.ExecutorId = &mesos.ExecutorID{Value: proto.String(string(x.ID))}
			one.ExecutorName = proto.String(x.Info.GetName())
		}
		found.Containers = append(found.Containers, one)
	}
	return &agent.Response{GetContainers: found}, nil
}
