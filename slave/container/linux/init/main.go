// The init is the small program under which a container's program runs where a
// plan asks for more than a plain child process. It makes what the plan says,
// starts the program, reaps what that abandons, forwards signals, bounds logs, and
// records the wait status durably. slave/container/linux embeds it, built for
// each architecture (go generate), and runs it from memory; nobody else does.
//
// There is one for each running program, so it is written for size: no fmt, os,
// time or net, one thread that counts, no garbage collection.
package main

import (
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"troupe/slave/container/plan"
)

// Files that the launcher starts an init with; the others are named in the plan.
const (
	controlFile = 3 // a socket of packets: reports go out, orders come in
	planFile    = 4
	binaryFile  = 5 // this program
)

// locked keeps main on the first thread from the start: namespaces and the
// parent's death signal are a thread's, and the first one's are the process's to
// others.
var locked = lock()

func lock() bool {
	runtime.LockOSThread()
	return true
}

func main() {
	if !locked || unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0) != nil || orphaned() {
		syscall.Exit(1)
	}
	s, failed := begin()
	if failed != nil {
		tell(&plan.Report{Kind: plan.Failed, Step: failed.step, Errno: uint32(failed.errno), Subject: failed.subject}, -1)
		syscall.Exit(1)
	}
	s.serve()
	syscall.Exit(0)
}

// failure is why a launch fails; nil if it does not.
type failure struct {
	step    plan.Step
	errno   syscall.Errno
	subject string
}

// failed is nil without an error.
func failed(step plan.Step, subject string, err error) *failure {
	if err == nil {
		return nil
	}
	errno, _ := err.(syscall.Errno)
	return &failure{step: step, errno: errno, subject: subject}
}

// orphaned: the launcher has ended before its death signal was asked for.
func orphaned() bool {
	fds := []unix.PollFd{{Fd: controlFile}}
	n, err := unix.Poll(fds, 0)
	return err == nil && n > 0 && fds[0].Revents&(unix.POLLHUP|unix.POLLERR|unix.POLLNVAL) != 0
}

// longest is how much of a subject is told: it may be whatever a command names, and a
// report is to fit into one message.
const longest = 4 << 10

// tell sends a report, with a file unless fd is below 0. When the launcher is
// gone, so is this process in a moment.
func tell(r *plan.Report, fd int) {
	if len(r.Subject) > longest {
		r.Subject = r.Subject[:longest]
	}
	var rights []byte
	if fd >= 0 {
		rights = unix.UnixRights(fd)
	}
	for {
		if err := unix.Sendmsg(controlFile, plan.EncodeReport(r), rights, nil, unix.MSG_NOSIGNAL); err != unix.EINTR {
			return
		}
	}
}

// begin does all that comes before the program runs.
func begin() (*server, *failure) {
	p, f := readPlan()
	if f != nil {
		return nil, f
	}
	if p.Plan.New&plan.NewPID != 0 && unix.Getpid() != 1 {
		return nil, move()
	}
	// No file is for the program but its own.
	if err := unix.CloseRange(controlFile, 1<<31, unix.CLOSE_RANGE_CLOEXEC); err != nil {
		return nil, failed(plan.StepPlan, "close_range", err)
	}
	closeAll([]int{planFile, binaryFile})
	name := []byte("troupe-init\x00")
	_ = unix.Prctl(unix.PR_SET_NAME, uintptr(unsafe.Pointer(&name[0])), 0, 0, 0) // cannot fail
	s := &server{program: -1, status: p.Status, logs: [2]*log{}}
	if s.caught, f = catch(); f != nil {
		return nil, f
	}
	groups, f := openGroups(p.Plan.Cgroups)
	if f != nil {
		return nil, f
	}
	if f := setScore(p.Plan.OOMScore); f != nil {
		return nil, f
	}
	if f := furnish(p); f != nil {
		return nil, f
	}
	// Whoever abandons a process within the container leaves it to this one, which
	// nobody there may look into.
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return nil, failed(plan.StepFork, "subreaper", err)
	}
	_ = unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0) // cannot fail with 0
	if p.Path == "" {
		s.holds = true
		closeAll(groups.tasks)
		tell(&plan.Report{Kind: plan.Started}, -1)
		return s, nil
	}
	if f := s.openLogs(p); f != nil {
		return nil, f
	}
	pidfd, f := s.start(p, groups)
	if f != nil {
		return nil, f
	}
	closeAll(groups.tasks)
	closeAll(p.Streams[:])
	tell(&plan.Report{Kind: plan.Started}, pidfd)
	unix.Close(pidfd)
	return s, nil
}

func closeAll(fds []int) {
	for _, fd := range fds {
		unix.Close(fd)
	}
}

func readPlan() (*plan.Program, *failure) {
	var stat unix.Stat_t
	if err := unix.Fstat(planFile, &stat); err != nil {
		return nil, failed(plan.StepPlan, "", err)
	}
	b := make([]byte, stat.Size)
	for done := 0; done < len(b); {
		n, err := unix.Pread(planFile, b[done:], int64(done))
		switch {
		case err == unix.EINTR:
			continue
		case err != nil || n == 0:
			return nil, failed(plan.StepPlan, "", unix.EIO)
		}
		done += n
	}
	p, err := plan.Decode(b)
	if err != nil {
		return nil, failed(plan.StepPlan, "", unix.EBADMSG)
	}
	return p, nil
}
