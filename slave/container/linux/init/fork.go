package main

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"troupe/slave/container/plan"
)

// child is all that the forked process needs until it is the program.
type child struct {
	path, dir *byte
	args, env []*byte
	streams   [3]uintptr
	tasks     []int
	born      int
	parent    int
	errors    int // the writing end of a pipe that exec closes
	pidfd     int32
	identity
	security
}

// identity is whose the program is, and how it is placed.
type identity struct {
	terminal, ownCgroups bool
	switches             bool
	uid, gid             uintptr
	supplementary        []uint32
	rlimits              []rlimit
}

// security is what the program may not do.
type security struct {
	bounds, capable, rootless bool
	bounding, effective       uint64
	header                    unix.CapUserHeader
	sets                      [2]unix.CapUserData
	noNewPrivileges           bool
	filter                    []unix.SockFilter
	program                   unix.SockFprog
}

type rlimit struct {
	resource uintptr
	limit    unix.Rlimit
}

// cloneArgs is struct clone_args, as of Linux 5.7.
type cloneArgs struct {
	flags, pidfd, childTID, parentTID, exitSignal, stack, stackSize, tls, setTID, setTIDSize, cgroup uint64
}

// noSignals is what rt_sigaction(2) takes to set the default.
type noSignals [4]uint64

// fork makes a copy of this process that becomes the program. syscall.ForkExec
// cannot do what comes between, and a second start of a Go runtime would cost as
// much as all else together. In the copy only the calling thread lives, so nothing
// below may allocate, grow its stack or wait for another thread: run is nosplit, as
// is all that it calls. A signal that the copy gets before it has set the default goes to
// the init (see deadly), which passes it on.
func fork(c *child) (int, syscall.Errno) {
	args := cloneArgs{
		flags: unix.CLONE_PIDFD, pidfd: uint64(uintptr(unsafe.Pointer(&c.pidfd))), exitSignal: uint64(unix.SIGCHLD),
	}
	var pid uintptr
	var errno syscall.Errno
	if c.born >= 0 {
		args.flags |= unix.CLONE_INTO_CGROUP
		args.cgroup = uint64(c.born)
		pid, _, errno = syscall.RawSyscall6(unix.SYS_CLONE3, uintptr(unsafe.Pointer(&args)), unsafe.Sizeof(args), 0, 0, 0, 0)
	} else {
		pid, _, errno = syscall.RawSyscall6(unix.SYS_CLONE, unix.CLONE_PIDFD|uintptr(unix.SIGCHLD), 0, uintptr(unsafe.Pointer(&c.pidfd)), 0, 0, 0)
	}
	if errno == 0 && pid == 0 {
		run(c)
	}
	return int(pid), errno
}

// run never returns.
//
//go:nosplit
//go:norace
func run(c *child) {
	born := byte(1)
	syscall.RawSyscall(unix.SYS_WRITE, uintptr(c.errors), uintptr(unsafe.Pointer(&born)), 1)
	step, index, errno := become(c)
	said := [6]byte{byte(step), byte(index), byte(errno), byte(errno >> 8), 0, 0}
	syscall.RawSyscall(unix.SYS_WRITE, uintptr(c.errors), uintptr(unsafe.Pointer(&said[0])), unsafe.Sizeof(said))
	for {
		syscall.RawSyscall(unix.SYS_EXIT_GROUP, 253, 0, 0)
	}
}

// become returns only what failed.
//
//go:nosplit
//go:norace
func become(c *child) (plan.Step, int, syscall.Errno) {
	if index, errno := join(c); errno != 0 {
		return plan.StepCgroup, index, errno
	}
	var unset noSignals
	for n := uintptr(1); n <= 64; n++ {
		syscall.RawSyscall6(unix.SYS_RT_SIGACTION, n, uintptr(unsafe.Pointer(&unset)), 0, 8, 0, 0) // SIGKILL and SIGSTOP refuse
	}
	if _, _, errno := syscall.RawSyscall(unix.SYS_SETSID, 0, 0, 0); errno != 0 {
		return plan.StepSession, 0, errno
	}
	for i := range c.streams {
		if _, _, errno := syscall.RawSyscall(unix.SYS_DUP3, c.streams[i], uintptr(i), 0); errno != 0 {
			return plan.StepSession, 0, errno
		}
	}
	if c.terminal {
		if _, _, errno := syscall.RawSyscall(unix.SYS_IOCTL, 0, unix.TIOCSCTTY, 0); errno != 0 {
			return plan.StepTerminal, 0, errno
		}
	}
	for i := range c.rlimits {
		l := &c.rlimits[i]
		if _, _, errno := syscall.RawSyscall6(unix.SYS_PRLIMIT64, 0, l.resource, uintptr(unsafe.Pointer(&l.limit)), 0, 0, 0); errno != 0 {
			return plan.StepRlimit, i, errno
		}
	}
	if step, errno := restrain(c); errno != 0 {
		return step, 0, errno
	}
	_, _, errno := syscall.RawSyscall(unix.SYS_EXECVE, uintptr(unsafe.Pointer(c.path)), uintptr(unsafe.Pointer(&c.args[0])), uintptr(unsafe.Pointer(&c.env[0])))
	return plan.StepExec, 0, errno
}

