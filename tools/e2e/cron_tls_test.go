package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"troupe/tools/processtest"
)

// With certificates and credentials the cron framework works as without: a job
// runs, its log is read through the framework, and its failure is told to a
// webhook. Nobody without both gets in.
func TestCronIsSecured(t *testing.T) {
	told := make(chan map[string]any, 10)
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var body map[string]any
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			t.Error(err)
		}
		told <- body
	}))
	defer hook.Close()
	w := newWorld(t)
	a := processtest.NewAuthority(t, filepath.Join(w.dir, "authority"))
	c := w.separate(a.Issue("everybody")...)
	secrets := filepath.Join(w.dir, "secrets")
	if err := os.WriteFile(secrets, []byte(`{"credentials": [{"principal": "ops", "secret": "s3cret"}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	port := processtest.FreePort(t)
	d := w.start(append([]string{
		"cron", fmt.Sprintf("--port=%d", port), "--store=" + filepath.Join(w.dir, "cron.db"), "--http_credentials=" + secrets, "--webhook=" + hook.URL,
	}, w.flags...)...)
	d.Await(d.Err, `"subscribed"`)
	ask := func(client, secret, method, path, body string) (int, string) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, fmt.Sprintf("https://127.0.0.1:%d%s", port, path), strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		if secret != "" {
			r.SetBasicAuth("ops", secret)
		}
		transport := &http.Transport{TLSClientConfig: a.Client(client)}
		defer transport.CloseIdleConnections()
		answer, err := (&http.Client{Transport: transport, Timeout: processtest.Patience}).Do(r)
		if err != nil {
			return 0, err.Error()
		}
		defer answer.Body.Close()
		text, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Error(err)
		}
		return answer.StatusCode, string(text)
	}
	const jobs = "/v1/scheduler/jobs"
	for _, refused := range []struct {
		client, secret string
		status         int
	}{{"", "s3cret", 0}, {"everybody", "", http.StatusUnauthorized}, {"everybody", "wrong", http.StatusUnauthorized}} {
		if status, text := ask(refused.client, refused.secret, http.MethodGet, jobs, ""); status != refused.status {
			t.Errorf("%+v: %d %s", refused, status, text)
		}
	}
	if status, text := ask("everybody", "", http.MethodGet, "/ping", ""); status != http.StatusOK {
		t.Errorf("ping: %d %s", status, text)
	}
	if status, text := ask("everybody", "s3cret", http.MethodPost, "/v1/scheduler/iso8601",
		`{"name": "fails", "schedule": "R1//PT1H", "command": "echo out of luck; exit 7", "cpus": 0.1, "mem": 16, "retries": 0}`); status != http.StatusNoContent {
		t.Fatalf("post: %d %s", status, text)
	}
	body := <-told
	run, _ := body["run"].(map[string]any)
	if body["job"] != "fails" || body["occasion"] != "retries exhausted" || run["exitCode"] != 7.0 {
		t.Errorf("the webhook was told %v", body)
	}
	status, text := ask("everybody", "s3cret", http.MethodGet, fmt.Sprintf("/v1/scheduler/job/log/fails?task=%v", run["task"]), "")
	if status != http.StatusOK || !strings.Contains(text, "out of luck") {
		t.Errorf("log: %d %s", status, text)
	}
	d.Signal(syscall.SIGTERM)
	d.wait().check(t, "cron after SIGTERM", 0, "", `"ended in order"`)
	c.end()
}
