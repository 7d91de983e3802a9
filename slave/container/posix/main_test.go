package posix

import (
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"troupe/slave/container"
)

// TestMain lets a test start this program again as a host that launches one
// shell command and lives until it is killed.
func TestMain(m *testing.M) {
	if script := os.Getenv("POSIX_TEST_HOST"); script != "" {
		if err := host(script, os.Args[1]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func host(script, dir string) error {
	l, err := New(nil)
	if err != nil {
		return err
	}
	if _, err := l.Launch(shell(dir, script)); err != nil {
		return err
	}
	never := make(chan os.Signal, 1)
	signal.Notify(never, unix.SIGTERM)
	<-never
	return l.Close()
}

func newLauncher(t *testing.T) *Launcher {
	t.Helper()
	l, err := New(nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

// shell is a Spec that runs script in dir.
func shell(dir, script string) container.Spec {
	return container.Spec{
		Path: "/bin/sh", Args: []string{"sh", "-c", script}, Dir: dir,
		Env: []string{"PATH=/usr/bin:/bin", "MESOS_SANDBOX=" + dir},
	}
}

func launch(t *testing.T, l *Launcher, s container.Spec) container.Process {
	t.Helper()
	p, err := l.Launch(s)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

const patience = 3 * time.Minute

func waitDone(t *testing.T, p container.Process) unix.WaitStatus {
	t.Helper()
	select {
	case <-p.Done():
	case <-time.After(patience):
		t.Fatalf("process %d does not end", p.Pid())
	}
	return unix.WaitStatus(p.Exit().Status)
}

// eventually polls until ok.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
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

// readFile waits until the file name in dir has content that ends in a line.
func readFile(t *testing.T, dir, name string) string {
	t.Helper()
	var content []byte
	eventually(t, name+" is written", func() bool {
		content, _ = os.ReadFile(filepath.Join(dir, name))
		return len(content) > 0 && content[len(content)-1] == '\n'
	})
	return string(content)
}

// gone says whether no process of that number lives.
func gone(pid int) bool {
	s, err := readStat(pid)
	return err != nil || s.state == 'Z'
}
