package executor

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/actors"
	"troupe/actors/actortest"
	"troupe/messages/json"
	"troupe/messages/mesos"
	"troupe/messages/mesos/executor"
	"troupe/messages/recordio"
	"troupe/slave/state/view"
)

const patience = 3 * time.Minute

// fakeAgent is what stands behind the API: an actor that tells what it hears,
// and a view of one executor, X of framework F.
type fakeAgent struct {
	sys    *actors.System
	pid    actors.PID
	calls  chan *executor.Call
	peers  chan actors.PID // of SUBSCRIBE
	exited chan actors.PID

	mu     sync.Mutex
	agent  *view.Agent
	answer executor.Event_Type // to SUBSCRIBE
}

func (f *fakeAgent) Init(c *actors.Context) {
	actors.Handle(c, func(c *actors.Context, call *executor.Call) {
		if call.GetType() == executor.Call_SUBSCRIBE {
			c.Link(c.Sender())
			f.mu.Lock()
			answer := f.answer
			f.mu.Unlock()
			c.Reply(event(answer))
			f.peers <- c.Sender()
		}
		f.calls <- call
	})
	c.HandleExited(func(_ *actors.Context, e actors.Exited) { f.exited <- e.PID })
}

func (f *fakeAgent) Agent() *view.Agent {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.agent
}

func (f *fakeAgent) Executor(framework view.FrameworkID, id view.ExecutorID) *view.Executor {
	if framework != "F" || id != "X" {
		return nil
	}
	return &view.Executor{ID: id, Framework: framework}
}

func (f *fakeAgent) Framework(id view.FrameworkID) *view.Framework {
	if id != "F" {
		return nil
	}
	return &view.Framework{ID: id}
}

func (f *fakeAgent) is(a view.Agent) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.agent = &a
}

func (f *fakeAgent) answers(t executor.Event_Type) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.answer = t
}

func (f *fakeAgent) tell(to actors.PID, e *executor.Event) {
	f.sys.Do(f.pid, func(c *actors.Context) { c.Send(to, e) })
}

func newAgent(t testing.TB) *fakeAgent {
	t.Helper()
	return newAgentThat(t, Options{})
}

func newAgentThat(t testing.TB, o Options) *fakeAgent {
	t.Helper()
	sys := actortest.NewSystem(t, actors.Options{Listen: "127.0.0.1:0"})
	f := &fakeAgent{
		sys: sys, calls: make(chan *executor.Call, 64), peers: make(chan actors.PID, 64), exited: make(chan actors.PID, 64),
		agent: &view.Agent{Info: &mesos.AgentInfo{}}, answer: executor.Event_SUBSCRIBED,
	}
	var err error
	if f.pid, err = sys.Spawn("agent", f); err != nil {
		t.Fatal(err)
	}
	Mount(sys, f.pid, f, o)
	return f
}

func next[T any](t *testing.T, from chan T, what string) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(patience):
		t.Fatalf("no %s came", what)
		panic("unreachable")
	}
}

// request posts; header has pairs of names and values.
func (f *fakeAgent) request(t testing.TB, method, path, body string, header ...string) *http.Response {
	t.Helper()
	r, err := http.NewRequest(method, "http://"+f.sys.Address()+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { answer.Body.Close() }) // read to its end, or cut off on purpose
	return answer
}

func (f *fakeAgent) call(t testing.TB, call string) *http.Response {
	t.Helper()
	return f.request(t, http.MethodPost, "/api/v1/executor", call, "Content-Type", "application/json")
}

const (
	ids       = `"framework_id": {"value": "F"}, "executor_id": {"value": "X"}`
	subscribe = `{"type": "SUBSCRIBE", ` + ids + `, "subscribe": {}}`
	uuid      = "MDEyMzQ1Njc4OWFiY2RlZg=="
)

func update(changes string) string {
	return `{"type": "UPDATE", ` + ids + `, "update": {"status": {"task_id": {"value": "T"}, "state": "TASK_RUNNING",` +
		`"source": "SOURCE_EXECUTOR", "uuid": "` + uuid + `"` + changes + `}}}`
}

