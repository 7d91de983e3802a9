package scheduler_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"troupe/actors"
	"troupe/master"
	api "troupe/master/api/scheduler"
	"troupe/messages/carrier"
	"troupe/messages/mesos"
	"troupe/messages/mesos/scheduler"
	"troupe/tools/mesosclient"
)

// TestRequestsAreCheckedInOrder has a request for every check; each would fail
// the checks behind it as well, as far as that is possible.
func TestRequestsAreCheckedInOrder(t *testing.T) {
	b := newBench(t, api.Options{Intake: &carrier.Intake{MaxBody: 2000}})
	s := b.subscribe(mesosclient.JSON{}, info(""))
	native := b.native()
	away := b.subscribe(mesosclient.JSON{}, info("away"))
	if err := away.Close(); err != nil {
		t.Fatal(err)
	}
	b.eventually("the scheduler that left is disconnected", func() bool {
		return b.post([]byte(`{"framework_id":{"value":"away"},"type":"REVIVE"}`), nil).Status == http.StatusForbidden
	})
	call := func(framework, rest string) string {
		return fmt.Sprintf(`{"framework_id":{"value":%q},%s}`, framework, rest)
	}
	subscribe := `{"type":"SUBSCRIBE","subscribe":{"framework_info":{"user":"u","name":"n"}}}`
	for _, c := range []struct {
		name, body string
		headers    map[string]string
		status     int
		says       string
	}{
		{"no content type", "", map[string]string{"Content-Type": ""}, 400, "Content-Type"},
		{"content type", "", map[string]string{"Content-Type": "text/plain"}, 415, "text/plain"},
		{"parameters of the content type", "{}", map[string]string{"Content-Type": "application/json; charset=utf-8"}, 415, "charset"},
		{"too large", strings.Repeat(" ", 3000), nil, 413, "2000"},
		{"no JSON", "x", nil, 400, "object"},
		{"no protobuf", "x", map[string]string{"Content-Type": "application/x-protobuf"}, 400, "protobuf"},
		{"wrong type of a field", call("x", `"type":"KILL","kill":{"task_id":7}`), nil, 400, "kill.task_id"},
		{"required", `{"type":"SUBSCRIBE","subscribe":{"framework_info":{"user":"u"}}}`, nil, 400, "subscribe.framework_info.name"},
		{"no type", "{}", nil, 400, "Failed to validate scheduler::Call: call.type"},
		{"type that is not known", call("x", `"type":"NONSENSE"`), nil, 400, "call.type"},
		{"no part", call("x", `"type":"ACCEPT"`), nil, 400, "Failed to validate"},
		{"no framework", `{"type":"REVIVE"}`, nil, 400, "framework_id"},
		{"two frameworks", `{"framework_id":{"value":"x"},` + subscribe[1:], map[string]string{"Accept": "text/html"}, 400, "differs"},
		{"uuid", call("x", `"type":"ACKNOWLEDGE","acknowledge":{"agent_id":{"value":"a"},"task_id":{"value":"t"},"uuid":"AAAA"}`), nil, 400, "acknowledge.uuid"},
		{"accept", subscribe, map[string]string{"Accept": "text/html", mesosclient.StreamID: "x"}, 406, "Accept"},
		{"accept of RECONCILE_OPERATIONS", call("x", `"type":"RECONCILE_OPERATIONS","reconcile_operations":{}`), map[string]string{"Accept": "text/html"}, 406, "Accept"},
		{"stream id of SUBSCRIBE", subscribe, map[string]string{mesosclient.StreamID: "x"}, 400, mesosclient.StreamID},
		{"accept of others", call("x", `"type":"REVIVE"`), map[string]string{"Accept": "text/html"}, 400, "Framework cannot be found"},
		{"framework not known", call("x", `"type":"UNKNOWN"`), nil, 400, "Framework cannot be found"},
		{"framework not known, of another", call("x", `"type":"REVIVE"`), map[string]string{mesosclient.StreamID: s.ID}, 400, "Framework cannot be found"},
		{"not subscribed", call("away", `"type":"UNKNOWN"`), nil, 403, "Framework is not subscribed"},
		{"not subscribed, with its stream", call("away", `"type":"REVIVE"`), map[string]string{mesosclient.StreamID: away.ID}, 403, "Framework is not subscribed"},
		{"subscribed natively", call(native, `"type":"REVIVE"`), map[string]string{mesosclient.StreamID: s.ID}, 403, "Framework is not connected via HTTP"},
		{"no stream id", call(s.FrameworkID, `"type":"UNKNOWN"`), nil, 400, "is absent"},
		{"another stream id", call(s.FrameworkID, `"type":"UNKNOWN"`), map[string]string{mesosclient.StreamID: "x"}, 400, `"x": is not the subscription of framework ` + s.FrameworkID},
		{"an old stream id", call(s.FrameworkID, `"type":"REVIVE"`), map[string]string{mesosclient.StreamID: away.ID}, 400, away.ID},
		{"not served", call(s.FrameworkID, `"type":"UNKNOWN"`), map[string]string{mesosclient.StreamID: s.ID}, 501, "UNKNOWN"},
		{"update", call(s.FrameworkID, `"type":"UPDATE_FRAMEWORK","update_framework":{"framework_info":{"id":{"value":"`+s.FrameworkID+`"},"user":"v","name":"n"}}`), map[string]string{mesosclient.StreamID: s.ID}, 400, "user"},
	} {
		if a := b.post([]byte(c.body), c.headers); a.Status != c.status || !strings.Contains(string(a.Body), c.says) {
			t.Errorf("%s: %s; want %d with %q", c.name, a, c.status, c.says)
		}
	}
}

