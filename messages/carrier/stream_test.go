package carrier_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/messages/carrier"
	"troupe/messages/json"
	"troupe/messages/mesos/scheduler"
	"troupe/messages/recordio"
)

func event(text string) *scheduler.Event {
	return &scheduler.Event{Type: scheduler.Event_ERROR.Enum(), Error: &scheduler.Event_Error{Message: &text}}
}

var heartbeat = &scheduler.Event{Type: scheduler.Event_HEARTBEAT.Enum()}

// serve serves one stream, and gives the error of Serve.
func serve(t *testing.T, s *carrier.Stream) (*httptest.Server, <-chan error) {
	served := make(chan error, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		err := s.Serve(w, r)
		served <- err
		if err != nil {
			panic(http.ErrAbortHandler)
		}
	}))
	t.Cleanup(server.Close)
	return server, served
}

func open(t *testing.T, url string) (*http.Response, *recordio.Reader) {
	t.Helper()
	a, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Body.Close() })
	return a, recordio.NewReader(a.Body, 64<<20)
}

func wantRecord(t *testing.T, in *recordio.Reader, want proto.Message) {
	t.Helper()
	record, err := in.Next()
	if err != nil || !bytes.Equal(record, json.Marshal(want)) {
		t.Fatalf("record %q, %v; want %v", record, err, want)
	}
}

func TestStreamDeliversInOrderAndEnds(t *testing.T) {
	s := carrier.NewStream(carrier.StreamOptions{})
	server, served := serve(t, s)
	for i := range 3 { // before anybody serves it
		if err := s.Send(event(fmt.Sprint(i))); err != nil {
			t.Fatal(err)
		}
	}
	answer, in := open(t, server.URL)
	if answer.StatusCode != http.StatusOK || answer.Header.Get("Content-Type") != "application/json" {
		t.Fatalf("%s, %v", answer.Status, answer.Header)
	}
	for i := range 3 {
		wantRecord(t, in, event(fmt.Sprint(i)))
	}
	if err := s.Send(event("later")); err != nil {
		t.Fatal(err)
	}
	wantRecord(t, in, event("later"))
	s.End(event("last"))
	s.End(event("once more"))
	wantRecord(t, in, event("last"))
	if _, err := in.Next(); !errors.Is(err, io.EOF) {
		t.Errorf("after the last: %v", err)
	}
	if err := <-served; err != nil {
		t.Errorf("Serve: %v", err)
	}
	if err := s.Send(event("too late")); !errors.Is(err, carrier.ErrEnded) {
		t.Errorf("Send after End: %v", err)
	}
}

func TestStreamWritesProtobuf(t *testing.T) {
	s := carrier.NewStream(carrier.StreamOptions{Form: carrier.Protobuf})
	server, _ := serve(t, s)
	s.End(heartbeat)
	answer, in := open(t, server.URL)
	record, err := in.Next()
	got := new(scheduler.Event)
	if err == nil {
		err = proto.Unmarshal(record, got)
	}
	if err != nil || !proto.Equal(got, heartbeat) || answer.Header.Get("Content-Type") != "application/x-protobuf" {
		t.Errorf("%v, %v, %v", got, err, answer.Header)
	}
}

func TestStreamPutsEachRecordInAChunk(t *testing.T) {
	s := carrier.NewStream(carrier.StreamOptions{})
	server, _ := serve(t, s)
	for range 2 {
		if err := s.Send(heartbeat); err != nil {
			t.Fatal(err)
		}
	}
	s.End(event(strings.Repeat("x", 10_000)))
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	raw, err := io.ReadAll(conn)
	if err != nil {
		t.Fatal(err)
	}
	_, body, _ := strings.Cut(string(raw), "\r\n\r\n")
	chunk := func(m proto.Message) string {
		frame := recordio.Append(nil, json.Marshal(m))
		return fmt.Sprintf("%x\r\n%s\r\n", len(frame), frame)
	}
	want := chunk(heartbeat) + chunk(heartbeat) + chunk(event(strings.Repeat("x", 10_000))) + "0\r\n\r\n"
	if body != want {
		t.Errorf("the body is %.300q, want %.300q", body, want)
	}
}

