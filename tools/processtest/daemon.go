package processtest

import (
	"bytes"
	"errors"
	"os/exec"
	"regexp"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Daemon is a command of a world that runs.
type Daemon struct {
	t   *testing.T
	cmd *exec.Cmd
	// Out and Err are what it has written so far.
	Out, Err *Text
	ended    chan struct{}
}

// Start starts a command; when the test ends it is killed, and what it wrote is
// shown if the test has failed.
func (w *World) Start(cmd *exec.Cmd) *Daemon {
	w.T.Helper()
	d := &Daemon{t: w.T, cmd: cmd, Out: newText(), Err: newText(), ended: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = d.Out, d.Err
	if err := cmd.Start(); err != nil {
		w.T.Fatal(err)
	}
	go func() {
		defer close(d.ended)
		var exit *exec.ExitError
		if err := cmd.Wait(); err != nil && !errors.As(err, &exit) {
			w.T.Errorf("%v: %v", cmd.Args, err)
		}
	}()
	w.T.Cleanup(func() {
		d.Signal(syscall.SIGKILL)
		<-d.ended
		if w.T.Failed() {
			w.T.Logf("%v\nstdout:\n%s\nstderr:\n%s", cmd.Args, d.Out, d.Err)
		}
	})
	return d
}

// Signal sends a signal, unless it has ended.
func (d *Daemon) Signal(s syscall.Signal) {
	select {
	case <-d.ended:
	default:
		_ = d.cmd.Process.Signal(s) // it may just have ended
	}
}

// Ended is closed when it has.
func (d *Daemon) Ended() <-chan struct{} { return d.ended }

// PID is its process id.
func (d *Daemon) PID() int { return d.cmd.Process.Pid }

// Wait waits until it has ended, and is its exit status; -1 for a signal.
func (d *Daemon) Wait() int {
	d.t.Helper()
	select {
	case <-d.ended:
	case <-time.After(Patience):
		d.t.Fatalf("%v does not end", d.cmd.Args)
	}
	return d.cmd.ProcessState.ExitCode()
}

// Await waits until a pattern is in the text, and returns its groups.
func (d *Daemon) Await(text *Text, pattern string) []string {
	d.t.Helper()
	re := regexp.MustCompile(pattern)
	late := time.After(Patience)
	for {
		now, changed := text.now()
		if m := re.FindStringSubmatch(now); m != nil {
			return m
		}
		select {
		case <-changed:
		case <-d.ended:
			if m := re.FindStringSubmatch(text.String()); m != nil {
				return m
			}
			d.t.Fatalf("%v ended without %q", d.cmd.Args, pattern)
		case <-late:
			d.t.Fatalf("%v does not say %q", d.cmd.Args, pattern)
		}
	}
}

// Text is what a process writes.
type Text struct {
	mu      sync.Mutex
	text    bytes.Buffer
	changed chan struct{}
}

func newText() *Text { return &Text{changed: make(chan struct{})} }

// Write implements io.Writer.
func (s *Text) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.changed)
	s.changed = make(chan struct{})
	return s.text.Write(p)
}

func (s *Text) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// now is the text, and what is closed when there is more.
func (s *Text) now() (string, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String(), s.changed
}
