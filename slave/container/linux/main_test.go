package linux

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"troupe/slave/container"
	"troupe/slave/container/plan"
	"troupe/slave/container/posix"
)

// TestMain lets a test start this program again as a host that launches one shell
// command in a container and lives until it is killed.
func TestMain(m *testing.M) {
	if script := os.Getenv("LINUX_TEST_HOST"); script != "" {
		if err := host(script, os.Args[1], os.Args[2]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func host(script, dir, spaces string) error {
	below, err := posix.New(nil)
	if err != nil {
		return err
	}
	l, err := New(below, nil)
	if err != nil {
		return err
	}
	n, err := strconv.Atoi(spaces)
	if err != nil {
		return err
	}
	s := shell(dir, script)
	s.Status = filepath.Join(dir, "status")
	if _, err := l.Launch(s, plan.Plan{New: plan.Namespaces(n), NoNewPrivileges: true}, nil); err != nil {
		return err
	}
	never := make(chan os.Signal, 1)
	signal.Notify(never, unix.SIGTERM)
	<-never
	return errors.Join(below.Close(), l.Close())
}

// newLauncher fails a test for whatever is reported, but for what it allows.
func newLauncher(t testing.TB, allowed ...string) *Launcher {
	t.Helper()
	report := func(err error) {
		for _, a := range allowed {
			if strings.Contains(err.Error(), a) {
				return
			}
		}
		t.Errorf("reported: %v", err)
	}
	below, err := posix.New(report)
	if err != nil {
		t.Fatal(err)
	}
	l, err := New(below, report)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(below.Close(), l.Close()); err != nil {
			t.Error(err)
		}
	})
	return l
}

// shell is a Spec that runs script in dir.
func shell(dir, script string) container.Spec {
	return container.Spec{
		Path: "/bin/sh", Args: []string{"sh", "-c", script}, Dir: dir,
		Env: []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "MESOS_SANDBOX=" + dir},
	}
}

func launch(t testing.TB, l *Launcher, s container.Spec, p plan.Plan, in *Container) *Process {
	t.Helper()
	launched, err := l.Launch(s, p, in)
	if err != nil {
		t.Fatal(err)
	}
	return launched.(*Process)
}

const soon = 3 * time.Minute

func waitDone(t testing.TB, p container.Process) unix.WaitStatus {
	t.Helper()
	select {
	case <-p.Done():
	case <-time.After(soon):
		t.Fatalf("process %d does not end", p.Pid())
	}
	return unix.WaitStatus(p.Exit().Status)
}

// eventually polls until ok.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	late := time.After(soon)
	for !ok() {
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("still not: %s", what)
		}
	}
}

// readFile waits until the file name in dir has content that ends in a line.
func readFile(t testing.TB, dir, name string) string {
	t.Helper()
	var content []byte
	eventually(t, name+" is written", func() bool {
		content, _ = os.ReadFile(filepath.Join(dir, name))
		return len(content) > 0 && content[len(content)-1] == '\n'
	})
	return string(content)
}

// run launches a shell script, waits for its end and returns what it wrote.
func run(t testing.TB, l *Launcher, p plan.Plan, in *Container, script string) string {
	t.Helper()
	dir := t.TempDir()
	if ws := waitDone(t, launch(t, l, shell(dir, script), p, in)); ws != 0 {
		errors, _ := os.ReadFile(filepath.Join(dir, "stderr"))
		t.Errorf("%s: wait status %#x, %s", script, int(ws), errors)
	}
	out, err := os.ReadFile(filepath.Join(dir, "stdout"))
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// alive says whether the process lives.
func alive(pid int) bool {
	data, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return false
	}
	after := string(data[strings.LastIndexByte(string(data), ')')+1:])
	return !strings.HasPrefix(after, " Z") && !strings.HasPrefix(after, " X")
}
