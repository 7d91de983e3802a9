package stream

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"troupe/master/state/view"
	"troupe/messages/carrier"
	"troupe/messages/mesos"
	"troupe/messages/mesos/master"
)

// The state first, a heartbeat, then every change in its order.
func TestEventsFollowTheState(t *testing.T) {
	for _, media := range []carrier.Form{carrier.JSON, carrier.Protobuf} {
		v := newTestView()
		v.framework("F0", "eng")
		v.agent("S0")
		v.task("t0", "F0", "S0", "eng")
		c := subscribe(t, serve(t, v.server(), media), "", media)
		if c.answer.StatusCode != http.StatusOK || c.answer.Header.Get("Content-Type") != media.String() {
			t.Fatalf("%d %v", c.answer.StatusCode, c.answer.Header)
		}
		first := c.next()
		state := first.GetSubscribed().GetGetState()
		if first.GetType() != subscribed || first.GetSubscribed().GetHeartbeatIntervalSeconds() != 15 ||
			len(state.GetGetTasks().GetTasks()) != 1 || len(state.GetGetFrameworks().GetFrameworks()) != 1 || len(state.GetGetAgents().GetAgents()) != 1 {
			t.Fatalf("%v", first)
		}
		c.expect(heartbeat)
		f := v.framework("F1", "ops")
		v.agent("S1")
		v.task("t1", "F1", "S1", "ops")
		v.tell("t1", mesos.TaskState_TASK_RUNNING)
		v.publish(view.FrameworkChanged{Framework: f})
		v.publish(view.Judged{})
		v.publish(view.AgentRemoved{ID: "S0"})
		v.publish(view.AgentRemoved{ID: "S9", Recovered: true})
		v.publish(view.FrameworkRemoved{Framework: f})
		if e := c.next(); e.GetFrameworkAdded().GetFramework().GetFrameworkInfo().GetId().GetValue() != "F1" {
			t.Fatalf("%v", e)
		}
		if e := c.next(); e.GetAgentAdded().GetAgent().GetAgentInfo().GetId().GetValue() != "S1" || len(e.GetAgentAdded().GetAgent().GetTotalResources()) != 2 {
			t.Fatalf("%v", e)
		}
		if e := c.next(); e.GetTaskAdded().GetTask().GetTaskId().GetValue() != "t1" {
			t.Fatalf("%v", e)
		}
		e := c.next().GetTaskUpdated()
		if e.GetFrameworkId().GetValue() != "F1" || e.GetState() != mesos.TaskState_TASK_RUNNING || e.GetStatus().GetTaskId().GetValue() != "t1" {
			t.Fatalf("%v", e)
		}
		c.expect(master.Event_FRAMEWORK_UPDATED)
		if e := c.next(); e.GetAgentRemoved().GetAgentId().GetValue() != "S0" {
			t.Fatalf("%v", e)
		}
		if e := c.next(); e.GetFrameworkRemoved().GetFrameworkInfo().GetName() != "n" {
			t.Fatalf("%v", e)
		}
	}
}

// A state of an agent that told no status is told with the last one.
func TestStatesWithoutAStatus(t *testing.T) {
	v := newTestView()
	v.framework("F0")
	v.task("t0", "F0", "S0", "*")
	c := subscribe(t, serve(t, v.server(), carrier.JSON), "", carrier.JSON)
	c.expect(subscribed, heartbeat)
	for _, statuses := range [][]view.Status{nil, {{State: mesos.TaskState_TASK_STARTING, Reason: view.NoReason}}} {
		next := *v.tasks["t0"]
		next.State, next.Statuses = mesos.TaskState_TASK_RUNNING, statuses
		v.publish(view.TaskUpdated{Task: &next})
		e := c.next().GetTaskUpdated()
		if e.GetState() != mesos.TaskState_TASK_RUNNING || e.GetStatus().GetTaskId().GetValue() != "t0" {
			t.Errorf("%v", e)
		}
	}
}

func TestFilters(t *testing.T) {
	v := newTestView()
	v.framework("F0", "eng")
	v.framework("F1", "ops")
	v.agent("S0")
	v.agent("S1")
	v.task("t0", "F0", "S0", "eng")
	v.task("t1", "F1", "S1", "ops")
	url := serve(t, v.server(), carrier.JSON)
	type seen struct {
		query                     string
		tasks, frameworks, agents int
		events                    string
	}
	wants := []seen{
		{"", 2, 2, 2, "t0 t1 t0 t1 S2"},
		{"?type=TASK_UPDATED", 2, 0, 0, "t0 t1"},
		{"?type=TASK_ADDED,TASK_UPDATED&framework_id=F1", 1, 0, 0, "t1 t1"},
		{"?framework_id=F0", 1, 1, 2, "t0 t0 S2"},
		{"?agent_id=S1", 1, 2, 1, "t1 t1"},
		{"?role=eng&type=TASK_ADDED&type=AGENT_ADDED", 1, 0, 2, "t0 S2"},
		{"?type=AGENT_ADDED", 0, 0, 2, "S2"},
	}
	var clients []*client
	for _, want := range wants {
		c := subscribe(t, url, want.query, carrier.JSON)
		s := c.next().GetSubscribed().GetGetState()
		got := seen{want.query, len(s.GetGetTasks().GetTasks()), len(s.GetGetFrameworks().GetFrameworks()), len(s.GetGetAgents().GetAgents()), want.events}
		if got != want {
			t.Errorf("%+v, want %+v", got, want)
		}
		c.expect(heartbeat)
		clients = append(clients, c)
	}
	for _, id := range []string{"0", "1"} {
		v.publish(view.TaskAdded{Task: v.tasks[view.TaskID("t"+id)]})
	}
	v.tell("t0", mesos.TaskState_TASK_RUNNING)
	v.tell("t1", mesos.TaskState_TASK_RUNNING)
	v.agent("S2")
	v.framework("end", "eng", "ops")
	v.publish(view.FrameworkRemoved{Framework: &view.Framework{ID: "F0", Info: new(mesos.FrameworkInfo)}})
	for i, c := range clients {
		for _, id := range strings.Fields(wants[i].events) {
			e := c.next()
			got := e.GetTaskAdded().GetTask().GetTaskId().GetValue() + e.GetTaskUpdated().GetStatus().GetTaskId().GetValue() +
				e.GetAgentAdded().GetAgent().GetAgentInfo().GetId().GetValue()
			if got != id {
				t.Fatalf("%q: %v, want %s", wants[i].query, e, id)
			}
		}
	}
}

