package api

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/messages/carrier"
	"troupe/messages/carrier/files"
	"troupe/messages/cluster"
	"troupe/messages/json"
	"troupe/messages/mesos/master"
	"troupe/messages/recordio"
)

// loud is a log whose level was set.
type loud struct {
	level uint32
	span  time.Duration
}

func (l *loud) Verbosity() uint32 { return l.level }
func (l *loud) SetVerbosity(level uint32, span time.Duration) error {
	l.level, l.span = level, span
	return nil
}

// operated is a master with a log, and a file of it.
func operated(t *testing.T, asked *proto.Message) (http.Handler, *loud) {
	file := filepath.Join(t.TempDir(), "log")
	if err := os.WriteFile(file, []byte("a line\nanother\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	attached, log := new(files.Attached), new(loud)
	attached.Attach("/master/log", file)
	info := Info{Files: attached, Logging: log, MasterID: masterID}
	mux, c := http.NewServeMux(), observed(t)
	Mount(muxRouter{mux}, c.view, info)
	MountOperator(muxRouter{mux}, c.view, info, func(_ context.Context, m proto.Message) (proto.Message, error) {
		*asked = m
		return &cluster.OperatorReply{}, nil
	})
	return mux, log
}

func ask(t *testing.T, h http.Handler, path, body string) (int, *master.Response) {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, r)
	answer := new(master.Response)
	if rec.Code == http.StatusOK && rec.Body.Len() > 0 {
		if err := json.Unmarshal(rec.Body.Bytes(), answer); err != nil {
			t.Fatalf("%s: %v in %s", body, err, rec.Body)
		}
	}
	return rec.Code, answer
}

func TestFilesAndLogging(t *testing.T) {
	var asked proto.Message
	h, log := operated(t, &asked)
	code, r := ask(t, h, "/api/v1", `{"type":"READ_FILE","read_file":{"path":"/master/log","offset":2,"length":4}}`)
	if code != 200 || string(r.GetReadFile().GetData()) != "line" || r.GetReadFile().GetSize() != 15 {
		t.Errorf("%d %v", code, r)
	}
	code, r = ask(t, h, "/api/v1", `{"type":"READ_FILE","read_file":{"path":"/master/log","offset":7}}`)
	if code != 200 || string(r.GetReadFile().GetData()) != "another\n" {
		t.Errorf("%d %v", code, r)
	}
	code, _ = ask(t, h, "/api/v1", `{"type":"SET_LOGGING_LEVEL","set_logging_level":{"level":1,"duration":{"nanoseconds":60000000000}}}`)
	if code != 200 || log.level != 1 || log.span != time.Minute {
		t.Errorf("%d, level %d for %v", code, log.level, log.span)
	}
	if code, r = ask(t, h, "/api/v1", `{"type":"GET_LOGGING_LEVEL"}`); code != 200 || r.GetGetLoggingLevel().GetLevel() != 1 {
		t.Errorf("%d %v", code, r)
	}
	for body, want := range map[string]int{
		`{"type":"READ_FILE","read_file":{"path":"/nowhere","offset":0}}`: 404,
		`{"type":"READ_FILE"}`:  400,
		`{"type":"LIST_FILES"}`: 400,
		`{"type":"LIST_FILES","list_files":{"path":"/master/log"}}`:                          200,
		`{"type":"LIST_FILES","list_files":{"path":"/none"}}`:                                404,
		`{"type":"SET_LOGGING_LEVEL"}`:                                                       400,
		`{"type":"GET_METRICS","get_metrics":{"timeout":{"nanoseconds":-1}}}`:                400,
		`{"type":"GET_METRICS","get_metrics":{"timeout":{"nanoseconds":1000}}}`:              200,
		`{"type":"READ_FILE","read_file":{"path":"/master/log","offset":99999,"length":10}}`: 200,
	} {
		if code, _ := ask(t, h, "/api/v1", body); code != want {
			t.Errorf("%s: %d, want %d", body, code, want)
		}
	}
}

// Every call has an answer, and none that the master cannot carry out looks as if
// it were.
func TestEveryCallIsAnswered(t *testing.T) {
	var asked proto.Message
	h, _ := operated(t, &asked)
	for name := range master.Call_Type_value {
		if name == "SUBSCRIBE" {
			continue // never ends
		}
		code, answer := ask(t, h, "/master/api/v1", `{"type":"`+name+`"}`)
		switch {
		case name == "GET_METRICS":
			if code != 400 { // its part is missing
				t.Errorf("%s: %d", name, code)
			}
		case strings.HasPrefix(name, "GET_"):
			if code != 200 || answer.GetType().String() != name {
				t.Errorf("%s: %d %v", name, code, answer.GetType())
			}
		case name == "UNKNOWN":
			if code != 501 {
				t.Errorf("%s: %d", name, code)
			}
		default:
			if code != 400 { // its part is missing
				t.Errorf("%s: %d", name, code)
			}
		}
	}
	if asked != nil {
		t.Errorf("the master was asked for %v", asked)
	}
}

func TestNegotiation(t *testing.T) {
	var asked proto.Message
	h, _ := operated(t, &asked)
	for accept, want := range map[string]string{
		"": "application/json", "*/*": "application/json", "application/x-protobuf": "application/x-protobuf",
		"application/x-protobuf, application/json": "application/json", "text/html": "",
	} {
		for _, kind := range []string{"GET_HEALTH", "GET_STATE", "TEARDOWN"} {
			r := httptest.NewRequest(http.MethodPost, "/api/v1", strings.NewReader(`{"type":"`+kind+`"}`))
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("Accept", accept)
			rec := httptest.NewRecorder()
			h.ServeHTTP(rec, r)
			switch {
			case want == "" && rec.Code != http.StatusNotAcceptable,
				want != "" && kind != "TEARDOWN" && rec.Header().Get("Content-Type") != want:
				t.Errorf("%s for %q: %d %s", kind, accept, rec.Code, rec.Header().Get("Content-Type"))
			}
		}
	}
}

func TestTeardownByForm(t *testing.T) {
	var asked proto.Message
	h, _ := operated(t, &asked)
	post := func(method, body string) int {
		r := httptest.NewRequest(method, "/master/teardown", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, r)
		return rec.Code
	}
	if code := post(http.MethodPost, url.Values{"frameworkId": {"F-1"}}.Encode()); code != 200 {
		t.Errorf("%d", code)
	}
	if r, ok := asked.(*cluster.TeardownRequest); !ok || r.GetFrameworkId().GetValue() != "F-1" {
		t.Errorf("the master was asked for %v", asked)
	}
	for _, c := range []struct {
		method, body string
		want         int
	}{
		{http.MethodPost, "", 400},
		{http.MethodPost, "frameworkId=", 400},
		{http.MethodPost, "frameworkId=%zz", 400},
		{http.MethodPost, "a=" + strings.Repeat("x", carrier.DefaultMaxBody), 413},
		{http.MethodGet, "", 405},
	} {
		if code := post(c.method, c.body); code != c.want {
			t.Errorf("%s %.40s: %d, want %d", c.method, c.body, code, c.want)
		}
	}
}

func TestMethodsOfRoutes(t *testing.T) {
	h := serve(observed(t).view)
	for _, c := range []struct {
		method, path string
		want         int
	}{
		{"PUT", "/quota", 405},
		{"POST", "/quota/web", 405},
		{"DELETE", "/quota/web", 503},
		{"POST", "/weights", 405},
		{"DELETE", "/maintenance/schedule", 405},
		{"POST", "/maintenance/status", 405},
		{"GET", "/machine/down", 405},
		{"GET", "/machine/up", 405},
		{"GET", "/health", 404},
		{"GET", "/master/health", 200},
	} {
		rec := get(t, h, c.method, c.path)
		if rec.Code != c.want || rec.Code == 405 && rec.Header().Get("Allow") == "" {
			t.Errorf("%s %s: %d %s", c.method, c.path, rec.Code, rec.Body)
		}
	}
}

// Old clients get a script, or something smaller, of the same document.
func TestOldClients(t *testing.T) {
	h := serve(observed(t).view)
	plain := get(t, h, http.MethodGet, "/state").Body.String()
	script := get(t, h, http.MethodGet, "/state.json?jsonp=draw")
	if script.Body.String() != "draw("+plain+");" || script.Header().Get("Content-Type") != "text/javascript" {
		t.Errorf("%v %.100s", script.Header(), script.Body)
	}
	r := httptest.NewRequest(http.MethodGet, "/master/state", nil)
	r.Header.Set("Accept-Encoding", "gzip")
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, r)
	in, err := gzip.NewReader(rec.Body)
	if err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(in); err != nil || string(text) != plain {
		t.Errorf("%v, %.100s", err, text)
	}
}