func TestStreamBeats(t *testing.T) {
	s := carrier.NewStream(carrier.StreamOptions{Heartbeat: heartbeat, Interval: time.Millisecond})
	server, _ := serve(t, s)
	_, in := open(t, server.URL)
	for range 3 {
		wantRecord(t, in, heartbeat)
	}
	s.End(nil)
}

func TestStreamEndsWithItsClient(t *testing.T) {
	s := carrier.NewStream(carrier.StreamOptions{})
	server, served := serve(t, s)
	answer, _ := open(t, server.URL)
	if err := answer.Body.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-served; err == nil {
		t.Error("Serve returned nil")
	}
	<-s.Done()
	if err := s.Send(heartbeat); !errors.Is(err, carrier.ErrEnded) {
		t.Errorf("Send: %v", err)
	}
}

func TestSlowClientIsCutOffWithALastWord(t *testing.T) {
	for name, o := range map[string]carrier.StreamOptions{
		"bytes":   {Bytes: 1200, TooSlow: event("too slow")},
		"records": {Records: 3, TooSlow: event("too slow")},
	} {
		s := carrier.NewStream(o)
		var err error
		sent := 0
		for err == nil && sent < 1000 {
			err = s.Send(event(strings.Repeat("x", 300)))
			sent++
		}
		if !errors.Is(err, carrier.ErrSlow) || sent != 4 {
			t.Fatalf("%s: %d records, then %v", name, sent, err)
		}
		if err := s.Send(heartbeat); !errors.Is(err, carrier.ErrSlow) {
			t.Errorf("%s: Send after that: %v", name, err)
		}
		server, served := serve(t, s)
		_, in := open(t, server.URL)
		wantRecord(t, in, event("too slow"))
		if _, err := in.Next(); err == nil {
			t.Errorf("%s: there is more", name)
		}
		if err := <-served; !errors.Is(err, carrier.ErrSlow) {
			t.Errorf("%s: Serve: %v", name, err)
		}
	}
}

func TestLongRecordPassesAlone(t *testing.T) {
	s := carrier.NewStream(carrier.StreamOptions{Bytes: 1000})
	if err := s.Send(event(strings.Repeat("x", 2000))); err != nil {
		t.Fatal(err)
	}
	if err := s.Send(heartbeat); !errors.Is(err, carrier.ErrSlow) {
		t.Errorf("a record behind it: %v", err)
	}
}

func TestClientThatReadsNothingIsGivenUp(t *testing.T) {
	s := carrier.NewStream(carrier.StreamOptions{Patience: 20 * time.Millisecond})
	server, served := serve(t, s)
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: h\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	long := event(strings.Repeat("x", 60_000)) // of many the kernel does not take all
	for {
		select {
		case err := <-served:
			if err == nil {
				t.Error("Serve returned nil")
			}
			return
		case <-time.After(time.Millisecond):
			if err := s.Send(long); err != nil && !errors.Is(err, carrier.ErrSlow) && !errors.Is(err, carrier.ErrEnded) {
				t.Fatal(err)
			}
		}
	}
}

func TestConnectionOutlivesItsStream(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s := carrier.NewStream(carrier.StreamOptions{Patience: time.Minute})
		s.End(heartbeat)
		if err := s.Serve(w, r); err != nil {
			t.Errorf("Serve: %v", err)
		}
	}))
	defer server.Close()
	for range 3 {
		answer, in := open(t, server.URL)
		wantRecord(t, in, heartbeat)
		if _, err := io.Copy(io.Discard, answer.Body); err != nil {
			t.Error(err)
		}
	}
}

func BenchmarkStream(b *testing.B) {
	s := carrier.NewStream(carrier.StreamOptions{Records: 1 << 30, Bytes: 1 << 40})
	frame, err := carrier.JSON.Frame(event(strings.Repeat("x", 300)))
	if err != nil {
		b.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := s.Serve(w, r); err != nil {
			b.Error(err)
		}
	}))
	defer server.Close()
	answer, err := http.Get(server.URL)
	if err != nil {
		b.Fatal(err)
	}
	in := recordio.NewReader(answer.Body, 1<<20)
	b.ReportAllocs()
	b.ResetTimer()
	go func() {
		for range b.N {
			if err := s.SendFrame(frame); err != nil {
				b.Error(err)
			}
		}
	}()
	for range b.N {
		if _, err := in.Next(); err != nil {
			b.Fatal(err)
		}
	}
	b.StopTimer()
	s.End(nil)
}
