package examples

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// python starts the scheduler in Python; its words are in the buffer once it
// has ended.
func python(t *testing.T, args ...string) (*exec.Cmd, *bytes.Buffer) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "python3", append([]string{"-B", "python-scheduler/scheduler.py"}, args...)...)
	var words bytes.Buffer
	cmd.Stdout, cmd.Stderr, cmd.WaitDelay = &words, &words, time.Second
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, &words
}

// ends waits for the exit status.
func ends(t *testing.T, cmd *exec.Cmd) int {
	t.Helper()
	watchdog := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() }) // it may end meanwhile
	defer watchdog.Stop()
	var exit *exec.ExitError
	if err := cmd.Wait(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode()
}

// The API stands by itself: a scheduler in a language of which the cluster has
// no line runs a task and learns how it ended.
func TestPythonScheduler(t *testing.T) {
	master := cluster(t)
	for _, c := range []struct {
		command string
		code    int
		words   string
	}{
		{"true", 0, `(?m)^python TASK_RUNNING ?$[^§]*^python TASK_FINISHED Command exited with status 0$`},
		{"exit 7", 7, `python TASK_FAILED Command exited with status 7`},
		{"kill -KILL $$", 137, `python TASK_FAILED Command terminated with signal Killed`},
	} {
		cmd, words := python(t, "--master="+master, c.command)
		if code := ends(t, cmd); code != c.code || !regexp.MustCompile(c.words).Match(words.Bytes()) {
			t.Errorf("%s: exit status %d, want %d; want %q in:\n%s", c.command, code, c.code, c.words, words)
		}
	}
	if registered(t, master) {
		t.Error("the scheduler has left its framework behind")
	}
}

// It finds the leader among addresses of which one leads nowhere, and takes
// what runs with it when it is interrupted.
func TestPythonSchedulerIsInterrupted(t *testing.T) {
	master := cluster(t)
	dir := t.TempDir()
	pids := filepath.Join(dir, "pid")
	cmd, words := python(t, "--master=127.0.0.1:1,"+master, fmt.Sprintf("echo $$ > %s.new; mv %s.new %s; exec sleep 1000", pids, pids, pids))
	await(t, "the task runs", func() bool { return exists(pids) })
	if !registered(t, master) {
		t.Error("the scheduler is not registered")
	}
	pid, err := os.ReadFile(pids)
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code := ends(t, cmd); code != 143 || !bytes.Contains(words.Bytes(), []byte("127.0.0.1:1: ")) {
		t.Errorf("exit status %d:\n%s", code, words)
	}
	if registered(t, master) {
		t.Error("the scheduler has left its framework behind")
	}
	await(t, "the task has ended", func() bool { return !exists("/proc/" + string(bytes.TrimSpace(pid))) })
}

// registered tells whether the cluster knows the scheduler.
func registered(t *testing.T, master string) bool {
	t.Helper()
	out, code := example(t, "troupe", "frameworks", "--master="+master)
	if code != 0 {
		t.Fatalf("frameworks: exit status %d:\n%s", code, out)
	}
	return strings.Contains(out, " python ")
}