// SUBSCRIBE is answered through the API, with what happens after it.
func TestSubscribeThroughTheAPI(t *testing.T) {
	c := observed(t)
	server := httptest.NewServer(serve(c.view))
	defer server.Close()
	ctx, leave := context.WithTimeout(t.Context(), 3*time.Minute)
	defer leave()
	body := bytes.NewReader([]byte(`{"type":"SUBSCRIBE"}`))
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, server.URL+"/api/v1?type=TASK_UPDATED", body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	events := recordio.NewReader(answer.Body, 1<<20)
	next := func() *master.Event {
		record, err := events.Next()
		if err != nil {
			t.Fatal(err)
		}
		e := new(master.Event)
		if err := json.Unmarshal(record, e); err != nil {
			t.Fatal(err)
		}
		return e
	}
	if e := next(); len(e.GetSubscribed().GetGetState().GetGetTasks().GetTasks()) != 1 {
		t.Errorf("%v", e)
	}
	if e := next(); e.GetType() != master.Event_HEARTBEAT {
		t.Errorf("%v", e)
	}
	c.update(0, "t000000", 2, true)
	if e := next().GetTaskUpdated(); e.GetState() != 2 || e.GetStatus().GetTimestamp() == 0 {
		t.Errorf("%v", e)
	}
	for line := range strings.SplitSeq(get(t, serve(c.view), http.MethodGet, "/metrics/snapshot").Body.String(), ",") {
		if strings.Contains(line, "subscribers") && !strings.Contains(line, ":1.0") {
			t.Error(line)
		}
	}
}
