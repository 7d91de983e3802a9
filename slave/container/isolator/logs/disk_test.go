package logs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"troupe/slave/container"
	"troupe/slave/container/linux"
	"troupe/slave/container/plan"
	"troupe/slave/container/posix"
)

// alone is in the environment of a test's process that has mounts of its own.
const alone = "LOGS_TEST_SANDBOX"

func TestMain(m *testing.M) {
	if sandbox := os.Getenv(alone); sandbox != "" {
		if err := onFullDisk(sandbox); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// TestFullDisk: a program whose output finds no room goes on as if it had found some, and
// what it writes once there is room again is kept.
func TestFullDisk(t *testing.T) {
	c := exec.CommandContext(t.Context(), "/proc/self/exe")
	c.Env = append(os.Environ(), alone+"="+t.TempDir())
	c.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS} // which also makes its mounts private
	if out, err := c.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

// onFullDisk is that test, in a process that sees a small disk on the sandbox that it
// makes in a folder.
func onFullDisk(folder string) error {
	sandbox, wrote := filepath.Join(folder, "sandbox"), filepath.Join(folder, "wrote")
	if err := os.Mkdir(sandbox, 0o755); err != nil {
		return err
	}
	if err := unix.Mount("tmpfs", sandbox, "tmpfs", 0, "size=256k"); err != nil {
		return err
	}
	launcher, end, err := newLauncher()
	if err != nil {
		return err
	}
	junk := filepath.Join(sandbox, "junk")
	if err := os.WriteFile(junk, make([]byte, 1<<20), 0o600); !errors.Is(err, unix.ENOSPC) {
		return fmt.Errorf("the disk takes more than it has: %w", err)
	}
	p, err := start(launcher, sandbox, `head -c 100000 /dev/zero | tr '\0' x && echo lost >&2 && touch `+wrote+` && until [ -e go ]; do sleep 0.01; done; echo kept`)
	if err != nil {
		return err
	}
	for tick := time.NewTicker(5 * time.Millisecond); ; <-tick.C {
		if _, err := os.Stat(wrote); err == nil {
			break
		}
		select {
		case <-p.Done():
			return fmt.Errorf("the program gave up, with %d", p.Exit().Status)
		default:
		}
	}
	if err := errors.Join(os.Remove(junk), os.Mkdir(filepath.Join(sandbox, "go"), 0o700)); err != nil {
		return err
	}
	<-p.Done()
	if s := p.Exit().Status; s != 0 {
		return fmt.Errorf("the program ended with %d", s)
	}
	text, err := os.ReadFile(filepath.Join(sandbox, "stdout"))
	if err == nil && string(text) != "kept\n" {
		err = fmt.Errorf("stdout has %d bytes, and not what came last alone", len(text))
	}
	return errors.Join(err, end())
}

func newLauncher() (l *linux.Launcher, end func() error, err error) {
	report := func(err error) { fmt.Fprintln(os.Stderr, err) }
	p, err := posix.New(report)
	if err != nil {
		return nil, nil, err
	}
	if l, err = linux.New(p, report); err != nil {
		return nil, nil, errors.Join(err, p.Close())
	}
	return l, func() error { return errors.Join(l.Close(), p.Close()) }, nil
}

// start starts a script whose output is bounded by the least that can be.
func start(l *linux.Launcher, sandbox, script string) (container.Process, error) {
	return l.Launch(container.Spec{
		Path: "/bin/sh", Args: []string{"sh", "-c", script}, Dir: sandbox, Env: []string{"PATH=" + os.Getenv("PATH")},
	}, plan.Plan{Logs: &plan.Logs{StdoutSize: MinSize, StderrSize: 2 * MinSize, Keep: 2}}, nil)
}

// TestRotation: the limit bites, and lines are whole; without it all is kept.
func TestRotation(t *testing.T) {
	l, end, err := newLauncher()
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := end(); err != nil {
			t.Error(err)
		}
	}()
	const script = `i=0; while [ $i -lt 3000 ]; do i=$((i+1)); echo line $i; done`
	sandbox := t.TempDir()
	p, err := start(l, sandbox, script)
	if err != nil {
		t.Fatal(err)
	}
	await(t, p)
	var all string
	for _, name := range []string{"stdout.2", "stdout.1", "stdout"} {
		text, err := os.ReadFile(filepath.Join(sandbox, name))
		if err != nil || len(text) > MinSize {
			t.Errorf("%s has %d bytes, %v", name, len(text), err)
		}
		all += string(text)
	}
	if _, err := os.Stat(filepath.Join(sandbox, "stdout.3")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("more is kept than was asked for: %v", err)
	}
	lines := strings.Split(strings.TrimSuffix(all, "\n"), "\n")
	for i, line := range lines {
		if want := fmt.Sprintf("line %d", 3000-len(lines)+1+i); line != want {
			t.Fatalf("line %d of what is left is %q, want %q", i, line, want)
		}
	}
	if len(all) < 2*MinSize {
		t.Errorf("%d bytes are left", len(all))
	}

	plainly := t.TempDir()
	if p, err = l.Launch(container.Spec{Path: "/bin/sh", Args: []string{"sh", "-c", script}, Dir: plainly}, plan.Plan{}, nil); err != nil {
		t.Fatal(err)
	}
	await(t, p)
	if text, err := os.ReadFile(filepath.Join(plainly, "stdout")); err != nil || strings.Count(string(text), "\n") != 3000 {
		t.Errorf("without a limit %d bytes are kept, %v", len(text), err)
	}
}

func await(t *testing.T, p container.Process) {
	t.Helper()
	select {
	case <-p.Done():
		if s := p.Exit().Status; s != 0 {
			t.Errorf("it ended with %d", s)
		}
	case <-time.After(time.Minute):
		t.Fatal("it does not end")
	}
}