// events reads a stream's types; the channel is closed with the stream.
func events(t *testing.T, answer *http.Response) chan executor.Event_Type {
	t.Helper()
	if answer.StatusCode != http.StatusOK {
		body, err := io.ReadAll(answer.Body)
		t.Fatalf("%s: %s (%v)", answer.Status, body, err)
	}
	types := make(chan executor.Event_Type, 64)
	go func() {
		defer close(types)
		for in := recordio.NewReader(bufio.NewReader(answer.Body), 1<<20); ; {
			record, err := in.Next()
			if err != nil {
				return
			}
			e := new(executor.Event)
			if answer.Header.Get("Content-Type") == "application/json" {
				err = json.Unmarshal(record, e)
			} else {
				err = proto.Unmarshal(record, e)
			}
			if err != nil {
				t.Error(err)
				return
			}
			types <- e.GetType()
		}
	}()
	return types
}

func TestRefusals(t *testing.T) {
	f := newAgent(t)
	jsonType := []string{"Content-Type", "application/json"}
	for _, c := range []struct {
		name, method, body string
		header             []string
		status             int
		says               string
	}{
		{"method", "GET", "", nil, 405, "expecting POST"},
		{"no media type", "POST", subscribe, nil, 400, "Content-Type"},
		{"other media type", "POST", subscribe, []string{"Content-Type", "text/plain"}, 415, "text/plain"},
		{"no JSON", "POST", "{", jsonType, 400, "executor.Call"},
		{"no protobuf", "POST", "{", []string{"Content-Type", "application/x-protobuf"}, 400, "executor.Call"},
		{"no type", "POST", "{" + ids + "}", jsonType, 400, "type: must be set"},
		{"no ids", "POST", `{"type": "HEARTBEAT"}`, jsonType, 400, "executor_id"},
		{"no part", "POST", `{"type": "SUBSCRIBE", ` + ids + `}`, jsonType, 400, "subscribe: must be set"},
		{"no message", "POST", `{"type": "MESSAGE", ` + ids + `}`, jsonType, 400, "message: must be set"},
		{"short uuid", "POST", strings.Replace(update(""), uuid, "MDEy", 1), jsonType, 400, "update.status.uuid"},
		{"other executor", "POST", update(`, "executor_id": {"value": "Y"}`), jsonType, 400, "update.status.executor_id"},
		{"other source", "POST", update(`, "source": "SOURCE_MASTER"`), jsonType, 400, "update.status.source"},
		{"staging", "POST", update(`, "state": "TASK_STAGING"`), jsonType, 400, "update.status.state"},
		{"accept", "POST", subscribe, append([]string{"Accept", "text/html"}, jsonType...), 406, "text/html"},
		{"accept before executor", "POST", strings.Replace(subscribe, `"X"`, `"Y"`, 1), append([]string{"Accept", "text/html"}, jsonType...), 406, "text/html"},
		{"unknown executor", "POST", strings.Replace(subscribe, `"X"`, `"Y"`, 1), jsonType, 400, "Executor cannot be found"},
		{"unknown framework", "POST", strings.Replace(subscribe, `"F"`, `"G"`, 1), jsonType, 400, "framework_id: G: Framework cannot be found"},
		{"unknown caller", "POST", `{"type": "MESSAGE", "framework_id": {"value": "G"}, "executor_id": {"value": "X"}, "message": {"data": ""}}`, jsonType, 400, "framework_id: G: Framework cannot be found"},
		{"not subscribed", "POST", update(""), jsonType, 403, "Executor is not subscribed"},
		{"unknown call", "POST", `{"type": "UNKNOWN", ` + ids + `}`, jsonType, 403, "Executor is not subscribed"},
		{"heartbeat of nobody", "POST", `{"type": "HEARTBEAT", "framework_id": {"value": "-"}, "executor_id": {"value": "-"}}`, jsonType, 202, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, path := range []string{"/api/v1/executor", "/slave(1)/api/v1/executor"} {
				answer := f.request(t, c.method, path, c.body, c.header...)
				body, err := io.ReadAll(answer.Body)
				if err != nil || answer.StatusCode != c.status || !strings.Contains(string(body), c.says) {
					t.Errorf("%d %q (%v), want %d and %q", answer.StatusCode, body, err, c.status, c.says)
				}
			}
		})
	}
	if len(f.calls) > 0 {
		t.Errorf("the agent heard %v", <-f.calls)
	}
}

