package main

import (
	"golang.org/x/sys/unix"

	"troupe/slave/container/plan"
)

// server is an init whose program runs, or that holds namespaces.
type server struct {
	program int // its number in here; -1 when it was reaped, or there is none
	holds   bool
	leaving bool
	status  int    // the file; -1 if none
	last    uint32 // how the program has ended
	signals int
	caught  int // the end of the pipe of those that signals misses
	logs    [2]*log
}

// serve returns when nothing is left to do.
func (s *server) serve() {
	var all unix.Sigset_t
	for i := range all.Val {
		all.Val[i] = ^uint64(0)
	}
	var err error
	if s.signals, err = unix.Signalfd(-1, &all, unix.SFD_CLOEXEC|unix.SFD_NONBLOCK); err != nil {
		return
	}
	for s.reap(); !s.over(); s.reap() {
		fds := make([]unix.PollFd, 0, 5)
		for _, fd := range []int{s.signals, s.caught, controlFile} {
			fds = append(fds, unix.PollFd{Fd: int32(fd), Events: unix.POLLIN})
		}
		for _, l := range s.logs {
			if l != nil && l.from >= 0 {
				fds = append(fds, unix.PollFd{Fd: int32(l.from), Events: unix.POLLIN})
			}
		}
		if _, err := unix.Poll(fds, -1); err != nil && err != unix.EINTR {
			return
		}
		if fds[0].Revents != 0 || fds[1].Revents != 0 {
			s.forward()
		}
		if fds[2].Revents != 0 && !s.obey() {
			return
		}
		for _, l := range s.logs {
			l.copy()
		}
	}
	for _, l := range s.logs {
		l.copy()
	}
}

// over: the program and all that it abandoned have been reaped. In a pid namespace
// whose first process this is, the kernel ends what is left.
func (s *server) over() bool {
	if s.holds {
		return s.leaving
	}
	return s.program < 0 && s.leaving
}

// reap takes the status of what has ended, and then tells of the program.
func (s *server) reap() {
	ended := false
	for {
		var ws unix.WaitStatus
		pid, err := unix.Wait4(-1, &ws, unix.WNOHANG, nil)
		if err == unix.EINTR {
			continue
		}
		if err != nil || pid <= 0 {
			s.leaving = s.leaving || err == unix.ECHILD && !s.holds
			break
		}
		if pid == s.program {
			ended = true
			s.program, s.last = -1, uint32(ws)
			s.record()
		}
	}
	if !ended {
		return
	}
	if unix.Getpid() == 1 {
		_ = unix.Kill(-1, unix.SIGKILL) // nobody may be left to kill
	}
	tell(&plan.Report{Kind: plan.Exited, Status: s.last, Left: !s.leaving}, -1)
}

// record makes the status durable before anybody hears of it.
func (s *server) record() {
	if s.status < 0 {
		return
	}
	line := []byte(decimal(int(s.last)) + "\n")
	if n, err := unix.Write(s.status, line); err == nil && n == len(line) {
		_ = unix.Fsync(s.status) // what cannot be durable is told all the same
	}
	unix.Close(s.status)
}

// obey takes an order, and says whether the launcher is there.
func (s *server) obey() bool {
	var order [8]byte
	n, _, err := unix.Recvfrom(controlFile, order[:], unix.MSG_DONTWAIT)
	switch {
	case err == unix.EAGAIN || err == unix.EINTR:
		return true
	case err != nil || n == 0:
		return false
	}
	switch order[0] {
	case plan.OrderKill:
		if unix.Getpid() == 1 {
			_ = unix.Kill(-1, unix.SIGKILL) // nobody may be left to kill
		}
	case plan.OrderLeave:
		s.leaving = true
	}
	return true
}
