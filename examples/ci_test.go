package examples

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"troupe/tools/processtest"
)

// pool is the example ci under test.
type pool struct {
	t   *testing.T
	url string
}

func (p pool) call(method, path, body string) (status int, text string) {
	p.t.Helper()
	request, err := http.NewRequestWithContext(p.t.Context(), method, p.url+path, strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		p.t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return response.StatusCode, string(answer)
}

func (p pool) build(query, script string) (path string) {
	p.t.Helper()
	status, text := p.call(http.MethodPost, query, script)
	var b struct{ ID string }
	if err := json.Unmarshal([]byte(text), &b); err != nil || status != http.StatusCreated {
		p.t.Fatalf("%d: %s", status, text)
	}
	return "/" + b.ID
}

// awaits waits until a build is in a state, and the log has a line, if that is
// not empty.
func (p pool) awaits(path, state, line string) {
	p.t.Helper()
	var got, log string
	ok := processtest.Within(processtest.Patience, func() bool {
		_, got = p.call(http.MethodGet, path, "")
		is := strings.Contains(got, fmt.Sprintf("%q:%q", "state", state))
		if !is || line == "" {
			return is
		}
		_, log = p.call(http.MethodGet, path+"/log", "")
		return strings.Contains("\n"+log, "\n"+line+"\n")
	})
	if !ok {
		p.t.Fatalf("build %s is not %s, or has not written %q: %s\n%s", path, state, line, got, log)
	}
}

// repository makes a repository of one commit.
func repository(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, line := range []string{"init -q -b main", "add .", "-c user.name=x -c user.email=x@example.com commit -q -m one"} {
		if out, err := exec.Command("git", append([]string{"-C", dir}, strings.Fields(line)...)...).CombinedOutput(); err != nil {
			t.Fatalf("git %s: %v\n%s", line, err, out)
		}
	}
}

// Builds run, wait, fail, are aborted, and are begun anew where their worker is
// lost.
func TestCI(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	repo, gate := filepath.Join(w.Dir, "repo"), filepath.Join(w.Dir, "gate")
	repository(t, repo, map[string]string{"answer": "42\n"})
	ci := w.start("ci", "-listen=127.0.0.1:0", "-resources=cpus:2;mem:64")
	p := pool{t, ci.Await(ci.Out, `(http://\S+)`)[1]}
	wait := fmt.Sprintf("while [ ! -e %s ]; do sleep 0.05; done", gate)

	good := p.build("?rev=main&repo="+repo, "cat answer; echo no >&2")
	p.awaits(good, "success", "42\nno")
	bad := p.build("?repo="+repo, "echo first\nfalse\necho later")
	p.awaits(bad, "failure", "first")
	none := p.build("?repo="+repo+"x", "true")
	p.awaits(none, "failure", "fatal: repository '"+repo+"x' does not exist")

	// There is room for two: the third waits.
	one := p.build("", "echo began; "+wait)
	two := p.build("", "echo began; "+wait)
	p.awaits(one, "running", "began")
	p.awaits(two, "running", "began")
	third := p.build("", "echo done")
	p.awaits(third, "queued", "no worker has begun")
	if status, text := p.call(http.MethodDelete, two, ""); status != http.StatusAccepted {
		t.Errorf("%d: %s", status, text)
	}
	p.awaits(two, "aborted", "began")
	p.awaits(third, "success", "done")

	// The processes that hold the executors of the agents.
	w.kill(" executor-host ")
	ci.Await(ci.Out, `queued task "`+one[1:]+`", attempt 1`)
	p.awaits(one, "running", "began")
	if err := os.WriteFile(gate, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	p.awaits(one, "success", "began")

	for path, want := range map[string]int{"": http.StatusBadRequest, "/7": http.StatusMethodNotAllowed} {
		if status, text := p.call(http.MethodPost, path, strings.Repeat("x", 70000)); status != want {
			t.Errorf("POST %s: %d: %s", path, status, text)
		}
	}
	if status, _ := p.call(http.MethodGet, "/99", ""); status != http.StatusNotFound {
		t.Errorf("a build that is not there: %d", status)
	}
}

// A build whose agent leaves is begun anew on the next one that comes.
func TestCIOutlivesAnAgent(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "--agents=0")
	agent := func(name string) *processtest.Daemon {
		d := w.Start(w.Command("agent", "--master="+w.master, "--port=0", "--work_dir="+filepath.Join(w.Dir, name),
			"--resources=cpus:1;mem:1024;disk:1024", "--registration_backoff_factor=50ms"))
		d.Await(d.Err, `"serving"`)
		return d
	}
	ci := w.start("ci", "-listen=127.0.0.1:0", "-resources=cpus:1;mem:64")
	p := pool{t, ci.Await(ci.Out, `(http://\S+)`)[1]}
	gate := filepath.Join(w.Dir, "gate")
	build := p.build("", fmt.Sprintf("echo began; while [ ! -e %s ]; do sleep 0.05; done", gate))
	first := agent("first")
	p.awaits(build, "running", "began")
	first.Signal(syscall.SIGUSR1)
	first.Wait()
	p.awaits(build, "queued", "")
	second := agent("second")
	p.awaits(build, "running", "began")
	if err := os.WriteFile(gate, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	p.awaits(build, "success", "began")
	if _, text := p.call(http.MethodGet, build, ""); !strings.Contains(text, `"attempt":2`) {
		t.Errorf("it was built in %s", text)
	}
	second.Signal(syscall.SIGUSR1)
	second.Wait()
}
