package main

import (
	"golang.org/x/sys/unix"

	"troupe/slave/container/plan"
)

// mountAll makes the mounts of a mount namespace that is this process's own.
func mountAll(p *plan.Program) *failure {
	mounts := p.Plan.Mounts
	trees := make([]int, len(mounts))
	for i := range mounts {
		trees[i] = -1
		if mounts[i].Flags&unix.MS_SHARED == 0 {
			continue
		}
		// What is to propagate to the machine is taken while it still does.
		var err error
		if trees[i], err = takeTree(&mounts[i]); err != nil {
			return failed(plan.StepMount, mounts[i].Source, err)
		}
	}
	// Nothing below reaches the machine.
	if err := unix.Mount("", "/", "", unix.MS_SLAVE|unix.MS_REC, ""); err != nil {
		return failed(plan.StepMount, "/", err)
	}
	for i := range mounts {
		if f := mount(p, &mounts[i], trees[i]); f != nil {
			return f
		}
	}
	return nil
}

// takeTree is a copy of the source that is mounted nowhere yet.
func takeTree(m *plan.Mount) (int, error) {
	source, err := walk(m.Source, m.SourceBelow, false)
	if err != nil {
		return -1, err
	}
	defer unix.Close(source)
	flags := uint(unix.OPEN_TREE_CLONE | unix.OPEN_TREE_CLOEXEC | unix.AT_EMPTY_PATH)
	if m.Flags&unix.MS_REC != 0 {
		flags |= unix.AT_RECURSIVE
	}
	return unix.OpenTree(source, "", flags)
}

// remountable are the flags that a bind mount takes only when it is mounted again.
const remountable = unix.MS_RDONLY | unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC

func mount(p *plan.Program, m *plan.Mount, tree int) *failure {
	below := m.TargetBelow
	if below == "" {
		below = p.Plan.Root
	}
	if m.Flags&^uint64(unix.MS_REC) == unix.MS_SLAVE || m.Flags&^uint64(unix.MS_REC) == unix.MS_PRIVATE {
		return failed(plan.StepMount, m.Target, unix.Mount("", m.Target, "", uintptr(m.Flags), ""))
	}
	if m.Type == "proc" {
		return mountProc(m)
	}
	target, err := place(m, below)
	if err != nil {
		return failed(plan.StepMount, m.Target, err)
	}
	defer unix.Close(target)
	switch {
	case m.Content != nil:
		err = mountContent(p, m, target)
	case tree >= 0:
		err = unix.MoveMount(tree, "", target, "", unix.MOVE_MOUNT_F_EMPTY_PATH|unix.MOVE_MOUNT_T_EMPTY_PATH)
		unix.Close(tree)
	case m.Flags&unix.MS_BIND != 0:
		err = bind(m, target)
	default:
		err = unix.Mount(m.Source, link(target), m.Type, uintptr(m.Flags), m.Data)
	}
	if err != nil {
		return failed(plan.StepMount, m.Target, err)
	}
	if m.Flags&remountable == 0 || m.Content == nil && m.Flags&(unix.MS_BIND|unix.MS_SHARED) == 0 {
		return nil
	}
	return failed(plan.StepMount, m.Target, restrict(m, below))
}

// mountProc takes away what is there before: whoever may unmount in the container
// would find the machine's processes below.
func mountProc(m *plan.Mount) *failure {
	for {
		err := unix.Unmount(m.Target, unix.MNT_DETACH)
		if err == unix.EINVAL {
			break // nothing is mounted there any more
		}
		if err != nil {
			return failed(plan.StepMount, m.Target, err)
		}
	}
	return failed(plan.StepMount, m.Target, unix.Mount(m.Source, m.Target, m.Type, uintptr(m.Flags), m.Data))
}

func bind(m *plan.Mount, target int) error {
	source, err := walk(m.Source, m.SourceBelow, false)
	if err != nil {
		return err
	}
	defer unix.Close(source)
	return unix.Mount(link(source), link(target), "", uintptr(m.Flags&(unix.MS_BIND|unix.MS_REC)), "")
}

// restrict makes a bind mount, and what is mounted below it, read-only and the like.
// What the mount has already for flags it keeps.
func restrict(m *plan.Mount, below string) error {
	// The target's place is found anew: it is that of the mount on it now.
	at, err := walk(m.Target, below, false)
	if err != nil {
		return err
	}
	defer unix.Close(at)
	var attr unix.MountAttr
	for _, f := range []struct {
		flag uint64
		attr uint64
	}{
		{unix.MS_RDONLY, unix.MOUNT_ATTR_RDONLY},
		{unix.MS_NOSUID, unix.MOUNT_ATTR_NOSUID},
		{unix.MS_NODEV, unix.MOUNT_ATTR_NODEV},
		{unix.MS_NOEXEC, unix.MOUNT_ATTR_NOEXEC},
	} {
		if m.Flags&f.flag != 0 {
			attr.Attr_set |= f.attr
		}
	}
	flags := uint(unix.AT_EMPTY_PATH)
	if m.Flags&unix.MS_REC != 0 {
		flags |= unix.AT_RECURSIVE
	}
	err = unix.MountSetattr(at, "", flags, &attr)
	if err != unix.ENOSYS {
		return err
	}
	// Before Linux 5.12 a mount alone, without those below it.
	var stat unix.Statfs_t
	if err := unix.Fstatfs(at, &stat); err != nil {
		return err
	}
	kept := uintptr(stat.Flags) & remountable // ST_ and MS_ are the same numbers for these
	return unix.Mount("", link(at), "", unix.MS_REMOUNT|unix.MS_BIND|kept|uintptr(m.Flags&remountable), "")
}

// mountContent mounts a file of a tmpfs that nobody else has. The tmpfs is put
// over the sandbox for the moment that this takes.
func mountContent(p *plan.Program, m *plan.Mount, target int) error {
	const file = "/content"
	if err := unix.Mount("tmpfs", p.Sandbox, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, "mode=0700"); err != nil {
		return err
	}
	err := write(p.Sandbox+file, m.Content)
	if err == nil {
		err = unix.Mount(p.Sandbox+file, link(target), "", unix.MS_BIND, "")
	}
	if uerr := unix.Unmount(p.Sandbox, unix.MNT_DETACH); err == nil {
		err = uerr
	}
	return err
}

func write(path string, c *plan.Content) error {
	fd, err := unix.Open(path, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	for rest := c.Data; len(rest) > 0; {
		n, err := unix.Write(fd, rest)
		if err != nil && err != unix.EINTR {
			return err
		}
		rest = rest[max(n, 0):]
	}
	if err := unix.Fchown(fd, int(c.UID), int(c.GID)); err != nil {
		return err
	}
	return unix.Fchmod(fd, c.Mode)
}

// link is a path by which mount(2) takes an open place, wherever its name leads by
// now.
func link(fd int) string { return "/proc/self/fd/" + decimal(fd) }
