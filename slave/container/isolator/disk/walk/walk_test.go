package walk

import (
	"bytes"
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

	"golang.org/x/sys/unix"
	"pgregory.net/rapid"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// fill makes a file that takes at least so many bytes of the disk.
func fill(t testing.TB, path string, size int) {
	t.Helper()
	must(t, os.MkdirAll(filepath.Dir(path), 0o755))
	f, err := os.Create(path)
	must(t, err)
	_, err = f.Write(bytes.Repeat([]byte{1}, size))
	must(t, err)
	must(t, errors.Join(f.Sync(), f.Close())) // blocks are given when it is written out
}

func measure(t testing.TB, root string, parts ...string) *Walk {
	t.Helper()
	w, err := Begin(root, parts)
	must(t, err)
	for done := false; !done; {
		done, err = w.Step(7)
		must(t, err)
	}
	must(t, w.End())
	return w
}

func total(w *Walk) uint64 {
	bytes, _ := w.Part(".")
	return bytes
}

// du is the word of another program, in bytes.
func du(t testing.TB, root string) uint64 {
	t.Helper()
	out, err := exec.Command("du", "-s", "-x", "--block-size=512", root).Output()
	must(t, err)
	n, err := strconv.ParseUint(strings.Fields(string(out))[0], 10, 64)
	must(t, err)
	return n * 512
}

// TestAsDU: trees of all kinds are measured as du(1) does.
func TestAsDU(t *testing.T) {
	if got, want := total(measure(t, t.TempDir())), du(t, t.TempDir()); got != want {
		t.Errorf("nothing takes %d, want %d", got, want)
	}
	rapid.Check(t, func(r *rapid.T) {
		root, err := os.MkdirTemp("", "walk")
		must(t, err)
		defer os.RemoveAll(root)
		dirs := []string{root}
		var files []string
		for i := range rapid.IntRange(0, 30).Draw(r, "n") {
			dir := rapid.SampledFrom(dirs).Draw(r, "in")
			path := filepath.Join(dir, fmt.Sprint("f", i))
			switch rapid.SampledFrom([]string{"dir", "file", "hole", "link", "hard", "fifo"}).Draw(r, "kind") {
			case "dir":
				must(t, os.Mkdir(path, 0o755))
				dirs = append(dirs, path)
			case "file":
				fill(t, path, rapid.IntRange(0, 100_000).Draw(r, "size"))
				files = append(files, path)
			case "hole":
				must(t, os.WriteFile(path, nil, 0o644))
				must(t, os.Truncate(path, 1<<40))
			case "link":
				must(t, os.Symlink(rapid.SampledFrom([]string{"/", "/proc", "..", root, strings.Repeat("x", 300)}).Draw(r, "to"), path))
			case "hard":
				if len(files) > 0 {
					must(t, os.Link(rapid.SampledFrom(files).Draw(r, "of"), path))
				}
			case "fifo":
				must(t, unix.Mkfifo(path, 0o644))
			}
		}
		w := measure(t, root)
		if got, want := total(w), du(t, root); got != want || w.Missed() != "" {
			r.Fatalf("measured %d, du says %d; missed %q", got, want, w.Missed())
		}
	})
}

// TestLinks: nothing that is outside counts, however it is linked to, and a file
// with two names counts once.
func TestLinks(t *testing.T) {
	root, outside := t.TempDir(), t.TempDir()
	fill(t, filepath.Join(outside, "big"), 5<<20)
	must(t, os.Symlink(outside, filepath.Join(root, "folder")))
	must(t, os.Symlink(filepath.Join(outside, "big"), filepath.Join(root, "file")))
	must(t, os.Symlink(".", filepath.Join(root, "loop")))
	if got := total(measure(t, root)); got > 1<<20 {
		t.Errorf("links take %d bytes", got)
	}
	fill(t, filepath.Join(root, "a/one"), 1<<20)
	must(t, os.Link(filepath.Join(root, "a/one"), filepath.Join(root, "two")))
	if got := total(measure(t, root)); got < 1<<20 || got > 3<<19 {
		t.Errorf("one file of a megabyte takes %d bytes", got)
	}
	link := filepath.Join(t.TempDir(), "link")
	must(t, os.Symlink(outside, link))
	if _, err := Begin(link, nil); err == nil || !strings.Contains(err.Error(), "measure "+link) {
		t.Errorf("a link was measured: %v", err)
	}
}

// TestParts: what is in a folder of its own is counted there, and in what it is
// in.
func TestParts(t *testing.T) {
	root := t.TempDir()
	fill(t, filepath.Join(root, "own"), 1<<20)
	fill(t, filepath.Join(root, "containers/a/x/file"), 2<<20)
	fill(t, filepath.Join(root, "containers/a/containers/b/file"), 4<<20)
	fill(t, filepath.Join(root, "containers/other/file"), 8<<20)
	w := measure(t, root, "containers/a/containers/b", "containers/a", "../x", "/etc", "gone")
	for path, want := range map[string]uint64{".": 15, "containers/a": 6, "containers/a/containers/b": 4, "gone": 0, "unknown": 0} {
		if got, known := w.Part(path); got>>20 != want || known != (path != "unknown") {
			t.Errorf("%s has %d, %v, want %d MB", path, got, known, want)
		}
	}
	// A part that is a link by now is not followed.
	must(t, os.RemoveAll(filepath.Join(root, "containers/a")))
	must(t, os.Symlink("other", filepath.Join(root, "containers/a")))
	if got, _ := measure(t, root, "containers/a").Part("containers/a"); got != 0 {
		t.Errorf("a link counts %d bytes", got)
	}
}

// TestMounts: what is mounted into a tree is not entered, be it of another file
// system or the same.
func TestMounts(t *testing.T) {
	if os.Getenv("TROUPE_WALK_MOUNTS") == "" {
		cmd := exec.Command(os.Args[0], "-test.run=^TestMounts$", "-test.v")
		cmd.Env = append(os.Environ(), "TROUPE_WALK_MOUNTS=1")
		cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL}
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return
	}
	must(t, unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""))
	root, outside := t.TempDir(), t.TempDir()
	fill(t, filepath.Join(outside, "big"), 5<<20)
	for _, name := range []string{"bind", "tmpfs", "file"} {
		must(t, os.Mkdir(filepath.Join(root, name), 0o755))
	}
	must(t, os.WriteFile(filepath.Join(root, "file/x"), nil, 0o644))
	must(t, unix.Mount(outside, filepath.Join(root, "bind"), "", unix.MS_BIND, ""))
	must(t, unix.Mount("tmpfs", filepath.Join(root, "tmpfs"), "tmpfs", 0, ""))
	must(t, unix.Mount(filepath.Join(outside, "big"), filepath.Join(root, "file/x"), "", unix.MS_BIND, ""))
	fill(t, filepath.Join(root, "tmpfs/big"), 5<<20)
	got := total(measure(t, root))
	for _, at := range []string{"bind", "tmpfs", "file/x"} {
		must(t, unix.Unmount(filepath.Join(root, at), 0))
	}
	if got > 1<<20 {
		t.Errorf("mounts take %d bytes", got)
	}
}

