// Package cgrouptest is for tests of what control groups do to real programs: a
// root folder of the test's own, removed with all that is in it, and programs
// that hog memory or CPUs, fork, or open devices. The same tests run on version 1
// and, in a virtual machine, on version 2. Imported by tests.
package cgrouptest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"troupe/slave/container/isolator"
	"troupe/slave/container/isolator/cgroups"
	"troupe/slave/container/plan"
)

// patience bounds what a busy machine, or an emulated one, may take.
const patience = 2 * time.Minute

var roots atomic.Int64

// Tree has a root folder that no one else uses. When the test ends every process
// in it is killed, and it is removed.
func Tree(t testing.TB) *cgroups.Tree {
	t.Helper()
	tree, err := cgroups.Open(cgroups.Settings{Hierarchy: "/sys/fs/cgroup", Root: Root(t)})
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

// Root is the name of such a folder.
func Root(t testing.TB) string {
	root := fmt.Sprintf("troupe-test-%d-%d", os.Getpid(), roots.Add(1))
	t.Cleanup(func() { sweep(t, root) })
	return root
}

// sweep looks in every hierarchy, as a test may have used any.
func sweep(t testing.TB, root string) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	folders, err := filepath.Glob("/sys/fs/cgroup/*/" + root)
	if err != nil {
		t.Error(err)
	}
	folders = append(folders, "/sys/fs/cgroup/"+root)
	for _, dir := range folders {
		pids, err := cgroups.Processes(dir)
		if err != nil {
			t.Error(err)
		}
		for _, pid := range pids {
			_ = unix.Kill(pid, unix.SIGKILL) // it may be gone by now
		}
	}
	for _, dir := range folders {
		if err := cgroups.Remove(ctx, dir); err != nil {
			t.Error(err)
		}
	}
}

// Prepare has isolators prepare a container, and cleans up after it: by those of
// them that do, in the reverse order.
func Prepare(t testing.TB, c *isolator.Container, isolators ...isolator.Isolator) *plan.Plan {
	t.Helper()
	p := &plan.Plan{}
	for _, i := range isolators {
		if err := i.Prepare(t.Context(), c, p); err != nil {
			t.Fatal(err)
		}
		if cleaner, ok := i.(isolator.Cleaner); ok {
			t.Cleanup(func() {
				ctx, cancel := context.WithTimeout(context.Background(), patience)
				defer cancel()
				if err := cleaner.Cleanup(ctx, c); err != nil {
					t.Error(err)
				}
			})
		}
	}
	return p
}

// Program is one of this package's, in a process of its own.
type Program struct {
	cmd    *exec.Cmd
	output bytes.Buffer
	waited chan struct{}
	err    error
}

// Start starts one of the programs of Main within the groups of a plan. It is
// killed when the test ends.
func Start(t testing.TB, p *plan.Plan, name string, arguments ...string) *Program {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	g := &Program{cmd: exec.Command(self, arguments...), waited: make(chan struct{})}
	g.cmd.Env = append(os.Environ(), variable+"="+name, "GOMAXPROCS=1")
	g.cmd.Stdout, g.cmd.Stderr = &g.output, &g.output
	in, err := g.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := g.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.Kill(t) })
	go func() { g.err = g.cmd.Wait(); close(g.waited) }()
	for _, dir := range p.Cgroups {
		if err := cgroups.Write(dir, "cgroup.procs", strconv.Itoa(g.Pid())); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := in.Write([]byte("\n")); err != nil {
		t.Fatal(err)
	}
	return g
}

// Pid of the program.
func (g *Program) Pid() int { return g.cmd.Process.Pid }

// Wait returns what the program has written, and how it ended.
func (g *Program) Wait(t testing.TB) (string, error) {
	t.Helper()
	select {
	case <-g.waited:
		return g.output.String(), g.err
	case <-time.After(patience):
		t.Fatalf("the program has not ended: %v", g.cmd)
		return "", nil
	}
}

// Lives says that it has not ended.
func (g *Program) Lives() bool {
	select {
	case <-g.waited:
		return false
	default:
		return true
	}
}

// Killed says that a program was ended by SIGKILL.
func Killed(err error) bool {
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return false
	}
	status, ok := exit.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && status.Signal() == syscall.SIGKILL
}

// Kill ends it and waits for that.
func (g *Program) Kill(t testing.TB) {
	t.Helper()
	_ = g.cmd.Process.Kill() // it may have ended
	<-g.waited
}

// Eventually waits for something that the kernel does in its own time.
func Eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for deadline := time.Now().Add(patience); !is(); <-ticker.C {
		if time.Now().After(deadline) {
			t.Fatalf("not in time: %s", what)
		}
	}
}

// PrepareOnce makes and removes what a container needs: for benchmarks.
func PrepareOnce(b *testing.B, c *isolator.Container, i interface {
	isolator.Isolator
	isolator.Cleaner
},
) {
	b.Helper()
	if err := i.Prepare(b.Context(), c, &plan.Plan{}); err != nil {
		b.Fatal(err)
	}
	if err := i.Cleanup(b.Context(), c); err != nil {
		b.Fatal(err)
	}
}

// InMemory says that a folder is on no disk.
func InMemory(t testing.TB, dir string) bool {
	t.Helper()
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		t.Fatal(err)
	}
	return s.Type == unix.TMPFS_MAGIC || s.Type == unix.RAMFS_MAGIC
}
