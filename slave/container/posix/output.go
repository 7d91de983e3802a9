package posix

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"

	"troupe/slave/container"
)

// outputs opens the files that take a program's output. Whoever may write to the
// sandbox may have put anything there, or in place of a folder on the way; so what is
// not a plain file of the program's user, or is outside, is refused, and nobody is
// waited for.
func (f *Files) outputs(s container.Spec) error {
	for i, name := range []string{"stdout", "stderr"} {
		if f.Streams[1+i] = s.Streams[1+i]; f.Streams[1+i] != nil {
			continue
		}
		if err := f.output(s, i); err != nil {
			return fmt.Errorf("opening the %s file: %w", name, err)
		}
	}
	return nil
}

func (f *Files) output(s container.Spec, i int) error {
	path := LogPath(s, i)
	folder, err := folderOf(path, cmp.Or(s.Within, s.Dir))
	if err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	f.Folders[i], f.own = folder, append(f.own, folder)
	const flags = unix.O_WRONLY | unix.O_CREAT | unix.O_APPEND | unix.O_NOFOLLOW | unix.O_NONBLOCK | unix.O_CLOEXEC
	fd, err := openAt(folder, filepath.Base(path), flags)
	if err != nil {
		return &os.PathError{Op: "open", Path: path, Err: err}
	}
	err = errors.Join(claim(fd, f.Credential), unix.SetNonblock(fd, false))
	file := os.NewFile(uintptr(fd), path)
	f.Streams[1+i], f.own = file, append(f.own, file)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// folderOf opens the folder of a file. If that is in the folder within, no link leads
// out of this.
func folderOf(path, within string) (_ *os.File, err error) {
	folder := filepath.Dir(path)
	below, err := filepath.Rel(within, folder)
	if err != nil || !filepath.IsLocal(below) {
		within, below = folder, "."
	}
	root, err := os.OpenRoot(within)
	if err != nil {
		return nil, err
	}
	defer root.Close() // it was only looked at
	return root.Open(below)
}

func openAt(folder *os.File, name string, flags int) (int, error) {
	for {
		fd, err := unix.Openat(int(folder.Fd()), name, flags, 0o644)
		if !errors.Is(err, unix.EINTR) {
			return fd, err
		}
	}
}

// claim makes a plain file the user's own, unless that would give away what somebody
// else has under another name.
func claim(fd int, c *syscall.Credential) error {
	var info unix.Stat_t
	if err := unix.Fstat(fd, &info); err != nil {
		return err
	}
	switch {
	case info.Mode&unix.S_IFMT != unix.S_IFREG:
		return errors.New("it is no plain file")
	case c == nil || info.Uid == c.Uid && info.Gid == c.Gid:
		return nil
	case info.Uid != c.Uid && info.Nlink != 1:
		return fmt.Errorf("it is user %d's, under %d names", info.Uid, info.Nlink)
	}
	return unix.Fchown(fd, int(c.Uid), int(c.Gid))
}