// join enters the cgroups, and then a namespace in which they are the root.
//
//go:nosplit
//go:norace
func join(c *child) (int, syscall.Errno) {
	self := byte('0')
	for i := range c.tasks {
		if _, _, errno := syscall.RawSyscall(unix.SYS_WRITE, uintptr(c.tasks[i]), uintptr(unsafe.Pointer(&self)), 1); errno != 0 {
			return i, errno
		}
	}
	if c.ownCgroups {
		if _, _, errno := syscall.RawSyscall(unix.SYS_UNSHARE, unix.CLONE_NEWCGROUP, 0, 0); errno != 0 {
			return len(c.tasks), errno
		}
	}
	return 0, 0
}

// restrain gives up what the program shall not have, in the one order in which
// each step is still allowed. A filter is set last where it may be: without
// no_new_privs only who is privileged may set one.
//
//go:nosplit
//go:norace
func restrain(c *child) (plan.Step, syscall.Errno) {
	if c.bounds {
		if errno := bound(c.bounding); errno != 0 {
			return plan.StepBounding, errno
		}
	}
	if len(c.filter) > 0 && !c.noNewPrivileges {
		if errno := setFilter(c); errno != 0 {
			return plan.StepSeccomp, errno
		}
	}
	if errno := switchUser(c); errno != 0 {
		return plan.StepUser, errno
	}
	if c.capable {
		if errno := setCapabilities(c); errno != 0 {
			return plan.StepCapabilities, errno
		}
	}
	if c.noNewPrivileges {
		if _, _, errno := syscall.RawSyscall6(unix.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0, 0); errno != 0 {
			return plan.StepPrivileges, errno
		}
	}
	if _, _, errno := syscall.RawSyscall(unix.SYS_CHDIR, uintptr(unsafe.Pointer(c.dir)), 0, 0); errno != 0 {
		return plan.StepDir, errno
	}
	// With its init the program ends. Another user's credentials would unset this.
	if _, _, errno := syscall.RawSyscall6(unix.SYS_PRCTL, unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0, 0); errno != 0 {
		return plan.StepParent, errno
	}
	if parent, _, _ := syscall.RawSyscall(unix.SYS_GETPPID, 0, 0, 0); parent != uintptr(c.parent) {
		return plan.StepParent, unix.ESRCH
	}
	var none uint64
	if _, _, errno := syscall.RawSyscall6(unix.SYS_RT_SIGPROCMASK, unix.SIG_SETMASK, uintptr(unsafe.Pointer(&none)), 0, 8, 0, 0); errno != 0 {
		return plan.StepSession, errno
	}
	if len(c.filter) > 0 && c.noNewPrivileges {
		return plan.StepSeccomp, setFilter(c)
	}
	return 0, 0
}

// bound drops what is not in the set; the first that the kernel does not know ends
// the list.
//
//go:nosplit
//go:norace
func bound(set uint64) syscall.Errno {
	for n := uintptr(0); n < 64; n++ {
		if set&(1<<n) != 0 {
			continue
		}
		if _, _, errno := syscall.RawSyscall6(unix.SYS_PRCTL, unix.PR_CAPBSET_DROP, n, 0, 0, 0, 0); errno != 0 {
			if errno == unix.EINVAL && n > 0 {
				return 0
			}
			return errno
		}
	}
	return 0
}

//go:nosplit
//go:norace
func setFilter(c *child) syscall.Errno {
	const mode = 1 // SECCOMP_SET_MODE_FILTER
	_, _, errno := syscall.RawSyscall(unix.SYS_SECCOMP, mode, 0, uintptr(unsafe.Pointer(&c.program)))
	return errno
}

//go:nosplit
//go:norace
func switchUser(c *child) syscall.Errno {
	if !c.switches {
		return 0
	}
	if c.capable {
		if _, _, errno := syscall.RawSyscall6(unix.SYS_PRCTL, unix.PR_SET_KEEPCAPS, 1, 0, 0, 0, 0); errno != 0 {
			return errno
		}
	}
	var list uintptr
	if len(c.supplementary) > 0 {
		list = uintptr(unsafe.Pointer(&c.supplementary[0]))
	}
	if _, _, errno := syscall.RawSyscall(unix.SYS_SETGROUPS, uintptr(len(c.supplementary)), list, 0); errno != 0 {
		return errno
	}
	if _, _, errno := syscall.RawSyscall(unix.SYS_SETRESGID, c.gid, c.gid, c.gid); errno != 0 {
		return errno
	}
	_, _, errno := syscall.RawSyscall(unix.SYS_SETRESUID, c.uid, c.uid, c.uid)
	return errno
}

// setCapabilities leaves the program with just these, over exec too.
//
//go:nosplit
//go:norace
func setCapabilities(c *child) syscall.Errno {
	if c.rootless {
		const noRoot, noRootLocked = 1, 2
		if _, _, errno := syscall.RawSyscall6(unix.SYS_PRCTL, unix.PR_SET_SECUREBITS, noRoot|noRootLocked, 0, 0, 0, 0); errno != 0 {
			return errno
		}
	}
	if _, _, errno := syscall.RawSyscall(unix.SYS_CAPSET, uintptr(unsafe.Pointer(&c.header)), uintptr(unsafe.Pointer(&c.sets[0])), 0); errno != 0 {
		return errno
	}
	for n := uintptr(0); n < 64; n++ {
		if c.effective&(1<<n) == 0 {
			continue
		}
		if _, _, errno := syscall.RawSyscall6(unix.SYS_PRCTL, unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_RAISE, n, 0, 0, 0); errno != 0 {
			return errno
		}
	}
	return 0
}
