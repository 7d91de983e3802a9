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
		tree, err = takeContent(p, m.Content)
	case tree < 0 && m.Flags&unix.MS_BIND != 0:
		tree, err = takeTree(m)
	}
	if err == nil && tree < 0 {
		return failed(plan.StepMount, m.Target, unix.Mount(m.Source, link(target), m.Type, uintptr(m.Flags), m.Data))
	}
	if err == nil {
		err = unix.MoveMount(tree, "", target, "", unix.MOVE_MOUNT_F_EMPTY_PATH|unix.MOVE_MOUNT_T_EMPTY_PATH)
	}
	if err == nil && m.Flags&remountable != 0 {
		err = restrict(m, tree)
	}
	if tree >= 0 {
		unix.Close(tree)
	}
	return failed(plan.StepMount, m.Target, err)
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

// restrict makes the mount at, and what is mounted below it, read-only and the like.
// What the mount has already for flags it keeps. Its path may lead elsewhere by now.
func restrict(m *plan.Mount, at int) error {
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
	if err := unix.MountSetattr(at, "", flags, &attr); err != unix.ENOSYS {
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

// takeContent is a file of a tmpfs that nobody else has. The tmpfs is put over the
// sandbox for the moment that this takes; whoever may replace folders on the way there
// can have it elsewhere in this mount namespace, and nothing more.
func takeContent(p *plan.Program, c *plan.Content) (int, error) {
	over, err := unix.Open(p.Sandbox, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	defer unix.Close(over)
	at, err := makeTmpfs()
	if err != nil {
		return -1, err
	}
	defer unix.Close(at)
	if err := unix.MoveMount(at, "", over, "", unix.MOVE_MOUNT_F_EMPTY_PATH|unix.MOVE_MOUNT_T_EMPTY_PATH); err != nil {
		return -1, err
	}
	const file = "content"
	tree, err := -1, write(at, file, c)
	if err == nil {
		tree, err = unix.OpenTree(at, file, unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC)
	}
	if uerr := unix.Unmount(link(at), unix.MNT_DETACH); err == nil {
		err = uerr
	}
	return tree, err
}

// makeTmpfs is a file system that is mounted nowhere yet.
func makeTmpfs() (int, error) {
	made, err := unix.Fsopen("tmpfs", unix.FSOPEN_CLOEXEC)
	if err != nil {
		return -1, err
	}
	defer unix.Close(made)
	if err := unix.FsconfigSetString(made, "mode", "0700"); err != nil {
		return -1, err
	}
	if err := unix.FsconfigCreate(made); err != nil {
		return -1, err
	}
	return unix.Fsmount(made, unix.FSMOUNT_CLOEXEC, unix.MOUNT_ATTR_NOSUID|unix.MOUNT_ATTR_NODEV|unix.MOUNT_ATTR_NOEXEC)
}

func write(dir int, name string, c *plan.Content) error {
	fd, err := unix.Openat(dir, name, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_CLOEXEC, 0o600)
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
