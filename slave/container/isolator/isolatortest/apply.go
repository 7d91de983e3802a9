package isolatortest

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"troupe/slave/container/plan"
)

// child is the environment variable by which a test binary knows that it is to
// start a program; descriptor 3 has the order then.
const child = "ISOLATORTEST_CHILD"

// order is what a child is to do.
type order struct {
	Plan     plan.Plan
	UID, GID int
	Args     []string
}

// become does what the order says, and returns only when it cannot.
func become() error {
	runtime.LockOSThread() // what follows is of this thread; exec makes it the process's
	var o order
	in := os.NewFile(3, "order")
	if err := json.NewDecoder(in).Decode(&o); err != nil {
		return err
	}
	if err := in.Close(); err != nil {
		return err
	}
	for _, step := range []func(*order) error{mounts, devices, rlimits, privileges, filter} {
		if err := step(&o); err != nil {
			return err
		}
	}
	return syscall.Exec(o.Args[0], o.Args, append(os.Environ(), o.Plan.Env...))
}

func mounts(o *order) error {
	if o.Plan.New&plan.NewMount == 0 {
		return nil
	}
	if err := unix.Unshare(unix.CLONE_NEWNS | unix.CLONE_FS); err != nil {
		return fmt.Errorf("unshare: %w", err)
	}
	shared := map[int]int{}
	for i, m := range o.Plan.Mounts {
		if m.Flags&unix.MS_SHARED == 0 {
			continue
		}
		fd, err := unix.OpenTree(unix.AT_FDCWD, m.Source, unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC|unix.AT_RECURSIVE)
		if err != nil {
			return fmt.Errorf("open tree %s: %w", m.Source, err)
		}
		shared[i] = fd
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_SLAVE, ""); err != nil {
		return fmt.Errorf("make mounts slaves: %w", err)
	}
	for i, m := range o.Plan.Mounts {
		var err error
		switch fd, ok := shared[i]; {
		case ok:
			err = unix.MoveMount(fd, "", unix.AT_FDCWD, m.Target, unix.MOVE_MOUNT_F_EMPTY_PATH)
		case m.Content != nil:
			err = content(m)
		default:
			err = unix.Mount(m.Source, m.Target, m.Type, uintptr(m.Flags&^unix.MS_RDONLY), m.Data)
		}
		if err == nil && m.Flags&unix.MS_RDONLY != 0 {
			err = unix.Mount("", m.Target, "", unix.MS_BIND|unix.MS_REMOUNT|unix.MS_RDONLY, "")
		}
		if err != nil {
			return fmt.Errorf("mount %s: %w", m.Target, err)
		}
	}
	return nil
}

// content makes the tmpfs over the target's folder for as long as it takes to
// bind the file in it to the target, which stays reachable by its descriptor.
func content(m plan.Mount) error {
	target, err := os.OpenFile(m.Target, unix.O_PATH|unix.O_NOFOLLOW, 0)
	if err != nil {
		return err
	}
	stage := filepath.Dir(m.Target)
	if err := unix.Mount("tmpfs", stage, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, "mode=0700"); err != nil {
		return err
	}
	name := filepath.Join(stage, "content")
	if err := os.WriteFile(name, m.Content.Data, os.FileMode(m.Content.Mode)); err != nil {
		return err
	}
	if err := os.Chown(name, int(m.Content.UID), int(m.Content.GID)); err != nil {
		return err
	}
	at := "/proc/self/fd/" + strconv.Itoa(int(target.Fd()))
	if err := unix.Mount(name, at, "", unix.MS_BIND, ""); err != nil {
		return err
	}
	return errors.Join(target.Close(), unix.Unmount(stage, 0))
}

func devices(o *order) error {
	for _, d := range o.Plan.Devices {
		if err := unix.Mknod(d.Path, d.Mode, int(unix.Mkdev(d.Major, d.Minor))); err != nil {
			return fmt.Errorf("make %s: %w", d.Path, err)
		}
	}
	return nil
}

func rlimits(o *order) error {
	for _, l := range o.Plan.Rlimits {
		if err := unix.Prlimit(0, l.Resource, &unix.Rlimit{Cur: l.Soft, Max: l.Hard}, nil); err != nil {
			return fmt.Errorf("limit %d: %w", l.Resource, err)
		}
	}
	return nil
}

// privileges keeps what is permitted over the change of user: whatever is not
// ambient goes with exec.
func privileges(o *order) error {
	c := o.Plan.Capabilities
	if c != nil {
		if err := bound(c); err != nil {
			return err
		}
	}
	if err := unix.Prctl(unix.PR_SET_KEEPCAPS, 1, 0, 0, 0); err != nil {
		return err
	}
	for _, call := range [][3]uintptr{{unix.SYS_SETGROUPS, 0, 0}, {unix.SYS_SETGID, uintptr(o.GID), 0}, {unix.SYS_SETUID, uintptr(o.UID), 0}} {
		if _, _, errno := unix.RawSyscall(call[0], call[1], call[2], 0); errno != 0 {
			return fmt.Errorf("change user: %w", errno)
		}
	}
	if c != nil && !c.BoundingOnly {
		if err := give(c.Effective); err != nil {
			return err
		}
	}
	if o.Plan.NoNewPrivileges {
		return unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
	}
	return nil
}

func bound(c *plan.Capabilities) error {
	if !c.BoundingOnly && c.Effective != c.Bounding {
		const noRoot = 1 // SECBIT_NOROOT
		if err := unix.Prctl(unix.PR_SET_SECUREBITS, noRoot, 0, 0, 0); err != nil {
			return fmt.Errorf("secure bits: %w", err)
		}
	}
	for n := range 64 {
		has, err := unix.PrctlRetInt(unix.PR_CAPBSET_READ, uintptr(n), 0, 0, 0)
		if err != nil {
			break
		}
		if has == 1 && c.Bounding&(1<<n) == 0 {
			if err := unix.Prctl(unix.PR_CAPBSET_DROP, uintptr(n), 0, 0, 0); err != nil {
				return fmt.Errorf("drop capability %d: %w", n, err)
			}
		}
	}
	return nil
}

// give leaves all that is permitted, in effect too, until exec, which a filter
// without no_new_privs needs.
func give(effective uint64) error {
	head := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&head, &data[0]); err != nil {
		return err
	}
	for i := range data {
		data[i].Inheritable = uint32(effective >> (32 * i))
		data[i].Effective = data[i].Permitted
	}
	if err := unix.Capset(&head, &data[0]); err != nil {
		return fmt.Errorf("capset: %w", err)
	}
	for n := range 64 {
		if effective&(1<<n) == 0 {
			continue
		}
		if err := unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_RAISE, uintptr(n), 0, 0); err != nil {
			return fmt.Errorf("ambient %d: %w", n, err)
		}
	}
	return nil
}

func filter(o *order) error {
	if len(o.Plan.Seccomp) == 0 {
		return nil
	}
	code := make([]unix.SockFilter, len(o.Plan.Seccomp))
	for i, n := range o.Plan.Seccomp {
		code[i] = unix.SockFilter(n)
	}
	program := unix.SockFprog{Len: uint16(len(code)), Filter: &code[0]}
	if err := unix.Prctl(unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER, uintptr(unsafe.Pointer(&program)), 0, 0); err != nil {
		return fmt.Errorf("seccomp: %w", err)
	}
	return nil
}
