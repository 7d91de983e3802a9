// Package posix runs programs as plain child processes: each in a session of
// its own, with no isolation, and never leaving a descendant behind. For
// executor hosts and, through /proc, for the agent. Linux 5.4 or newer.
//
// Three facts of the kernel shape it:
//   - PR_SET_PDEATHSIG is delivered when the forking thread dies, not the
//     process. All forks are therefore made by one thread that lives as long
//     as the Launcher.
//   - A process whose parent has died becomes a child of its nearest ancestor
//     that is a subreaper. The Launcher's process is one, so that whatever a
//     program leaves behind turns up as the launcher's own child.
//   - A pidfd can be polled, so that a running program costs no thread.
package posix

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"sync"

	"golang.org/x/sys/unix"

	"troupe/slave/container"
)

// ErrClosed is returned by Launch after Close.
var ErrClosed = errors.New("the launcher is closed")

// Launcher starts programs and reaps what they leave. A process has at most
// one; beside it, it may use os/exec for children in its own session only.
type Launcher struct {
	forks   chan func()
	reaper  chan os.Signal
	session int
	report  func(error)

	mu      sync.Mutex
	running map[int]*Child // by pid, until forgotten
	closed  bool
	idle    sync.WaitGroup // running processes
}

var _ container.Launcher = (*Launcher)(nil)

// New makes the calling process a subreaper and starts the forking thread.
// report, which may be nil, is told what a signal was refused for, from any
// goroutine.
func New(report func(error)) (*Launcher, error) {
	if report == nil {
		report = func(error) {}
	}
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return nil, fmt.Errorf("becoming a subreaper: %w", err)
	}
	session, err := unix.Getsid(0)
	if err != nil {
		return nil, fmt.Errorf("asking for the own session: %w", err)
	}
	if err := closeOnExec(); err != nil {
		return nil, err
	}
	l := &Launcher{
		forks:   make(chan func()),
		reaper:  make(chan os.Signal, 1),
		session: session,
		report:  report,
		running: map[int]*Child{},
	}
	signal.Notify(l.reaper, unix.SIGCHLD)
	go l.fork()
	go l.reap()
	return l, nil
}

// closeOnExec marks the files that this process itself was started with; Go
// marks all that it opens.
func closeOnExec() error {
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return fmt.Errorf("listing open files: %w", err)
	}
	for _, e := range open {
		if fd, err := strconv.Atoi(e.Name()); err == nil && fd > 2 {
			unix.CloseOnExec(fd)
		}
	}
	return nil
}

// fork runs the forks on one thread.
func (l *Launcher) fork() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread() // ending while locked would end the thread
	for f := range l.forks {
		f()
	}
}

// Launch starts s; see container.Launcher.
func (l *Launcher) Launch(s container.Spec) (container.Process, error) {
	p, err := l.launch(s)
	if err != nil {
		return nil, err // not a nil *Process in an interface
	}
	return p, nil
}

func (l *Launcher) launch(s container.Spec) (*Process, error) {
	start, err := prepare(s)
	if err != nil {
		return nil, err
	}
	defer start.close()

	p := &Process{launcher: l, dir: s.Dir, guest: s.Guest, mark: s.Mark, done: make(chan struct{})}
	if _, err := l.Start(start.fork, func(c *Child) Resident {
		p.child = c
		return p
	}); err != nil {
		return nil, err
	}
	go p.wait()
	return p, nil
}

// Close kills what runs, waits until it is gone, and refuses further
// launches.
func (l *Launcher) Close() error {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return nil
	}
	l.closed = true
	for _, c := range l.running {
		c.resident.Kill(0)
	}
	l.mu.Unlock()
	l.idle.Wait()
	close(l.forks)
	signal.Stop(l.reaper)
	close(l.reaper)
	return nil
}

// reap waits for orphans: dead processes that some program started and left.
func (l *Launcher) reap() {
	for range l.reaper {
		l.reapOrphans()
	}
}

func (l *Launcher) reapOrphans() {
	for _, pid := range l.orphans() {
		if s, err := readStat(pid); err == nil && s.state == 'Z' {
			unix.Wait4(pid, nil, unix.WNOHANG, nil) // fails only when it is gone already
		}
	}
}

// orphans lists the children of this process that it did not start: adopted
// ones, which are in another session.
func (l *Launcher) orphans() []int {
	var orphans []int
	// The kernel gives adopted children to the main thread.
	for _, pid := range childrenOfThread(os.Getpid(), os.Getpid()) {
		l.mu.Lock()
		_, own := l.running[pid]
		l.mu.Unlock()
		if own {
			continue
		}
		if s, err := readStat(pid); err == nil && s.session != l.session {
			orphans = append(orphans, pid)
		}
	}
	return orphans
}

// alone says whether p is the only program, guests left aside.
func (l *Launcher) alone(p *Process) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, other := range l.running {
		if q, ok := other.resident.(*Process); other != p.child && !(ok && q.guest) {
			return false
		}
	}
	return l.running[p.child.pid] == p.child
}
