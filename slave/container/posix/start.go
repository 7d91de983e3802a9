package posix

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"troupe/slave/container"
)

// start is a Spec made ready for fork: everything that can be found out
// beforehand has been, since exec itself says no more than a number.
type start struct {
	path  string
	args  []string
	attr  *syscall.ProcAttr
	files []*os.File // those of the program
	own   []*os.File // those of files that were opened here
}

func prepare(s container.Spec) (_ *start, err error) {
	if err := checkDir(s.Dir); err != nil {
		return nil, err
	}
	for _, e := range s.Env {
		if strings.IndexByte(e, '=') <= 0 || strings.ContainsRune(e, 0) {
			return nil, fmt.Errorf("environment entry %q is not of the form NAME=value", e)
		}
	}
	credential, err := credentialOf(s.User)
	if err != nil {
		return nil, err
	}
	path, err := lookup(s)
	if err != nil {
		return nil, err
	}
	st := &start{path: path, args: s.Args}
	if len(st.args) == 0 {
		st.args = []string{s.Path}
	}
	defer func() {
		if err != nil {
			st.close()
		}
	}()
	if err = st.open(s, credential); err != nil {
		return nil, err
	}
	if err = resize(s); err != nil {
		return nil, err
	}
	fds := make([]uintptr, len(st.files))
	for i, f := range st.files {
		fds[i] = f.Fd()
	}
	st.attr = &syscall.ProcAttr{
		Dir: s.Dir, Env: s.Env, Files: fds,
		Sys: &syscall.SysProcAttr{Setsid: true, Setctty: s.Terminal, Pdeathsig: unix.SIGKILL, Credential: credential},
	}
	return st, nil
}

func checkDir(dir string) error {
	if !filepath.IsAbs(dir) {
		return fmt.Errorf("sandbox %q is not an absolute path", dir)
	}
	info, err := os.Stat(dir)
	if err != nil {
		return fmt.Errorf("sandbox: %w", err)
	}
	if !info.IsDir() {
		return fmt.Errorf("sandbox %q is not a folder", dir)
	}
	return nil
}

// open opens the three standard files.
func (st *start) open(s container.Spec, c *syscall.Credential) error {
	if in := s.Streams[0]; in != nil {
		st.files = append(st.files, in)
	} else {
		null, err := os.Open(os.DevNull)
		if err != nil {
			return fmt.Errorf("opening the standard input: %w", err)
		}
		st.files, st.own = append(st.files, null), append(st.own, null)
	}
	for i, out := range []struct{ name, path string }{{"stdout", s.Stdout}, {"stderr", s.Stderr}} {
		if f := s.Streams[1+i]; f != nil {
			st.files = append(st.files, f)
			continue
		}
		if out.path == "" {
			out.path = filepath.Join(s.Dir, out.name)
		}
		// A link here may have been put by an earlier program of the sandbox.
		f, err := os.OpenFile(out.path, os.O_WRONLY|os.O_CREATE|os.O_APPEND|unix.O_NOFOLLOW, 0o644)
		if err != nil {
			return fmt.Errorf("opening the %s file: %w", out.name, err)
		}
		st.files, st.own = append(st.files, f), append(st.own, f)
		if c != nil {
			if err := f.Chown(int(c.Uid), int(c.Gid)); err != nil {
				return fmt.Errorf("giving the %s file to its user: %w", out.name, err)
			}
		}
	}
	return nil
}

// resize gives the terminal its size.
func resize(s container.Spec) error {
	switch {
	case !s.Terminal:
		return nil
	case s.Streams[0] == nil:
		return errors.New("a terminal is wanted, and none is given")
	case s.Window == nil:
		return nil
	}
	size := &unix.Winsize{Row: clip(s.Window.GetRows()), Col: clip(s.Window.GetColumns())}
	if err := unix.IoctlSetWinsize(int(s.Streams[0].Fd()), unix.TIOCSWINSZ, size); err != nil {
		return fmt.Errorf("sizing the terminal: %w", err)
	}
	return nil
}

func clip(n uint32) uint16 { return uint16(min(n, math.MaxUint16)) }

func (st *start) close() {
	for _, f := range st.own {
		f.Close() // only ever written by the child
	}
}

// explain turns what fork or exec said into words.
func (st *start) explain(err error) error {
	switch {
	case errors.Is(err, unix.ENOENT):
		return fmt.Errorf("launching %q: the program, or the interpreter that it names, does not exist", st.path)
	case errors.Is(err, unix.EACCES):
		return fmt.Errorf("launching %q in %q: permission denied", st.path, st.attr.Dir)
	case errors.Is(err, unix.ENOEXEC):
		return fmt.Errorf("launching %q: it is not a program for this machine (and has no #! line)", st.path)
	case errors.Is(err, unix.E2BIG):
		return fmt.Errorf("launching %q: its arguments and environment are too large", st.path)
	}
	return fmt.Errorf("launching %q: %w", st.path, err)
}

// lookup finds the program as its own environment would.
func lookup(s container.Spec) (string, error) {
	switch {
	case s.Path == "":
		return "", errors.New("no program is named")
	case filepath.IsAbs(s.Path):
		return s.Path, executable(s.Path)
	case strings.Contains(s.Path, "/"):
		path := filepath.Join(s.Dir, s.Path)
		return path, executable(path)
	}
	search := ""
	for _, e := range s.Env {
		if v, ok := strings.CutPrefix(e, "PATH="); ok {
			search = v
		}
	}
	for _, dir := range filepath.SplitList(search) {
		if dir == "" || !filepath.IsAbs(dir) {
			dir = filepath.Join(s.Dir, dir)
		}
		if path := filepath.Join(dir, s.Path); executable(path) == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("program %q is not in the PATH %q", s.Path, search)
}

func executable(path string) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("program %q does not exist", path)
	case err != nil:
		return fmt.Errorf("program: %w", err)
	case !info.Mode().IsRegular():
		return fmt.Errorf("program %q is not a file", path)
	case info.Mode().Perm()&0o111 == 0:
		return fmt.Errorf("program %q is not executable", path)
	}
	return nil
}

// credentialOf is nil when name is the user that this process runs as.
func credentialOf(name string) (*syscall.Credential, error) {
	if name == "" {
		return nil, nil
	}
	u, err := container.LookupUser(name)
	if err != nil {
		return nil, err
	}
	uid, uerr := strconv.ParseUint(u.Uid, 10, 32)
	gid, gerr := strconv.ParseUint(u.Gid, 10, 32)
	if err := errors.Join(uerr, gerr); err != nil {
		return nil, fmt.Errorf("user %q: %w", name, err)
	}
	if int(uid) == os.Geteuid() {
		return nil, nil
	}
	if os.Geteuid() != 0 {
		return nil, fmt.Errorf("cannot run as user %q: this process is not root, it runs as user number %d", name, os.Geteuid())
	}
	c := &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	groups, err := u.GroupIds()
	if err != nil {
		return nil, fmt.Errorf("groups of user %q: %w", name, err)
	}
	for _, g := range groups {
		id, err := strconv.ParseUint(g, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("group %q of user %q: %w", g, name, err)
		}
		c.Groups = append(c.Groups, uint32(id))
	}
	return c, nil
}
