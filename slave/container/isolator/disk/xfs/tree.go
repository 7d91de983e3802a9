package xfs

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// maxDepth is how many folders deep a tree is gone through; each takes an open
// file.
const maxDepth = 512

// within keeps lookups on this side of links and mounts.
const within = unix.RESOLVE_NO_XDEV | unix.RESOLVE_NO_SYMLINKS

func openFolder(in int, name string, resolve uint64) (int, error) {
	return unix.Openat2(in, name, &unix.OpenHow{Flags: unix.O_RDONLY | unix.O_DIRECTORY | unix.O_NOFOLLOW | unix.O_CLOEXEC, Resolve: resolve})
}

// give makes all that is below an open folder a project's own, but not the
// folder itself; for 0, nobody's.
func give(ctx context.Context, folder int, id uint32, depth int) error {
	if depth == maxDepth {
		return fmt.Errorf("its folders are more than %d deep", maxDepth)
	}
	names, err := namesOf(folder)
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := ctx.Err(); err != nil {
			return err
		}
		err := giveOne(ctx, folder, name, id, depth)
		switch {
		case err == nil || passable(err):
		case depth > 0:
			return err // one name is enough to look for it, and as many would be long
		default:
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// passable: it went away, or is mounted and thereby not of this tree.
func passable(err error) bool {
	return errors.Is(err, unix.ENOENT) || errors.Is(err, unix.EXDEV)
}

func namesOf(folder int) ([]string, error) {
	again, err := openFolder(folder, ".", 0)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(again), "")
	names, err := f.Readdirnames(-1)
	return names, errors.Join(err, f.Close())
}

// giveOne looks at what a name is before it opens it: opening a pipe or a device
// does something.
func giveOne(ctx context.Context, folder int, name string, id uint32, depth int) error {
	fd, err := unix.Openat2(folder, name, &unix.OpenHow{Flags: unix.O_PATH | unix.O_NOFOLLOW | unix.O_CLOEXEC, Resolve: within})
	if err != nil {
		return err
	}
	var st unix.Stat_t
	if err = unix.Fstat(fd, &st); err == nil {
		switch st.Mode & unix.S_IFMT {
		case unix.S_IFDIR:
			err = giveFolder(ctx, fd, id, depth)
		case unix.S_IFREG:
			err = opened(fd, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, func(file int) error {
				return setProject(file, id, false)
			})
		case unix.S_IFLNK:
			err = renewLink(folder, fd, name, &st)
		}
	}
	return errors.Join(err, unix.Close(fd))
}

func giveFolder(ctx context.Context, path int, id uint32, depth int) error {
	return opened(path, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, func(fd int) error {
		if err := setProject(fd, id, id != 0); err != nil {
			return err
		}
		return give(ctx, fd, id, depth+1)
	})
}

// opened opens the very file that an O_PATH descriptor stands for.
func opened(path, flags int, do func(int) error) error {
	fd, err := unix.Open("/proc/self/fd/"+strconv.Itoa(path), flags, 0)
	if err != nil {
		return err
	}
	return errors.Join(do(fd), unix.Close(fd))
}

// renewLink makes a symbolic link anew: it belongs to the project of its folder
// only from its making. Other special files cannot be had back that way; what is
// left of them keeps their project in use until they are removed.
func renewLink(folder, fd int, name string, st *unix.Stat_t) error {
	target := make([]byte, unix.PathMax)
	n, err := unix.Readlinkat(fd, "", target)
	if err != nil {
		return err
	}
	fresh := fmt.Sprintf(".%s.%d", strconv.FormatUint(st.Ino, 36), os.Getpid())
	if err := unix.Symlinkat(string(target[:n]), folder, fresh); err != nil {
		return err
	}
	if err := unix.Fchownat(folder, fresh, int(st.Uid), int(st.Gid), unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return errors.Join(err, unix.Unlinkat(folder, fresh, 0))
	}
	return unix.Renameat(folder, fresh, folder, name)
}