func TestRecovery(t *testing.T) {
	f := newAgent(t)
	status := func(call string) int { return f.call(t, call).StatusCode }
	f.is(view.Agent{}) // it has not begun
	if got := f.request(t, http.MethodGet, "/api/v1/executor", ""); got.StatusCode != 503 {
		t.Errorf("before the agent: %s", got.Status)
	}
	f.is(view.Agent{Info: &mesos.AgentInfo{}, Recovering: true})
	if got := status(`{"type": "HEARTBEAT", ` + ids + `}`); got != 202 {
		t.Errorf("HEARTBEAT: %d", got)
	}
	if got := status(update("")); got != 503 {
		t.Errorf("UPDATE: %d", got)
	}
	stream := events(t, f.call(t, subscribe))
	if got := next(t, stream, "event"); got != executor.Event_SUBSCRIBED {
		t.Errorf("event %v", got)
	}
	if got := status(update("")); got != 202 {
		t.Errorf("UPDATE of one that is subscribed: %d", got)
	}
}

// A stream has a HEARTBEAT at the pace that is asked for, of nothing but its type.
func TestHeartbeats(t *testing.T) {
	f := newAgentThat(t, Options{Heartbeat: 5 * time.Millisecond})
	call := &executor.Call{
		Type: executor.Call_SUBSCRIBE.Enum(), FrameworkId: &mesos.FrameworkID{Value: proto.String("F")},
		ExecutorId: &mesos.ExecutorID{Value: proto.String("X")}, Subscribe: &executor.Call_Subscribe{},
	}
	binary, err := proto.Marshal(call)
	if err != nil {
		t.Fatal(err)
	}
	for form, body := range map[string]string{"application/json": subscribe, "application/x-protobuf": string(binary)} {
		t.Run(form, func(t *testing.T) {
			stream := events(t, f.request(t, http.MethodPost, "/api/v1/executor", body, "Content-Type", form, "Accept", form))
			beats, told := 0, 0
			for beats < 3 || told == 0 { // the pace is that of the stream, and a busy agent may be slower
				switch got := next(t, stream, "event"); got {
				case executor.Event_HEARTBEAT:
					beats++
				case executor.Event_SUBSCRIBED:
					told++
				default:
					t.Fatalf("event %v", got)
				}
			}
			if told != 1 {
				t.Errorf("SUBSCRIBED came %d times", told)
			}
		})
	}
}

// TestSubscription goes through the life of one, in either form.
func TestSubscription(t *testing.T) {
	call := &executor.Call{
		Type: executor.Call_SUBSCRIBE.Enum(), FrameworkId: &mesos.FrameworkID{Value: proto.String("F")},
		ExecutorId: &mesos.ExecutorID{Value: proto.String("X")},
		Subscribe: &executor.Call_Subscribe{UnacknowledgedUpdates: []*executor.Call_Update{{Status: &mesos.TaskStatus{
			TaskId: &mesos.TaskID{Value: proto.String("T")}, State: mesos.TaskState_TASK_RUNNING.Enum(), Uuid: []byte("0123456789abcdef"),
		}}}},
	}
	encoded, err := proto.Marshal(call)
	if err != nil {
		t.Fatal(err)
	}
	for media, body := range map[string][]byte{"application/json": json.Marshal(call), "application/x-protobuf": encoded} {
		t.Run(media, func(t *testing.T) {
			f := newAgent(t)
			answer := f.request(t, http.MethodPost, "/api/v1/executor", string(body), "Content-Type", media, "Accept", media)
			stream := events(t, answer)
			if got := next(t, f.calls, "call"); !proto.Equal(got, call) || answer.Header.Get("Content-Type") != media {
				t.Errorf("the agent heard %v, the answer is %v", got, answer.Header)
			}
			gateway := next(t, f.peers, "subscriber")
			f.tell(gateway, event(executor.Event_KILL))
			f.tell(gateway, event(executor.Event_SHUTDOWN)) // the executor may still speak
			for _, want := range []executor.Event_Type{executor.Event_SUBSCRIBED, executor.Event_KILL, executor.Event_SHUTDOWN} {
				if got := next(t, stream, "event"); got != want {
					t.Errorf("event %v, want %v", got, want)
				}
			}
			for _, c := range []string{update(""), `{"type": "MESSAGE", ` + ids + `, "message": {"data": "YQ=="}}`} {
				if got := f.call(t, c); got.StatusCode != http.StatusAccepted {
					t.Errorf("%s: %s", c, got.Status)
				}
				next(t, f.calls, "call")
			}
			answer.Body.Close() // the stream breaks: so does the link
			if got := next(t, f.exited, "exit"); got != gateway {
				t.Errorf("%v has exited, not %v", got, gateway)
			}
			if got := f.call(t, update("")); got.StatusCode != http.StatusForbidden {
				t.Errorf("UPDATE afterwards: %s", got.Status)
			}
		})
	}
}

