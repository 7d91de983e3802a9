package processtest

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// A world sees what runs its program or works in its folder, with its parent,
// and nothing else.
func TestProcesses(t *testing.T) {
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Fatal(err)
	}
	if sh, err = filepath.EvalSymlinks(sh); err != nil {
		t.Fatal(err)
	}
	w := New(t, sh)
	outside := exec.Command(sh, "-c", "read x")
	inside := exec.Command(sh, "-c", "read x")
	inside.Dir = w.Dir
	for _, c := range []*exec.Cmd{w.Command("-c", "read x"), inside, outside} {
		in, err := c.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		seen := false
		for _, p := range w.Processes() {
			seen = seen || p.PID == c.Process.Pid && p.Parent == os.Getpid()
		}
		if want := c != outside; seen != want {
			t.Errorf("%v: seen is %t among %v", c.Args, seen, w.Processes())
		}
		if err := in.Close(); err != nil {
			t.Fatal(err)
		}
		_ = c.Wait() // read fails without a line
	}
	if left := w.Processes(); len(left) > 0 {
		t.Errorf("ended, but seen: %v", left)
	}
}

func TestWithin(t *testing.T) {
	if Within(time.Millisecond, func() bool { return false }) {
		t.Error("what never happens has happened")
	}
	calls := 0
	if !Within(Patience, func() bool { calls++; return calls == 3 }) {
		t.Error("what happens at the third look did not happen")
	}
}

func TestExists(t *testing.T) {
	dir := t.TempDir()
	if !Exists(dir) || Exists(filepath.Join(dir, "nothing")) {
		t.Error("wrong")
	}
}

func TestDaemon(t *testing.T) {
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Fatal(err)
	}
	if sh, err = filepath.EvalSymlinks(sh); err != nil {
		t.Fatal(err)
	}
	w := New(t, sh)
	d := w.Start(w.Command("-c", `trap 'echo told >&2; exit 3' TERM; echo up 7; while :; do sleep 0.01; done`))
	if m := d.Await(d.Out, `up (\d)`); m[1] != "7" {
		t.Errorf("%q", m)
	}
	select {
	case <-d.Ended():
		t.Error("it has ended")
	default:
	}
	d.Signal(syscall.SIGTERM)
	if code := d.Wait(); code != 3 || d.Err.String() != "told\n" {
		t.Errorf("exit status %d: %s", code, d.Err)
	}
	d.Signal(syscall.SIGTERM) // nobody is there to get it
}
