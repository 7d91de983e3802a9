package client

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// serve answers with files of testdata: what a master of Apache Mesos said,
// since the client must read any that speaks its API.
func serve(t *testing.T, routes map[string]string) *Client {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		file, ok := routes[r.URL.Path]
		if !ok {
			http.Error(w, "no such file", http.StatusNotFound)
			return
		}
		text, err := os.ReadFile(filepath.Join("testdata", file))
		if err != nil {
			t.Error(err)
		}
		_, _ = w.Write(text) // the client reports what is missing
	}))
	t.Cleanup(server.Close)
	c, err := New(strings.TrimPrefix(server.URL, "http://"), nil)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestStateOfAMesosMaster(t *testing.T) {
	state, err := serve(t, map[string]string{"/state": "state.json"}).State(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	task, err := state.Task("t1", "")
	if err != nil {
		t.Fatal(err)
	}
	if task.State != "TASK_RUNNING" || task.Resources.Scalar("mem") != 64 || task.Since() != 200.5 {
		t.Errorf("task: %+v", task)
	}
	if want := "/frameworks/M-0000/executors/t1/runs/latest"; task.Sandbox() != want {
		t.Errorf("sandbox %q, want %q", task.Sandbox(), want)
	}
	agent, err := state.Agent(task.AgentID)
	if err != nil || agent.Address() != "127.0.0.1:15051" {
		t.Errorf("agent %q, %v", agent.Address(), err)
	}
	if byEnd, err := state.Agent("S0"); err != nil || byEnd.ID != agent.ID {
		t.Errorf("agent S0: %q, %v", byEnd.ID, err)
	}
}

func TestFindingTasks(t *testing.T) {
	state := &State{
		Frameworks: []Framework{
			{ID: "A", Tasks: []Task{{ID: "both", FrameworkID: "A"}, {ID: "again", FrameworkID: "A", State: "TASK_RUNNING"}}, Completed: []Task{{ID: "again", FrameworkID: "A"}}},
			{ID: "B", Tasks: []Task{{ID: "both", FrameworkID: "B"}}, Lost: []Task{{ID: "lost", FrameworkID: "B"}}},
		},
		CompletedFrameworks: []Framework{{ID: "C", Completed: []Task{{ID: "old", FrameworkID: "C"}}}},
	}
	for _, test := range []struct{ id, framework, found, problem string }{
		{id: "both", problem: "2 frameworks"},
		{id: "both", framework: "B", found: "B"},
		{id: "again", found: "A"},
		{id: "old", found: "C"},
		{id: "lost", found: "B"},
		{id: "none", problem: `no task "none"`},
		{id: "none", framework: "A", problem: `framework "A"`},
	} {
		task, err := state.Task(test.id, test.framework)
		if test.problem == "" && (err != nil || task.FrameworkID != test.found) {
			t.Errorf("Task(%q, %q) = %+v, %v", test.id, test.framework, task, err)
		}
		if test.problem != "" && (err == nil || !strings.Contains(err.Error(), test.problem)) {
			t.Errorf("Task(%q, %q): %v, want %q", test.id, test.framework, err, test.problem)
		}
	}
	if task, err := state.Task("again", ""); err != nil || task.State != "TASK_RUNNING" {
		t.Errorf("the running task is not preferred: %+v, %v", task, err)
	}
}

func TestProblemsNameTheAddress(t *testing.T) {
	if _, err := New("nowhere", nil); err == nil || !strings.Contains(err.Error(), "nowhere") {
		t.Errorf("New: %v", err)
	}
	c := serve(t, map[string]string{"/state": "broken.json"})
	if _, err := c.State(t.Context()); err == nil || !strings.Contains(err.Error(), c.Where()) {
		t.Errorf("State: %v", err)
	}
	_, err := c.Browse(t.Context(), Agent{PID: "agent@" + c.Where()}, "/nothing")
	var status *StatusError
	if !errors.As(err, &status) || status.Code != http.StatusNotFound {
		t.Errorf("Browse: %v", err)
	}
}

// TestReservations: what is sent, and what is read of the answers.
func TestReservations(t *testing.T) {
	var asked []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		asked = append(asked, r.Method+" "+r.URL.EscapedPath()+" "+string(body))
		switch {
		case r.Method == http.MethodGet:
			_, _ = io.WriteString(w, `{"reservations":[{"id":"a","role":"r","shares":[{"name":"cpus","percent":5.0}]}]}`) // the client reports what is missing
		case strings.HasSuffix(r.URL.Path, "missing"):
			http.Error(w, "there is none", http.StatusNotFound)
		}
	}))
	t.Cleanup(server.Close)
	c, err := New(strings.TrimPrefix(server.URL, "http://"), nil)
	if err != nil {
		t.Fatal(err)
	}
	list, err := c.Reservations(t.Context())
	if err != nil || len(list) != 1 || list[0].GetShares()[0].GetPercent() != 5 {
		t.Errorf("got %v, %v", list, err)
	}
	if err := errors.Join(c.SetReservation(t.Context(), list[0]), c.RemoveReservation(t.Context(), "a b")); err != nil {
		t.Error(err)
	}
	var status *StatusError
	if err := c.RemoveReservation(t.Context(), "missing"); !errors.As(err, &status) || status.Code != http.StatusNotFound {
		t.Errorf("got %v", err)
	}
	want := `GET /reservations |POST /reservations {"id":"a","role":"r","shares":[{"name":"cpus","percent":5.0}]}|DELETE /reservations/a%20b |DELETE /reservations/missing `
	if got := strings.Join(asked, "|"); got != want {
		t.Errorf("asked %s", got)
	}
}