// TestDeep: folders deeper than paths can be do not lead astray, and what is too
// deep is told.
func TestDeep(t *testing.T) {
	root := t.TempDir()
	fd, err := unix.Open(root, unix.O_RDONLY|unix.O_DIRECTORY, 0)
	must(t, err)
	name := strings.Repeat("d", 200)
	for range MaxDepth + 10 {
		must(t, unix.Mkdirat(fd, name, 0o755))
		next, err := unix.Openat(fd, name, unix.O_RDONLY|unix.O_DIRECTORY, 0)
		must(t, errors.Join(err, unix.Close(fd)))
		fd = next
	}
	must(t, unix.Close(fd))
	if w := measure(t, root); !strings.Contains(w.Missed(), "deep") {
		t.Errorf("missed %q", w.Missed())
	}
	if n := open0(t); n > 50 {
		t.Errorf("%d files are open", n)
	}
}

func open0(t *testing.T) int {
	list, err := os.ReadDir("/proc/self/fd")
	must(t, err)
	return len(list)
}

// TestWhileItChanges: a tree that is taken away while it is measured is no error,
// and nothing stays open.
func TestWhileItChanges(t *testing.T) {
	root := filepath.Join(t.TempDir(), "sandbox")
	for i := range 2000 {
		must(t, os.MkdirAll(filepath.Join(root, fmt.Sprint(i%40), fmt.Sprint(i)), 0o755))
	}
	before := open0(t)
	w, err := Begin(root, nil)
	must(t, err)
	_, err = w.Step(300)
	must(t, err)
	must(t, os.RemoveAll(root))
	done, err := w.Step(1 << 20)
	if !done || err != nil {
		t.Errorf("done %v, %v", done, err)
	}
	must(t, w.End())
	if after := open0(t); after != before {
		t.Errorf("%d files are open, and were %d", after, before)
	}
	if _, err := Begin(root, nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error is %v", err)
	}
}

// TestMoved: a folder that is moved out while it is read does not lead outside.
func TestMoved(t *testing.T) {
	root, outside := t.TempDir(), t.TempDir()
	fill(t, filepath.Join(root, "a/b/file"), 100)
	fill(t, filepath.Join(outside, "big"), 5<<20)
	w, err := Begin(root, nil)
	must(t, err)
	for len(w.levels) < 3 {
		_, err := w.Step(1)
		must(t, err)
	}
	must(t, os.Rename(filepath.Join(root, "a/b"), filepath.Join(outside, "b")))
	done, err := w.Step(1000)
	if !done || err != nil || total(w) > 1<<20 {
		t.Errorf("done %v, %v, %d bytes", done, err, total(w))
	}
}

func BenchmarkWalk(b *testing.B) {
	root := b.TempDir()
	for i := range 10_000 {
		dir := filepath.Join(root, fmt.Sprint(i/100))
		must(b, os.MkdirAll(dir, 0o755))
		must(b, os.WriteFile(filepath.Join(dir, fmt.Sprint(i)), nil, 0o644))
	}
	for b.Loop() {
		measure(b, root)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/10_000, "ns/file")
}
