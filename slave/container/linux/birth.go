package linux

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"troupe/slave/container"
	"troupe/slave/container/plan"
	"troupe/slave/container/posix"
)

// birth is a launch under way.
type birth struct {
	launcher *Launcher
	in       *Container
	process  *Process
	program  plan.Program
	status   string
	target   *os.File   // a pidfd of who is in the container in; nil for the machine
	files    []*os.File // of the init, by number; nil before give
	own      []*os.File // to be closed after the fork
}

// firstFile is the number of the first file that give gives: below are the init's own
// standard files, its control socket, its plan, and its own binary.
const (
	binaryFile = 5
	firstFile  = 6
)

// give passes a file to the init, and says by which number it has it.
func (b *birth) give(f *os.File) int {
	if b.files == nil {
		b.files = make([]*os.File, firstFile)
	}
	b.files = append(b.files, f)
	return len(b.files) - 1
}

// open is give for a file that is closed here.
func (b *birth) open(f *os.File) int {
	b.own = append(b.own, f)
	return b.give(f)
}

func (b *birth) close() {
	for _, f := range b.own {
		f.Close() // what is written to it is written by the init
	}
	b.own = nil
}

func (b *birth) openStatus(s container.Spec) error {
	if s.Status == "" {
		return nil
	}
	f, err := os.OpenFile(s.Status, os.O_WRONLY|os.O_CREATE|os.O_TRUNC|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return fmt.Errorf("opening the status file: %w", err)
	}
	b.program.Status, b.status = b.open(f), s.Status
	return nil
}

// openLogs names the files that the init rotates, and gives it their folders.
func (b *birth) openLogs(s container.Spec, files *posix.Files) {
	b.program.Logs = [2]int{-1, -1}
	if b.program.Plan.Logs == nil {
		return
	}
	for i, folder := range files.Folders {
		if folder != nil {
			b.program.Logs[i], b.program.LogNames[i] = b.give(folder), filepath.Base(posix.LogPath(s, i))
		}
	}
}

// start forks an init and waits until its program runs.
func (b *birth) start() (*Process, error) {
	if b.files == nil {
		b.files = make([]*os.File, firstFile)
	}
	control, err := b.arrange()
	if err != nil {
		return nil, err
	}
	p := newProcess(b, control)
	b.process = p
	child, err := b.launcher.posix.Start(b.fork, func(c *posix.Child) posix.Resident {
		p.child = c
		return p
	})
	b.close()
	if err != nil {
		return nil, errors.Join(err, control.Close(), b.undo())
	}
	if err := p.begin(); err != nil {
		// Nothing but the init runs. If it does not end by itself, it is stuck.
		err = errors.Join(err, child.Signal(child.Pid(), unix.SIGKILL), child.Await())
		p.purge() // a program may have killed its init before that could say that it runs
		_, rerr := child.Reap()
		child.Forget()
		close(p.done)
		return nil, errors.Join(err, rerr, control.Close(), b.undo())
	}
	go p.wait()
	return p, nil
}

// undo removes the status file of a program that was not launched.
func (b *birth) undo() error {
	if b.status == "" {
		return nil
	}
	return os.Remove(b.status)
}

// arrange makes what the init is told by, and returns this process's end of the
// control socket.
func (b *birth) arrange() (*os.File, error) {
	if b.in != nil && b.in.has != 0 {
		var err error
		if b.target, err = b.in.pidfd(); err != nil {
			return nil, err
		}
		b.program.Target = b.open(b.target)
		b.program.Enter = b.in.has &^ (plan.NewPID | plan.NewCgroup)
	} else {
		b.program.Target = -1
	}
	told, err := inMemory("troupe-plan", plan.Encode(&b.program))
	if err != nil {
		return nil, fmt.Errorf("writing the plan: %w", err)
	}
	b.own = append(b.own, told)
	ends, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("making a socket for the init: %w", err)
	}
	theirs := os.NewFile(uintptr(ends[1]), "control")
	b.own = append(b.own, theirs)
	if err := unix.SetNonblock(ends[0], true); err != nil {
		return nil, errors.Join(err, unix.Close(ends[0]))
	}
	copy(b.files, []*os.File{b.launcher.null, b.launcher.null, os.Stderr, theirs, told, b.launcher.binary})
	return os.NewFile(uintptr(ends[0]), "control"), nil
}
