package commands

import (
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"troupe/frameworks/cron/api"
	"troupe/frameworks/cron/api/apitest"
	"troupe/frameworks/cron/plan"
)

// The life of three jobs, by commands alone.
func TestCronJobs(t *testing.T) {
	w := apitest.New(time.Date(2026, 3, 28, 12, 0, 0, 0, time.UTC), plan.Options{})
	s := api.New(api.Options{Planner: w, Board: &w.Board, Cluster: w, Now: w.Now})
	server := httptest.NewServer(s.Handler(nil))
	t.Cleanup(func() {
		s.Close()
		server.Close()
	})
	does := func(want int, has string, args ...string) string {
		t.Helper()
		code, out, err := typed(t, append([]string{"cron", args[0], "--server=" + server.URL}, args[1:]...)...)
		if code != want || !strings.Contains(out+err, has) {
			t.Errorf("%v: %d\n%s%s\nwant %d with %q", args, code, out, err, want, has)
		}
		return out
	}
	does(0, "There are no jobs.", "jobs")
	file := filepath.Join(t.TempDir(), "jobs.json")
	text := `[{"name":"then","command":"b","parents":["a job"]},
		{"name":"a job","command":"a","schedule":"30 2 * * *","scheduleTimeZone":"Europe/Berlin","retries":0},{"name":"off","schedule":"@daily","disabled":true}]`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if out := does(0, "then", "put", file); out != "a job\nthen\noff\n" {
		t.Errorf("put: %s", out)
	}
	does(0, "after a job", "jobs")
	does(0, "2026-03-29T01:00:00.000Z", "jobs")
	does(0, `"parents": [`, "jobs", "--json")
	does(0, "clocks skip 02:00 to 03:00", "next", "a job", "--count=1")
	does(0, "is disabled", "next", "off")
	does(0, "never due by the clock", "next", "then")
	does(0, "2026-03-30T02:30:00+02:00", "preview", "30 2 * * *", "--zone=Europe/Berlin", "--count=2")
	does(1, "never fires", "preview", "0 0 30 2 *")
	does(0, "waits for a job to succeed", "why", "then")
	does(0, "It has not run.", "runs", "a job")
	does(1, "has not run", "log", "a job")

	does(0, "", "start", "a job", "--since", "monday")
	if run := w.Board.Job("a job").Runs[0]; run.Arguments != "--since monday" {
		t.Errorf("arguments: %q", run.Arguments)
	}
	w.Hold("a job", "no agent is like that")
	does(0, "no agent is like that", "runs", "a job")
	w.Start("a job")
	w.End("a job", plan.Failed, 3, "no luck")
	does(0, "no luck", "runs", "a job")
	does(0, `"exitCode": 3`, "runs", "a job", "--json")
	does(0, "the last line", "log", "a job")
	does(0, "stderr of ct:", "log", "a job", "--stream=stderr")

	does(0, "", "start", "a job")
	does(0, "", "kill", "a job")
	does(0, "killed", "runs", "a job")
	does(1, "has dependents", "delete", "a job")
	does(0, "", "delete", "a job", "--cascade")
	does(1, "404 Not Found", "delete", "a job")
	does(1, "422", "put", badJob(t))
	does(usage, "is no URL", "jobs", "--server=nowhere")
	does(usage, "needs --principal", "jobs", "--secret=x")
	does(usage, "", "next")
}

// badJob is a file of a job that is refused.
func badJob(t *testing.T) string {
	path := filepath.Join(t.TempDir(), "bad.json")
	if err := os.WriteFile(path, []byte(`{"name":"x","cpus":"many"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
