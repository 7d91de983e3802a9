// Package volume is what isolators of volumes share: how the place is found and
// made at which a container sees one, and the mount that shows it there.
// Imported by the isolators below it.
//
// Sandboxes belong to programs, which may put symbolic links anywhere at any
// time. What is made in one is made within the outermost container's, whose own
// place only the agent can change; paths are resolved there by the kernel, which
// lets none lead out; and the mount refuses a link that came later.
package volume

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"troupe/messages/field"
	"troupe/slave/container"
	"troupe/slave/container/isolator"
	"troupe/slave/container/plan"
)

// Mount is a volume of a container.
type Mount struct {
	// Source is a path of the machine without symbolic links; empty with Content.
	// SourceBelow is the folder in it below which programs may put some.
	Source, SourceBelow string
	// Content as in plan.Mount.
	Content *plan.Content
	// At is where the container wants it: absolute, or relative to its sandbox.
	At string
	// File: it is one, or anything else that is no folder.
	File     bool
	ReadOnly bool
	// Shared: what is mounted below it appears on the machine too.
	Shared bool
}

// Add plans the mount, in a mount namespace of the container's own. In the
// sandbox its place is made if need be; elsewhere it must be there. Errors name
// container_path.
func Add(c *isolator.Container, p *plan.Plan, m Mount) error {
	target, below, err := place(c, p, m)
	if err != nil {
		return err
	}
	mount := plan.Mount{Source: m.Source, SourceBelow: m.SourceBelow, Target: target, TargetBelow: below, File: m.File, Content: m.Content}
	if m.Content == nil {
		mount.Flags = unix.MS_BIND | unix.MS_REC
	}
	if m.ReadOnly {
		mount.Flags |= unix.MS_RDONLY
	}
	if m.Shared {
		mount.Flags |= unix.MS_SHARED
	}
	p.New |= plan.NewMount
	p.Mounts = append(p.Mounts, mount)
	return nil
}

// place is the target, and the folder in it below which programs may put links.
func place(c *isolator.Container, p *plan.Plan, m Mount) (target, below string, err error) {
	at, inside := within(c, p, m.At)
	if inside {
		target, below, err = placeInside(c, p, at, m.File)
	} else {
		target, err = placeOutside(c, p, at, m.File)
	}
	if err != nil {
		return "", "", field.Invalid("container_path", m.At, "%s", reason(err))
	}
	return target, below, nil
}

// within is a path relative to the sandbox, if it leads there.
func within(c *isolator.Container, p *plan.Plan, at string) (string, bool) {
	if !filepath.IsAbs(at) {
		return at, true
	}
	for _, sandbox := range []string{c.Sandbox, p.Dir} {
		if sandbox == "" {
			continue
		}
		if rel, err := filepath.Rel(sandbox, at); err == nil && filepath.IsLocal(rel) {
			return rel, true
		}
	}
	return filepath.Clean(at), false
}

func placeInside(c *isolator.Container, p *plan.Plan, at string, file bool) (target, below string, err error) {
	if !filepath.IsLocal(at) || filepath.Clean(at) == "." {
		return "", "", errors.New("must be within the sandbox, below it")
	}
	in, err := Open(c)
	if err != nil {
		return "", "", err
	}
	defer in.Close()
	if err := in.Make(at, file); err != nil {
		return "", "", err
	}
	f, err := in.Find(at)
	if err != nil {
		return "", "", err
	}
	if p.Dir == "" && p.Root == "" {
		return f.Path, f.Below, fits(f.File, file)
	}
	below = filepath.Join(p.Root, seen(c, p))
	return filepath.Join(below, at), below, fits(f.File, file)
}

func seen(c *isolator.Container, p *plan.Plan) string {
	if p.Dir != "" {
		return p.Dir
	}
	return c.Sandbox
}

// placeOutside makes nothing. Set-uid programs believe what they find at paths
// of the machine, so that a user who chooses what is there could become root by
// them: none are had beside such a volume.
func placeOutside(c *isolator.Container, p *plan.Plan, at string, file bool) (string, error) {
	if at == "/" {
		return "", errors.New("cannot be replaced")
	}
	target, err := filepath.EvalSymlinks(filepath.Join(p.Root, at))
	if err != nil {
		return "", err
	}
	info, err := os.Stat(target)
	if err != nil {
		return "", err
	}
	if err := fits(!info.IsDir(), file); err != nil {
		return "", err
	}
	if c.User != "" {
		uid, _, err := container.Numbers(c.User)
		if err != nil {
			return "", err
		}
		p.NoNewPrivileges = p.NoNewPrivileges || uid != 0
	}
	return target, nil
}

