package main

import (
	"syscall"

	"golang.org/x/sys/unix"

	"troupe/slave/container/plan"
)

// start forks the program and returns its pidfd once it runs.
func (s *server) start(p *plan.Program, g *groups) (int, *failure) {
	path, f := lookup(p)
	if f != nil {
		return -1, f
	}
	c, f := prepare(p, path, g)
	if f != nil {
		return -1, f
	}
	var said [7]byte
	pid, n, errno := s.try(c, said[:])
	if n == 0 && errno == 0 && g.born >= 0 {
		// Kernels up to 6.18 at least kill who is born in a group in which everything was
		// killed before (cgroup.kill). It enters by itself then, which takes longer.
		if f := g.enterLater(); f != nil {
			return -1, f
		}
		c.tasks, c.born = g.tasks, g.born
		reapOne(pid)
		unix.Close(int(c.pidfd))
		pid, n, errno = s.try(c, said[:])
	}
	if errno != 0 {
		if g.born >= 0 {
			return -1, failed(plan.StepCgroup, g.where, errno)
		}
		return -1, failed(plan.StepFork, "", errno)
	}
	if g.born >= 0 {
		unix.Close(g.born)
	}
	if n < 2 {
		s.program = pid
		return int(c.pidfd), nil
	}
	unix.Close(int(c.pidfd))
	reapOne(pid)
	if n < len(said) {
		return -1, failed(plan.StepFork, "", unix.EIO)
	}
	step, index := plan.Step(said[1]), int(said[2])
	return -1, failed(step, c.subject(p, path, g, step, index), syscall.Errno(said[3])|syscall.Errno(said[4])<<8)
}

// try forks, and reads what the child says until it is the program or has failed: a
// byte when it is born, and why it failed.
func (s *server) try(c *child, said []byte) (pid, n int, errno syscall.Errno) {
	var pipe [2]int
	if err := unix.Pipe2(pipe[:], unix.O_CLOEXEC); err != nil {
		errno, _ = err.(syscall.Errno)
		return 0, 0, errno
	}
	c.errors = pipe[1]
	pid, errno = fork(c)
	unix.Close(pipe[1])
	if errno == 0 {
		n = readAll(pipe[0], said)
	}
	unix.Close(pipe[0])
	return pid, n, errno
}

func reapOne(pid int) {
	var ws unix.WaitStatus
	for {
		if _, err := unix.Wait4(pid, &ws, 0, nil); err != unix.EINTR {
			return
		}
	}
}

func readAll(fd int, b []byte) int {
	done := 0
	for done < len(b) {
		n, err := unix.Read(fd, b[done:])
		if err == unix.EINTR {
			continue
		}
		if err != nil || n == 0 {
			break
		}
		done += n
	}
	return done
}

// subject is what a step of the child failed with.
func (c *child) subject(p *plan.Program, path string, g *groups, step plan.Step, index int) string {
	switch step {
	case plan.StepCgroup:
		if index < len(g.paths) {
			return g.paths[index]
		}
		return "namespace"
	case plan.StepRlimit:
		if index < len(p.Plan.Rlimits) {
			return decimal(p.Plan.Rlimits[index].Resource)
		}
	case plan.StepUser:
		return decimal(int(p.UID))
	case plan.StepDir:
		return workingDir(p)
	case plan.StepExec:
		return path
	}
	return ""
}

// workingDir is the program's, as it sees it.
func workingDir(p *plan.Program) string {
	if p.Plan.Dir != "" {
		return p.Plan.Dir
	}
	return p.Sandbox
}