func TestWrongParameters(t *testing.T) {
	url := serve(t, newTestView().server(), carrier.JSON)
	many := "?role=" + strings.Repeat("a,", 200) + "a"
	distinct := "?role=x"
	for i := range maxValues {
		distinct += fmt.Sprintf(",r%d", i)
	}
	for query, want := range map[string]int{
		"?type=TASK_MOVED": 400, "?type=UNKNOWN": 400, "?type=": 400, "?framework_id=a,,b": 400, "?resume=x": 400, "?resume=-1": 400,
		"?resume=a-b": 400, "?resume=a-99999999999999999999": 400, many: 200, distinct: 400,
	} {
		if c := subscribe(t, url, query, carrier.JSON); c.answer.StatusCode != want {
			t.Errorf("%.60s: %d", query, c.answer.StatusCode)
		}
	}
}

// cursor is the place that an event tells of itself.
func cursor(t *testing.T, record string) string {
	t.Helper()
	var e struct{ Cursor string }
	if err := json.Unmarshal([]byte(record), &e); err != nil {
		t.Fatal(err)
	}
	return e.Cursor
}

// Who comes back gets what it missed; who stayed away for too long, or comes
// from another leader, gets the state.
func TestResume(t *testing.T) {
	v := newTestView()
	v.hub.log = make([]*entry, 1<<10)
	v.framework("F0")
	url := serve(t, v.server(), carrier.JSON)
	c := subscribe(t, url, "?resume=", carrier.JSON)
	if c.answer.Header.Get("Troupe-Resumed") != "false" {
		t.Errorf("%v", c.answer.Header)
	}
	begin := cursor(t, c.raw())
	c.expect(heartbeat)
	v.task("t0", "F0", "S0", "*")
	after := cursor(t, c.raw())
	c.cancel()
	if begin != leader+"-1" || after != leader+"-2" {
		t.Errorf("cursors %q, %q", begin, after)
	}
	v.tell("t0", mesos.TaskState_TASK_RUNNING)
	v.tell("t0", mesos.TaskState_TASK_FINISHED)
	again := subscribe(t, url, "?resume="+after, carrier.JSON)
	if e := again.next(); e.GetType() != subscribed || e.GetSubscribed().GetGetState() != nil || again.answer.Header.Get("Troupe-Resumed") != "true" {
		t.Errorf("%v, %v", e, again.answer.Header)
	}
	again.expect(heartbeat)
	for _, want := range []mesos.TaskState{mesos.TaskState_TASK_RUNNING, mesos.TaskState_TASK_FINISHED} {
		if e := again.next(); e.GetTaskUpdated().GetState() != want {
			t.Errorf("%v, want %v", e, want)
		}
	}
	for _, other := range []string{"another-2", leader + "-77", leader + "-18446744073709551"} {
		fresh := subscribe(t, url, "?resume="+other, carrier.JSON)
		if e := fresh.next(); len(e.GetSubscribed().GetGetState().GetGetTasks().GetTasks()) != 1 || fresh.answer.Header.Get("Troupe-Resumed") != "false" {
			t.Errorf("%s: %v", other, e)
		}
	}
	for range 2 << 10 {
		v.publish(view.AgentRemoved{ID: "S0"})
	}
	late := subscribe(t, url, "?resume="+after, carrier.JSON)
	if e := late.next(); e.GetSubscribed().GetGetState() == nil || late.answer.Header.Get("Troupe-Resumed") != "false" {
		t.Errorf("%v", e)
	}
}

// Beyond the most, the oldest subscriber is told that it has to go.
func TestTheOldestGivesWay(t *testing.T) {
	v := newTestView()
	v.hub.Lead(leader, 2)
	url := serve(t, v.server(), carrier.JSON)
	var clients []*client
	for range 3 {
		c := subscribe(t, url, "", carrier.JSON)
		c.expect(subscribed, heartbeat)
		clients = append(clients, c)
	}
	if last := clients[0].raw(); !strings.Contains(last, `"type":"UNKNOWN"`) || !strings.Contains(last, "too many subscribers") {
		t.Error(last)
	}
	if e := clients[0].next(); e != nil {
		t.Errorf("after the last event: %v", e)
	}
	v.agent("S0")
	clients[1].expect(master.Event_AGENT_ADDED)
	clients[2].expect(master.Event_AGENT_ADDED)
	if n := v.hub.Subscribers(); n != 2 {
		t.Errorf("%d subscribers", n)
	}
}
