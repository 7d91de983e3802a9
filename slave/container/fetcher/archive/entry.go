package archive

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// errOutside is what leads out of the folder.
var errOutside = errors.New("leads out of the sandbox: make the archive with relative names that stay within it")

// admit counts an entry and returns its name, cleaned.
func (x *extraction) admit(name string) (string, error) {
	if err := x.enter(); err != nil {
		return name, err
	}
	clean := path.Clean(name)
	switch {
	case name == "" || strings.ContainsRune(name, 0):
		return name, errors.New("has no name that a file can have")
	case !filepath.IsLocal(clean):
		return name, errOutside
	}
	for part := range strings.SplitSeq(name, "/") {
		if part == ".." {
			return name, errOutside
		}
	}
	return clean, nil
}

// folder makes a folder, which stays one that its owner can empty.
func (x *extraction) folder(name string, mode fs.FileMode) error {
	if err := x.into.MkdirAll(name, 0o755); err != nil {
		return x.explain(err)
	}
	if name == "." {
		return nil
	}
	info, err := x.into.Lstat(name)
	if err != nil || !info.IsDir() {
		return err // a link to a folder of the archive keeps what that has
	}
	return x.into.Chmod(name, mode.Perm()|0o700)
}

// create makes a file anew, and what it is in.
func (x *extraction) create(name string) (*os.File, error) {
	if err := x.clear(name); err != nil {
		return nil, err
	}
	f, err := x.into.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	return f, x.explain(err)
}

// clear makes room for an entry of which the archive may have had another before.
func (x *extraction) clear(name string) error {
	if name == "." {
		return errors.New("is the folder itself")
	}
	if err := x.into.MkdirAll(path.Dir(name), 0o755); err != nil {
		return x.explain(err)
	}
	info, err := x.into.Lstat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return x.explain(err)
	case info.IsDir():
		return errors.New("is a folder elsewhere in the archive")
	}
	return x.explain(x.into.Remove(name))
}

const setID = fs.ModeSetuid | fs.ModeSetgid

func (x *extraction) file(name string, mode fs.FileMode, modified time.Time, content io.Reader) error {
	if mode&setID != 0 {
		return errors.New("is set-uid or set-gid, which is not unpacked: make the archive without that (chmod ug-s)")
	}
	f, err := x.create(name)
	if err != nil {
		return err
	}
	err = x.copy(f, content)
	if err == nil {
		err = f.Chmod(mode.Perm())
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if modified.IsZero() || modified.Unix() < 0 {
		return nil
	}
	return x.into.Chtimes(name, modified, modified)
}

// copy writes what content has, within bounds.
func (x *extraction) copy(to io.Writer, content io.Reader) error {
	for {
		n, err := content.Read(x.buffer)
		if n > 0 {
			if err := x.write(int64(n)); err != nil {
				return err
			}
			if _, err := to.Write(x.buffer[:n]); err != nil {
				return x.explain(err)
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return x.readFailed(err)
		}
		if err := x.ctx.Err(); err != nil {
			return err
		}
	}
}

// symlink makes a link, unless it can be seen at once that it leads out; checkLinks
// sees the rest.
func (x *extraction) symlink(name, target string) error {
	switch {
	case target == "" || len(target) > maxTarget || strings.ContainsRune(target, 0):
		return errors.New("is a link to nothing that a file can be called")
	case path.IsAbs(target) || !filepath.IsLocal(path.Join(path.Dir(name), target)):
		return fmt.Errorf("is a link to %q, which %w", target, errOutside)
	}
	if err := x.clear(name); err != nil {
		return err
	}
	x.links = append(x.links, name)
	return x.explain(x.into.Symlink(target, name))
}

// hardLink makes another name of a file that the archive has had.
func (x *extraction) hardLink(name, target string) error {
	old := path.Clean(target)
	if target == "" || !filepath.IsLocal(old) {
		return fmt.Errorf("is a link to %q, which %w", target, errOutside)
	}
	if old == name {
		return nil
	}
	info, err := x.into.Lstat(old)
	if err != nil || !info.Mode().IsRegular() {
		return fmt.Errorf("is a hard link to %q, which is no file before it in the archive", target)
	}
	if err := x.clear(name); err != nil {
		return err
	}
	return x.explain(x.into.Link(old, name))
}

// explain says what could not be written without naming the folder, which is only
// for the time of the extraction.
func (x *extraction) explain(err error) error {
	var number syscall.Errno
	switch {
	case err == nil:
		return nil
	case errors.Is(err, syscall.ENOSPC):
		return fmt.Errorf("found no room on the sandbox's disk after %d bytes: make room there, or fetch less", x.written.spent)
	case errors.Is(err, syscall.EDQUOT):
		return fmt.Errorf("exceeds the disk quota of the container after %d bytes: give the task more disk, or fetch less", x.written.spent)
	case errors.As(err, &number):
		return fmt.Errorf("cannot be written: %w", number)
	}
	var at *fs.PathError
	if errors.As(err, &at) {
		return fmt.Errorf("cannot be written: %w", at.Err)
	}
	return fmt.Errorf("cannot be written: %w", err)
}

// maxLinks is after how many the kernel, too, gives up on following links.
const maxLinks = 40

// checkLinks finds links that lead out by way of others.
func (x *extraction) checkLinks() error {
	for _, name := range x.links {
		if err := x.ctx.Err(); err != nil {
			return err
		}
		if err := x.walk(name); err != nil {
			return &EntryError{name, err}
		}
	}
	return nil
}

// walk goes where a name leads, as the kernel would.
func (x *extraction) walk(name string) error {
	rest, at, links := strings.Split(name, "/"), []string(nil), 0
	for len(rest) > 0 {
		part := rest[0]
		rest = rest[1:]
		switch part {
		case "", ".":
			continue
		case "..":
			if len(at) == 0 {
				return errOutside
			}
			at = at[:len(at)-1]
			continue
		}
		at = append(at, part)
		target, err := x.into.Readlink(strings.Join(at, "/"))
		switch {
		case errors.Is(err, syscall.EINVAL), errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
			continue // no link
		case err != nil:
			return err
		case path.IsAbs(target):
			return errOutside
		}
		if links++; links > maxLinks {
			return nil // as it leads nowhere
		}
		at = at[:len(at)-1]
		rest = append(strings.Split(target, "/"), rest...)
	}
	return nil
}
