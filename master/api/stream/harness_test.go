package stream

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/master/api/share"
	"troupe/master/state/view"
	"troupe/messages/carrier"
	"troupe/messages/json"
	"troupe/messages/mesos"
	"troupe/messages/mesos/master"
	"troupe/messages/recordio"
	"troupe/messages/resources"
)

const leader = "68efc341-25d3-4305-8cde-0d13ba972218"

// testView is a model whose events go to a hub.
type testView struct {
	hub   *Hub
	mu    sync.Mutex
	model *view.Model
	ranks map[view.TaskID]int
	tasks map[view.TaskID]*view.Task
}

func newTestView() *testView {
	v := &testView{hub: NewHub(), model: view.NewModel(view.Limits{}), ranks: map[view.TaskID]int{}, tasks: map[view.TaskID]*view.Task{}}
	v.hub.Lead(leader, 0)
	return v
}

func (v *testView) publish(e view.Event) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.model.Apply(e)
	v.hub.Add(e)
}

func (v *testView) Mark() (*view.Snapshot, uint64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.model.Snapshot(), v.hub.Last()
}

func (v *testView) Revision() uint64 {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.model.Revision()
}

func (v *testView) framework(id view.FrameworkID, roles ...string) *view.Framework {
	f := &view.Framework{
		ID: id, Roles: roles, Connected: true, Active: true,
		Info: &mesos.FrameworkInfo{User: proto.String("u"), Name: proto.String("n"), Roles: roles},
	}
	v.publish(view.FrameworkAdded{Framework: f})
	return f
}

func (v *testView) agent(id view.AgentID) {
	v.publish(view.AgentAdded{Agent: &view.Agent{
		ID: id, Status: view.Connected, Version: "1", Total: resources.MustParse("cpus:4;disk(eng):5"),
		Info: &mesos.AgentInfo{Hostname: proto.String("h"), Id: &mesos.AgentID{Value: proto.String(string(id))}},
	}})
}

// task adds a task; tell gives one a newer state.
func (v *testView) task(id view.TaskID, f view.FrameworkID, a view.AgentID, role string) {
	t := &view.Task{State: mesos.TaskState_TASK_STAGING, TaskSpec: &view.TaskSpec{
		ID: id, Name: string(id), Framework: f, Agent: a, Role: role, Resources: resources.MustParse("cpus:1"),
	}}
	v.ranks[id], v.tasks[id] = len(v.ranks), t
	v.publish(view.TaskAdded{Task: t})
}

func (v *testView) tell(id view.TaskID, state mesos.TaskState) {
	before := v.tasks[id]
	after := &view.Task{TaskSpec: before.TaskSpec, State: state, Statuses: append(before.Statuses[:len(before.Statuses):len(before.Statuses)], view.Status{
		State: state, Source: mesos.TaskStatus_SOURCE_EXECUTOR, Reason: view.NoReason, Timestamp: 1.5, UUID: [16]byte{1},
	})}
	v.tasks[id] = after
	v.publish(view.TaskUpdated{Task: after, Before: before.State, Rank: v.ranks[id], Status: &mesos.TaskStatus{
		TaskId: &mesos.TaskID{Value: proto.String(string(id))}, State: state.Enum(),
	}})
}

func (v *testView) server() Server { return Server{Hub: v.hub, View: v, Board: share.NewBoard()} }

// serve answers SUBSCRIBEs on a port of its own.
func serve(t *testing.T, s Server, media carrier.Form) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := s.Serve(w, r, media); err != nil {
			carrier.Refuse(w, err)
		}
	}))
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	return server.URL
}

// client reads a stream.
type client struct {
	t      *testing.T
	media  carrier.Form
	answer *http.Response
	in     *recordio.Reader
	cancel context.CancelFunc
}

func subscribe(t *testing.T, url, query string, media carrier.Form) *client {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	t.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/"+query, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = answer.Body.Close() })
	return &client{t, media, answer, recordio.NewReader(answer.Body, 64<<20), cancel}
}

// next is the next event; nil at the end.
func (c *client) next() *master.Event {
	c.t.Helper()
	record, err := c.in.Next()
	if errors.Is(err, io.EOF) {
		return nil
	}
	if err != nil {
		c.t.Fatal(err)
	}
	return decode(c.t, c.media, record)
}

func decode(t *testing.T, media carrier.Form, record []byte) *master.Event {
	t.Helper()
	e := new(master.Event)
	var err error
	if media == carrier.JSON {
		err = json.Unmarshal(record, e)
	} else {
		err = proto.Unmarshal(record, e)
	}
	if err != nil {
		t.Fatalf("%v in %s", err, record)
	}
	return e
}

// raw is the next record as it came.
func (c *client) raw() string {
	c.t.Helper()
	record, err := c.in.Next()
	if err != nil {
		c.t.Fatal(err)
	}
	return string(bytes.Clone(record))
}

func (c *client) expect(types ...master.Event_Type) {
	c.t.Helper()
	for _, want := range types {
		if e := c.next(); e.GetType() != want || e == nil {
			c.t.Fatalf("event %v, want %v", e, want)
		}
	}
}

const (
	subscribed = master.Event_SUBSCRIBED
	heartbeat  = master.Event_HEARTBEAT
)
