// Package processtest is for tests that run the program as processes: it
// builds it, gives each test a folder and a copy of its own, finds what runs
// there and ends what was left. Tests below tools import it.
package processtest

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Patience bounds every wait; it is never waited for when all is well.
const Patience = 3 * time.Minute

// Run builds the program, sets built to its path, runs a package's tests and
// returns the exit status for TestMain.
func Run(m *testing.M, built *string) (status int) {
	dir, err := os.MkdirTemp("", "troupe-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir) // what stays is temporary all the same
	if *built, err = Build(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// Build builds the program into a folder and returns its path. The caller's
// working directory must be in this module.
func Build(folder string) (string, error) {
	built := filepath.Join(folder, "troupe")
	build := exec.Command("go", "build", "-o", built, "troupe/tools/troupe")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build troupe: %w\n%s", err, out)
	}
	return built, nil
}

// World is one test's own copy of the program and folder for all it writes.
// What runs in it is found by the folder's name.
type World struct {
	T *testing.T
	// Dir holds everything; it has no symbolic links in its name.
	Dir string
	// Program is the copy of the program.
	Program string
}

// settling bounds how long what has lost its agent may take to notice and to end.
const settling = 30 * time.Second

// New makes a world with a copy of the program that Build made. When the test
// ends, what runs in the world and does not end by itself soon is killed, and is
// an error if the test has not failed anyway.
func New(t *testing.T, built string) *World {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	w := &World{T: t, Dir: dir, Program: filepath.Join(dir, "troupe")}
	if err := os.Link(built, w.Program); err != nil {
		if err = copyFile(built, w.Program); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(w.Temporary(), 0o777); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.sweep)
	return w
}

func (w *World) sweep() {
	if !w.T.Failed() {
		Within(settling, func() bool { return len(w.Processes()) == 0 })
	}
	for _, p := range w.Processes() {
		if !w.T.Failed() {
			w.T.Errorf("left behind: %s", p)
		}
		_ = syscall.Kill(p.PID, syscall.SIGKILL) // it may have ended by now
	}
}

func copyFile(from, to string) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, data, 0o755)
}

// Temporary is the folder for temporary files of what runs in the world.
func (w *World) Temporary() string { return filepath.Join(w.Dir, "tmp") }

// Environment is what a command of the world finds in its environment.
func (w *World) Environment() []string {
	return []string{"PATH=" + os.Getenv("PATH"), "TMPDIR=" + w.Temporary(), "HOME=" + w.Dir}
}

// Command is the program with arguments, in an environment of its own.
func (w *World) Command(args ...string) *exec.Cmd {
	c := exec.Command(w.Program, args...)
	c.Dir, c.Env = "/", w.Environment()
	return c
}

// Process is one that runs in a world.
type Process struct {
	PID, Parent int
	// Command is its command line, with blanks between the arguments.
	Command string
}

func (p Process) String() string { return fmt.Sprintf("%d %s", p.PID, p.Command) }

// Processes are those that run a program of the world, or work in its folder;
// the caller's own is not among them.
func (w *World) Processes() []Process {
	w.T.Helper()
	entries, err := os.ReadDir("/proc")
	if err != nil {
		w.T.Fatal(err)
	}
	var found []Process
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || pid == os.Getpid() {
			continue
		}
		base := "/proc/" + e.Name()
		exe, _ := os.Readlink(base + "/exe") // a process that ends meanwhile has none
		cwd, _ := os.Readlink(base + "/cwd")
		if !strings.HasPrefix(exe, w.Dir+"/") && !strings.HasPrefix(cwd+"/", w.Dir+"/") {
			continue
		}
		command, _ := os.ReadFile(base + "/cmdline")
		found = append(found, Process{pid, parent(base), strings.ReplaceAll(string(command), "\x00", " ")})
	}
	return found
}

// parent is the process id of a process's parent; 0 when it has ended.
func parent(base string) int {
	stat, err := os.ReadFile(base + "/stat")
	if err != nil {
		return 0
	}
	// The name, in brackets, may hold anything; state and parent follow it.
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	if len(fields) < 2 {
		return 0
	}
	ppid, err := strconv.Atoi(fields[1])
	if err != nil {
		return 0
	}
	return ppid
}

// Eventually polls until ok, and fails the test after Patience.
func Eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	if !Within(Patience, ok) {
		t.Fatalf("still not: %s", what)
	}
}

// Within polls until ok, and is false when that takes longer than limit.
func Within(limit time.Duration, ok func() bool) bool {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	late := time.After(limit)
	for !ok() {
		select {
		case <-tick.C:
		case <-late:
			return false
		}
	}
	return true
}

// Exists tells whether a path names anything.
func Exists(path string) bool {
	_, err := os.Stat(path)
	return !errors.Is(err, fs.ErrNotExist)
}
