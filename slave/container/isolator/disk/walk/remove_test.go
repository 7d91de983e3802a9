package walk

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

func gonePath(t *testing.T, path string) {
	t.Helper()
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%s is there: %v", path, err)
	}
}

func TestRemove(t *testing.T) {
	root, outside := filepath.Join(t.TempDir(), "sandbox"), t.TempDir()
	must(t, os.WriteFile(filepath.Join(outside, "keep"), nil, 0o644))
	for i := range 3 * namesAtOnce {
		fill(t, filepath.Join(root, fmt.Sprint(i%7), fmt.Sprint(i)), 0)
	}
	for name, to := range map[string]string{"folder": outside, "file": filepath.Join(outside, "keep"), "up": "..", "loop": "loop", "none": "/none"} {
		must(t, os.Symlink(to, filepath.Join(root, name)))
	}
	must(t, os.Link(filepath.Join(outside, "keep"), filepath.Join(root, "hard")))
	must(t, unix.Mkfifo(filepath.Join(root, "pipe"), 0))
	must(t, os.Chmod(filepath.Join(root, "1"), 0))
	for range 2 {
		must(t, Remove(t.Context(), root))
	}
	gonePath(t, root)
	if list, err := os.ReadDir(outside); err != nil || len(list) != 1 {
		t.Errorf("outside is %v, %v", list, err)
	}
	link := filepath.Join(t.TempDir(), "link")
	must(t, os.Symlink(outside, link))
	must(t, Remove(t.Context(), link))
	gonePath(t, link)
	must(t, Remove(t.Context(), filepath.Join(root, "not/there")))
	if _, err := os.Stat(filepath.Join(outside, "keep")); err != nil {
		t.Error(err)
	}
}

// TestRemoveDeep: deeper than files can be opened.
func TestRemoveDeep(t *testing.T) {
	root := filepath.Join(t.TempDir(), "sandbox")
	must(t, os.Mkdir(root, 0o755))
	fd, err := unix.Open(root, unix.O_RDONLY|unix.O_DIRECTORY, 0)
	must(t, err)
	name := strings.Repeat("d", 100)
	for range 5 * flatDepth {
		must(t, unix.Mkdirat(fd, name, 0o755))
		must(t, unix.Symlinkat("/", fd, "link"))
		next, err := unix.Openat(fd, name, unix.O_RDONLY|unix.O_DIRECTORY, 0)
		must(t, errors.Join(err, unix.Close(fd)))
		fd = next
	}
	must(t, unix.Close(fd))
	must(t, os.Mkdir(filepath.Join(root, ".removed-1"), 0o755)) // a name that is taken
	before := open0(t)
	must(t, Remove(t.Context(), root))
	gonePath(t, root)
	if after := open0(t); after != before {
		t.Errorf("%d files are open, and were %d", after, before)
	}
}

// TestRemoveStopsAtMounts: what is mounted in a tree is not lost with it, be it of
// the same file system or another.
func TestRemoveStopsAtMounts(t *testing.T) {
	if os.Getenv("TROUPE_WALK_MOUNTS") == "" {
		cmd := exec.Command(os.Args[0], "-test.run=^TestRemoveStopsAtMounts$", "-test.v")
		cmd.Env = append(os.Environ(), "TROUPE_WALK_MOUNTS=1")
		cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL}
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return
	}
	must(t, unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""))
	root, outside := filepath.Join(t.TempDir(), "sandbox"), t.TempDir()
	must(t, os.WriteFile(filepath.Join(outside, "keep"), nil, 0o644))
	mounts := []string{filepath.Join(root, "a/bind"), filepath.Join(root, "a/tmpfs"), filepath.Join(root, "a/file")}
	for _, m := range mounts[:2] {
		must(t, os.MkdirAll(m, 0o755))
	}
	must(t, os.WriteFile(mounts[2], nil, 0o644))
	fill(t, filepath.Join(root, "b/c"), 10)
	must(t, unix.Mount(outside, mounts[0], "", unix.MS_BIND, ""))
	must(t, unix.Mount("tmpfs", mounts[1], "tmpfs", 0, ""))
	must(t, unix.Mount(filepath.Join(outside, "keep"), mounts[2], "", unix.MS_BIND, ""))
	must(t, os.WriteFile(filepath.Join(mounts[1], "keep"), nil, 0o644))
	err := Remove(t.Context(), root)
	for _, m := range mounts[:2] {
		if err == nil || !strings.Contains(err.Error(), m+": something is mounted there") {
			t.Errorf("%s is not named: %v", m, err)
		}
		if _, err := os.Stat(filepath.Join(m, "keep")); err != nil {
			t.Error(err)
		}
	}
	gonePath(t, filepath.Join(root, "b"))
	for _, m := range mounts {
		must(t, unix.Unmount(m, 0))
	}
	must(t, Remove(t.Context(), root))
	gonePath(t, root)
}

func TestRemoveIsInterrupted(t *testing.T) {
	root := t.TempDir()
	fill(t, filepath.Join(root, "a"), 1)
	stopped, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Remove(stopped, root); !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v", err)
	}
	must(t, Remove(t.Context(), root))
	gonePath(t, root)
}
