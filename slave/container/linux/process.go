package linux

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"troupe/slave/container"
	"troupe/slave/container/isolator/cgroups"
	"troupe/slave/container/plan"
	"troupe/slave/container/posix"
)

// patience is how long an init may take for what takes no time, before it is held for
// stopped or stuck.
const patience = 30 * time.Second

// Process is a program under an init, with everything it started.
type Process struct {
	launcher *Launcher
	child    *posix.Child // the init
	control  *os.File
	said     *plan.Report // by the init before begin; nil if nothing
	dir      string
	status   string // the file that has how the program ended; may be empty
	kill     string // the cgroup by which nothing escapes; may be empty
	has      plan.Namespaces
	new      plan.Namespaces
	pidfd    *os.File // of the program; nil for a holder
	pid      int      // of the program, as the machine numbers it
	done     chan struct{}
	exit     container.Exit // valid after done

	grace posix.Grace // until destroy runs
}

var _ container.Process = (*Process)(nil)

func newProcess(b *birth, control *os.File) *Process {
	p := &Process{
		launcher: b.launcher, control: control, dir: b.program.Sandbox, status: b.status, kill: b.program.Plan.Kill,
		new: b.program.Plan.New, has: b.program.Plan.New, done: make(chan struct{}),
	}
	if b.in != nil {
		p.has |= b.in.has
	}
	return p
}

// Container is what else may be launched beside the program.
func (p *Process) Container() *Container { return &Container{child: p.child, has: p.has} }

// Pid is the program's process id, as the machine numbers it.
func (p *Process) Pid() int { return p.pid }

// Init is the process id of the program's init.
func (p *Process) Init() int { return p.child.Pid() }

// Done is closed when the program and everything it started are gone.
func (p *Process) Done() <-chan struct{} { return p.done }

// Exit is valid once Done is closed.
func (p *Process) Exit() container.Exit { return p.exit }

// Kill sends SIGTERM to everything, and SIGKILL after grace; see container.Process.
func (p *Process) Kill(grace time.Duration) {
	if !p.grace.Begin(grace, p.destroy) {
		return
	}
	for _, pid := range p.members() {
		_ = p.child.Signal(pid, unix.SIGTERM) // destroy tells of those that may not be signalled
	}
}

// Signal signals the program alone; see container.Process.
func (p *Process) Signal(signal syscall.Signal) {
	if p.pidfd == nil {
		return
	}
	raw, err := p.pidfd.SyscallConn()
	if err == nil {
		var serr error
		err = raw.Control(func(fd uintptr) { serr = unix.PidfdSendSignal(int(fd), signal, nil, 0) })
		if errors.Is(err, os.ErrClosed) || errors.Is(serr, unix.ESRCH) {
			return // it has ended
		}
		err = errors.Join(err, serr)
	}
	if err != nil {
		p.launcher.report(fmt.Errorf("signal %d to process %d: %w", signal, p.pid, err))
	}
}

// destroy ends everything but the init, which tells how the program ended; and then,
// if it does not, the init too.
func (p *Process) destroy() {
	p.clear()
	late := time.NewTimer(patience)
	defer late.Stop()
	select {
	case <-p.done:
	case <-late.C:
		p.launcher.report(fmt.Errorf("the program in %s: its init does not end, and is killed", p.dir))
		p.endInit()
	}
}

// clear ends every process that the program started, and itself, whatever they have
// become.
func (p *Process) clear() {
	// Its program may have stopped the init, which is to reap: what has not been
	// reaped counts as there.
	_ = p.child.Signal(p.child.Pid(), unix.SIGCONT)
	switch {
	case p.pidfd == nil:
		p.order(plan.OrderLeave)
	case p.new&plan.NewPID != 0:
		p.killGroup()
		p.order(plan.OrderKill)
	default:
		p.purge()
	}
}

// purge ends what is the program's by its cgroup, and by whose child it is.
func (p *Process) purge() {
	p.killGroup()
	p.tell(posix.KillAll(p.members, p.child.Signal))
}

func (p *Process) killGroup() {
	if p.kill == "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	p.tell(cgroups.Kill(ctx, p.kill))
}

func (p *Process) tell(err error) {
	if err != nil {
		p.launcher.report(fmt.Errorf("the program in %s: %w", p.dir, err))
	}
}

// order tells the init; one that is gone needs no orders.
func (p *Process) order(o byte) { _, _ = p.control.Write([]byte{o}) }

// endInit kills the init, and with it all in the pid namespace that it made.
func (p *Process) endInit() { p.tell(p.child.Signal(p.child.Pid(), unix.SIGKILL)) }

// members are all processes of the program, without its init.
func (p *Process) members() []int {
	pids := posix.Tree(p.child.Pid())[1:]
	if p.pid > 0 && !p.over() {
		for _, pid := range posix.Tree(p.pid) { // it may have got rid of its init
			if !slices.Contains(pids, pid) {
				pids = append(pids, pid)
			}
		}
	}
	return append(pids, p.launcher.posix.LeftIn(p.dir, p.pid)...)
}

// over says whether the program has ended.
func (p *Process) over() bool {
	over := false
	raw, err := p.pidfd.SyscallConn()
	if err != nil {
		return true
	}
	err = raw.Control(func(fd uintptr) { over = ended(fd) })
	return over || err != nil
}

// ended: a pidfd is readable once its process has ended.
func ended(fd uintptr) bool {
	n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 0)
	return n > 0 || err != nil && !errors.Is(err, unix.EINTR)
}

// Usage reads /proc; it fails after the program has ended.
func (p *Process) Usage() (container.Usage, error) {
	select {
	case <-p.done:
		return container.Usage{}, fmt.Errorf("process %d has ended", p.pid)
	default:
		return posix.UsageOf(p.members()), nil
	}
}
