package mesosclient

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos"
	"troupe/messages/mesos/executor"
	"troupe/messages/mesos/scheduler"
)

// serve is a server of the test's own; the answer is its address.
func serve(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://")
}

// stream answers with a stream of events and ends it.
func stream(t *testing.T, w http.ResponseWriter, enc Encoding, events ...proto.Message) {
	w.Header().Set("Content-Type", enc.MediaType())
	w.Header().Set(StreamID, "stream-1")
	for _, e := range events {
		data, err := enc.Marshal(e)
		if err != nil {
			t.Error(err)
		}
		if _, err := w.Write(Record(data)); err != nil {
			t.Error(err)
		}
	}
}

func subscribed() *scheduler.Event {
	return &scheduler.Event{Type: scheduler.Event_SUBSCRIBED.Enum(), Subscribed: &scheduler.Event_Subscribed{
		FrameworkId: &mesos.FrameworkID{Value: proto.String("F")},
	}}
}

func subscribe() *scheduler.Call_Subscribe {
	return &scheduler.Call_Subscribe{FrameworkInfo: &mesos.FrameworkInfo{User: proto.String("root"), Name: proto.String("n")}}
}

func TestScheduler(t *testing.T) {
	for _, enc := range Encodings() {
		t.Run(enc.MediaType(), func(t *testing.T) { schedule(t, enc) })
	}
}

func schedule(t *testing.T, enc Encoding) {
	got := make(chan string, 2)
	address := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		var call scheduler.Call
		if err == nil {
			err = enc.Unmarshal(body, &call)
		}
		if err != nil {
			t.Error(err)
		}
		got <- fmt.Sprint(r.Method, r.URL.Path, r.Header.Get("Content-Type") == enc.MediaType(), call.GetType(), call.GetFrameworkId().GetValue(), r.Header.Get(StreamID))
		if call.GetType() == scheduler.Call_SUBSCRIBE {
			stream(t, w, enc, subscribed(), &scheduler.Event{Type: scheduler.Event_HEARTBEAT.Enum()})
			return
		}
		w.WriteHeader(http.StatusAccepted)
	})
	s, err := Subscribe(t.Context(), address, enc, subscribe())
	if err != nil {
		t.Fatal(err)
	}
	if e, err := s.Event(); err != nil || e.GetType() != scheduler.Event_HEARTBEAT {
		t.Errorf("%v, %v", e, err)
	}
	if _, err := s.Event(); !errors.Is(err, io.EOF) {
		t.Errorf("at the end: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if a, err := s.Say(t.Context(), &scheduler.Call{Type: scheduler.Call_REVIVE.Enum()}); err != nil || a.Status != http.StatusAccepted {
		t.Errorf("%v, %v", a, err)
	}
	for _, want := range []string{"POST/api/v1/schedulertrue SUBSCRIBE", "POST/api/v1/schedulertrue REVIVEFstream-1"} {
		if call := <-got; call != want {
			t.Errorf("the server got %q, want %q", call, want)
		}
	}
}

func TestSubscriptionsThatFail(t *testing.T) {
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		want   string
	}{
		"refused": {func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusForbidden) }, `refused: 403 "no\n"`},
		"another type": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/plain")
		}, `a stream of "text/plain", not "application/json"`},
		"no id": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
		}, `the answer's Mesos-Stream-Id is ""`},
		"nothing": {func(w http.ResponseWriter, _ *http.Request) { stream(t, w, JSON{}) }, "the first event: EOF"},
		"another event": {func(w http.ResponseWriter, _ *http.Request) {
			stream(t, w, JSON{}, &scheduler.Event{Type: scheduler.Event_HEARTBEAT.Enum()})
		}, "the first event is HEARTBEAT"},
		"ERROR": {func(w http.ResponseWriter, _ *http.Request) {
			stream(t, w, JSON{}, &scheduler.Event{Type: scheduler.Event_ERROR.Enum(), Error: &scheduler.Event_Error{Message: proto.String("never")}})
		}, "ERROR: never"},
	} {
		_, err := Subscribe(t.Context(), serve(t, c.answer), JSON{}, subscribe())
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// A subscriber asks one master after another, goes where it is sent, and ends
// when it is told that there is no use.
func TestFollow(t *testing.T) {
	var refusals atomic.Int32
	leader := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		if refusals.Add(1) < 4 {
			http.Error(w, "No leader elected", http.StatusServiceUnavailable)
			return
		}
		stream(t, w, Protobuf{}, subscribed())
	})
	standby := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", "//"+leader+r.URL.Path)
		w.WriteHeader(http.StatusTemporaryRedirect)
	})
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	f := Follow{Masters: []string{strings.TrimPrefix(gone.URL, "http://"), standby}, Encoding: Protobuf{}, First: time.Millisecond, Longest: 4 * time.Millisecond}
	s, err := f.Subscribe(t.Context(), subscribe())
	if err != nil {
		t.Fatal(err)
	}
	if s.Address != leader || refusals.Load() != 4 {
		t.Errorf("subscribed at %s after %d answers, and %s leads", s.Address, refusals.Load(), leader)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	loop := ""
	loop = serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "//"+loop)
		w.WriteHeader(http.StatusTemporaryRedirect)
	})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := (&Follow{Masters: []string{loop}, Encoding: JSON{}, First: 1, Longest: 1}).Subscribe(ctx, subscribe()); err == nil {
		t.Error("a circle of redirections led somewhere")
	}
	never := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		stream(t, w, JSON{}, &scheduler.Event{Type: scheduler.Event_ERROR.Enum(), Error: &scheduler.Event_Error{Message: proto.String("never")}})
	})
	if _, err := (&Follow{Masters: []string{never}, Encoding: JSON{}, First: 1, Longest: 1}).Subscribe(t.Context(), subscribe()); err == nil || err.Error() != "ERROR: never" {
		t.Errorf("told never to come again: %v", err)
	}
}

