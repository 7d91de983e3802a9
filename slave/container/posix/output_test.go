package posix

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"troupe/slave/container"
)

// TestOutputThatIsInTheWay: an earlier program of a sandbox may have put anything where
// output goes. It is not waited for, and neither written to nor given away.
func TestOutputThatIsInTheWay(t *testing.T) {
	l := newLauncher(t)
	for name, put := range map[string]func(t *testing.T, outside, at string) error{
		"a link":          func(_ *testing.T, outside, at string) error { return os.Symlink(filepath.Join(outside, "file"), at) },
		"another's file":  func(_ *testing.T, outside, at string) error { return os.Link(filepath.Join(outside, "file"), at) },
		"a pipe":          func(_ *testing.T, _, at string) error { return unix.Mkfifo(at, 0o666) },
		"a folder":        func(_ *testing.T, _, at string) error { return os.Mkdir(at, 0o777) },
		"a pipe with end": pipeWithReader,
	} {
		t.Run(name, func(t *testing.T) {
			top, outside := openFolder(t), openFolder(t)
			dir := filepath.Join(top, "sandbox")
			must(t, os.Mkdir(dir, 0o777))
			must(t, os.WriteFile(filepath.Join(outside, "file"), []byte("kept"), 0o644))
			must(t, put(t, outside, filepath.Join(dir, "stderr")))
			s := shell(dir, "echo text >&2")
			s.User = "nobody"
			refuses(t, l, s)
			var info unix.Stat_t
			must(t, unix.Stat(filepath.Join(outside, "file"), &info))
			if got, err := os.ReadFile(filepath.Join(outside, "file")); err != nil || string(got) != "kept" || info.Uid != 0 {
				t.Errorf("outside there is %q of user %d, %v", got, info.Uid, err)
			}
		})
	}
}

// TestFolderThatIsALink: whose sandbox holds a program's may put a link in place of a
// folder on the way.
func TestFolderThatIsALink(t *testing.T) {
	l, top, outside := newLauncher(t), openFolder(t), openFolder(t)
	must(t, os.Mkdir(filepath.Join(outside, "inner"), 0o777))
	must(t, os.Symlink(outside, filepath.Join(top, "containers")))
	s := shell(filepath.Join(top, "containers", "inner"), "echo text")
	s.User, s.Within = "nobody", top
	refuses(t, l, s)
	if left, err := os.ReadDir(filepath.Join(outside, "inner")); err != nil || len(left) > 0 {
		t.Errorf("outside there is %v, %v", left, err)
	}
	must(t, os.Remove(filepath.Join(top, "containers")))
	must(t, os.MkdirAll(filepath.Join(top, "containers", "inner"), 0o777))
	if ws := waitDone(t, launch(t, l, s)); ws != 0 {
		t.Errorf("wait status %#x", int(ws))
	}
	if got := readFile(t, s.Dir, "stdout"); got != "text\n" {
		t.Errorf("it wrote %q", got)
	}
}

// refuses fails a test when a launch is not refused soon.
func refuses(t *testing.T, l *Launcher, s container.Spec) {
	t.Helper()
	answer := make(chan error, 1)
	go func() {
		p, err := l.Launch(s)
		if err == nil {
			<-p.Done()
		}
		answer <- err
	}()
	select {
	case err := <-answer:
		if err == nil {
			t.Error("it is launched")
		}
	case <-time.After(patience):
		t.Fatal("the launch does not end")
	}
}

func pipeWithReader(t *testing.T, _, at string) error {
	if err := unix.Mkfifo(at, 0o666); err != nil {
		return err
	}
	end, err := os.OpenFile(at, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err == nil {
		t.Cleanup(func() { end.Close() })
	}
	return err
}

// openFolder is one that every user reaches.
func openFolder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "posix-output-")
	must(t, err)
	t.Cleanup(func() { must(t, os.RemoveAll(dir)) })
	must(t, os.Chmod(dir, 0o777))
	return dir
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
