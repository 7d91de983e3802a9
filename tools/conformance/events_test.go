package conformance

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos"
	"troupe/messages/mesos/master"
	"troupe/messages/mesos/scheduler"
	"troupe/tools/mesosclient"
	"troupe/tools/processtest"
)

// watcher collects what an operator's event stream says.
type watcher struct {
	*mesosclient.Stream
	t *testing.T

	mu      sync.Mutex
	events  []*master.Event
	cursors []string // of events that have one
	ended   error
}

// watch subscribes to the events of a master; query goes behind the path.
func watch(t *testing.T, c *cluster, enc mesosclient.Encoding, query string) *watcher {
	t.Helper()
	e := mesosclient.Endpoint{Address: c.master, Path: mesosclient.OperatorPath + query, Encoding: enc}
	s, err := e.Open(t.Context(), &master.Call{Type: master.Call_SUBSCRIBE.Enum()}, nil)
	if err != nil {
		t.Fatal(err)
	}
	w := &watcher{Stream: s, t: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for w.take(enc) {
		}
	}()
	t.Cleanup(func() {
		_ = s.Close() // it may have ended
		<-done
	})
	return w
}

// take collects one record; false at the end.
func (w *watcher) take(enc mesosclient.Encoding) bool {
	record, err := w.Record()
	e, cursor := &master.Event{}, ""
	if err == nil {
		record, cursor, err = cutCursor(enc, record)
	}
	if err == nil {
		err = enc.Unmarshal(record, e)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil {
		w.ended = err
		return false
	}
	w.events = append(w.events, e)
	if cursor != "" {
		w.cursors = append(w.cursors, cursor)
	}
	return true
}

// cutCursor takes from an event what Mesos's events have not.
func cutCursor(enc mesosclient.Encoding, record []byte) (rest []byte, cursor string, err error) {
	if _, inJSON := enc.(mesosclient.JSON); inJSON {
		var members map[string]json.RawMessage
		if err := json.Unmarshal(record, &members); err != nil {
			return nil, "", err
		}
		if members["cursor"] == nil {
			return record, "", nil
		}
		err := json.Unmarshal(members["cursor"], &cursor)
		delete(members, "cursor")
		rest, again := json.Marshal(members)
		return rest, cursor, errors.Join(err, again)
	}
	e := &master.Event{}
	if err := proto.Unmarshal(record, e); err != nil {
		return nil, "", err
	}
	unknown := e.ProtoReflect().GetUnknown()
	if number, _, n := protowire.ConsumeTag(unknown); n > 0 && number == 1000 {
		text, _ := protowire.ConsumeString(unknown[n:])
		cursor = text
	}
	return record, cursor, nil
}

// seen are the events so far, but for heartbeats.
func (w *watcher) seen() []*master.Event {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(w.events), func(e *master.Event) bool { return e.GetType() == master.Event_HEARTBEAT })
}

// await waits for an event.
func (w *watcher) await(what string, meant func(*master.Event) bool) *master.Event {
	w.t.Helper()
	var found *master.Event
	if !processtest.Within(processtest.Patience, func() bool {
		i := slices.IndexFunc(w.seen(), meant)
		if i >= 0 {
			found = w.seen()[i]
		}
		return i >= 0
	}) {
		w.t.Fatalf("no %s among %v; the stream: %v", what, w.seen(), w.ended)
	}
	return found
}

func (w *watcher) event(kind master.Event_Type) *master.Event {
	w.t.Helper()
	return w.await(kind.String(), func(e *master.Event) bool { return e.GetType() == kind })
}

// task waits for an update of a task.
func (w *watcher) task(id string, state mesos.TaskState) {
	w.t.Helper()
	w.await(id+" "+state.String(), func(e *master.Event) bool {
		s := e.GetTaskUpdated().GetStatus()
		return e.GetType() == master.Event_TASK_UPDATED && s.GetTaskId().GetValue() == id && s.GetState() == state
	})
}

