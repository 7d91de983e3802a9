package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience bounds every wait; it is never waited for when all is well.
const patience = 60 * time.Second

// world is one test's own copy of the program and folder for all it writes.
// What runs in it is found by the folder's name.
type world struct {
	t       *testing.T
	dir     string
	program string
	flags   []string // of every command that talks to the cluster
}

func newWorld(t *testing.T) *world {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, dir: dir, program: filepath.Join(dir, "troupe")}
	if err := os.Link(built, w.program); err != nil {
		if err = copyFile(built, w.program); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "tmp"), 0o777); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, p := range w.processes() {
			if !t.Failed() {
				t.Errorf("left behind: %s", p)
			}
			_ = syscall.Kill(p.pid, syscall.SIGKILL) // it may have ended by now
		}
	})
	return w
}

func copyFile(from, to string) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, data, 0o755)
}

// process is one that runs in a world.
type process struct {
	pid     int
	command string
}

func (p process) String() string { return fmt.Sprintf("%d %s", p.pid, p.command) }

// processes are those that run the world's program, or work in its folder.
func (w *world) processes() []process {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		w.t.Fatal(err)
	}
	var found []process
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || pid == os.Getpid() {
			continue
		}
		base := "/proc/" + e.Name()
		exe, _ := os.Readlink(base + "/exe") // a process that ends meanwhile has none
		cwd, _ := os.Readlink(base + "/cwd")
		if !strings.HasPrefix(exe, w.dir+"/") && !strings.HasPrefix(cwd, w.dir+"/") {
			continue
		}
		command, _ := os.ReadFile(base + "/cmdline")
		found = append(found, process{pid, strings.ReplaceAll(string(command), "\x00", " ")})
	}
	return found
}

// written is what the cluster left in the folder for temporary files.
func (w *world) written() []string {
	entries, err := os.ReadDir(filepath.Join(w.dir, "tmp"))
	if err != nil {
		w.t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// command is the program with arguments, in an environment of its own.
func (w *world) command(args ...string) *exec.Cmd {
	c := exec.Command(w.program, args...)
	c.Dir = "/"
	c.Env = []string{"PATH=" + os.Getenv("PATH"), "TMPDIR=" + filepath.Join(w.dir, "tmp"), "HOME=" + w.dir}
	return c
}

// result is how a command ended.
type result struct {
	code     int
	out, err string
}

// do runs a command that talks to the cluster, to its end.
func (w *world) do(args ...string) result {
	w.t.Helper()
	var flags []string
	for i, a := range args {
		if a == "--" {
			flags, args = append(append(flags, args[:i]...), w.flags...), args[i:]
			return w.only(append(flags, args...)...)
		}
	}
	return w.only(append(args, w.flags...)...)
}

// only runs a command as it is, to its end.
func (w *world) only(args ...string) result {
	w.t.Helper()
	d := w.start(args...)
	return d.wait()
}

// daemon is a command that runs.
type daemon struct {
	t        *testing.T
	cmd      *exec.Cmd
	out, err *stream
	ended    chan struct{}
}

// start starts a command.
func (w *world) start(args ...string) *daemon {
	w.t.Helper()
	d := &daemon{t: w.t, cmd: w.command(args...), out: newStream(), err: newStream(), ended: make(chan struct{})}
	d.cmd.Stdout, d.cmd.Stderr = d.out, d.err
	if err := d.cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	go func() {
		defer close(d.ended)
		err := d.cmd.Wait()
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			w.t.Errorf("%v: %v", args, err)
		}
	}()
	w.t.Cleanup(func() {
		d.signal(syscall.SIGKILL)
		<-d.ended
		if w.t.Failed() {
			w.t.Logf("%v\nstdout:\n%s\nstderr:\n%s", args, d.out, d.err)
		}
	})
	return d
}

func (d *daemon) signal(s syscall.Signal) {
	select {
	case <-d.ended:
	default:
		_ = d.cmd.Process.Signal(s) // it may just have ended
	}
}

// wait waits for the command's end.
func (d *daemon) wait() result {
	d.t.Helper()
	select {
	case <-d.ended:
	case <-time.After(patience):
		d.t.Fatalf("%v does not end\nstdout:\n%s\nstderr:\n%s", d.cmd.Args, d.out, d.err)
	}
	return result{d.cmd.ProcessState.ExitCode(), d.out.String(), d.err.String()}
}

// stream collects what a command writes; changed is told of every piece.
type stream struct {
	mu      sync.Mutex
	text    bytes.Buffer
	changed chan struct{}
}

func newStream() *stream { return &stream{changed: make(chan struct{})} }

func (s *stream) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.changed)
	s.changed = make(chan struct{})
	return s.text.Write(p)
}

func (s *stream) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

func (s *stream) now() (string, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String(), s.changed
}

// await waits until a pattern is in the stream, and returns its groups.
func (d *daemon) await(s *stream, pattern string) []string {
	d.t.Helper()
	re := regexp.MustCompile(pattern)
	late := time.After(patience)
	for {
		text, changed := s.now()
		if m := re.FindStringSubmatch(text); m != nil {
			return m
		}
		select {
		case <-changed:
		case <-d.ended:
			if m := re.FindStringSubmatch(s.String()); m != nil {
				return m
			}
			d.t.Fatalf("%v ended without %q\nstdout:\n%s\nstderr:\n%s", d.cmd.Args, pattern, d.out, d.err)
		case <-late:
			d.t.Fatalf("%v does not say %q\nstdout:\n%s\nstderr:\n%s", d.cmd.Args, pattern, d.out, d.err)
		}
	}
}

// eventually polls until ok.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	late := time.After(patience)
	for !ok() {
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("still not: %s", what)
		}
	}
}

// local starts a cluster in one process, on free ports, and waits until it is
// ready.
func (w *world) local(args ...string) *daemon {
	w.t.Helper()
	d := w.start(append([]string{"local", "--port=0"}, args...)...)
	at := d.await(d.out, `(?m)^ready: +troupe run --master=(\S+)`)
	w.flags = append(w.flags, "--master="+at[1])
	return d
}

// freePort is a port that was free a moment ago.
func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// check compares a result with what was expected; texts are patterns.
func (r result) check(t *testing.T, what string, code int, out, err string) {
	t.Helper()
	if r.code != code || !regexp.MustCompile(out).MatchString(r.out) || !regexp.MustCompile(err).MatchString(r.err) {
		t.Errorf("%s: exit status %d, want %d\nstdout, want %q:\n%s\nstderr, want %q:\n%s", what, r.code, code, out, r.out, err, r.err)
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

func jsonList(t *testing.T, text string) []any {
	t.Helper()
	var list []any
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return list
}
