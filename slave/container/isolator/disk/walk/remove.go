package walk

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

const (
	// flatDepth is how many folders deep Remove goes before it moves what is deeper
	// up: each takes an open file.
	flatDepth = 200
	// namesAtOnce bounds what is remembered of one folder.
	namesAtOnce = 1024
	// maxFailures is how many of what could not be removed are named.
	maxFailures = 4
)

// Remove removes the folder root with all that is in it. What leads to root is
// trusted. No link is followed, and what is mounted in it is neither entered nor
// unmounted: the error names that, and the rest is removed. Nobody may write to
// it meanwhile. A folder that is gone is no error.
func Remove(ctx context.Context, root string) error {
	in, err := os.Open(filepath.Dir(root))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer in.Close()
	return RemoveIn(ctx, in, filepath.Base(root))
}

// RemoveIn is Remove for a folder by its name in another, which is open.
func RemoveIn(ctx context.Context, in *os.File, name string) error {
	root := filepath.Join(in.Name(), name)
	r := &removal{ctx: ctx, root: root, top: -1}
	r.entry(int(in.Fd()), name, root, 0)
	if r.failures > maxFailures {
		r.err = errors.Join(r.err, fmt.Errorf("and %d more in %s", r.failures-maxFailures, root))
	}
	return r.err
}

type removal struct {
	ctx      context.Context
	root     string
	top      int // the open folder root, -1 before
	moved    int
	failures int
	err      error
}

func (r *removal) fail(path string, err error) {
	if r.failures++; r.failures <= maxFailures {
		r.err = errors.Join(r.err, &fs.PathError{Op: "remove", Path: path, Err: err})
	}
}

// entry removes one name of an open folder, and tells whether it is gone.
func (r *removal) entry(folder int, name, path string, depth int) bool {
	err := unix.Unlinkat(folder, name, 0)
	if err == nil || errors.Is(err, unix.ENOENT) {
		return true
	}
	fd, opened := open(folder, name, folderFlags)
	switch {
	case errors.Is(opened, unix.EXDEV):
		r.fail(path, errors.New("something is mounted there: unmount it"))
		return false
	case errors.Is(opened, unix.ENOENT):
		return true
	case opened != nil && errors.Is(opened, unix.ENOTDIR):
		r.fail(path, err)
		return false
	case opened != nil:
		r.fail(path, opened)
		return false
	}
	f := os.NewFile(uintptr(fd), path)
	defer f.Close()
	if r.top < 0 {
		r.top = fd
	}
	if depth == flatDepth {
		return r.lift(folder, name, path)
	}
	r.contents(f, path, depth)
	if err := unix.Unlinkat(folder, name, unix.AT_REMOVEDIR); err != nil && !errors.Is(err, unix.ENOENT) {
		if r.err == nil { // else what is left in it has been told
			r.fail(path, err)
		}
		return false
	}
	return true
}

// lift moves a folder that is too deep up to the root, where its turn comes.
func (r *removal) lift(folder int, name, path string) bool {
	for {
		r.moved++
		err := unix.Renameat2(folder, name, r.top, ".removed-"+strconv.Itoa(r.moved), unix.RENAME_NOREPLACE)
		if errors.Is(err, unix.EEXIST) {
			continue
		}
		if err != nil {
			r.fail(path, err)
		}
		return err == nil
	}
}

// contents empties an open folder as far as that can be done: once more from the
// start as long as something goes, as file systems may skip names when others are
// removed, and folders may come that were lifted.
func (r *removal) contents(f *os.File, path string, depth int) {
	for again := true; again; {
		again = false
		for {
			names, err := f.Readdirnames(namesAtOnce)
			if r.ctx.Err() != nil {
				r.err = errors.Join(r.err, r.ctx.Err())
				return
			}
			for _, name := range names {
				if r.entry(int(f.Fd()), name, filepath.Join(path, name), depth+1) {
					again = true
				}
			}
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				r.fail(path, err)
				return
			}
		}
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			r.fail(path, err)
			return
		}
	}
}