// Every event that operators can get, in order, in both encodings.
func TestEventsOfOperators(t *testing.T) {
	c := newCluster(t)
	inEach(t, func(t *testing.T, enc mesosclient.Encoding) {
		w := watch(t, c, enc, "")
		s := w.event(master.Event_SUBSCRIBED).GetSubscribed()
		if n := len(s.GetGetState().GetGetAgents().GetAgents()); n != 1 || s.GetHeartbeatIntervalSeconds() != 15 {
			t.Errorf("subscribed with %d agents, heartbeats every %v s", n, s.GetHeartbeatIntervalSeconds())
		}
		f := subscribe(t, c.master, enc, describe("watched"))
		f.runOne("watched", "exec sleep 1000")
		f.changesItself()
		f.say(kill("watched"))
		f.update("watched", mesos.TaskState_TASK_KILLED)
		f.teardown()
		w.event(master.Event_FRAMEWORK_REMOVED)
		w.agentsComeAndGo(c)
		var kinds []master.Event_Type
		for _, e := range w.seen() {
			kinds = append(kinds, e.GetType())
		}
		order := []master.Event_Type{
			master.Event_SUBSCRIBED, master.Event_FRAMEWORK_ADDED, master.Event_TASK_ADDED, master.Event_TASK_UPDATED, master.Event_FRAMEWORK_UPDATED,
			master.Event_FRAMEWORK_REMOVED, master.Event_AGENT_ADDED, master.Event_AGENT_REMOVED,
		}
		at := -1
		for _, kind := range order {
			if i := slices.Index(kinds, kind); i <= at {
				t.Errorf("%s is number %d of %v", kind, i, kinds)
			} else {
				at = i
			}
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.events[1].GetType() != master.Event_HEARTBEAT || w.ended != nil {
			t.Errorf("the second event is %s; the stream: %v", w.events[1].GetType(), w.ended)
		}
	})
}

// agentsComeAndGo has another agent come, and be gone for good.
func (w *watcher) agentsComeAndGo(c *cluster) {
	w.t.Helper()
	dir := filepath.Join(c.Dir, "another-"+strconv.FormatInt(time.Now().UnixNano(), 36))
	another := c.Start(c.Command("agent", "--port=0", "--master="+c.master, "--work_dir="+dir,
		"--resources=cpus:1;mem:64;disk:64", "--registration_backoff_factor=50ms"))
	id := w.event(master.Event_AGENT_ADDED).GetAgentAdded().GetAgent().GetAgentInfo().GetId()
	if _, err := c.operate().Call(w.t.Context(), &master.Call{
		Type: master.Call_MARK_AGENT_GONE.Enum(), MarkAgentGone: &master.Call_MarkAgentGone{AgentId: id},
	}, nil); err != nil {
		w.t.Fatal(err)
	}
	if gone := w.event(master.Event_AGENT_REMOVED).GetAgentRemoved().GetAgentId(); !proto.Equal(gone, id) {
		w.t.Errorf("%v is gone, not %v", gone, id)
	}
	another.Wait()
}

// A filtered stream has what fits the filter, and of the state as much.
func TestFilteredEvents(t *testing.T) {
	c := newCluster(t)
	inEach(t, func(t *testing.T, enc mesosclient.Encoding) {
		other, chosen := subscribe(t, c.master, enc, describe("other")), subscribe(t, c.master, enc, describe("chosen"), "*")
		w := watch(t, c, enc, "?type=TASK_ADDED,TASK_UPDATED&framework_id="+chosen.FrameworkID)
		if s := w.event(master.Event_SUBSCRIBED).GetSubscribed().GetGetState(); len(s.GetGetAgents().GetAgents()) > 0 {
			t.Errorf("agents in the state of a filter that wants tasks: %v", s)
		}
		other.runOne("not seen", "true")
		other.teardown()
		chosen.say(revive())
		chosen.runOne("seen", "exec sleep 1000")
		w.task("seen", mesos.TaskState_TASK_RUNNING)
		for _, e := range w.seen() {
			id := e.GetTaskUpdated().GetStatus().GetTaskId().GetValue() + e.GetTaskAdded().GetTask().GetTaskId().GetValue()
			if e.GetType() != master.Event_SUBSCRIBED && id != "seen" {
				t.Errorf("not asked for: %v", e)
			}
		}
		chosen.teardown()
		e := mesosclient.Endpoint{Address: c.master, Encoding: enc}
		for _, query := range []string{"?type=DANCE", "?type=", "?framework_id=a,,b", "?resume=x", "?resume=-1"} {
			e.Path = mesosclient.OperatorPath + query
			_, err := e.Open(t.Context(), &master.Call{Type: master.Call_SUBSCRIBE.Enum()}, nil)
			if refused := (*mesosclient.Refused)(nil); !errors.As(err, &refused) || refused.Status != http.StatusBadRequest {
				t.Errorf("%s: %v", query, err)
			}
		}
	})
}

// A stream that goes on behind a cursor has every event after it, once, and no
// state; one that cannot go on has the state.
func TestResumedEvents(t *testing.T) {
	c := newCluster(t)
	inEach(t, func(t *testing.T, enc mesosclient.Encoding) {
		f := subscribe(t, c.master, enc, describe("watched"))
		first := watch(t, c, enc, "?resume=")
		f.runOne("before", "exec sleep 1000")
		first.task("before", mesos.TaskState_TASK_RUNNING)
		if got := first.Header.Get("Troupe-Resumed"); got != "false" {
			t.Errorf("a new stream is resumed: %q", got)
		}
		if err := first.Close(); err != nil {
			t.Fatal(err)
		}
		first.mu.Lock()
		cursor := first.cursors[len(first.cursors)-1]
		first.mu.Unlock()
		f.runOne("meanwhile", "exec sleep 1000")
		second := watch(t, c, enc, "?resume="+cursor)
		second.task("meanwhile", mesos.TaskState_TASK_RUNNING)
		if got, s := second.Header.Get("Troupe-Resumed"), second.seen()[0]; got != "true" || s.GetType() != master.Event_SUBSCRIBED || s.GetSubscribed().GetState != nil {
			t.Errorf("resumed: %q; first %v", got, s)
		}
		second.mu.Lock()
		for i, next := range second.cursors {
			leader, number := split(t, cursor)
			if want := fmt.Sprintf("%s-%d", leader, number+i); next != want && i > 0 {
				t.Errorf("event %d behind %s is %s", i, cursor, next)
			}
		}
		second.mu.Unlock()
		lost := watch(t, c, enc, "?resume=another-7")
		if s := lost.event(master.Event_SUBSCRIBED).GetSubscribed(); lost.Header.Get("Troupe-Resumed") != "false" || s.GetState == nil {
			t.Errorf("the stream of another leader goes on: %v", s)
		}
		f.teardown()
	})
}

// split is a cursor's leader and number.
func split(t *testing.T, cursor string) (leader string, number int) {
	t.Helper()
	at := strings.LastIndexByte(cursor, '-')
	number, err := strconv.Atoi(cursor[at+1:])
	if err != nil {
		t.Fatal(err)
	}
	return cursor[:at], number
}

// An operator who does not read is cut off, and told so; others miss nothing,
// and the master's memory does not grow with what one does not read.
func TestAnOperatorWhoDoesNotRead(t *testing.T) {
	c := newMaster(t) // agents are told of every change, too
	f := subscribe(t, c.master, mesosclient.JSON{}, describe("changing"))
	body := encoded(t, mesosclient.JSON{}, &master.Call{Type: master.Call_SUBSCRIBE.Enum()})
	conn := dial(t, c.master, 4096)
	if err := conn.Say(strings.Replace(post(body), mesosclient.SchedulerPath, mesosclient.OperatorPath, 1)); err != nil {
		t.Fatal(err)
	}
	response, err := conn.Response()
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%v, %v", response, err)
	}
	reader := watch(t, c, mesosclient.Protobuf{}, "?type=FRAMEWORK_UPDATED")
	const updates = 180
	before := memory(t, c.masterProcess.PID())
	for i := range updates {
		info := describe("changing")
		info.Id = f.Subscribed.GetFrameworkId()
		info.Labels = &mesos.Labels{Labels: []*mesos.Label{{Key: proto.String(strconv.Itoa(i)), Value: proto.String(strings.Repeat("x", 400<<10))}}}
		f.say(&scheduler.Call{Type: scheduler.Call_UPDATE_FRAMEWORK.Enum(), UpdateFramework: &scheduler.Call_UpdateFramework{FrameworkInfo: info}})
	}
	reader.await("the last update", func(e *master.Event) bool {
		labels := e.GetFrameworkUpdated().GetFramework().GetFrameworkInfo().GetLabels().GetLabels()
		return len(labels) > 0 && labels[0].GetKey() == strconv.Itoa(updates-1)
	})
	if n := len(reader.seen()); n != updates+1 {
		t.Errorf("who reads got %d events, not SUBSCRIBED and %d", n, updates)
	}
	if grown := memory(t, c.masterProcess.PID()) - before; grown > 512<<20 {
		t.Errorf("the master grew by %d MB", grown>>20)
	}
	wide(t, conn)
	var last []byte
	for records := mesosclient.NewRecords(response.Body); err == nil; {
		var record []byte
		if record, err = records.Next(); err == nil {
			last = record
		}
	}
	if !errors.Is(err, io.EOF) || !strings.Contains(string(last), `"error":"cut off`) || !strings.Contains(string(last), `"type":"UNKNOWN"`) {
		t.Errorf("the stream of who does not read ended with %v after %.300s", err, last)
	}
	c.startAgent(processtest.FreePort(t))
	f.runOne("after", "exec sleep 1000")
	f.teardown()
}
