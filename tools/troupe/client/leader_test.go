package client

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/master/api"
	"troupe/messages/carrier/files"
	"troupe/messages/mesos"
	mesosmaster "troupe/messages/mesos/master"
)

// candidate is a master that may lead or not.
type candidate struct {
	http.ServeMux
	at     string
	leads  atomic.Bool
	asked  atomic.Int32
	called atomic.Int32
}

// Route implements the router of package api.
func (c *candidate) Route(pattern, _ string, h http.Handler) { c.Handle(pattern, h) }

func newCandidate(t *testing.T, leads bool) *candidate {
	t.Helper()
	c := new(candidate)
	c.leads.Store(leads)
	server := httptest.NewServer(&c.ServeMux)
	t.Cleanup(server.Close)
	c.at = strings.TrimPrefix(server.URL, "http://")
	api.MountLeader(c, func() (*mesos.MasterInfo, bool) {
		if !c.leads.Load() {
			return nil, false
		}
		return &mesos.MasterInfo{Id: proto.String(c.at), Ip: proto.Uint32(0), Port: proto.Uint32(1), Pid: proto.String("master@" + c.at)}, true
	})
	c.HandleFunc("/state", func(w http.ResponseWriter, _ *http.Request) {
		c.asked.Add(1)
		if !c.leads.Load() {
			http.Error(w, "no master leads at present", http.StatusServiceUnavailable)
			return
		}
		_, _ = io.WriteString(w, `{"id":"`+c.at+`"}`) // the client reports what is missing
	})
	c.HandleFunc("/api/v1", func(w http.ResponseWriter, _ *http.Request) { c.called.Add(1) })
	return c
}

func newClient(t *testing.T, where string) *Client {
	t.Helper()
	c, err := New(where, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// A client keeps to the leader, and turns to the next when that one gives way.
func TestClientFollowsTheLeader(t *testing.T) {
	a, b := newCandidate(t, true), newCandidate(t, false)
	c := newClient(t, a.at+","+b.at)
	for _, leader := range []*candidate{a, b} {
		if leader == b {
			b.leads.Store(true)
			a.leads.Store(false)
		}
		for range 3 {
			state, err := c.State(t.Context())
			if err != nil || state.ID != leader.at {
				t.Fatalf("state of %s, %v", state.ID, err)
			}
		}
		if at, err := c.Leader(t.Context()); err != nil || at != leader.at {
			t.Errorf("leader %s, %v", at, err)
		}
	}
	if a.asked.Load() != 4 || b.asked.Load() != 3 {
		t.Errorf("asked %d and %d times", a.asked.Load(), b.asked.Load())
	}
	call := &mesosmaster.Call{
		Type: mesosmaster.Call_MARK_AGENT_GONE.Enum(), MarkAgentGone: &mesosmaster.Call_MarkAgentGone{AgentId: &mesos.AgentID{Value: proto.String("S0")}},
	}
	if err := c.Call(t.Context(), call); err != nil || b.called.Load() != 1 || a.called.Load() != 0 {
		t.Errorf("called %d and %d times, %v", a.called.Load(), b.called.Load(), err)
	}
}

func TestNobodyLeads(t *testing.T) {
	a := newCandidate(t, false)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err := newClient(t, a.at+",127.0.0.1:1").State(ctx)
	if err == nil || !strings.Contains(err.Error(), "no master leads") || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
	var status *StatusError
	if _, err := newClient(t, a.at).State(t.Context()); !errors.As(err, &status) || status.Code != http.StatusServiceUnavailable {
		t.Errorf("error %v", err)
	}
	var silent *SilentError
	if _, err := newClient(t, "127.0.0.1:1").State(t.Context()); !errors.As(err, &silent) || silent.Address != "127.0.0.1:1" {
		t.Errorf("error %v", err)
	}
	// Requests that need the name by which actors know a master ask even a single one.
	a.leads.Store(true)
	if at, err := newClient(t, a.at).Seek(t.Context()); err != nil || at != a.at {
		t.Errorf("%s, %v", at, err)
	}
}

func TestPasswordsAreNotShown(t *testing.T) {
	_, err := New("zk://me:secret@z1:2181", nil)
	if err == nil || strings.Contains(err.Error(), "secret") || !strings.Contains(err.Error(), "me:***@z1:2181") {
		t.Errorf("error %v", err)
	}
	if where := newClient(t, "zk://me:secret@127.0.0.1:1/troupe").Where(); where != "zk://me:***@127.0.0.1:1/troupe" {
		t.Errorf("where %s", where)
	}
}

// A file is read from where the last piece ended; bytes are bytes.
func TestDownload(t *testing.T) {
	content := []byte("\x00\xff one \n two")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		switch q.FormValue("path") {
		case "/file":
			http.ServeContent(w, q, "", time.Time{}, bytes.NewReader(content))
		case "/rotated":
			w.Header().Set(files.FileHeader, "new")
			http.ServeContent(w, q, "", time.Time{}, bytes.NewReader(content))
		case "/whole": // a server that knows no ranges
			_, _ = w.Write(content) // the client reports what is missing
		default:
			http.NotFound(w, q)
		}
	}))
	defer server.Close()
	at := strings.TrimPrefix(server.URL, "http://")
	c := newClient(t, at)
	for _, test := range []struct {
		path      string
		from, end int64
		want      string
		problem   string
	}{
		{"/file", 0, 12, string(content), ""},
		{"/file", 5, 12, string(content[5:]), ""},
		{"/file", 12, 12, "", ""},
		{"/whole", 0, 12, string(content), ""},
		{"/whole", 5, 5, "", "200 OK"},
		{"/none", 0, 0, "", "404 Not Found"},
	} {
		var out bytes.Buffer
		end, err := c.Download(t.Context(), &out, at, test.path, Position{Offset: test.from})
		if end != (Position{Offset: test.end}) || out.String() != test.want || (err == nil) != (test.problem == "") || err != nil && !strings.Contains(err.Error(), test.problem) {
			t.Errorf("%s from %d: %q to %v, %v", test.path, test.from, out.String(), end, err)
		}
	}
	for _, from := range []Position{{0, "old"}, {5, "old"}, {12, "old"}} {
		var out bytes.Buffer
		if end, err := c.Download(t.Context(), &out, at, "/rotated", from); !errors.Is(err, ErrReplaced) || end != from || out.Len() > 0 {
			t.Errorf("rotated, from %v: %q to %v, %v", from, out.String(), end, err)
		}
	}
	for _, from := range []Position{{5, "new"}, {5, ""}, {12, "new"}} {
		if end, err := c.Download(t.Context(), io.Discard, at, "/rotated", from); err != nil || end != (Position{12, "new"}) {
			t.Errorf("the same file, from %v: to %v, %v", from, end, err)
		}
	}
	if _, err := c.Download(t.Context(), io.Discard, "127.0.0.1:1", "/file", Position{}); err == nil {
		t.Error("nobody answers")
	}
}

func TestStanding(t *testing.T) {
	for want, a := range map[string]Agent{
		"active":       {Active: true},
		"disconnected": {},
		"deactivated":  {Deactivated: true},
		"draining":     {Deactivated: true, Drain: &Drain{State: "DRAINING"}},
		"drained":      {Drain: &Drain{State: "DRAINED"}},
	} {
		if got := a.Standing(); got != want {
			t.Errorf("%+v is %s, want %s", a, got, want)
		}
	}
}
