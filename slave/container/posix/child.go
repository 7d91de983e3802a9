package posix

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"troupe/slave/container"
)

// Child is a process that a Launcher has started. Its number stays its own until it
// is reaped. Safe for concurrent use.
type Child struct {
	launcher *Launcher
	resident Resident
	pid      int
	poll     *os.File // a pidfd

	mu     sync.Mutex
	reaped bool
}

// Resident is who a child is for.
type Resident interface {
	// Kill ends all of it, as container.Process has it.
	Kill(grace time.Duration)
}

// Start runs fork on the thread that makes all children, and knows the child before
// anything of it can be reaped. fork returns a process and its pidfd, and an error
// only when there is no process; it leaves the thread as it was. The child is to be
// waited for by Await, Reap and Forget, in that order. resident says who it is for,
// before anybody else sees it.
func (l *Launcher) Start(fork func() (pid, pidfd int, err error), resident func(*Child) Resident) (*Child, error) {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return nil, ErrClosed
	}
	l.idle.Add(1)
	l.mu.Unlock()

	var c *Child
	var err error
	done := make(chan struct{})
	l.forks <- func() {
		defer close(done)
		c, err = l.keep(fork, resident)
	}
	<-done
	if err != nil {
		l.idle.Done()
		return nil, err
	}
	return c, nil
}

// keep forks, and knows the child before the reaper can see it.
func (l *Launcher) keep(fork func() (pid, pidfd int, err error), resident func(*Child) Resident) (*Child, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	pid, pidfd, err := fork()
	if err != nil {
		return nil, err
	}
	c := &Child{launcher: l, pid: pid}
	if c.poll, err = pollable(pidfd); err != nil {
		// Without a pidfd the process cannot be waited for: give it up.
		err = errors.Join(err, unix.Kill(pid, unix.SIGKILL))
		_, werr := unix.Wait4(pid, nil, 0, nil)
		return nil, errors.Join(err, werr)
	}
	c.resident = resident(c)
	l.running[pid] = c
	return c, nil
}

// pollable makes a file of a pidfd on which Go's poller waits.
func pollable(pidfd int) (*os.File, error) {
	if pidfd < 0 {
		return nil, errors.New("the kernel has no pidfd (Linux 5.4 or newer is needed)")
	}
	if err := unix.SetNonblock(pidfd, true); err != nil {
		return nil, errors.Join(fmt.Errorf("making a pidfd non-blocking: %w", err), unix.Close(pidfd))
	}
	return os.NewFile(uintptr(pidfd), "pidfd"), nil
}

// Pid is the process's number.
func (c *Child) Pid() int { return c.pid }

// Signal sends a signal to a process of the child's. If it is the child itself, which
// may have been reaped, nothing is sent then: its number may be somebody else's. What
// is gone is no error.
func (c *Child) Signal(pid int, sig syscall.Signal) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if pid == c.pid && c.reaped {
		return nil
	}
	return sendTo(pid, sig)
}

// Pidfd lends the child's pidfd to use, until Forget.
func (c *Child) Pidfd(use func(fd int)) error {
	raw, err := c.poll.SyscallConn()
	if err != nil {
		return err
	}
	return raw.Control(func(fd uintptr) { use(int(fd)) })
}

// Await blocks until the child is a zombie.
func (c *Child) Await() error {
	_, err := c.await(time.Time{})
	return err
}

// AwaitFor blocks until the child is a zombie, but no longer than d, and says whether
// it is.
func (c *Child) AwaitFor(d time.Duration) (bool, error) { return c.await(time.Now().Add(d)) }

func (c *Child) await(until time.Time) (bool, error) {
	if err := c.poll.SetReadDeadline(until); err != nil {
		return false, err
	}
	raw, err := c.poll.SyscallConn()
	if err != nil {
		return false, err
	}
	var werr error
	err = raw.Read(func(fd uintptr) bool {
		var info unix.Siginfo
		werr = unix.Waitid(unix.P_PIDFD, int(fd), &info, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT, nil)
		return werr != nil && !errors.Is(werr, unix.EINTR) || info.Signo != 0
	})
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return false, nil
	}
	return true, errors.Join(err, werr)
}

// Reap takes the status of a zombie, as wait(2) gives it.
func (c *Child) Reap() (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reaped = true
	var ws unix.WaitStatus
	for {
		_, err := unix.Wait4(c.pid, &ws, 0, nil)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		return int(ws), err
	}
}

// Forget ends the tracking of a child that has been reaped.
func (c *Child) Forget() {
	c.poll.Close() // a pidfd has nothing to flush
	l := c.launcher
	l.mu.Lock()
	delete(l.running, c.pid)
	l.mu.Unlock()
	l.idle.Done()
}

// gone says whether the child has been reaped.
func (c *Child) gone() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.reaped
}

// Tree lists pid and its descendants, parents first; without a process pid it is
// that number alone.
func Tree(pid int) []int { return tree(pid) }

// Children lists the processes that a process started, or that were left to it.
func Children(pid int) []int { return children(pid) }

// LeftIn lists the processes that were abandoned to this one, with their
// descendants, and were started in the sandbox dir, or in the session given.
func (l *Launcher) LeftIn(dir string, session int) []int {
	wanted := map[string]bool{filepath.Clean(dir): true}
	var pids []int
	for _, orphan := range l.orphans() {
		s, err := readStat(orphan)
		if err == nil && s.session == session || worksIn(orphan, wanted) != "" {
			pids = append(pids, tree(orphan)...)
		}
	}
	return pids
}

// KillAll stops, then kills, all that find finds, until it finds none that is
// alive, by send. Processes that may not be signalled are left alone in the end; the
// error names them.
func KillAll(find func() []int, send func(pid int, sig syscall.Signal) error) error {
	return killAll(find, send)
}

// UsageOf sums up what processes use; those that are gone count nothing.
func UsageOf(pids []int) container.Usage { return usageOf(pids) }
