package posix

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestStreams: they take the place of files, and stay the caller's to close.
func TestStreams(t *testing.T) {
	l, dir := newLauncher(t), t.TempDir()
	s := shell(dir, "read line; echo got $line; echo err >&2")
	var ours [3]*os.File
	for i := range s.Streams {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		if ours[i], s.Streams[i] = r, w; i == 0 {
			ours[i], s.Streams[i] = w, r
		}
	}
	p := launch(t, l, s)
	for _, f := range s.Streams {
		if err := f.Close(); err != nil { // they are the caller's
			t.Error(err)
		}
	}
	if _, err := ours[0].WriteString("words\n"); err != nil {
		t.Fatal(err)
	}
	for i, want := range map[int]string{1: "got words\n", 2: "err\n"} {
		got, err := io.ReadAll(ours[i])
		if err = errors.Join(err, ours[i].Close()); err != nil || string(got) != want {
			t.Errorf("stream %d has %q (%v), want %q", i, got, err, want)
		}
	}
	waitDone(t, p)
	if err := ours[0].Close(); err != nil {
		t.Error(err)
	}
	for _, name := range []string{"stdout", "stderr"} {
		if _, err := os.Stat(filepath.Join(dir, name)); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s is there as well: %v", name, err)
		}
	}
}

// TestSignal reaches the program and nothing else.
func TestSignal(t *testing.T) {
	l, dir := newLauncher(t), t.TempDir()
	p := launch(t, l, shell(dir, "trap 'echo one; exit 5' USR1; (trap 'echo other' USR1; echo up; while :; do sleep 0.01; done) & while :; do sleep 0.01; done"))
	readFile(t, dir, "stdout")
	p.Signal(unix.SIGUSR1)
	if ws := waitDone(t, p); ws.ExitStatus() != 5 {
		t.Errorf("wait status is %#x", int(ws))
	}
	if got := readFile(t, dir, "stdout"); got != "up\none\n" {
		t.Errorf("stdout is %q", got)
	}
	p.Signal(unix.SIGUSR1) // after the end: nothing
}

// TestGuestTakesNothingOfItsHostAlong: what the other program of the sandbox left
// behind stays when a guest ends, and what a guest left behind outside its session
// ends with that program.
func TestGuestTakesNothingOfItsHostAlong(t *testing.T) {
	l, dir := newLauncher(t), t.TempDir()
	p := launch(t, l, shell(dir, "(setsid sh -c 'echo $$ >pids; sleep 1000' &); sleep 1000"))
	left := pidsIn(t, dir, "pids", 1)[0]
	guest := shell(dir, "sleep 1000 & echo $! >inside; (setsid sh -c 'echo $$ >outside; sleep 1000' &); while [ ! -s outside ]; do sleep 0.01; done; exit 0")
	guest.Guest = true
	waitDone(t, launch(t, l, guest))
	inside, outside := pidsIn(t, dir, "inside", 1)[0], pidsIn(t, dir, "outside", 1)[0]
	if !gone(inside) {
		t.Error("what the guest left in its session lives")
	}
	if gone(left) || gone(p.Pid()) {
		t.Error("the guest took something along")
	}
	p.Kill(0)
	waitDone(t, p)
	if !gone(left) || !gone(outside) {
		t.Error("something of the sandbox lives")
	}
}

// TestSandboxesBelowASandbox are of it when it is swept.
func TestSandboxesBelowASandbox(t *testing.T) {
	dir := t.TempDir()
	below := filepath.Join(dir, "containers", "a")
	if err := os.MkdirAll(below, 0o700); err != nil {
		t.Fatal(err)
	}
	host := startHost(t, below, "(cd /; setsid sh -c 'echo $$ >"+dir+"/pids; sleep 1000' &) ; sleep 1000")
	pid := pidsIn(t, dir, "pids", 1)[0]
	if err := host.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	host.Wait() // says that it was killed
	KillBySandbox([]string{dir})
	if !gone(pid) {
		t.Errorf("process %d lives", pid)
	}
	for path, want := range map[string]string{dir: dir, below: dir, dir + "x": "", "/": "", "": "", "relative/x": ""} {
		if got := within(path, map[string]bool{dir: true}); got != want {
			t.Errorf("%q is within %q", path, got)
		}
	}
	if got := within(below+"/"+strconv.Itoa(1), map[string]bool{dir: true, below: true}); !strings.HasSuffix(got, "/a") {
		t.Errorf("the innermost is %q", got)
	}
}

// TestTerminalThatIsNotGiven is an error: a program that wants one does not run
// without.
func TestTerminalThatIsNotGiven(t *testing.T) {
	s := shell(t.TempDir(), "true")
	s.Terminal = true
	if _, err := newLauncher(t).Launch(s); err == nil || !strings.Contains(err.Error(), "none is given") {
		t.Errorf("error %v", err)
	}
}
