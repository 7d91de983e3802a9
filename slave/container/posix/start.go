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
	files *Files
}

func prepare(s container.Spec) (*start, error) {
	credential, err := check(s)
	if err != nil {
		return nil, err
	}
	path, err := lookup(s)
	if err != nil {
		return nil, err
	}
	files, err := open(s, credential)
	if err != nil {
		return nil, err
	}
	st := &start{path: path, args: s.Args, files: files}
	if len(st.args) == 0 {
		st.args = []string{s.Path}
	}
	fds := make([]uintptr, len(files.Streams))
	for i, f := range files.Streams {
		fds[i] = f.Fd()
	}
	st.attr = &syscall.ProcAttr{
		Dir: s.Dir, Env: s.Env, Files: fds,
		Sys: &syscall.SysProcAttr{Setsid: true, Setctty: s.Terminal, Pdeathsig: unix.SIGKILL, Credential: credential},
	}
	return st, nil
}

// Files are what a program begins with, made ready.
type Files struct {
	// Streams are standard input, output and error.
	Streams [3]*os.File
	// Folders are those of the files that standard output and error are; nil where a
	// stream was given.
	Folders [2]*os.File
	// Credential is nil when the program runs as this process's user.
	Credential *syscall.Credential
	own        []*os.File // those of Streams and Folders that were opened here
}

// Open checks what a Spec says of the sandbox, the environment and the user, opens
// its files and gives its terminal the size that it is to have. It does not look for
// the program.
func Open(s container.Spec) (*Files, error) {
	credential, err := check(s)
	if err != nil {
		return nil, err
	}
	return open(s, credential)
}

// Close closes what Open has opened.
func (f *Files) Close() {
	for _, file := range f.own {
		file.Close() // only ever written by the child
	}
}

// check finds out beforehand what can be.
func check(s container.Spec) (*syscall.Credential, error) {
	if err := checkDir(s.Dir); err != nil {
		return nil, err
	}
	for _, e := range s.Env {
		if strings.IndexByte(e, '=') <= 0 || strings.ContainsRune(e, 0) {
			name, _, _ := strings.Cut(e, "=") // the value may be secret
			return nil, fmt.Errorf("environment entry %q is not of the form NAME=value", name)
		}
	}
	return credentialOf(s.User)
}

func open(s container.Spec, c *syscall.Credential) (*Files, error) {
	f := &Files{Credential: c}
	if err := errors.Join(f.open(s), resize(s)); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// fork starts the program, and returns it with its pidfd.
func (st *start) fork() (pid, pidfd int, err error) {
	pidfd = -1
	st.attr.Sys.PidFD = &pidfd
	if pid, err = syscall.ForkExec(st.path, st.args, st.attr); err != nil {
		return 0, -1, st.explain(err)
	}
	return pid, pidfd, nil
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
func (f *Files) open(s container.Spec) error {
	if f.Streams[0] = s.Streams[0]; f.Streams[0] == nil {
		null, err := os.Open(os.DevNull)
		if err != nil {
			return fmt.Errorf("opening the standard input: %w", err)
		}
		f.Streams[0], f.own = null, append(f.own, null)
	}
	return f.outputs(s)
}

// LogPath is the file that takes a program's standard output (0) or error (1).
func LogPath(s container.Spec, i int) string {
	if path := [...]string{s.Stdout, s.Stderr}[i]; path != "" {
		return path
	}
	return filepath.Join(s.Dir, [...]string{"stdout", "stderr"}[i])
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

func (st *start) close() { st.files.Close() }

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
