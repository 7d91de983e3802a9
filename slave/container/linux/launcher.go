// Package linux runs programs in containers: under a small init of their own, which
// makes what a plan says (namespaces, mounts, cgroups, and what the program may not
// do), and outlives nothing that it started. A plan that asks for nothing is the
// business of package posix, whose Launcher does the forking for this one too.
// Imported by wiring and by containerizers. Linux 5.11 or newer; the process must be
// privileged for most plans.
package linux

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"troupe/slave/container"
	"troupe/slave/container/plan"
	"troupe/slave/container/posix"
)

// Launcher starts programs in containers. Safe for concurrent use.
type Launcher struct {
	posix  *posix.Launcher
	report func(error)
	binary *os.File // the init, sealed, in memory
	pids   *os.File // the pid namespace of this process
	null   *os.File
}

// New makes a launcher that forks by p, which is to be closed before it. report, which
// may be nil, is told of what could not be killed, from any goroutine.
func New(p *posix.Launcher, report func(error)) (*Launcher, error) {
	if report == nil {
		report = func(error) {}
	}
	if runtime.GOMAXPROCS(0) < processors {
		runtime.GOMAXPROCS(processors)
	}
	l := &Launcher{posix: p, report: report}
	var err error
	if l.binary, err = inMemory("troupe-init", initBinary); err != nil {
		return nil, fmt.Errorf("keeping the init in memory: %w", err)
	}
	if l.pids, err = os.Open("/proc/thread-self/ns/pid"); err != nil {
		return nil, errors.Join(fmt.Errorf("opening the own pid namespace: %w", err), l.Close())
	}
	if l.null, err = os.OpenFile(os.DevNull, os.O_RDWR, 0); err != nil {
		return nil, errors.Join(fmt.Errorf("opening an empty input: %w", err), l.Close())
	}
	return l, nil
}

// Close gives up what the launcher holds. Nothing that it has launched may run.
func (l *Launcher) Close() error {
	var err error
	for _, f := range []*os.File{l.binary, l.pids, l.null} {
		if f != nil {
			err = errors.Join(err, f.Close())
		}
	}
	return err
}

// inMemory is a file with content that nobody can change any more.
func inMemory(name string, content []byte) (*os.File, error) {
	const flags = unix.MFD_CLOEXEC | unix.MFD_ALLOW_SEALING
	fd, err := unix.MemfdCreate(name, flags|unix.MFD_EXEC)
	if errors.Is(err, unix.EINVAL) { // before Linux 6.3
		fd, err = unix.MemfdCreate(name, flags)
	}
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), name)
	_, err = f.Write(content)
	if err == nil {
		_, err = unix.FcntlInt(f.Fd(), unix.F_ADD_SEALS, unix.F_SEAL_WRITE|unix.F_SEAL_GROW|unix.F_SEAL_SHRINK|unix.F_SEAL_SEAL)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// Launch starts a program as a plan has it, within the container in: in all namespaces
// that this has, unless the plan makes new ones; nil means the machine. What the plan
// says beside namespaces is its own: nothing of in's cgroups or limits is taken over.
// The plan's environment takes precedence over that of s. A program of a plain plan
// and with no container around it runs without an init. Errors name what was wrong:
// nothing is left of the attempt then.
func (l *Launcher) Launch(s container.Spec, p plan.Plan, in *Container) (container.Process, error) {
	s.Env = merge(s.Env, p.Env)
	if p.Plain() && in == nil && s.Status == "" {
		return l.posix.Launch(s)
	}
	process, err := l.launch(s, p, in)
	if err != nil {
		return nil, err // not a nil *Process in an interface
	}
	return process, nil
}

func (l *Launcher) launch(s container.Spec, p plan.Plan, in *Container) (*Process, error) {
	if s.Path == "" || strings.ContainsRune(s.Path, 0) {
		return nil, errors.New("no program is named")
	}
	files, err := posix.Open(s)
	if err != nil {
		return nil, err
	}
	defer files.Close()
	b := &birth{launcher: l, in: in, program: plan.Program{Plan: p, Path: s.Path, Args: s.Args, Env: s.Env, Sandbox: s.Dir, Terminal: s.Terminal, Status: -1}}
	if len(b.program.Args) == 0 {
		b.program.Args = []string{s.Path}
	}
	if c := files.Credential; c != nil {
		b.program.Switch, b.program.UID, b.program.GID, b.program.Groups = true, c.Uid, c.Gid, c.Groups
	}
	defer b.close()
	for i, f := range files.Streams {
		b.program.Streams[i] = b.give(f)
	}
	if err := b.openStatus(s); err != nil {
		return nil, err
	}
	b.openLogs(s, files)
	return b.start()
}

// Hold makes the namespaces of a plan and keeps them, with no program in them, until
// the container is closed; see Launch. It is for containers of which only those below
// have programs. The plan must have new namespaces; sandbox is the container's folder.
func (l *Launcher) Hold(sandbox string, p plan.Plan, in *Container) (*Container, error) {
	if p.New == 0 {
		return nil, errors.New("holding a container: its plan has no namespaces")
	}
	b := &birth{launcher: l, in: in, program: plan.Program{Plan: p, Sandbox: sandbox, Status: -1, Logs: [2]int{-1, -1}}}
	defer b.close()
	process, err := b.start()
	if err != nil {
		return nil, fmt.Errorf("holding a container: %w", err)
	}
	c := process.Container()
	c.holder = process
	return c, nil
}

// merge puts the variables of a plan on top; the last of a name wins.
func merge(env, top []string) []string {
	if len(top) == 0 {
		return env
	}
	named := make(map[string]bool, len(top))
	for _, kv := range top {
		name, _, _ := strings.Cut(kv, "=")
		named[name] = true
	}
	var all []string
	for _, kv := range env {
		if name, _, _ := strings.Cut(kv, "="); !named[name] {
			all = append(all, kv)
		}
	}
	return append(all, top...)
}

// fork starts an init on the forking thread.
func (b *birth) fork() (pid, pidfd int, err error) {
	pidfd = -1
	attr := &syscall.ProcAttr{
		Env: []string{"GOGC=off", "GOMAXPROCS=1", "MESOS_SANDBOX=" + b.program.Sandbox},
		Sys: &syscall.SysProcAttr{Setsid: true, PidFD: &pidfd},
	}
	for _, f := range b.files {
		attr.Files = append(attr.Files, f.Fd())
	}
	nested := b.in != nil && b.in.has&plan.NewPID != 0
	if b.program.Plan.New&plan.NewPID != 0 && !nested {
		attr.Sys.Cloneflags |= unix.CLONE_NEWPID
	}
	if nested {
		leave, err := b.enter()
		if err != nil {
			return 0, -1, err
		}
		defer leave()
	}
	// An init takes signals from a file, so none of its threads may have them.
	var all, before unix.Sigset_t
	for i := range all.Val {
		all.Val[i] = ^uint64(0)
	}
	if err := unix.PthreadSigmask(unix.SIG_SETMASK, &all, &before); err != nil {
		return 0, -1, fmt.Errorf("blocking signals: %w", err)
	}
	pid, err = syscall.ForkExec("/proc/self/fd/"+strconv.Itoa(binaryFile), []string{"troupe-init"}, attr)
	err = errors.Join(err, unix.PthreadSigmask(unix.SIG_SETMASK, &before, nil))
	runtime.KeepAlive(b)
	if err != nil {
		return 0, -1, fmt.Errorf("starting the init: %w", err)
	}
	if nested && b.program.Plan.New&plan.NewPID != 0 {
		return b.follow(pid, pidfd)
	}
	return pid, pidfd, nil
}
