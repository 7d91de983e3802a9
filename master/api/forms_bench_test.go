package api

import (
	"bytes"
	"fmt"
	"io"
	"testing"

	"google.golang.org/protobuf/proto"

	"troupe/master/api/records"
	"troupe/master/state/view"
	"troupe/messages/json"
	"troupe/messages/mesos"
	"troupe/messages/mesos/master"
	"troupe/messages/pen"
	"troupe/messages/resources"
)

// largeView shows agents with so many running, and as many completed, tasks of some
// labels each.
func largeView(tb testing.TB, agents, tasks, labelled int) *View {
	v := NewView(view.Limits{CompletedTasks: tasks})
	tb.Cleanup(v.Close)
	v.Publish(view.FrameworkAdded{Framework: &view.Framework{ID: "F", Roles: []string{"*"}, Info: &mesos.FrameworkInfo{
		User: proto.String("u"), Name: proto.String("n"),
	}}})
	has, needs := resources.MustParse("cpus:20;mem:10240"), resources.MustParse("cpus:0.1;mem:5")
	for i := range agents {
		v.Publish(view.AgentAdded{Agent: &view.Agent{
			ID: view.AgentID(fmt.Sprint("S", i)), Status: view.Connected, Total: has, Info: &mesos.AgentInfo{Hostname: proto.String("h")},
		}})
	}
	for i := range 2 * tasks {
		labels := new(mesos.Labels)
		for l := range labelled {
			labels.Labels = append(labels.Labels, &mesos.Label{Key: proto.String(fmt.Sprint("key", l)), Value: proto.String(fmt.Sprint("value", l))})
		}
		t := &view.Task{State: mesos.TaskState_TASK_RUNNING, TaskSpec: &view.TaskSpec{
			ID: view.TaskID(fmt.Sprint("task", i)), Name: "task", Framework: "F", Agent: view.AgentID(fmt.Sprint("S", i%agents)), Role: "*",
			Resources: needs, Extra: &view.TaskExtra{Labels: labels},
		}}
		v.Publish(view.TaskAdded{Task: t})
		if i%2 == 1 {
			v.Publish(view.TaskRemoved{Task: t, Rank: i/2 + 1})
		}
	}
	return v
}

// A long answer, which several write at once, says the same in both forms.
func TestLongAnswersSayTheSame(t *testing.T) {
	snapshot := largeView(t, 10, 4200, 1).Snapshot()
	form := pen.Of[*master.Response]()
	var inJSON, inProtobuf bytes.Buffer
	for _, p := range []*pen.Pen{pen.JSON(&inJSON), pen.Protobuf(&inProtobuf)} {
		records.State(p, form.Field("get_state"), snapshot)
		if err := p.Finish(); err != nil {
			t.Fatal(err)
		}
	}
	same(t, "GET_STATE", inJSON.Bytes(), inProtobuf.Bytes())
}

// BenchmarkForms writes the same state in each of its forms.
func BenchmarkForms(b *testing.B) {
	v := largeView(b, 1000, 10_000, 10) // as Mesos's GetState work has them
	s := &server{view: v}
	state := pen.Of[*master.Response]().Field("get_state")
	snapshot := v.Snapshot()
	for name, write := range map[string]func() error{
		"v0": func() error {
			w := json.NewWriter(io.Discard)
			s.writeState(w, snapshot, query{})
			return w.Flush()
		},
		"v1-json": func() error {
			p := pen.JSON(io.Discard)
			records.State(p, state, snapshot)
			return p.Finish()
		},
		"v1-protobuf": func() error {
			p := pen.Protobuf(io.Discard)
			records.State(p, state, snapshot)
			return p.Finish()
		},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := write(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
