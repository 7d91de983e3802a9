package commands

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"troupe/master/api"
	"troupe/messages/mesos"
)

// fakeMaster plays a master, and the agent that its state names, over HTTP.
type fakeMaster struct {
	*httptest.Server
	http.ServeMux
	at string // host:port

	mu     sync.Mutex
	state  string
	leads  bool
	calls  []string
	refuse int // status of every call
	files  map[string]string
	// starts has the agent refuse to show files, as one does that starts; each
	// time it puts something into refused, if there is room.
	starts  bool
	refused chan struct{}
}

// Route implements the router of package api.
func (m *fakeMaster) Route(pattern, _ string, h http.Handler) { m.Handle(pattern, h) }

const fakeState = `{"id":"M","slaves":[
 {"id":"M-S0","hostname":"h","pid":"slave(1)@AGENT","active":true,"registered_time":100,
  "resources":{"cpus":4,"mem":1024,"disk":100},"used_resources":{"cpus":1.5,"mem":64,"disk":0},"offered_resources":{"cpus":2}},
 {"id":"M-S1","hostname":"h","port":5051,"active":false,"deactivated":true,"drain_info":{"state":"DRAINED","config":{}},
  "resources":{"cpus":1,"mem":10,"disk":1},"used_resources":{}}],
 "frameworks":[{"id":"M-0000","name":"web","user":"ann","roles":["www"],"active":true,"connected":true,"registered_time":100,
  "used_resources":{"cpus":1.5,"mem":64},
  "tasks":[{"id":"t1","name":"t1","framework_id":"M-0000","slave_id":"M-S0","state":"TASK_STATE","resources":{"cpus":1.5,"mem":64},
   "statuses":[{"state":"TASK_RUNNING","timestamp":200}]}],
  "completed_tasks":[{"id":"old","name":"old","framework_id":"M-0000","slave_id":"M-S0","state":"TASK_FINISHED","resources":{}}],
  "unreachable_tasks":[{"id":"away","name":"away","framework_id":"M-0000","slave_id":"M-S1","state":"TASK_UNREACHABLE","resources":{}}],
  "offers":[{"id":"M-O7","framework_id":"M-0000","slave_id":"M-S0","resources":{"cpus":2,"mem":32,"ports":"[31000-31001]"}}]}],
 "completed_frameworks":[{"id":"M-0001","name":"gone","user":"bob","role":"*","tasks":[],
  "completed_tasks":[{"id":"older","name":"older","framework_id":"M-0001","slave_id":"M-S0","state":"TASK_KILLED","resources":{}}]}]}`

func newFakeMaster(t *testing.T) *fakeMaster {
	t.Helper()
	m := &fakeMaster{leads: true, files: map[string]string{}, refused: make(chan struct{}, 1)}
	m.Server = httptest.NewServer(&m.ServeMux)
	t.Cleanup(m.Close)
	m.at = strings.TrimPrefix(m.URL, "http://")
	m.state = strings.NewReplacer("AGENT", m.at, "TASK_STATE", "TASK_RUNNING").Replace(fakeState)
	api.MountLeader(m, func() (*mesos.MasterInfo, bool) {
		m.mu.Lock()
		defer m.mu.Unlock()
		return &mesos.MasterInfo{Id: new("M"), Ip: new(uint32(0)), Port: new(uint32(1)), Pid: new("master@" + m.at), Version: new("1")}, m.leads
	})
	m.HandleFunc("/state", m.serveState)
	m.HandleFunc("/slaves", m.serveState)
	m.HandleFunc("/api/v1", m.serveCall)
	m.HandleFunc("/files/browse", func(w http.ResponseWriter, q *http.Request) {
		_, _ = fmt.Fprintf(w, `[{"path":%q,"size":2048,"mode":"-rw-r--r--","uid":"ann","mtime":100}]`, q.FormValue("path")+"/stdout")
	})
	m.HandleFunc("/files/download", m.serveFile)
	return m
}

func (m *fakeMaster) serveState(w http.ResponseWriter, _ *http.Request) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.leads {
		http.Error(w, "no master leads at present", http.StatusServiceUnavailable)
		return
	}
	_, _ = io.WriteString(w, m.state) // the command says what it lacks
}

func (m *fakeMaster) serveCall(w http.ResponseWriter, q *http.Request) {
	body, err := io.ReadAll(q.Body)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.calls = append(m.calls, string(body))
	switch {
	case err != nil || q.Method != http.MethodPost || q.Header.Get("Content-Type") != "application/json":
		http.Error(w, "what is this", http.StatusTeapot)
	case m.refuse != 0:
		http.Error(w, "agent_id: it is unknown", m.refuse)
	}
}