func TestExecutor(t *testing.T) {
	var subscriptions atomic.Int32
	address := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		var call executor.Call
		if err == nil {
			err = JSON{}.Unmarshal(body, &call)
		}
		if err != nil || call.GetExecutorId().GetValue() != "e" || call.GetFrameworkId().GetValue() != "F" || r.URL.Path != ExecutorPath {
			t.Errorf("%v, %s: %s", err, r.URL.Path, body)
		}
		if call.GetType() == executor.Call_SUBSCRIBE {
			subscriptions.Add(1)
			stream(t, w, JSON{}, &executor.Event{Type: executor.Event_SHUTDOWN.Enum()})
			return
		}
		w.WriteHeader(http.StatusAccepted)
	})
	environment := map[string]string{"MESOS_AGENT_ENDPOINT": address, "MESOS_FRAMEWORK_ID": "F"}
	getenv := func(name string) string { return environment[name] }
	if _, err := ExecutorFrom(getenv, JSON{}); err == nil {
		t.Error("an executor without id")
	}
	environment["MESOS_EXECUTOR_ID"] = "e"
	e, err := ExecutorFrom(getenv, JSON{})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := e.Subscribe(t.Context(), &executor.Call_Subscribe{}); err != nil {
			t.Fatal(err)
		}
		if event, err := e.Event(); err != nil || event.GetType() != executor.Event_SHUTDOWN {
			t.Errorf("%v, %v", event, err)
		}
	}
	if _, err := e.Say(t.Context(), &executor.Call{Type: executor.Call_HEARTBEAT.Enum()}); err != nil {
		t.Error(err)
	}
	if err := e.Close(); err != nil || subscriptions.Load() != 2 {
		t.Errorf("%v after %d subscriptions", err, subscriptions.Load())
	}
}

// What is written to a Raw arrives as it is.
func TestRaw(t *testing.T) {
	address := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s %q %s %v", r.Method, r.URL.Path, body, r.Header.Get("X-A"), err)
	})
	raw, err := Dial(t.Context(), address, 4096)
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	if err := raw.Say(Head("PUT", "/p", "X-A: b", "Transfer-Encoding: chunked") + Chunk("one") + Chunk("two") + Chunk("")); err != nil {
		t.Fatal(err)
	}
	a, err := raw.Answer()
	if err != nil || a.Status != 200 || string(a.Body) != `PUT /p "onetwo" b <nil>` {
		t.Errorf("%v, %v", a, err)
	}
}

// A call of several records is answered at its end, or before.
func TestFeed(t *testing.T) {
	address := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/early" {
			http.Error(w, "no", http.StatusConflict)
			return
		}
		records := NewRecords(r.Body)
		n := 0
		for _, err := records.Next(); err == nil; _, err = records.Next() {
			n++
		}
		fmt.Fprint(w, n, r.Header.Get("Content-Type"), r.Header.Get("Message-Content-Type"))
	})
	f := (&Endpoint{Address: address, Path: "/", Encoding: JSON{}}).Feed(t.Context())
	for range 3 {
		if err := f.Send(subscribed()); err != nil {
			t.Fatal(err)
		}
	}
	if a, err := f.End(); err != nil || string(a.Body) != "3application/recordioapplication/json" {
		t.Errorf("%v, %v", a, err)
	}
	f = (&Endpoint{Address: address, Path: "/early", Encoding: Protobuf{}}).Feed(t.Context())
	if a, err := f.Answer(); err != nil || a.Status != http.StatusConflict {
		t.Errorf("%v, %v", a, err)
	}
	if err := f.Send(subscribed()); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("after the answer: %v", err)
	}
}