// TestSecondSubscription ends the first, and is the one that is heard.
func TestSecondSubscription(t *testing.T) {
	f := newAgent(t)
	first := events(t, f.call(t, subscribe))
	before := next(t, f.peers, "subscriber")
	second := events(t, f.call(t, subscribe))
	after := next(t, f.peers, "subscriber")
	for range 2 {
		next(t, f.calls, "call")
	}
	if got := next(t, first, "event"); got != executor.Event_SUBSCRIBED {
		t.Errorf("event %v", got)
	}
	if e, open := <-first; open {
		t.Errorf("the first stream goes on with %v", e)
	}
	if got := next(t, f.exited, "exit"); got != before {
		t.Errorf("%v has exited, not %v", got, before)
	}
	if got := f.call(t, update("")); got.StatusCode != http.StatusAccepted {
		t.Errorf("UPDATE: %s", got.Status)
	}
	next(t, f.calls, "call")
	f.tell(after, event(executor.Event_KILL))
	for _, want := range []executor.Event_Type{executor.Event_SUBSCRIBED, executor.Event_KILL} {
		if got := next(t, second, "event"); got != want {
			t.Errorf("event %v, want %v", got, want)
		}
	}
}

// TestTerminatingExecutor is told to end, and that is all.
func TestTerminatingExecutor(t *testing.T) {
	f := newAgent(t)
	for _, last := range []executor.Event_Type{executor.Event_SHUTDOWN, executor.Event_ERROR} {
		f.answers(last)
		stream := events(t, f.call(t, subscribe))
		if got := next(t, stream, "event"); got != last {
			t.Errorf("event %v, want %v", got, last)
		}
		if e, open := <-stream; open {
			t.Errorf("the stream goes on with %v", e)
		}
	}
}

// TestStrangers cannot speak to an executor in the agent's name.
func TestStrangers(t *testing.T) {
	f := newAgent(t)
	stream := events(t, f.call(t, subscribe))
	gateway := next(t, f.peers, "subscriber")
	stranger, err := f.sys.Spawn("stranger", silent{})
	if err != nil {
		t.Fatal(err)
	}
	f.sys.Do(stranger, func(c *actors.Context) { c.Send(gateway, event(executor.Event_SHUTDOWN)) })
	f.sys.Do(stranger, func(*actors.Context) { f.tell(gateway, event(executor.Event_KILL)) })
	for _, want := range []executor.Event_Type{executor.Event_SUBSCRIBED, executor.Event_KILL} {
		if got := next(t, stream, "event"); got != want {
			t.Errorf("event %v, want %v", got, want)
		}
	}
}

type silent struct{}

func (silent) Init(*actors.Context) {}

// FuzzCall shows that no body is more than a bad request, or a call.
func FuzzCall(f *testing.F) {
	agent := newAgent(f)
	over := f.Context().Done()
	go func() {
		for {
			select {
			case <-agent.calls:
			case <-agent.peers:
			case <-agent.exited:
			case <-over:
				return
			}
		}
	}()
	s := &server{system: agent.sys, agent: agent.pid, view: agent, heartbeat: heartbeatEvery, gateways: map[key]actors.PID{}}
	for _, body := range []string{update(""), `{"type": "HEARTBEAT", ` + ids + `}`, `{"type": 3, ` + ids + `, "message": {"data": "YQ=="}}`, "{}", "[]", "\x08\x01"} {
		f.Add([]byte(body), true)
		f.Add([]byte(body), false)
	}
	f.Fuzz(func(t *testing.T, body []byte, asJSON bool) {
		media := "application/x-protobuf"
		if asJSON {
			media = "application/json"
		}
		gone, leave := context.WithCancel(t.Context())
		leave() // a subscription ends at once
		r, err := http.NewRequestWithContext(gone, http.MethodPost, "/api/v1/executor", bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", media)
		w := httptest.NewRecorder()
		defer func() {
			if p := recover(); p != nil && p != http.ErrAbortHandler { //nolint:errorlint // as it was panicked with
				t.Errorf("%q: %v", body, p)
			}
		}()
		s.ServeHTTP(w, r)
		switch w.Code {
		case 200, 202, 400, 403, 501:
		default:
			t.Errorf("%d for %q", w.Code, body)
		}
	})
}
