package events

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// listener reads an event stream as clients do.
type listener struct {
	t     *testing.T
	lines *bufio.Scanner
	close func()
}

func listen(t *testing.T, b *Bus, want Selection) *listener {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := b.Serve(w, r, want); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
		}
	}))
	t.Cleanup(srv.Close)
	res, err := http.Get(srv.URL) //nolint:noctx // it lasts as long as the test
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { res.Body.Close() })
	if got := res.Header.Get("Content-Type"); res.StatusCode != 200 || got != "text/event-stream" {
		t.Fatalf("status %d, Content-Type %q", res.StatusCode, got)
	}
	return &listener{t: t, lines: bufio.NewScanner(res.Body), close: func() { res.Body.Close() }}
}

// next is the next event: its type and its data.
func (l *listener) next() (kind string, data map[string]any) {
	l.t.Helper()
	for l.lines.Scan() {
		switch name, value, _ := strings.Cut(l.lines.Text(), ": "); name {
		case "event":
			kind = value
		case "data":
			if err := json.Unmarshal([]byte(value), &data); err != nil {
				l.t.Fatalf("data %q: %v", value, err)
			}
		case "":
			if kind != "" {
				return kind, data
			}
		default:
			l.t.Fatalf("line %q", l.lines.Text())
		}
	}
	return "", nil
}

func (l *listener) expect(kind string) map[string]any {
	l.t.Helper()
	got, data := l.next()
	if got != kind || data["eventType"] != kind && data["eventType"] != nil {
		l.t.Fatalf("got event %q %v, want %s", got, data, kind)
	}
	return data
}

func event(kind string, light bool) Event {
	return Event{Type: kind, Body: func(asked bool) any {
		return map[string]any{"eventType": kind, "light": asked && light}
	}}
}

func TestStreamHasEventsInOrder(t *testing.T) {
	b := New(Options{})
	l := listen(t, b, Selection{})
	first := l.expect("event_stream_attached")
	if first["remoteAddress"] == "" || !strings.HasSuffix(fmt.Sprint(first["timestamp"]), "Z") {
		t.Errorf("attached: %v", first)
	}
	for i := range 3 {
		b.Publish(event(fmt.Sprint("event", i), true))
	}
	for i := range 3 {
		if data := l.expect(fmt.Sprint("event", i)); data["light"] != false {
			t.Errorf("event %d: %v", i, data)
		}
	}
}

func TestStreamIsFiltered(t *testing.T) {
	b := New(Options{})
	l := listen(t, b, Selection{Types: []string{"wanted", "also"}, Light: true})
	b.Publish(event("other", true))
	b.Publish(event("wanted", true))
	b.Publish(event("other", true))
	b.Publish(event("also", true))
	if data := l.expect("wanted"); data["light"] != true {
		t.Errorf("not the light form: %v", data)
	}
	l.expect("also")
}

func TestStreamEndsWithTheBus(t *testing.T) {
	b := New(Options{})
	l := listen(t, b, Selection{})
	l.expect("event_stream_attached")
	b.Publish(event("last", false))
	b.Close()
	l.expect("last")
	if data := l.expect("event_stream_detached"); data["reason"] != errClosed.Error() {
		t.Errorf("the end: %v", data)
	}
	if kind, _ := l.next(); kind != "" || l.lines.Err() != nil {
		t.Errorf("after the end: %q, %v", kind, l.lines.Err())
	}
	if err := b.Serve(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", http.NoBody), Selection{}); !errors.Is(err, errClosed) {
		t.Errorf("a stream of a closed bus: %v", err)
	}
}

func TestStreamsAreBounded(t *testing.T) {
	b := New(Options{Streams: 1})
	l := listen(t, b, Selection{})
	err := b.Serve(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", http.NoBody), Selection{})
	if err == nil || !strings.Contains(err.Error(), "1 event streams") {
		t.Errorf("one too many: %v", err)
	}
	l.close()
}

func TestSilentStreamHasHeartbeats(t *testing.T) {
	b := New(Options{Heartbeat: time.Millisecond})
	l := listen(t, b, Selection{})
	l.expect("event_stream_attached")
	if !l.lines.Scan() || l.lines.Text() != "" {
		t.Errorf("got %q, want an empty line", l.lines.Text())
	}
	b.Publish(event("after", false))
	l.expect("after")
}

// stuck is a client that takes nothing until it is let go.
type stuck struct {
	*httptest.ResponseRecorder
	begun chan struct{}
	let   chan struct{}
	once  sync.Once
}

func (s *stuck) Write(p []byte) (int, error) {
	s.once.Do(func() { close(s.begun) })
	<-s.let
	return s.ResponseRecorder.Write(p)
}

func TestSlowStreamIsCutOff(t *testing.T) {
	b := New(Options{Waiting: 3})
	w := &stuck{ResponseRecorder: httptest.NewRecorder(), begun: make(chan struct{}), let: make(chan struct{})}
	ended := make(chan error)
	go func() {
		ended <- b.Serve(w, httptest.NewRequest(http.MethodGet, "/", http.NoBody), Selection{})
	}()
	<-w.begun
	for range 10 {
		b.Publish(event("flood", false))
	}
	close(w.let)
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	text := w.Body.String()
	if n := strings.Count(text, "event: flood"); n != 0 {
		t.Errorf("%d of what waited were sent", n)
	}
	if !strings.Contains(text, "event: event_stream_detached\r\n") || !strings.Contains(text, errSlow.Error()) {
		t.Errorf("no clear end:\n%s", text)
	}
	if n := b.Streams(); n != 0 {
		t.Errorf("%d streams are left", n)
	}
}

// A client that breaks off is forgotten.
func TestGoneStreamIsForgotten(t *testing.T) {
	b := New(Options{})
	ctx, leave := context.WithCancel(t.Context())
	pr, pw := io.Pipe()
	ended := make(chan error)
	go func() {
		r := httptest.NewRequest(http.MethodGet, "/", http.NoBody).WithContext(ctx)
		ended <- b.Serve(written{httptest.NewRecorder(), pw}, r, Selection{})
	}()
	if _, err := bufio.NewReader(pr).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	go io.Copy(io.Discard, pr) //nolint:errcheck // until the pipe is closed
	leave()
	if err := <-ended; err != nil || b.Streams() != 0 {
		t.Errorf("%v, %d streams are left", err, b.Streams())
	}
	pr.Close()
}

// written is a response whose body goes elsewhere.
type written struct {
	http.ResponseWriter
	to io.Writer
}

func (w written) Write(p []byte) (int, error) { return w.to.Write(p) }

// Flush implements http.Flusher.
func (w written) Flush() {}
