package posix

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"

	"golang.org/x/sys/unix"
)

// Daemon is a process that does not end with the one that started it.
type Daemon struct {
	pid     int
	started uint64
	done    chan struct{}
	message string // valid after done

	mu    sync.Mutex
	ended bool
}

// StartDaemon starts a program in a session of its own. It writes to the file
// output, which is appended to; nothing of this process's files reaches it.
// Unlike what a Launcher starts, it outlives this process.
func StartDaemon(path string, args, env []string, output string) (*Daemon, error) {
	out, err := os.OpenFile(output, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return nil, fmt.Errorf("output of %q: %w", path, err)
	}
	cmd := exec.Command(path, args...)
	cmd.Env, cmd.Stdout, cmd.Stderr = env, out, out
	cmd.SysProcAttr = &unix.SysProcAttr{Setsid: true}
	err = cmd.Start()
	if err = errors.Join(err, out.Close()); err != nil {
		return nil, fmt.Errorf("starting %q: %w", path, err)
	}
	d := &Daemon{pid: cmd.Process.Pid, done: make(chan struct{})}
	// Until Wait the number stays the process's own, even when it has ended.
	s, err := readStat(d.pid)
	if err != nil {
		err = fmt.Errorf("starting %q: %w", path, err)
		return nil, errors.Join(err, cmd.Process.Kill(), ignoreExit(cmd.Wait()))
	}
	d.started = s.started
	go func() {
		err := cmd.Wait()
		message := "it exited"
		if err != nil {
			message = err.Error()
		}
		d.end(message)
	}()
	return d, nil
}

func ignoreExit(err error) error {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return nil
	}
	return err
}

// FindDaemon watches a process that another one started, at the time started:
// see Started. Numbers of processes are taken again, and may be lies; with the
// time they name one process for as long as the machine runs.
func FindDaemon(pid int, started uint64) (*Daemon, error) {
	fd, err := unix.PidfdOpen(pid, unix.PIDFD_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("finding process %d: %w", pid, err)
	}
	d := &Daemon{pid: pid, started: started, done: make(chan struct{})}
	file := os.NewFile(uintptr(fd), "pidfd")
	// From here on the number cannot become another's unnoticed.
	raw, err := file.SyscallConn()
	if err == nil {
		err = startedAt(pid, started)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("watching process %d: %w", pid, err), file.Close())
	}
	go func() {
		// A pidfd is readable once its process has ended.
		err := raw.Read(func(fd uintptr) bool {
			n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 0)
			return n > 0 || err != nil && !errors.Is(err, unix.EINTR)
		})
		if err = errors.Join(err, file.Close()); err != nil {
			d.end("it cannot be watched: " + err.Error())
			return
		}
		d.end("it ended")
	}()
	return d, nil
}

func startedAt(pid int, started uint64) error {
	s, err := readStat(pid)
	if err != nil {
		return err
	}
	if s.started != started {
		return fmt.Errorf("it started at tick %d, not at %d: it is another", s.started, started)
	}
	return nil
}

func (d *Daemon) end(message string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.message, d.ended = message, true
	close(d.done)
}

// Pid is the process's number.
func (d *Daemon) Pid() int { return d.pid }

// Started is when the process started, in clock ticks since the machine did.
func (d *Daemon) Started() uint64 { return d.started }

// Done is closed when the process has ended.
func (d *Daemon) Done() <-chan struct{} { return d.done }

// Message says how it ended; valid once Done is closed.
func (d *Daemon) Message() string { return d.message }

// Kill ends the process at once, if it has not ended.
func (d *Daemon) Kill() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ended {
		return nil
	}
	if err := unix.Kill(d.pid, unix.SIGKILL); err != nil && !errors.Is(err, unix.ESRCH) {
		return fmt.Errorf("killing process %d: %w", d.pid, err)
	}
	return nil
}
