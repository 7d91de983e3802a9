package main

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"troupe/slave/container/plan"
)

// deadly are signals that the Go runtime keeps in no thread from coming, as it ends with
// them; and that of children, of which one that comes just before a poll(2) would be
// missed. They do not reach a signalfd, so they are caught by a handler of our own.
var deadly = [...]uintptr{
	uintptr(unix.SIGHUP), uintptr(unix.SIGINT), uintptr(unix.SIGQUIT), uintptr(unix.SIGABRT), uintptr(unix.SIGTERM), uintptr(unix.SIGCHLD),
}

// handler is what runs, in any thread and without Go's runtime, when a signal comes, and
// writes it to a pipe; and how it returns, 0 where the kernel knows by itself.
func handler(pipe int) (caught, restore uintptr)

// catch has deadly signals written to a pipe, of which it returns the end to read.
func catch() (int, *failure) {
	var pipe [2]int
	if err := unix.Pipe2(pipe[:], unix.O_CLOEXEC|unix.O_NONBLOCK); err != nil {
		return -1, failed(plan.StepFork, "pipe", err)
	}
	caught, restore := handler(pipe[1])
	const onStack, restart, hasRestorer = 0x08000000, 0x10000000, 0x04000000
	action := [4]uint64{uint64(caught), onStack | restart, uint64(restore), ^uint64(0)} // with its mask
	if restore != 0 {
		action[1] |= hasRestorer
	}
	for _, n := range deadly {
		if _, _, errno := syscall.RawSyscall6(unix.SYS_RT_SIGACTION, n, uintptr(unsafe.Pointer(&action)), 0, 8, 0, 0); errno != 0 {
			return -1, failed(plan.StepFork, "signals", errno)
		}
	}
	return pipe[0], nil
}

// forward passes signals on to the program.
func (s *server) forward() {
	for {
		var info unix.SignalfdSiginfo
		b := unsafe.Slice((*byte)(unsafe.Pointer(&info)), unsafe.Sizeof(info))
		n, err := unix.Read(s.signals, b)
		if err != nil || n < len(b) {
			break
		}
		s.pass(unix.Signal(info.Signo))
	}
	var numbers [64]byte
	for {
		n, err := unix.Read(s.caught, numbers[:])
		if err == unix.EINTR {
			continue
		}
		if err != nil || n <= 0 {
			return
		}
		for _, number := range numbers[:n] {
			s.pass(unix.Signal(number))
		}
	}
}

// pass leaves out the runtime's own, and what tells of children: they mean nothing to
// the program.
func (s *server) pass(signal unix.Signal) {
	if signal != unix.SIGCHLD && signal != unix.SIGURG && s.program >= 0 {
		_ = unix.Kill(s.program, signal) // it is there until it is reaped
	}
}
