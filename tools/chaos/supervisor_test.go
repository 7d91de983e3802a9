package chaos

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"troupe/tools/processtest"
)

const (
	// A supervisor waits before it starts again what has ended, longer if that
	// happens at once.
	backoffMin, backoffMax = 100 * time.Millisecond, 2 * time.Second
	// livedLong is a life after which the next backoff is the shortest again.
	livedLong = 3 * time.Second
	// tail is how many of its last lines are shown of a log.
	tail = 60
)

// supervised is a process that is started again whenever it ends, as by a
// supervisor.
type supervised struct {
	t       *testing.T
	name    string
	log     string // what all its lives write
	command func() *exec.Cmd
	ended   chan struct{} // closed when it will not be started again

	mu      sync.Mutex
	current *os.Process
	starts  int
	retired bool
	status  *os.ProcessState // of the last life
}

// supervise starts a process and keeps it running until the test ends.
func supervise(t *testing.T, name, log string, command func() *exec.Cmd) *supervised {
	t.Helper()
	s := &supervised{t: t, name: name, log: log, command: command, ended: make(chan struct{})}
	go s.run()
	t.Cleanup(func() {
		s.retire()
		s.signal(syscall.SIGKILL)
		<-s.ended
		if t.Failed() {
			t.Logf("%s, started %d times, %v:\n%s", s.name, s.starts, s.status, tailOf(s.log))
		}
	})
	return s
}

func (s *supervised) run() {
	// What a thread started is told when the thread ends, so it must not.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer close(s.ended)
	for wait := backoffMin; ; wait = min(2*wait, backoffMax) {
		began := time.Now()
		cmd, err := s.start()
		if err != nil {
			s.t.Errorf("%s: %v", s.name, err)
			return
		}
		if cmd == nil {
			return
		}
		var exit *exec.ExitError
		if err := cmd.Wait(); err != nil && !errors.As(err, &exit) {
			s.t.Errorf("%s: %v", s.name, err)
		}
		s.mu.Lock()
		s.current, s.status = nil, cmd.ProcessState
		s.mu.Unlock()
		if cmd.ProcessState.Success() {
			return
		}
		if time.Since(began) > livedLong {
			wait = backoffMin
		}
		pause := time.NewTimer(wait)
		<-pause.C
	}
}

// start starts the next life; there is none when it is retired.
func (s *supervised) start() (*exec.Cmd, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.retired {
		return nil, nil
	}
	log, err := os.OpenFile(s.log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close() // the process has its own
	s.starts++
	fmt.Fprintf(log, "-- start %d, %s\n", s.starts, time.Now().Format(time.TimeOnly))
	cmd := s.command()
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	s.current = cmd.Process
	return cmd, nil
}

// retire makes the next end the last.
func (s *supervised) retire() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.retired = true
}

// process is the current life; nil between two.
func (s *supervised) process() *os.Process {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.current
}

// signal strikes the current life, if there is one.
func (s *supervised) signal(sig syscall.Signal) {
	if p := s.process(); p != nil {
		_ = p.Signal(sig) // it may have ended by now
	}
}

// hold stops the current life and returns what lets it go on.
func (s *supervised) hold() (release func()) {
	p := s.process()
	if p == nil {
		return func() {}
	}
	_ = p.Signal(syscall.SIGSTOP)
	return func() { _ = p.Signal(syscall.SIGCONT) }
}

// finish waits until it has ended for good, and checks its exit status.
func (s *supervised) finish() {
	s.t.Helper()
	if !processtest.Within(processtest.Patience, func() bool { return s.over() }) {
		s.t.Fatalf("%s does not end", s.name)
	}
	if !s.status.Success() {
		s.t.Errorf("%s ended with %v", s.name, s.status)
	}
}

func (s *supervised) over() bool {
	select {
	case <-s.ended:
		return true
	default:
		return false
	}
}

// tailOf is the end of a log.
func tailOf(log string) string {
	text, err := os.ReadFile(log)
	if err != nil {
		return err.Error()
	}
	lines := strings.SplitAfter(string(text), "\n")
	return strings.Join(lines[max(0, len(lines)-tail):], "")
}
