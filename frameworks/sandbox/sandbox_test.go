package sandbox_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"troupe/frameworks/sandbox"
)

// cluster is a master that says where the agent S1 is, and that agent.
type cluster struct {
	master *httptest.Server
	agent  atomic.Pointer[httptest.Server]
	asked  atomic.Int32 // the master
}

func newCluster(t *testing.T) *cluster {
	c := &cluster{}
	c.move(t)
	c.master = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.asked.Add(1)
		if r.URL.Path != "/slaves" || r.FormValue("slave_id") != "S1" {
			fmt.Fprint(w, `{"slaves": []}`)
			return
		}
		fmt.Fprintf(w, `{"slaves": [{"id": "S1", "pid": "agent@%s"}]}`, c.agent.Load().Listener.Addr())
	}))
	t.Cleanup(c.master.Close)
	return c
}

// move starts the agent somewhere else.
func (c *cluster) move(t *testing.T) {
	next := httptest.NewServer(http.HandlerFunc(agent))
	t.Cleanup(next.Close)
	if old := c.agent.Swap(next); old != nil {
		old.Close()
	}
}

// long is more than two pieces.
var long = strings.Repeat("0123456789", 2*sandbox.MaxPiece/10+7)

func agent(w http.ResponseWriter, r *http.Request) {
	const root = "/frameworks/F/executors/t1/runs/latest"
	switch r.FormValue("path") {
	case root:
		fmt.Fprintf(w, `[{"path": "%s/data", "mode": "drwxr-xr-x", "size": 9, "mtime": 1700000000},
			{"path": "%[1]s/stdout", "mode": "-rw-r--r--", "size": 5, "mtime": 1700000000.5}]`, root)
	case root + "/stdout":
		_ = json.NewEncoder(w).Encode(map[string]any{"data": "r" + r.FormValue("length"), "offset": json.Number(r.FormValue("offset"))})
	case root + "/long":
		offset, _ := strconv.Atoi(r.FormValue("offset"))
		length, _ := strconv.Atoi(r.FormValue("length"))
		if offset == -1 {
			offset, length = len(long), 0
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"data": long[offset:min(offset+length, len(long))], "offset": offset})
	case root + "/secret":
		http.Error(w, "not yours", http.StatusForbidden)
	case root + "/odd":
		fmt.Fprint(w, "<html>")
	default:
		http.NotFound(w, r)
	}
}

func (c *cluster) reader() *sandbox.Reader {
	return sandbox.New(sandbox.Options{Master: func() string { return c.master.Listener.Addr().String() }})
}

var task = sandbox.Task{Framework: "F", Agent: "S1", ID: "t1"}

func TestRead(t *testing.T) {
	c := newCluster(t)
	r := c.reader()
	files, err := r.Files(t.Context(), task, "")
	if err != nil || len(files) != 2 || files[0].Name != "data" || !files[0].Folder || files[1].Name != "stdout" || files[1].Folder || files[1].Modified.Unix() != 1700000000 {
		t.Errorf("%v, %v", files, err)
	}
	for range 2 {
		piece, err := r.Read(t.Context(), task, "stdout", 7, 1<<20)
		if err != nil || piece.Data != "r65536" || piece.Offset != 7 {
			t.Errorf("%v, %v", piece, err)
		}
	}
	if n := c.asked.Load(); n != 1 {
		t.Errorf("the master was asked %d times", n)
	}
	c.move(t)
	if _, err := r.Read(t.Context(), sandbox.Task{Framework: "F", Agent: "S1", ID: "x", Executor: "t1"}, "./stdout", 0, 1); err != nil {
		t.Errorf("an agent that is somewhere else: %v", err)
	}
}

func TestTail(t *testing.T) {
	r := newCluster(t).reader()
	for _, bytes := range []int64{0, 1, 15, sandbox.MaxPiece + 1, 1 << 30} {
		got, err := r.Tail(t.Context(), task, "long", bytes)
		if want := long[max(len(long)-int(bytes), 0):]; err != nil || string(got) != want {
			t.Errorf("the last %d bytes are %d, %v", bytes, len(got), err)
		}
	}
	if _, err := r.Tail(t.Context(), task, "none", 1); !errors.Is(err, sandbox.ErrNotFound) {
		t.Errorf("error %v", err)
	}
}

func TestUnreadable(t *testing.T) {
	c := newCluster(t)
	for _, name := range []string{"", "/etc/passwd", "../x", "a/../../x", "..", "a\x00"} {
		bad := (*sandbox.BadNameError)(nil)
		if _, err := c.reader().Read(t.Context(), task, name, 0, 1); !errors.As(err, &bad) {
			t.Errorf("%q: %v", name, err)
		}
	}
	if _, err := c.reader().Read(t.Context(), task, "gone", 0, 1); !errors.Is(err, sandbox.ErrNotFound) {
		t.Error(err)
	}
	for name, want := range map[string]string{"secret": "403 Forbidden: not yours", "odd": "cannot be read"} {
		if _, err := c.reader().Read(t.Context(), task, name, 0, 1); !errors.Is(err, sandbox.ErrAway) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	elsewhere := task
	elsewhere.Agent = "S2"
	if _, err := c.reader().Files(t.Context(), elsewhere, ""); !errors.Is(err, sandbox.ErrAway) || !strings.Contains(err.Error(), "agent S2: its agent cannot be asked: the master at") {
		t.Error(err)
	}
	none := sandbox.New(sandbox.Options{Master: func() string { return "" }})
	if _, err := none.Files(t.Context(), task, ""); !errors.Is(err, sandbox.ErrAway) {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.reader().Files(ctx, task, ""); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestHandler(t *testing.T) {
	c := newCluster(t)
	h := c.reader().Handler(func(r *http.Request) (sandbox.Task, bool) { return task, r.URL.Path == "/t1" })
	for _, row := range []struct {
		ask    string
		status int
		body   string
	}{
		{"/t1", 200, `[{"name":"data","size":9,"modified":"2023-11-14T22:13:20Z","folder":true},{"name":"stdout"`},
		{"/t1?folder=none", 404, `{"message":"there is no such file`},
		{"/t1?file=stdout&offset=3&length=8", 200, `{"data":"r8","offset":3}`},
		{"/t1?file=stdout", 200, `{"data":"r65536","offset":-1}`},
		{"/t1?file=stdout&offset=-1&length=99999999", 200, `{"data":"r65536","offset":-1}`},
		{"/t1?file=stdout&offset=x", 400, `offset: \"x\": must be a number of bytes`},
		{"/t1?file=stdout&length=-2", 400, `length: \"-2\"`},
		{"/t1?file=", 400, `file: \"\": must be a path in the sandbox`},
		{"/t1?file=secret", 502, `403 Forbidden`},
		{"/t2?file=stdout", 404, `{"message":"there is no such task`},
	} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, row.ask, nil))
		if w.Code != row.status || !strings.Contains(w.Body.String(), row.body) || w.Header().Get("Content-Type") != "application/json" {
			t.Errorf("%s: %d %s, want %d %s", row.ask, w.Code, w.Body, row.status, row.body)
		}
	}
}