func (m *fakeMaster) serveFile(w http.ResponseWriter, q *http.Request) {
	m.mu.Lock()
	text, there := m.files[q.FormValue("path")]
	starts := m.starts
	m.mu.Unlock()
	switch {
	case starts:
		http.Error(w, "this process is starting", http.StatusServiceUnavailable)
		select {
		case m.refused <- struct{}{}:
		default:
		}
		return
	case !there:
		http.NotFound(w, q)
		return
	}
	http.ServeContent(w, q, "", noTime, bytes.NewReader([]byte(text)))
}

func (m *fakeMaster) change(f func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f()
}

// standby sends everything on to a leader, as masters do that do not lead.
func standby(t *testing.T, leader string) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		w.Header()["Location"] = []string{"//" + leader + q.URL.RequestURI()}
		w.WriteHeader(http.StatusTemporaryRedirect)
	}))
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://")
}

// typed is what a command line comes to.
func typed(t *testing.T, args ...string) (code int, out, err string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code = Run(t.Context(), args, Streams{Out: &stdout, Err: &stderr, In: strings.NewReader("")})
	return code, stdout.String(), stderr.String()
}

func TestReading(t *testing.T) {
	m := newFakeMaster(t)
	m.files["/frameworks/M-0000/executors/t1/runs/latest/stdout"] = "hello\n"
	for line, want := range map[string]string{
		"agents":                                  `(?s)M-S0 +\S+ +active +1.5/4 \(\+2 offered\) +64/1024.*M-S1 +h:5051 +drained`,
		"agents --json":                           `(?s)^\[.*"id": "M-S1".*"state": "DRAINED"`,
		"frameworks":                              `(?s)M-0000 +web +ann +www +active +1 +1.5 +64`,
		"frameworks --all":                        `(?s)M-0000.*M-0001 +gone +bob +\* +completed`,
		"tasks list":                              `(?s)^ID[^\n]*\nt1 +t1 +TASK_RUNNING +\S+ +1.5 +64 +M-S0 +M-0000\n$`,
		"tasks list --all":                        `(?s)t1.*away.*old.*older`,
		"tasks list --framework=nobody":           `No tasks`,
		"tasks list --json --framework=web":       `(?s)^\[.*"id": "t1"`,
		"offers":                                  `(?s)M-O7 +web +M-S0 +2 +32 +0 +\[31000-31001\]`,
		"offers --json":                           `"id": "M-O7"`,
		"masters":                                 `(?s)\S+ +leading +\S+ +-`,
		"masters --json":                          `"state": "leading"`,
		"tasks logs t1":                           `^hello\n$`,
		"tasks logs t1 --stderr":                  `^$`,
		"tasks sandbox t1":                        `-rw-r--r-- +ann +2\.0K .*/frameworks/M-0000/executors/t1/runs/latest/stdout`,
		"tasks sandbox t1 some/where":             `latest/some/where/stdout`,
		"tasks sandbox t1 --json":                 `"size": 2048`,
		"tasks logs t1 --framework=M-0000":        `^hello\n$`,
		"agents --master=" + standby(t, m.at):     `M-S0`,
		"frameworks --master=127.0.0.1:1," + m.at: `M-0000`,
	} {
		args := strings.Fields(line)
		if !strings.Contains(line, "--master=") {
			args = append(args, "--master="+m.at)
		}
		code, out, stderr := typed(t, args...)
		if code != 0 || stderr != "" || !regexp.MustCompile(want).MatchString(out) {
			t.Errorf("troupe %s: %d, want %q\n%s%s", line, code, want, out, stderr)
		}
	}
}

func TestProblems(t *testing.T) {
	m := newFakeMaster(t)
	for line, want := range map[string]string{
		"tasks logs nobody":                          `1 there is no task "nobody"`,
		"tasks logs away":                            `1 .*/files/download.*404|1 .*does not answer`,
		"tasks sandbox":                              `2 TASK is missing`,
		"agents --master=127.0.0.1:1":                `1 127.0.0.1:1 does not answer: .*refused`,
		"agents --master=nowhere":                    `2 --master="nowhere": masters\[0\]: "nowhere": is not host:port`,
		"agents --master=zk://me:secret@z":           `2 --master="zk://me:\*\*\*@z": path: is missing`,
		"agents --master=file:///does/not/exist":     `2 --master="file:///does/not/exist": open`,
		"tasks kill":                                 `2 TASK is missing`,
		"tasks sandbox a b c":                        `2 too many arguments: "c"`,
		"agents what":                                `2 there is no command "troupe agents what"`,
		"frameworks what":                            `2 there is no command "troupe frameworks what"`,
		"frameworks teardown":                        `2 ID is missing`,
		"agents drain":                               `2 AGENT is missing`,
		"agents drain S0 --max_grace=soon":           `2 .*max_grace`,
		"masters --master=127.0.0.1:1":               `1 .*127.0.0.1:1 +unreachable +- +does not answer: .*refused`,
		"agents gone S0 --master=127.0.0.1:1":        `1 127.0.0.1:1 does not answer`,
		"frameworks teardown F --master=127.0.0.1:a": `2 --master="127.0.0.1:a": masters\[0\]: .*its port is not`,
	} {
		args := strings.Fields(line)
		if !strings.Contains(line, "--master=") {
			args = append(args, "--master="+m.at)
		}
		code, out, stderr := typed(t, args...)
		if got := fmt.Sprintf("%d %s%s", code, out, strings.TrimPrefix(stderr, "troupe: ")); !regexp.MustCompile(`(?s)^(` + want + `)`).MatchString(got) {
			t.Errorf("troupe %s: want %q, got\n%s", line, want, got)
		}
		if strings.Contains(stderr, "secret") {
			t.Errorf("troupe %s shows the password: %s", line, stderr)
		}
	}
}