// lookup finds the program as its own environment would, in the container.
func lookup(p *plan.Program) (string, *failure) {
	dir := workingDir(p)
	switch {
	case p.Path[0] == '/':
		return p.Path, failed(plan.StepLookup, p.Path, executable(p.Path))
	case has(p.Path, '/'):
		path := dir + "/" + p.Path
		return path, failed(plan.StepLookup, path, executable(path))
	}
	search := variable(p.Env, "PATH=")
	for rest := search; rest != ""; {
		folder := rest
		rest = ""
		for i := range len(folder) {
			if folder[i] == ':' {
				folder, rest = folder[:i], folder[i+1:]
				break
			}
		}
		if folder == "" || folder[0] != '/' {
			folder = dir + "/" + folder
		}
		if path := folder + "/" + p.Path; executable(path) == nil {
			return path, nil
		}
	}
	return "", &failure{step: plan.StepLookup, subject: p.Path}
}

// variable is the value of the last entry that begins so.
func variable(env []string, prefix string) string {
	value := ""
	for _, e := range env {
		if len(e) >= len(prefix) && e[:len(prefix)] == prefix {
			value = e[len(prefix):]
		}
	}
	return value
}

func has(s string, c byte) bool {
	for i := range len(s) {
		if s[i] == c {
			return true
		}
	}
	return false
}

func executable(path string) error {
	var stat unix.Stat_t
	if err := unix.Stat(path, &stat); err != nil {
		return err
	}
	switch {
	case stat.Mode&unix.S_IFMT != unix.S_IFREG:
		return unix.EISDIR
	case stat.Mode&0o111 == 0:
		return unix.ENOEXEC
	}
	return nil
}

// prepare makes all that the child needs, which must not allocate.
func prepare(p *plan.Program, path string, g *groups) (*child, *failure) {
	args := p.Args
	if len(args) == 0 {
		args = []string{p.Path}
	}
	c := &child{tasks: g.tasks, born: g.born, parent: unix.Getpid()}
	c.terminal, c.ownCgroups = p.Terminal, p.Plan.New&plan.NewCgroup != 0
	c.streams = [3]uintptr{uintptr(p.Streams[0]), uintptr(p.Streams[1]), uintptr(p.Streams[2])}
	var err error
	if c.path, err = unix.BytePtrFromString(path); err != nil {
		return nil, failed(plan.StepExec, path, err)
	}
	if c.dir, err = unix.BytePtrFromString(workingDir(p)); err != nil {
		return nil, failed(plan.StepDir, workingDir(p), err)
	}
	if c.args, err = syscall.SlicePtrFromStrings(args); err != nil {
		return nil, failed(plan.StepExec, path, err)
	}
	if c.env, err = syscall.SlicePtrFromStrings(p.Env); err != nil {
		return nil, failed(plan.StepExec, path, err)
	}
	for _, l := range p.Plan.Rlimits {
		c.rlimits = append(c.rlimits, rlimit{uintptr(l.Resource), unix.Rlimit{Cur: l.Soft, Max: l.Hard}})
	}
	if p.Switch {
		c.switches, c.uid, c.gid, c.supplementary = true, uintptr(p.UID), uintptr(p.GID), p.Groups
	}
	c.prepareSecurity(&p.Plan, p.Switch)
	return c, nil
}

// prepareSecurity is about what the program may not do.
func (c *child) prepareSecurity(p *plan.Plan, switches bool) {
	c.noNewPrivileges = p.NoNewPrivileges
	for _, i := range p.Seccomp {
		c.filter = append(c.filter, unix.SockFilter{Code: i.Code, Jt: i.Jt, Jf: i.Jf, K: i.K})
	}
	if len(c.filter) > 0 {
		c.program = unix.SockFprog{Len: uint16(len(c.filter)), Filter: &c.filter[0]}
	}
	if p.Capabilities == nil {
		return
	}
	c.bounds, c.bounding = true, p.Capabilities.Bounding
	if p.Capabilities.BoundingOnly {
		return
	}
	c.capable, c.effective = true, p.Capabilities.Effective
	root := unix.Geteuid() == 0
	if switches {
		root = c.uid == 0
	}
	c.rootless = root && c.effective != c.bounding
	for i := range c.sets {
		half := uint32(c.effective >> (32 * i))
		c.sets[i] = unix.CapUserData{Effective: half, Permitted: half, Inheritable: half}
	}
	c.header = unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
}
