package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"troupe/slave/container/plan"
)

func TestDecimal(t *testing.T) {
	for n, want := range map[int]string{0: "0", 7: "7", 10: "10", -1: "-1", -1000: "-1000", 65535: "65535"} {
		if got := decimal(n); got != want {
			t.Errorf("%d is %q", n, got)
		}
	}
}

func TestPathsAreCut(t *testing.T) {
	for path, want := range map[string][2]string{
		"/a/b": {"/a/", "b"}, "/a": {"/", "a"}, "a": {".", "a"}, "/a/b/": {"/a/", "b"},
	} {
		if parent, name := split(path); parent != want[0] || name != want[1] {
			t.Errorf("%q is %q and %q", path, parent, name)
		}
	}
	for path, want := range map[string][2]string{"a/b": {"a", "b"}, "//a//b": {"a", "/b"}, "a": {"a", ""}, "a/": {"a", ""}, "": {"", ""}} {
		if name, rest := first(path); name != want[0] || rest != want[1] {
			t.Errorf("%q is %q and %q", path, name, rest)
		}
	}
	for path, want := range map[string]string{"/x/a": "/a", "/x": "", "/x/": "/", "/xy": "no", "/": "no", "": "no"} {
		rest, ok := beyond(path, "/x/")
		if !ok {
			rest = "no"
		}
		if rest != want {
			t.Errorf("%q is %q beyond /x", path, rest)
		}
	}
}

// TestWalk makes what is missing, and follows no link below what is trusted.
func TestWalk(t *testing.T) {
	below := t.TempDir()
	if err := os.Symlink("/etc", filepath.Join(below, "link")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(below, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]error{
		"/link": unix.ELOOP, "/link/passwd": unix.ELOOP, "/file/x": unix.ENOTDIR, "/../x": unix.EXDEV, "/new/./deep//er/": nil, "/file": nil, "": nil,
	} {
		fd, err := walk(below+path, below, true)
		if !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", path, err, want)
		}
		if err == nil {
			unix.Close(fd)
		}
	}
	if _, err := walk(below+"/none", below, false); err != unix.ENOENT {
		t.Errorf("what is not there: %v", err)
	}
	if _, err := walk("/etc", below, false); err != unix.EXDEV {
		t.Errorf("what is elsewhere: %v", err)
	}
	if info, err := os.Stat(filepath.Join(below, "new/deep/er")); err != nil || !info.IsDir() {
		t.Error(err)
	}
}

func TestLookup(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "tool"), nil, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ path, search, want string }{
		{"tool", "/no:" + dir, dir + "/tool"},
		{"tool", "PATH", ""},
		{"tool", "", ""},
		{"tool", ":/no", dir + "//tool"},
		{"tool", "/no:.:/no", dir + "/./tool"},
		{"./tool", "", dir + "/./tool"},
		{dir + "/tool", "", dir + "/tool"},
	} {
		p := &plan.Program{Path: c.path, Env: []string{"PATH=/other", "PATH=" + c.search}, Sandbox: dir}
		got, f := lookup(p)
		if f != nil {
			got = ""
		}
		if got != c.want {
			t.Errorf("%q in %q is %q, want %q", c.path, c.search, got, c.want)
		}
	}
}

// TestLogsAreKeptShort, each with whole lines, and nothing of them is lost but by
// rotation.
func TestLogsAreKeptShort(t *testing.T) {
	dir := t.TempDir()
	l := openLog(t, dir, 20, 2)
	for range 7 {
		l.write([]byte("123456789\n"))
	}
	for name, want := range map[string]int{"out": 1, "out.1": 2, "out.2": 2} {
		got, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil || string(got) != strings.Repeat("123456789\n", want) {
			t.Errorf("%s has %q, %v", name, got, err)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "out.3")); err == nil {
		t.Error("more is kept than was asked for")
	}
	l.write([]byte(strings.Repeat("x", 50))) // a line that no file takes
	for _, name := range []string{"out", "out.1", "out.2"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Size() > 20 {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
}

// openLog is a log in dir, of the file out.
func openLog(t *testing.T, dir string, limit uint64, keep int) *log {
	t.Helper()
	folder, err := unix.Open(dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	file, err := unix.Open(filepath.Join(dir, "out"), unix.O_WRONLY|unix.O_CREAT|unix.O_APPEND|unix.O_CLOEXEC, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	l := &log{from: -1, to: file, dir: folder, name: "out", limit: limit, keep: keep}
	t.Cleanup(func() { closeAll([]int{l.to, l.dir}) })
	return l
}

// TestLogThatCannotBeRotated grows, since a program that is in the way of rotation
// must not stop its init.
func TestLogThatCannotBeRotated(t *testing.T) {
	for name, hinder := range map[string]func(dir string) error{
		"a folder is in the way": func(dir string) error { return os.MkdirAll(filepath.Join(dir, "out.1", "x"), 0o755) },
		"somebody holds the lock": func(dir string) error {
			held, err := unix.Open(filepath.Join(dir, "out"), unix.O_RDONLY|unix.O_CLOEXEC, 0)
			if err != nil {
				return err
			}
			t.Cleanup(func() { unix.Close(held) })
			return unix.Flock(held, unix.LOCK_SH)
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			l := openLog(t, dir, 20, 1)
			if err := hinder(dir); err != nil {
				t.Fatal(err)
			}
			want := "a line\n" + strings.Repeat("x", 50) + "\nanother\n"
			done := make(chan struct{})
			go func() {
				defer close(done)
				for part := range strings.Lines(want) {
					l.write([]byte(part))
				}
			}()
			select {
			case <-done:
			case <-time.After(time.Minute):
				t.Fatal("writing does not end")
			}
			if got, err := os.ReadFile(filepath.Join(dir, "out")); err != nil || string(got) != want {
				t.Errorf("there is %q, %v", got, err)
			}
		})
	}
}
