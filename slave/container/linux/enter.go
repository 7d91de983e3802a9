package linux

import (
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"troupe/slave/container/plan"
	"troupe/slave/container/posix"
)

// What enters a container's pid namespace can be stopped there, by programs of the same
// user, before it is anything; and the forking thread, on which every container of the
// host depends, waits for it. So that thread never waits for somebody who is stopped.

// processors are how many Go has at least: one is kept by the thread that forks, one by
// what is left of a collection, and who makes a child that is stopped go on needs another.
const processors = 4

// stall is how long what was forked may take until it is looked whether it is stopped.
const stall = 50 * time.Millisecond

// enter has the forking thread's next child be born in the container's pid namespace.
// leave, which is to be called after the fork, takes that back.
func (b *birth) enter() (leave func(), err error) {
	if err := unix.Setns(int(b.target.Fd()), unix.CLONE_NEWPID); err != nil {
		return nil, fmt.Errorf("entering the container's pid namespace: %w", err)
	}
	collect := quiet.enter()
	calm := urge()
	return func() {
		calm()
		collect()
		if err := unix.Setns(int(b.launcher.pids.Fd()), unix.CLONE_NEWPID); err != nil {
			panic("a thread cannot leave a container's pid namespace: " + err.Error())
		}
	}, nil
}

// silence keeps the garbage collector from starting. It waits for every thread that may
// run Go code, so also for one that forks, and nothing else runs until it has begun: not
// even what is to help that thread.
type silence struct {
	mu      sync.Mutex
	inside  int
	percent int // what is to be again
}

// quiet is the process's, as its collector is.
var quiet silence

// enter begins a silence, which ends with the last that is in it.
func (s *silence) enter() (leave func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.inside++; s.inside == 1 {
		s.percent = debug.SetGCPercent(-1)
	}
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.inside--; s.inside == 0 {
			debug.SetGCPercent(s.percent)
		}
	}
}

// urge makes copies of this process that are stopped go on, and ends those that are
// stopped again, until it is calmed.
func urge() (calm func()) {
	over := make(chan struct{})
	late := time.AfterFunc(stall, func() {
		look := time.NewTicker(stall)
		defer look.Stop()
		for signal := unix.SIGCONT; ; signal = unix.SIGKILL {
			for _, pid := range stoppedCopies() {
				_ = unix.Kill(pid, signal) // it is nobody else's before this process has waited for it
			}
			select {
			case <-look.C:
			case <-over:
				return
			}
		}
	})
	return func() {
		late.Stop()
		close(over)
	}
}

// stoppedCopies lists the children of this process that have not become another program
// yet, and are stopped.
func stoppedCopies() []int {
	own, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return nil
	}
	var pids []int
	for _, pid := range posix.Children(os.Getpid()) {
		folder := "/proc/" + strconv.Itoa(pid)
		program, err := os.Readlink(folder + "/exe")
		if err != nil || program != own {
			continue
		}
		stat, err := os.ReadFile(folder + "/stat")
		if _, after, ok := strings.Cut(string(stat[strings.LastIndexByte(string(stat), ')')+1:]), " "); err == nil && ok && strings.HasPrefix(after, "T") {
			pids = append(pids, pid)
		}
	}
	return pids
}

// follow waits, on the forking thread, until an init that was born in a pid namespace
// has been followed by the one that makes another below it.
func (b *birth) follow(pid, pidfd int) (int, int, error) {
	report, file := b.hearOfMove(pidfd)
	if report == nil || report.Kind != plan.Moved || file < 0 {
		b.process.said = report
		return pid, pidfd, nil // begin meets the same
	}
	next, err := numberOf(file)
	if err != nil || next == 0 {
		return pid, pidfd, unix.Close(file) // begin finds that it is gone
	}
	// Nothing is left for it to do but to end, which somebody may keep it from.
	_ = unix.PidfdSendSignal(pidfd, unix.SIGKILL, nil, 0) // if it has not ended
	for {
		if _, werr := unix.Wait4(pid, nil, 0, nil); !errors.Is(werr, unix.EINTR) {
			break
		}
	}
	return next, file, unix.Close(pidfd)
}

// hearOfMove makes an init that is stopped go on until it has said something; nil when it
// has ended without.
func (b *birth) hearOfMove(pidfd int) (report *plan.Report, file int) {
	raw, err := b.process.control.SyscallConn()
	if err != nil {
		return nil, -1
	}
	late := time.Now().Add(patience)
	cerr := raw.Control(func(fd uintptr) {
		for time.Now().Before(late) {
			// The socket's other end is open here, too, so that it does not tell of the end.
			fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}, {Fd: int32(pidfd), Events: unix.POLLIN}}
			n, perr := unix.Poll(fds, int(stall/time.Millisecond))
			switch {
			case n > 0 && fds[0].Revents != 0:
				report, file, err = receive(int(fd))
				return
			case n == 0:
				_ = unix.PidfdSendSignal(pidfd, unix.SIGCONT, nil, 0) // if it has ended, that is seen
			case !errors.Is(perr, unix.EINTR):
				return
			}
		}
	})
	if err != nil || cerr != nil {
		return nil, -1
	}
	return report, file
}
