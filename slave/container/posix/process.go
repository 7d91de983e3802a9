package posix

import (
	"fmt"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"troupe/slave/container"
)

// Process is one program and its descendants. Its pid stays its own until it
// is reaped, which is after everything it started is gone.
type Process struct {
	launcher *Launcher
	child    *Child
	dir      string
	guest    bool
	mark     string // see container.Spec
	done     chan struct{}
	exit     container.Exit // valid after done

	grace Grace // until destroy runs
}

var _ container.Process = (*Process)(nil)

// Pid is the program's process id; it is also its session's.
func (p *Process) Pid() int { return p.child.pid }

// Done is closed when the program and its descendants are gone.
func (p *Process) Done() <-chan struct{} { return p.done }

// Exit is valid once Done is closed.
func (p *Process) Exit() container.Exit { return p.exit }

// Kill sends SIGTERM to everything, and SIGKILL after grace; see
// container.Process.
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
	if err := p.child.Signal(p.child.pid, signal); err != nil {
		p.launcher.report(fmt.Errorf("signal %d to process %d: %w", signal, p.child.pid, err))
	}
}

// destroy stops and kills until nothing is left but zombies, and what may not be
// killed.
func (p *Process) destroy() { p.killAll(p.members) }

// killAll tells of what it could not kill.
func (p *Process) killAll(find func() []int) {
	if err := killAll(find, p.child.Signal); err != nil {
		p.launcher.report(fmt.Errorf("the program in %s: %w", p.dir, err))
	}
}

// wait runs until the program has exited, then ends what it left.
func (p *Process) wait() {
	err := p.child.Await()
	p.killAll(p.leftovers)
	status := -1
	if err == nil {
		status, err = p.child.Reap()
	}
	p.grace.End()
	p.exit = container.Exit{Status: status}
	if err != nil {
		p.exit.Status = -1
	}
	p.child.Forget()
	close(p.done)
}

// Usage reads /proc; it fails after the program has ended.
func (p *Process) Usage() (container.Usage, error) {
	select {
	case <-p.done:
		return container.Usage{}, fmt.Errorf("process %d has ended", p.child.pid)
	default:
		return usageOf(p.members()), nil
	}
}

// members are the program, its descendants, and what they left orphaned.
func (p *Process) members() []int {
	if p.child.gone() {
		return nil
	}
	return append(tree(p.child.pid), p.leftovers()...)
}

// leftovers are the orphans that p's program left, with their descendants.
func (p *Process) leftovers() []int {
	var pids []int
	for _, orphan := range p.launcher.orphans() {
		if p.left(orphan) {
			pids = append(pids, tree(orphan)...)
		}
	}
	return pids
}

// left says whether an orphan is of p. The one who has left the session is
// known by its sandbox; one who has left that too belongs to the only program
// that there is, if there is only one. A guest in a sandbox has its mark
// instead.
func (p *Process) left(orphan int) bool {
	if s, err := readStat(orphan); err == nil && s.session == p.child.pid {
		return true
	}
	if p.guest {
		return p.mark != "" && carries(orphan, p.mark)
	}
	return worksIn(orphan, map[string]bool{p.dir: true}) != "" || p.launcher.alone(p)
}
