package xfs

import (
	"errors"
	"fmt"
	"path/filepath"

	"golang.org/x/sys/unix"

	"troupe/slave/container/mountinfo"
)

// CheckFileSystem says why a folder's use of the disk cannot be held to a quota;
// nil if it can. The error names what is to be changed.
func CheckFileSystem(dir string) error {
	fd, err := openFolder(unix.AT_FDCWD, dir, 0)
	if err != nil {
		return fmt.Errorf("disk/xfs: open %s: %w", dir, err)
	}
	return errors.Join(check(fd, dir), unix.Close(fd))
}

func check(fd int, dir string) error {
	var st unix.Statfs_t
	if err := unix.Fstatfs(fd, &st); err != nil {
		return fmt.Errorf("disk/xfs: statfs %s: %w", dir, err)
	}
	at, kind := mountOf(dir)
	if st.Type != unix.XFS_SUPER_MAGIC {
		return fmt.Errorf("disk/xfs: %s is on %s (mounted at %s), which has no project quotas of XFS: it must be on an XFS file system that is mounted with the option prjquota", dir, kind, at)
	}
	flags, err := quotaFlags(fd)
	switch {
	case errors.Is(err, unix.ENOSYS) && flags == 0 && !hasQuotactlFD():
		return fmt.Errorf("disk/xfs: the kernel has no quotactl_fd (Linux 5.14)")
	case err != nil && !errors.Is(err, unix.ENOSYS) && !errors.Is(err, unix.ESRCH) && !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.EOPNOTSUPP):
		return fmt.Errorf("disk/xfs: ask for quotas of %s: %w", dir, err)
	case err != nil || flags&quotaEnforced == 0:
		return fmt.Errorf("disk/xfs: %s is on XFS, but %s is mounted without the option prjquota: unmount it and mount it with -o prjquota (a root file system needs rootflags=prjquota)", dir, at)
	}
	return nil
}

// mountOf finds what a path is mounted on and the kind of file system, for
// words; "?" when it cannot be told.
func mountOf(path string) (at, kind string) {
	at, kind = "?", "another file system"
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	mounts, err := mountinfo.Read()
	if err != nil {
		return at, kind
	}
	if on := mountinfo.On(mounts, path); on != nil {
		at, kind = on.Point, on.Type
	}
	return at, kind
}