func fits(there, wanted bool) error {
	switch {
	case there && !wanted:
		return errors.New("is a file, where a folder is to be mounted")
	case !there && wanted:
		return errors.New("is a folder, where a file is to be mounted")
	}
	return nil
}

// reason leaves out the path, which the error's field has.
func reason(err error) string {
	var p *fs.PathError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "does not exist: outside of the sandbox a volume needs a place that is there"
	case errors.Is(err, unix.EXDEV):
		return "leads out of the sandbox by a symbolic link"
	case errors.As(err, &p):
		return p.Op + ": " + p.Err.Error()
	}
	return err.Error()
}

// Sandbox is the folder of a container, for what is found and made in it.
type Sandbox struct {
	root *os.Root
	// own is the container's, relative to root, which is the outermost one's.
	own string
	fd  *os.File
}

// Open opens a container's sandbox.
func Open(c *isolator.Container) (*Sandbox, error) {
	outermost := c
	for outermost.Parent != nil {
		outermost = outermost.Parent
	}
	own, err := filepath.Rel(outermost.Sandbox, c.Sandbox)
	if err != nil || !filepath.IsLocal(own) {
		return nil, fmt.Errorf("sandbox %s is not within %s", c.Sandbox, outermost.Sandbox)
	}
	root, err := os.OpenRoot(outermost.Sandbox)
	if err != nil {
		return nil, err
	}
	fd, err := root.Open(".")
	if err != nil {
		return nil, errors.Join(err, root.Close())
	}
	return &Sandbox{root: root, own: own, fd: fd}, nil
}

// Close ends it. Descriptors that are only read from do not fail to close.
func (s *Sandbox) Close() {
	_ = s.fd.Close()
	_ = s.root.Close()
}

// Found is something in a sandbox.
type Found struct {
	// Path is on the machine, absolute, without symbolic links. Programs write to
	// what is below Below, which it begins with.
	Path, Below string
	// File: it is no folder.
	File bool
}

// Find follows symbolic links as long as they stay in the outermost sandbox. A
// path that is not there is fs.ErrNotExist.
func (s *Sandbox) Find(at string) (Found, error) {
	return find(s.fd, filepath.Join(s.own, at))
}

func find(in *os.File, at string) (Found, error) {
	how := unix.OpenHow{Flags: unix.O_PATH | unix.O_CLOEXEC, Resolve: unix.RESOLVE_BENEATH | unix.RESOLVE_NO_MAGICLINKS}
	fd, err := unix.Openat2(int(in.Fd()), at, &how)
	if err != nil {
		return Found{}, &fs.PathError{Op: "find", Path: at, Err: err}
	}
	file := os.NewFile(uintptr(fd), at)
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return Found{}, err
	}
	path, err := whereIs(file)
	if err != nil {
		return Found{}, err
	}
	below, err := whereIs(in)
	return Found{Path: path, Below: below, File: !info.IsDir()}, err
}

// whereIs is where an open file is.
func whereIs(f *os.File) (string, error) {
	return os.Readlink("/proc/self/fd/" + strconv.Itoa(int(f.Fd())))
}

// FindBelow is Find in a folder of the machine that is no sandbox: a persistent
// volume's.
func FindBelow(folder, at string) (Found, error) {
	in, err := os.Open(folder)
	if err != nil {
		return Found{}, err
	}
	defer in.Close()
	return find(in, at)
}

// Make makes a folder or an empty file, and the folders before it, unless they
// are there. They belong to the sandbox's owner.
func (s *Sandbox) Make(at string, file bool) error {
	owner, err := s.root.Stat(s.own)
	if err != nil {
		return err
	}
	st := owner.Sys().(*syscall.Stat_t)
	path := s.own
	parts := strings.Split(filepath.Clean(at), string(filepath.Separator))
	for i, part := range parts {
		path = filepath.Join(path, part)
		made, err := s.one(path, file && i == len(parts)-1)
		if err != nil {
			return err
		}
		if !made {
			continue
		}
		if err := s.root.Lchown(path, int(st.Uid), int(st.Gid)); err != nil {
			return err
		}
	}
	return nil
}

// one tells whether there was nothing.
func (s *Sandbox) one(path string, file bool) (bool, error) {
	if !file {
		err := s.root.Mkdir(path, 0o755)
		if errors.Is(err, fs.ErrExist) {
			return false, nil
		}
		return err == nil, err
	}
	f, err := s.root.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, f.Close()
}
