package sandbox

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// outside is a folder that nobody may lose.
func outside(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	must(t, os.MkdirAll(filepath.Join(dir, "sub"), 0o755))
	must(t, os.WriteFile(filepath.Join(dir, "sub/keep"), []byte("kept"), 0o644))
	return dir
}

func kept(t *testing.T, dir string) {
	t.Helper()
	if text, err := os.ReadFile(filepath.Join(dir, "sub/keep")); err != nil || string(text) != "kept" {
		t.Errorf("outside: %q, %v", text, err)
	}
}

// TestHostileSandbox: whatever a task leaves in its sandbox, collecting it touches
// nothing outside, and ends.
func TestHostileSandbox(t *testing.T) {
	layout, dir := Layout{WorkDir: t.TempDir()}, outside(t)
	run := mustMake(t, layout, "E", "C")
	for name, to := range map[string]string{
		"stdout": filepath.Join(dir, "sub/keep"), "folder": dir, "sub": filepath.Join(dir, "sub"), "self": ".", "up": "../../../../..",
		"work": layout.WorkDir,
	} {
		must(t, os.Symlink(to, filepath.Join(run, name)))
	}
	must(t, os.Link(filepath.Join(dir, "sub/keep"), filepath.Join(run, "hard")))
	must(t, unix.Mkfifo(filepath.Join(run, "pipe"), 0o600))
	deep := run
	for range 30 {
		deep = filepath.Join(deep, strings.Repeat("d", 100))
	}
	must(t, os.MkdirAll(deep, 0o755))
	collector := NewCollector(layout, Policy{Delay: time.Hour, Headroom: -100})
	collector.Retire(run, time.Unix(1000, 0))
	must(t, collector.Collect(t.Context(), time.Unix(1_000_000, 0)))
	if _, err := os.Lstat(run); err == nil {
		t.Error("the sandbox is still there")
	}
	kept(t, dir)
	if _, err := os.Stat(layout.WorkDir); err != nil {
		t.Error(err)
	}
}

// TestMountInSandbox: what is mounted in a sandbox is not deleted with it. The
// mount is named, and the sandbox collected once it is gone.
func TestMountInSandbox(t *testing.T) {
	const child = "TROUPE_SANDBOX_MOUNTS"
	if os.Getenv(child) == "" {
		cmd := exec.Command(os.Args[0], "-test.run=^TestMountInSandbox$", "-test.v")
		cmd.Env = append(os.Environ(), child+"=1")
		cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL}
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return
	}
	must(t, unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""))
	layout, dir := Layout{WorkDir: t.TempDir()}, outside(t)
	run := mustMake(t, layout, "E", "C")
	at := filepath.Join(run, "data")
	must(t, os.Mkdir(at, 0o755))
	must(t, os.WriteFile(filepath.Join(run, "large"), nil, 0o644))
	must(t, unix.Mount(dir, at, "", unix.MS_BIND, ""))
	collector := NewCollector(layout, Policy{Delay: time.Hour, Headroom: -100})
	collector.Retire(run, time.Unix(1000, 0))
	err := collector.Collect(t.Context(), time.Unix(1_000_000, 0))
	if err == nil || !strings.Contains(err.Error(), at+": something is mounted there") {
		t.Errorf("error is %v", err)
	}
	kept(t, dir)
	if _, err := os.Lstat(filepath.Join(run, "large")); err == nil {
		t.Error("the rest is still there")
	}
	must(t, unix.Unmount(at, 0))
	must(t, collector.Collect(t.Context(), time.Unix(1_000_000, 0)))
	if _, err := os.Lstat(run); err == nil {
		t.Error("the sandbox is still there")
	}
	kept(t, dir)
}