// A master is found wherever --master says that it is, also in the environment.
func TestWhereTheMastersAre(t *testing.T) {
	m := newFakeMaster(t)
	file := filepath.Join(t.TempDir(), "masters")
	if err := os.WriteFile(file, []byte("127.0.0.1:1,"+m.at+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, out, stderr := typed(t, "agents", "--master=file://"+file); code != 0 || !strings.Contains(out, "M-S0") {
		t.Errorf("in a file: %d %s%s", code, out, stderr)
	}
	t.Setenv("TROUPE_MASTER", m.at)
	if code, out, stderr := typed(t, "agents"); code != 0 || !strings.Contains(out, "M-S0") {
		t.Errorf("in the environment: %d %s%s", code, out, stderr)
	}
	m.change(func() { m.leads = false })
	if code, out, stderr := typed(t, "masters"); code != 1 || !strings.Contains(out, "standby") || stderr != "" {
		t.Errorf("nobody leads: %d %s%s", code, out, stderr)
	}
	if code, out, stderr := typed(t, "agents"); code != 1 || !strings.Contains(stderr, "no master leads at present") {
		t.Errorf("nobody leads: %d %s%s", code, out, stderr)
	}
}

// What operators want of agents arrives as the calls of the operator API; the
// end of an id is enough.
func TestCallsAboutAgents(t *testing.T) {
	m := newFakeMaster(t)
	for line, want := range map[string][]string{
		"deactivate S0":                        {`{"type":"DEACTIVATE_AGENT","deactivate_agent":{"agent_id":{"value":"M-S0"}}}`},
		"reactivate M-S0 S1":                   {`{"type":"REACTIVATE_AGENT","reactivate_agent":{"agent_id":{"value":"M-S0"}}}`, `{"type":"REACTIVATE_AGENT","reactivate_agent":{"agent_id":{"value":"M-S1"}}}`},
		"gone elsewhere":                       {`{"type":"MARK_AGENT_GONE","mark_agent_gone":{"agent_id":{"value":"elsewhere"}}}`},
		"drain S0":                             {`{"type":"DRAIN_AGENT","drain_agent":{"agent_id":{"value":"M-S0"},"mark_gone":false}}`},
		"drain S0 --max_grace=2mins":           {`{"type":"DRAIN_AGENT","drain_agent":{"agent_id":{"value":"M-S0"},"max_grace_period":{"seconds":120},"mark_gone":false}}`},
		"drain S0 --mark_gone":                 {`{"type":"DRAIN_AGENT","drain_agent":{"agent_id":{"value":"M-S0"},"mark_gone":true}}`},
		"gone S0 --master=" + standby(t, m.at): {`{"type":"MARK_AGENT_GONE","mark_agent_gone":{"agent_id":{"value":"M-S0"}}}`},
	} {
		m.change(func() { m.calls = nil })
		args := append([]string{"agents"}, strings.Fields(line)...)
		if !strings.Contains(line, "--master=") {
			args = append(args, "--master="+m.at)
		}
		code, out, stderr := typed(t, args...)
		var got []string
		m.change(func() { got = slices.Clone(m.calls) })
		if code != 0 || out+stderr != "" || len(got) != len(want) {
			t.Fatalf("%s: %d %s%s\n%v", line, code, out, stderr, got)
		}
		for i := range want {
			if sorted(got[i]) != sorted(want[i]) {
				t.Errorf("%s: called\n%s, want\n%s", line, got[i], want[i])
			}
		}
	}
	m.change(func() { m.refuse = http.StatusConflict })
	code, _, stderr := typed(t, "agents", "gone", "S0", "x", "--master="+m.at)
	if code != 1 || strings.Count(stderr, "409 Conflict: agent_id: it is unknown") != 2 || !strings.Contains(stderr, `gone agent "M-S0": `) {
		t.Errorf("refused: %d %s", code, stderr)
	}
}

// sorted makes texts of JSON comparable whose members come in any order.
func sorted(text string) string {
	parts := strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune("{},", r) })
	slices.Sort(parts)
	return strings.Join(parts, ",")
}
