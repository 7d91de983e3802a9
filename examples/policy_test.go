package examples

import (
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"troupe/tools/processtest"
)

// TestPolicy: a process of one's own decides who is offered what. While it is
// away, tasks run on and nothing is offered; when it is back, all is as before.
func TestPolicy(t *testing.T) {
	t.Run("plain", func(t *testing.T) { policy(t, false) })
	t.Run("certificates", func(t *testing.T) { policy(t, true) })
}

func policy(t *testing.T, secure bool) {
	t.Parallel()
	w := processtest.New(t, filepath.Join(programs, "troupe"))
	flags := make(map[string][]string)
	url, client := "http://", http.DefaultClient
	if secure {
		a := processtest.NewAuthority(t, filepath.Join(w.Dir, "certificates"))
		for _, name := range []string{"master", "agent", "policy", "run"} {
			flags[name] = a.Issue(name)
		}
		url, client = "https://", &http.Client{Transport: &http.Transport{TLSClientConfig: a.Client("run")}}
		defer client.CloseIdleConnections()
	}
	listen := fmt.Sprintf("127.0.0.1:%d", processtest.FreePort(t))
	master := fmt.Sprintf("127.0.0.1:%d", processtest.FreePort(t))
	decide := func() *processtest.Daemon {
		d := w.Start(exec.Command(filepath.Join(programs, "policy"), append([]string{"-listen=" + listen}, flags["policy"]...)...))
		d.Await(d.Out, `ready: --allocator=allocator@`+listen)
		return d
	}
	daemon := func(args ...string) *processtest.Daemon {
		d := w.Start(w.Command(append(args, flags[args[0]]...)...))
		d.Await(d.Err, `"serving"`)
		return d
	}
	task := func(args ...string) *processtest.Daemon {
		return w.Start(w.Command(slices.Concat([]string{"run", "--master=" + master}, flags["run"], args)...))
	}
	finishes := func(d *processtest.Daemon, want string) {
		t.Helper()
		if code := d.Wait(); code != 0 || !strings.Contains(d.Out.String(), want) {
			t.Errorf("the task ended with %d and wrote %q, want %q", code, d.Out, want)
		}
	}

	leader := daemon("master", "--port="+strings.TrimPrefix(master, "127.0.0.1:"), "--work_dir="+filepath.Join(w.Dir, "master"),
		"--allocator=allocator@"+listen)
	agent := daemon("agent", "--port=0", "--master="+master, "--work_dir="+filepath.Join(w.Dir, "agent"),
		"--resources=cpus:4;mem:1024;disk:1024", "--registration_backoff_factor=50ms")
	leader.Await(leader.Err, `"The allocator is away: nothing is offered until it is back"`)

	first := decide()
	finishes(task("--", "echo", "the first"), "the first")
	leader.Await(leader.Err, `"The allocator is back"`)
	gate := filepath.Join(w.Temporary(), "gate")
	long := task("--cpus=3", "--", "sh", "-c", "echo began; while [ ! -e "+gate+" ]; do sleep 0.1; done; echo the second")
	long.Await(long.Out, "began")

	if text := page(t, client, url+master+"/metrics/snapshot"); strings.Contains(text, "allocation_run") || !strings.Contains(text, "master/") {
		t.Errorf("the master does not show its own figures alone: %s", text)
	}

	first.Signal(syscall.SIGKILL)
	if code := first.Wait(); code != -1 {
		t.Errorf("the policy ended by itself with %d", code)
	}
	leader.Await(leader.Err, `(?s)"The allocator is back".*"The allocator is away`)
	whole := task("--cpus=4", "--", "echo", "the third")
	second := decide()
	finishes(task("--cpus=1", "--", "echo", "beside it"), "beside it")
	finishes(task("--cpus=1", "--", "touch", gate), "")
	finishes(long, "the second")
	finishes(whole, "the third") // what the long task held is known, and free again

	agent.Signal(syscall.SIGUSR1)
	agent.Wait()
	leader.Signal(syscall.SIGTERM)
	second.Signal(syscall.SIGTERM)
	for name, d := range map[string]*processtest.Daemon{"master": leader, "policy": second} {
		if code := d.Wait(); code != 0 {
			t.Errorf("the %s ended with %d", name, code)
		}
	}
	processtest.Eventually(t, "no process is left", func() bool { return len(w.Processes()) == 0 })
}

// page is what is at an address.
func page(t *testing.T, client *http.Client, url string) string {
	t.Helper()
	response, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s, %v: %s", url, response.Status, err, text)
	}
	return string(text)
}
