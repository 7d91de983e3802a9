// Package isolatortest starts programs as a plan wants it, so that tests of an
// isolator see on the real kernel what its plan does. Imported by tests of
// isolators.
package isolatortest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"troupe/slave/container"
	"troupe/slave/container/linux"
	"troupe/slave/container/plan"
	"troupe/slave/container/posix"
)

// Result is how a program ended.
type Result struct {
	// Stdout and Stderr are all that it wrote.
	Stdout, Stderr string
	// Code is its exit code, -1 when a signal ended it.
	Code int
}

// late is long after every program of a test has ended.
const late = 2 * time.Minute

// Run starts a program, whose path is absolute, as a user (by number) and as p
// plans it, in a folder of its own, and waits for its end.
func Run(t testing.TB, p *plan.Plan, user int, args ...string) Result {
	t.Helper()
	r, err := launch(t, p, user, args)
	if err != nil {
		t.Fatalf("%q: %v", args, err)
	}
	return r
}

// Shell is Run of a text for /bin/sh.
func Shell(t testing.TB, p *plan.Plan, user int, script string) Result {
	t.Helper()
	return Run(t, p, user, "/bin/sh", "-c", script)
}

// Refused is the error of a launch that must fail.
func Refused(t testing.TB, p *plan.Plan, user int, args ...string) error {
	t.Helper()
	r, err := launch(t, p, user, args)
	if err == nil {
		t.Fatalf("%q: was started, and ended with %+v", args, r)
	}
	return err
}

func launch(t testing.TB, p *plan.Plan, user int, args []string) (Result, error) {
	t.Helper()
	below, err := posix.New(func(err error) { t.Error(err) })
	if err != nil {
		t.Fatal(err)
	}
	l, err := linux.New(below, func(err error) { t.Error(err) })
	if err != nil {
		t.Fatal(errors.Join(err, below.Close()))
	}
	defer func() {
		if err := errors.Join(below.Close(), l.Close()); err != nil {
			t.Error(err)
		}
	}()
	dir := Folder(t)
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	process, err := l.Launch(container.Spec{
		Path: args[0], Args: args, Dir: dir, User: strconv.Itoa(user),
		Env: []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin"},
	}, *p, nil)
	if err != nil {
		return Result{}, err
	}
	select {
	case <-process.Done():
	case <-time.After(late):
		process.Kill(0)
		t.Fatalf("%q does not end", args)
	}
	status := unix.WaitStatus(process.Exit().Status)
	return Result{Stdout: read(t, dir, "stdout"), Stderr: read(t, dir, "stderr"), Code: status.ExitStatus()}, nil
}

func read(t testing.TB, dir, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Folder is a test's own, which every user can enter.
func Folder(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	for at := dir; len(at) > len(os.TempDir()); at = filepath.Dir(at) {
		if err := os.Chmod(at, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// inside is the environment variable by which a test program knows that it is in
// a mount namespace of its own.
const inside = "ISOLATORTEST_INSIDE"

// InOwnMounts is what the TestMain of a package whose tests mount something does:
// it runs the tests in another process, whose mounts are private. It returns the
// exit code.
func InOwnMounts(m *testing.M) int {
	if os.Getenv(inside) != "" {
		return m.Run()
	}
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Env = append(os.Environ(), inside+"=1")
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL}
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		fmt.Fprintln(os.Stderr, "isolatortest:", err)
		return 2
	}
	return cmd.ProcessState.ExitCode()
}
