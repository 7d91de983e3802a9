package executortest

import (
	"sync"
	"syscall"
	"time"

	"troupe/executor/program"
	"troupe/messages/cluster"
)

// Launcher is a program.Launcher whose processes do nothing until a test ends
// them.
type Launcher struct {
	mu       sync.Mutex
	err      error         // of Launch
	refusal  error         // of Open
	hold     chan struct{} // nil, or what Open waits for
	launched chan *Process
	opened   chan *Box
	pids     int
}

// NewLauncher makes a launcher.
func NewLauncher() *Launcher {
	return &Launcher{launched: make(chan *Process, 1024), opened: make(chan *Box, 1024)}
}

// Fail makes every later Launch fail with err; nil heals.
func (l *Launcher) Fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.err = err
}

// Launch is program.Launcher's.
func (l *Launcher) Launch(s program.Spec) (program.Process, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		return nil, l.err
	}
	l.pids++
	p := &Process{Spec: s, pid: l.pids, done: make(chan struct{}), kills: make(chan time.Duration, 16), signals: make(chan syscall.Signal, 16)}
	l.launched <- p
	return p, nil
}

// Next waits for the next process.
func (l *Launcher) Next(t TB) *Process {
	t.Helper()
	late := time.NewTimer(patience)
	defer late.Stop()
	select {
	case p := <-l.launched:
		return p
	case <-late.C:
		t.Fatal("nothing was launched")
		return nil
	}
}

// NextUnless waits for the next process; nil when over was closed before there was
// one.
func (l *Launcher) NextUnless(over <-chan struct{}) *Process {
	select {
	case p := <-l.launched:
		return p
	case <-over:
		return nil
	}
}

// Process is a process in name only.
type Process struct {
	Spec   program.Spec
	pid    int
	done   chan struct{}
	status int
	limit  *cluster.ContainerLimit
	kills  chan time.Duration
	// The signals that were sent.
	signals chan syscall.Signal
}

// Exit ends the process with a status as wait(2) gives it. Call it once.
func (p *Process) Exit(status int) {
	p.status = status
	close(p.done)
}

// ExitFor ends the process for a limit of its container. Call it once.
func (p *Process) ExitFor(l *cluster.ContainerLimit) {
	p.limit = l
	p.Exit(int(syscall.SIGKILL))
}

// Killed waits for the next Kill and is its grace.
func (p *Process) Killed(t TB) time.Duration {
	t.Helper()
	late := time.NewTimer(patience)
	defer late.Stop()
	select {
	case grace := <-p.kills:
		return grace
	case <-late.C:
		t.Fatal("the process was not killed")
		return 0
	}
}

// Kills is how often Kill was called since Killed last waited for it.
func (p *Process) Kills() int { return len(p.kills) }

// Pid is a number of the launcher's.
func (p *Process) Pid() int { return p.pid }

// Done is closed by Exit.
func (p *Process) Done() <-chan struct{} { return p.done }

// Status is what Exit was given.
func (p *Process) Status() int { return p.status }

// Limit is what ExitFor was given.
func (p *Process) Limit() *cluster.ContainerLimit { return p.limit }

// Signal is remembered for Signalled.
func (p *Process) Signal(s syscall.Signal) { p.signals <- s }

// Signalled waits for the next Signal.
func (p *Process) Signalled(t TB) syscall.Signal {
	t.Helper()
	late := time.NewTimer(patience)
	defer late.Stop()
	select {
	case s := <-p.signals:
		return s
	case <-late.C:
		t.Fatal("the process got no signal")
		return 0
	}
}

// Kill is remembered for Killed; the process lives on.
func (p *Process) Kill(grace time.Duration) { p.kills <- grace }
