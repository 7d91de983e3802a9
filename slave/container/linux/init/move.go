package main

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"troupe/slave/container/plan"
)

// move starts another init as the first process of a new pid namespace, below the
// one that this was born in, and as a child of its own parent; then this one ends.
// The launcher cannot do that: who has another pid namespace for its children than
// its own may not make any.
func move() *failure {
	path, err := unix.BytePtrFromString(link(binaryFile))
	if err != nil {
		return failed(plan.StepNamespace, "", err)
	}
	args, err := syscall.SlicePtrFromStrings([]string{"troupe-init"})
	if err != nil {
		return failed(plan.StepNamespace, "", err)
	}
	env, err := syscall.SlicePtrFromStrings(syscall.Environ())
	if err != nil {
		return failed(plan.StepNamespace, "", err)
	}
	var pidfd int32
	const flags = unix.CLONE_NEWPID | unix.CLONE_PARENT | unix.CLONE_PIDFD
	pid, _, errno := syscall.RawSyscall6(unix.SYS_CLONE, flags|uintptr(unix.SIGCHLD), 0, uintptr(unsafe.Pointer(&pidfd)), 0, 0, 0)
	if errno == 0 && pid == 0 {
		again(path, args, env)
	}
	if errno != 0 {
		return failed(plan.StepNamespace, "", errno)
	}
	tell(&plan.Report{Kind: plan.Moved}, int(pidfd))
	syscall.Exit(0)
	return nil
}

// again never returns; see fork.
//
//go:nosplit
//go:norace
func again(path *byte, args, env []*byte) {
	syscall.RawSyscall(unix.SYS_EXECVE, uintptr(unsafe.Pointer(path)), uintptr(unsafe.Pointer(&args[0])), uintptr(unsafe.Pointer(&env[0])))
	for {
		syscall.RawSyscall(unix.SYS_EXIT_GROUP, 253, 0, 0)
	}
}
