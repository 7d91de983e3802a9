package overhttp

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/messages/json"
	"troupe/messages/mesos"
	"troupe/messages/mesos/scheduler"
	"troupe/messages/recordio"
)

// patience bounds every wait; it decides nothing.
const patience = time.Minute

// heard is an Ear that keeps lines.
type heard struct {
	t     *testing.T
	lines chan string
}

func newEar(t *testing.T) *heard { return &heard{t, make(chan string, 1<<16)} }

func (h *heard) Event(e *scheduler.Event, done func()) {
	h.lines <- "event " + e.GetType().String()
	done()
}

func (h *heard) Refused(c *scheduler.Call, status int, said string) {
	h.lines <- fmt.Sprintf("refused %s %d %s", c.GetType(), status, said)
}
func (h *heard) NotLeading(hint string) { h.lines <- "not leading " + hint }
func (h *heard) Removed()               { h.lines <- "removed" }
func (h *heard) Lost(reason string)     { h.lines <- "lost " + reason }

// want takes the next lines; one may stand for the beginning of a longer one.
func (h *heard) want(lines ...string) {
	h.t.Helper()
	for _, want := range lines {
		late := time.NewTimer(patience)
		select {
		case got := <-h.lines:
			if !strings.HasPrefix(got, want) {
				h.t.Fatalf("heard %q, want %q", got, want)
			}
		case <-late.C:
			h.t.Fatalf("heard nothing, want %q", want)
		}
		late.Stop()
	}
}

// master answers by a handler that gets the call, one at a time, as those of Mesos
// do; it closes after the test.
func master(t *testing.T, answer func(w http.ResponseWriter, r *http.Request, c *scheduler.Call)) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		if r.Header.Get("Content-Type") == "application/recordio" {
			http.Error(w, "expecting one call", http.StatusUnsupportedMediaType)
			return
		}
		c := new(scheduler.Call)
		if r.Header.Get("Content-Type") == "application/json" {
			err = json.Unmarshal(body, c)
		} else {
			err = proto.Unmarshal(body, c)
		}
		if err != nil || r.Method != http.MethodPost || r.URL.Path != "/api/v1/scheduler" {
			t.Errorf("%s %s: %v", r.Method, r.URL, err)
		}
		answer(w, r, c)
	}))
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://")
}

// stream answers SUBSCRIBE by events, and stays open until the client is gone.
func stream(t *testing.T, w http.ResponseWriter, r *http.Request, id string, types ...scheduler.Event_Type) {
	t.Helper()
	w.Header().Set("Content-Type", r.Header.Get("Accept"))
	w.Header().Set("Mesos-Stream-Id", id)
	for _, ty := range types {
		e := &scheduler.Event{Type: ty.Enum()}
		record, err := proto.Marshal(e)
		if err != nil {
			t.Error(err)
		}
		if r.Header.Get("Accept") == "application/json" {
			record = json.Marshal(e)
		}
		if _, err := w.Write(recordio.Append(nil, record)); err != nil {
			t.Error(err)
		}
	}
	if err := http.NewResponseController(w).Flush(); err != nil {
		t.Error(err)
	}
}

func call(ty scheduler.Call_Type) *scheduler.Call { return &scheduler.Call{Type: ty.Enum()} }

func acknowledge(task string, n int) *scheduler.Call {
	return &scheduler.Call{Type: scheduler.Call_ACKNOWLEDGE.Enum(), Acknowledge: &scheduler.Call_Acknowledge{
		AgentId: &mesos.AgentID{Value: proto.String("a")}, TaskId: &mesos.TaskID{Value: &task}, Uuid: []byte{byte(n)},
	}}
}

// connect connects, and closes after the test, when nothing may be left running.
func connect(t *testing.T, o Options, address string) (*Connection, *heard) {
	t.Helper()
	c, ear := New(o), newEar(t)
	n := c.Connect(address, ear)
	t.Cleanup(func() {
		n.Close()
		n.Wait()
		c.Close()
	})
	return n, ear
}

// subscribed connects and waits for the first event.
func subscribed(t *testing.T, o Options, address string) (*Connection, *heard) {
	t.Helper()
	n, ear := connect(t, o, address)
	n.Send(call(scheduler.Call_SUBSCRIBE))
	ear.want("event SUBSCRIBED")
	return n, ear
}