func TestOtherMethodsAreRefused(t *testing.T) {
	b := newBench(t, api.Options{})
	mounted := make(routes)
	api.Mount(mounted, b.sys, api.Options{Master: b.sys.PID(master.Name)})
	for _, path := range []string{"/api/v1/scheduler", "/master/api/v1/scheduler"} {
		h := mounted[path]
		if h == nil {
			t.Errorf("%s is not mounted", path)
			continue
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "POST" {
			t.Errorf("GET %s: %d, Allow %q", path, w.Code, w.Header().Get("Allow"))
		}
	}
}

// routes are what was mounted.
type routes map[string]http.Handler

func (r routes) Route(pattern, _ string, h http.Handler) { r[pattern] = h }

// native subscribes a framework without HTTP.
func (b *bench) native() string {
	b.t.Helper()
	id := make(chan string, 1)
	_, err := b.sys.Spawn("", actorFunc(func(c *actors.Context) {
		actors.Handle(c, func(_ *actors.Context, e *scheduler.Event) {
			if e.GetType() == scheduler.Event_SUBSCRIBED {
				id <- e.GetSubscribed().GetFrameworkId().GetValue()
			}
		})
		c.Send(b.sys.PID(master.Name), &scheduler.Call{
			Type: scheduler.Call_SUBSCRIBE.Enum(), Subscribe: &scheduler.Call_Subscribe{FrameworkInfo: info("")},
		})
	}))
	if err != nil {
		b.t.Fatal(err)
	}
	return <-id
}

type actorFunc func(*actors.Context)

func (f actorFunc) Init(c *actors.Context) { f(c) }

func TestATaskFromOfferToAcknowledgement(t *testing.T) {
	for _, enc := range mesosclient.Encodings() {
		t.Run(enc.MediaType(), func(t *testing.T) {
			b := newBench(t, api.Options{})
			s := b.subscribe(enc, info(""))
			first, err := s.Event()
			if err != nil || first.GetType() != scheduler.Event_HEARTBEAT {
				t.Fatalf("the event after SUBSCRIBED: %v, %v", first, err)
			}
			b.agent()
			o := b.event(s, scheduler.Event_OFFERS).GetOffers().GetOffers()[0]
			b.say(s, accept(o, "t"), accepted)
			status := b.event(s, scheduler.Event_UPDATE).GetUpdate().GetStatus()
			if status.GetState() != mesos.TaskState_TASK_RUNNING || status.GetTaskId().GetValue() != "t" {
				t.Fatalf("the update is %v", status)
			}
			b.say(s, &scheduler.Call{Type: scheduler.Call_ACKNOWLEDGE.Enum(), Acknowledge: &scheduler.Call_Acknowledge{
				AgentId: status.GetAgentId(), TaskId: status.GetTaskId(), Uuid: status.GetUuid(),
			}}, accepted)
			updated := info(s.FrameworkID)
			updated.Name = proto.String("other")
			b.say(s, &scheduler.Call{Type: scheduler.Call_UPDATE_FRAMEWORK.Enum(), UpdateFramework: &scheduler.Call_UpdateFramework{FrameworkInfo: updated}}, http.StatusOK)
			b.say(s, &scheduler.Call{Type: scheduler.Call_TEARDOWN.Enum()}, accepted)
			for err == nil {
				_, err = s.Event()
			}
			if !errors.Is(err, io.EOF) {
				t.Errorf("after TEARDOWN the stream ends with %v", err)
			}
			_, err = mesosclient.Subscribe(t.Context(), b.sys.Address(), enc, &scheduler.Call_Subscribe{FrameworkInfo: updated})
			var failed *mesosclient.Failed
			if !errors.As(err, &failed) || !strings.Contains(failed.Message, "Framework has been removed") {
				t.Errorf("a framework that is over subscribes: %v", err)
			}
		})
	}
}

func accept(o *mesos.Offer, task string) *scheduler.Call {
	return &scheduler.Call{Type: scheduler.Call_ACCEPT.Enum(), Accept: &scheduler.Call_Accept{
		OfferIds: []*mesos.OfferID{o.GetId()},
		Operations: []*mesos.Offer_Operation{{Type: mesos.Offer_Operation_LAUNCH.Enum(), Launch: &mesos.Offer_Operation_Launch{
			TaskInfos: []*mesos.TaskInfo{{
				Name: proto.String(task), TaskId: &mesos.TaskID{Value: &task}, AgentId: o.GetAgentId(),
				Resources: []*mesos.Resource{scalar("cpus", 0.1), scalar("mem", 32)}, Command: &mesos.CommandInfo{Value: proto.String("true")},
			}},
		}}},
	}}
}

func TestALaterSubscriptionEndsTheEarlier(t *testing.T) {
	b := newBench(t, api.Options{})
	old := b.subscribe(mesosclient.JSON{}, info("f"))
	s := b.subscribe(mesosclient.Protobuf{}, info("f"))
	if e := b.event(old, scheduler.Event_ERROR); e.GetError().GetMessage() != "Framework failed over" {
		t.Errorf("the earlier is told %v", e)
	}
	if _, err := old.Event(); !errors.Is(err, io.EOF) {
		t.Errorf("the earlier stream ends with %v", err)
	}
	b.say(old, &scheduler.Call{Type: scheduler.Call_REVIVE.Enum()}, http.StatusBadRequest)
	b.say(s, &scheduler.Call{Type: scheduler.Call_REVIVE.Enum()}, accepted)
}

func TestARefusedSubscriptionIsAStream(t *testing.T) {
	b := newBench(t, api.Options{})
	for name, change := range map[string]func(*mesos.FrameworkInfo){
		"roles": func(f *mesos.FrameworkInfo) { f.Roles = []string{"a"} },
		"role":  func(f *mesos.FrameworkInfo) { f.Role = proto.String("a//b") },
		"id":    func(f *mesos.FrameworkInfo) { f.Id = &mesos.FrameworkID{Value: proto.String("a/b")} },
	} {
		f := info("")
		change(f)
		_, err := mesosclient.Subscribe(t.Context(), b.sys.Address(), mesosclient.JSON{}, &scheduler.Call_Subscribe{FrameworkInfo: f})
		var failed *mesosclient.Failed
		if !errors.As(err, &failed) || !strings.Contains(failed.Message, "framework_info."+name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAMasterThatEndsEndsTheStreams(t *testing.T) {
	b := newBench(t, api.Options{})
	s := b.subscribe(mesosclient.JSON{}, info(""))
	if err := b.sys.Stop(t.Context(), b.sys.PID(master.Name)); err != nil {
		t.Fatal(err)
	}
	var err error
	for err == nil {
		_, err = s.Event()
	}
	if !errors.Is(err, io.EOF) {
		t.Errorf("the stream ends with %v", err)
	}
	a, err := s.Say(t.Context(), &scheduler.Call{Type: scheduler.Call_REVIVE.Enum()})
	if a == nil || a.Status != http.StatusServiceUnavailable {
		t.Errorf("a call is answered %v, %v", a, err)
	}
}

func TestWhoReadsNothingIsDisconnected(t *testing.T) {
	b := newBench(t, api.Options{Stream: carrier.StreamOptions{Bytes: 100_000}})
	raw, err := mesosclient.Dial(t.Context(), b.sys.Address(), 4096)
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	body := `{"framework_id":{"value":"slow"},"type":"SUBSCRIBE","subscribe":{"framework_info":{"id":{"value":"slow"},"user":"u","name":"n","failover_timeout":1000}}}`
	if err := raw.Say(mesosclient.Head("POST", mesosclient.SchedulerPath, "Content-Type: application/json", fmt.Sprintf("Content-Length: %d", len(body))) + body); err != nil {
		t.Fatal(err)
	}
	answer, err := raw.Response()
	if err != nil {
		t.Fatal(err)
	}
	// Every id that is not known is answered by an update, which nobody reads.
	query := &scheduler.Call_Reconcile{}
	for i := range 1000 {
		query.Tasks = append(query.Tasks, &scheduler.Call_Reconcile_Task{TaskId: &mesos.TaskID{Value: proto.String(strings.Repeat("t", 200) + fmt.Sprint(i))}})
	}
	call, err := mesosclient.JSON{}.Marshal(&scheduler.Call{
		FrameworkId: &mesos.FrameworkID{Value: proto.String("slow")}, Type: scheduler.Call_RECONCILE.Enum(), Reconcile: query,
	})
	if err != nil {
		t.Fatal(err)
	}
	other := b.subscribe(mesosclient.JSON{}, info("quick"))
	b.eventually("the slow scheduler is cut off", func() bool {
		a := b.post(call, map[string]string{mesosclient.StreamID: answer.Header.Get(mesosclient.StreamID)})
		return a.Status == http.StatusForbidden
	})
	b.say(other, &scheduler.Call{Type: scheduler.Call_REVIVE.Enum()}, accepted)
	if _, err := io.Copy(io.Discard, answer.Body); err == nil {
		t.Error("the stream of the slow scheduler ended in order")
	}
}
