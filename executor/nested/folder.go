package nested

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"troupe/executor/program"
)

// folder is a sandbox that is made for a container. What runs between it and the
// folder within, which is nobody's to replace, may have put anything there, so no path
// is followed out of that.
type folder struct {
	within, dir string
	alone       bool // within is made, too
}

// make makes the folder for a user.
func (f *folder) make(user string) (err error) {
	if f.alone {
		if err := os.MkdirAll(f.within, 0o755); err != nil {
			return err
		}
	}
	within, path, err := openAbove(f.within, f.dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, within.Close()) }()
	if err := within.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if err := within.Mkdir(path, 0o755); err != nil {
		return err
	}
	if user == "" {
		return nil
	}
	uid, gid, err := program.LookUp(user)
	if err != nil {
		return err
	}
	return within.Lchown(path, uid, gid)
}

// remove removes the folder with all that is in it.
func (f *folder) remove() (err error) {
	within, path, err := openAbove(f.within, f.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, within.Close()) }()
	return within.RemoveAll(path)
}

// openAbove opens a folder, and says what path is in it.
func openAbove(folder, path string) (*os.Root, string, error) {
	below, err := filepath.Rel(folder, path)
	if err != nil {
		return nil, "", err
	}
	root, err := os.OpenRoot(folder)
	return root, below, err
}

// openOutput opens a file of what a program writes, which may have put anything in its
// place, or in that of a folder on the way.
func openOutput(s program.Spec, path string, flags int) (*os.File, error) {
	within := cmp.Or(s.Within, s.Dir)
	if below, err := filepath.Rel(within, path); err != nil || !filepath.IsLocal(below) {
		within = filepath.Dir(path) // of an executor, whose folder is not the program's
	}
	root, below, err := openAbove(within, path)
	if err != nil {
		return nil, err
	}
	defer root.Close() // it was only looked at
	folder, err := root.Open(filepath.Dir(below))
	if err != nil {
		return nil, err
	}
	defer folder.Close() // as above
	var fd int
	for {
		fd, err = unix.Openat(int(folder.Fd()), filepath.Base(path), flags|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, 0o644)
		if !errors.Is(err, unix.EINTR) {
			break
		}
	}
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	file := os.NewFile(uintptr(fd), path)
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is not a file", path)
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// give makes a file the user's own, unless that would give away what somebody else has
// under another name.
func give(file *os.File, uid, gid int) error {
	var info unix.Stat_t
	if err := unix.Fstat(int(file.Fd()), &info); err != nil {
		return err
	}
	if int(info.Uid) != uid && info.Nlink != 1 {
		return fmt.Errorf("%s is user %d's, under %d names", file.Name(), info.Uid, info.Nlink)
	}
	return file.Chown(uid, gid)
}