func TestCallsAreOfTheirSubscription(t *testing.T) {
	for _, o := range []Options{{}, {JSON: true}, {Principal: "ops", Secret: "x:y"}, {Token: "abc"}} {
		var mu sync.Mutex
		got := map[string][]string{}
		address := master(t, func(w http.ResponseWriter, r *http.Request, c *scheduler.Call) {
			want := map[string]string{
				"Authorization": "", "Content-Type": "application/x-protobuf", "Accept": "application/x-protobuf", "Mesos-Stream-Id": "s-1",
			}
			switch {
			case o.JSON:
				want["Content-Type"], want["Accept"] = "application/json", "application/json"
			case o.Token != "":
				want["Authorization"] = "Bearer abc"
			case o.Secret != "":
				want["Authorization"] = "Basic b3BzOng6eQ=="
			}
			if c.GetType() == scheduler.Call_SUBSCRIBE {
				want["Mesos-Stream-Id"] = ""
			}
			for name, value := range want {
				if r.Header.Get(name) != value {
					t.Errorf("%s: %s: %q, want %q", c.GetType(), name, r.Header.Get(name), value)
				}
			}
			if c.GetType() == scheduler.Call_SUBSCRIBE {
				stream(t, w, r, "s-1", scheduler.Event_SUBSCRIBED, scheduler.Event_HEARTBEAT)
				<-r.Context().Done()
				return
			}
			mu.Lock()
			defer mu.Unlock()
			task := c.GetAcknowledge().GetTaskId().GetValue()
			got[task] = append(got[task], fmt.Sprintf("%s%d", c.GetType(), c.GetAcknowledge().GetUuid()))
			w.WriteHeader(http.StatusAccepted)
		})
		n, ear := subscribed(t, o, address)
		ear.want("event HEARTBEAT")
		want := map[string][]string{}
		for i := range 50 {
			n.Send(call(scheduler.Call_SUPPRESS))
			n.Send(call(scheduler.Call_REVIVE))
			want[""] = append(want[""], "SUPPRESS[]", "REVIVE[]")
			for _, task := range []string{"a", "b", "c"} {
				n.Send(acknowledge(task, i))
				want[task] = append(want[task], fmt.Sprintf("ACKNOWLEDGE[%d]", i))
			}
		}
		n.Close() // what was sent before arrives all the same
		n.Wait()
		mu.Lock()
		for task, calls := range want {
			if !slices.Equal(got[task], calls) {
				t.Errorf("%q with %+v: %d calls out of order: %v", task, o, len(got[task]), got[task])
			}
		}
		mu.Unlock()
		n.Send(call(scheduler.Call_REVIVE))
		select {
		case line := <-ear.lines:
			t.Errorf("heard %q of what is closed", line)
		default:
		}
	}
}

func TestAnswers(t *testing.T) {
	for _, x := range []struct {
		name   string
		answer func(w http.ResponseWriter)
		want   []string
	}{
		{"redirect", func(w http.ResponseWriter) {
			w.Header().Set("Location", "//10.0.0.2:5050/api/v1/scheduler")
			w.WriteHeader(http.StatusTemporaryRedirect)
		}, []string{"not leading 10.0.0.2:5050"}},
		{"redirect to nowhere", func(w http.ResponseWriter) { w.WriteHeader(http.StatusTemporaryRedirect) }, []string{"not leading "}},
		{
			"nobody leads", func(w http.ResponseWriter) { http.Error(w, "No leader elected", http.StatusServiceUnavailable) },
			[]string{"not leading ", "refused TEARDOWN 503 No leader elected"},
		},
		{"refused", func(w http.ResponseWriter) { http.Error(w, "no\n", http.StatusForbidden) }, []string{"refused TEARDOWN 403 no"}},
		{"refused without a word", func(w http.ResponseWriter) { w.WriteHeader(http.StatusUnauthorized) }, []string{"refused TEARDOWN 401 Unauthorized"}},
		{"accepted", func(w http.ResponseWriter) { w.WriteHeader(http.StatusAccepted) }, []string{"removed"}},
		{"cut off", func(http.ResponseWriter) { panic(http.ErrAbortHandler) }, []string{"lost EOF"}},
	} {
		t.Run(x.name, func(t *testing.T) {
			address := master(t, func(w http.ResponseWriter, r *http.Request, c *scheduler.Call) {
				if c.GetType() == scheduler.Call_SUBSCRIBE {
					stream(t, w, r, "s", scheduler.Event_SUBSCRIBED)
					<-r.Context().Done()
					return
				}
				x.answer(w)
			})
			n, ear := subscribed(t, Options{}, address)
			n.Send(call(scheduler.Call_TEARDOWN))
			ear.want(x.want...)
		})
	}
}

func TestSubscriptionsThatFail(t *testing.T) {
	events := func(w http.ResponseWriter, media, text string) {
		w.Header().Set("Content-Type", media)
		if _, err := io.WriteString(w, text); err != nil {
			t.Error(err)
		}
	}
	const protobuf = "application/x-protobuf"
	for want, answer := range map[string]func(w http.ResponseWriter){
		"refused SUBSCRIBE 401 who are you": func(w http.ResponseWriter) { http.Error(w, "who are you", http.StatusUnauthorized) },
		"not leading 127.0.0.1:7": func(w http.ResponseWriter) {
			w.Header().Set("Location", "http://127.0.0.1:7/x")
			w.WriteHeader(http.StatusTemporaryRedirect)
		},
		`lost answer to SUBSCRIBE: Content-Type: "text/html": is not a`: func(w http.ResponseWriter) { events(w, "text/html", "<p>") },
		"lost recordio: the length of a record":                         func(w http.ResponseWriter) { events(w, protobuf, "x\n") },
		"lost recordio: the stream ends within a record":                func(w http.ResponseWriter) { events(w, protobuf, "9\nabc") },
		"lost recordio: a record is over the limit":                     func(w http.ResponseWriter) { events(w, protobuf, "999999999999\n") },
		"lost event: ": func(w http.ResponseWriter) { events(w, protobuf, "1\n\xff") },
		"lost the master has ended the subscription": func(w http.ResponseWriter) { events(w, protobuf, "") },
	} {
		n, ear := connect(t, Options{}, master(t, func(w http.ResponseWriter, _ *http.Request, _ *scheduler.Call) { answer(w) }))
		n.Send(call(scheduler.Call_SUBSCRIBE))
		ear.want(want)
	}
	n, ear := connect(t, Options{}, "127.0.0.1:1")
	n.Send(call(scheduler.Call_SUBSCRIBE))
	ear.want("lost dial tcp 127.0.0.1:1")
	n.Send(call(scheduler.Call_SUBSCRIBE)) // to nobody
}

// The next subscription takes the place of the one before, of which nothing is
// heard any more, not even its end.
func TestSubscribingAgain(t *testing.T) {
	count := make(chan int, 1)
	count <- 0
	ended := make(chan struct{}, 2)
	address := master(t, func(w http.ResponseWriter, r *http.Request, _ *scheduler.Call) {
		i := <-count + 1
		count <- i
		stream(t, w, r, fmt.Sprint(i), scheduler.Event_SUBSCRIBED)
		<-r.Context().Done()
		ended <- struct{}{}
	})
	n, ear := subscribed(t, Options{}, address)
	n.Send(call(scheduler.Call_SUBSCRIBE))
	ear.want("event SUBSCRIBED")
	<-ended
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.stream != "2" || n.over {
		t.Errorf("stream %q, over %t", n.stream, n.over)
	}
}

// Who does not take events makes the master wait, and no memory grows.
func TestEventsThatNobodyTakes(t *testing.T) {
	address := master(t, func(w http.ResponseWriter, r *http.Request, _ *scheduler.Call) {
		types := slices.Repeat([]scheduler.Event_Type{scheduler.Event_HEARTBEAT}, maxEvents+10)
		stream(t, w, r, "s", types...)
		<-r.Context().Done()
	})
	c, ear := New(Options{}), &lazy{heard: newEar(t)}
	n := c.Connect(address, ear)
	n.Send(call(scheduler.Call_SUBSCRIBE))
	for range maxEvents {
		ear.want("event")
	}
	if len(ear.done) != maxEvents || len(n.events) != maxEvents {
		t.Errorf("%d events, %d counted", len(ear.done), len(n.events))
	}
	ear.mu.Lock()
	ear.done[0]()
	ear.mu.Unlock()
	ear.want("event")
	n.Close()
	n.Wait()
}

type lazy struct {
	*heard
	mu   sync.Mutex
	done []func()
}

func (l *lazy) Event(_ *scheduler.Event, done func()) {
	l.mu.Lock()
	l.done = append(l.done, done)
	l.mu.Unlock()
	l.lines <- "event"
}
