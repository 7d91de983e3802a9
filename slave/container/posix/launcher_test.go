package posix

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"troupe/slave/container"
)

func TestLaunchGivesExactlyWhatWasAsked(t *testing.T) {
	l, dir := newLauncher(t), t.TempDir()
	t.Setenv("SECRET", "not for tasks")
	p := launch(t, l, container.Spec{
		Path: "/bin/sh", Args: []string{"sh", "-c", "env; pwd; echo err >&2; exit 3"},
		Dir: dir, Env: []string{"PATH=/usr/bin:/bin", "A=b c"},
	})
	if ws := waitDone(t, p); !ws.Exited() || ws.ExitStatus() != 3 {
		t.Errorf("exit status is %#x", int(ws))
	}
	lines := strings.Fields(strings.ReplaceAll(readFile(t, dir, "stdout"), "b c", "b_c"))
	slices.Sort(lines)
	// The shell itself adds PWD.
	want := []string{"A=b_c", "PATH=/usr/bin:/bin", "PWD=" + dir, dir}
	slices.Sort(want)
	if !slices.Equal(lines, want) {
		t.Errorf("stdout is %q, want %q", lines, want)
	}
	if got := readFile(t, dir, "stderr"); got != "err\n" {
		t.Errorf("stderr is %q", got)
	}
}

func TestNoOpenFileIsInherited(t *testing.T) {
	l, dir := newLauncher(t), t.TempDir()
	waitDone(t, launch(t, l, container.Spec{Path: "/bin/ls", Args: []string{"ls", "/proc/self/fd"}, Dir: dir}))
	// The last is what ls itself reads from.
	if got := readFile(t, dir, "stdout"); got != "0\n1\n2\n3\n" {
		t.Errorf("open files are %q", got)
	}
}

func TestOutputIsAppended(t *testing.T) {
	l, dir := newLauncher(t), t.TempDir()
	for range 2 {
		waitDone(t, launch(t, l, shell(dir, "echo line")))
	}
	if got := readFile(t, dir, "stdout"); got != "line\nline\n" {
		t.Errorf("stdout is %q", got)
	}
}

func TestProgramIsLookedUpInItsOwnPath(t *testing.T) {
	l, dir := newLauncher(t), t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "tool"), []byte("#!/bin/sh\necho \"$0 $1\"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, s := range []container.Spec{
		{Path: "tool", Args: []string{"tool", "x"}, Env: []string{"PATH=/nonexistent:" + dir}},
		{Path: "./tool", Args: []string{"tool", "x"}},
	} {
		s.Dir = dir
		if ws := waitDone(t, launch(t, l, s)); ws != 0 {
			t.Errorf("%q: exit status is %#x", s.Path, int(ws))
		}
	}
	if got, want := readFile(t, dir, "stdout"), filepath.Join(dir, "tool")+" x\n"; got != want+want {
		t.Errorf("stdout is %q", got)
	}
}

func TestRefusalsNameWhatIsWrong(t *testing.T) {
	l, dir := newLauncher(t), t.TempDir()
	file := func(name, content string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink("/etc/passwd", link); err != nil {
		t.Fatal(err)
	}
	base := shell(dir, "true")
	for name, c := range map[string]struct {
		change func(s *container.Spec)
		want   string
	}{
		"missing program":     {func(s *container.Spec) { s.Path = "/no/such/program" }, `program "/no/such/program" does not exist`},
		"missing in PATH":     {func(s *container.Spec) { s.Path = "nosuch" }, `program "nosuch" is not in the PATH "/usr/bin:/bin"`},
		"no program":          {func(s *container.Spec) { s.Path = "" }, `no program is named`},
		"a folder":            {func(s *container.Spec) { s.Path = "/tmp" }, `program "/tmp" is not a file`},
		"not executable":      {func(s *container.Spec) { s.Path = file("plain", "x", 0o644) }, `is not executable`},
		"missing interpreter": {func(s *container.Spec) { s.Path = file("script", "#!/no/such/shell\n", 0o755) }, `the interpreter that it names, does not exist`},
		"no program at all":   {func(s *container.Spec) { s.Path = file("text", "hello", 0o755) }, `is not a program for this machine`},
		"missing sandbox":     {func(s *container.Spec) { s.Dir = "/no/such/sandbox" }, `sandbox: stat /no/such/sandbox: no such file`},
		"relative sandbox":    {func(s *container.Spec) { s.Dir = "box" }, `sandbox "box" is not an absolute path`},
		"sandbox is a file":   {func(s *container.Spec) { s.Dir = "/etc/passwd" }, `sandbox "/etc/passwd" is not a folder`},
		"missing user":        {func(s *container.Spec) { s.User = "nosuchuser" }, `user "nosuchuser" does not exist on this machine`},
		"bad environment":     {func(s *container.Spec) { s.Env = []string{"NOEQUALS"} }, `environment entry "NOEQUALS"`},
		"output is a link":    {func(s *container.Spec) { s.Stdout = link }, `opening the stdout file: open ` + link},
		"output has no place": {func(s *container.Spec) { s.Stderr = "/no/such/err" }, `opening the stderr file: open /no/such/err`},
		"huge arguments":      {func(s *container.Spec) { s.Args = []string{"sh", strings.Repeat("x", 4<<20)} }, `too large`},
	} {
		s := base
		c.change(&s)
		p, err := l.Launch(s)
		if err == nil {
			waitDone(t, p)
			t.Errorf("%s: launched", name)
		} else if !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error is %q, want it to contain %q", name, err, c.want)
		}
	}
	waitDone(t, launch(t, l, base)) // none of that hurt
}

func TestUserIsSwitched(t *testing.T) {
	l, dir := newLauncher(t), t.TempDir()
	s := shell(dir, "id -un; id -Gn; grep NoNewPrivs /proc/self/status")
	if os.Geteuid() != 0 {
		s.User = "root"
		if _, err := l.Launch(s); err == nil || !strings.Contains(err.Error(), `cannot run as user "root": this process is not root`) {
			t.Errorf("error is %v", err)
		}
		return
	}
	for d := dir; d != os.TempDir() && d != "/"; d = filepath.Dir(d) {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	s.User = "nobody"
	if ws := waitDone(t, launch(t, l, s)); ws != 0 {
		t.Fatalf("exit status is %#x", int(ws))
	}
	if got := readFile(t, dir, "stdout"); !strings.HasPrefix(got, "nobody\nnogroup\n") {
		t.Errorf("stdout is %q", got)
	}
	info, err := os.Stat(filepath.Join(dir, "stdout"))
	if err != nil {
		t.Fatal(err)
	}
	if uid := info.Sys().(*syscall.Stat_t).Uid; uid == 0 {
		t.Error("stdout still belongs to root")
	}
}

func TestManyAtOnce(t *testing.T) {
	l, dir := newLauncher(t), t.TempDir()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := range 25 {
				p, err := l.Launch(shell(dir, "exit "+string(rune('0'+i%10))))
				if err != nil {
					t.Error(err)
					return
				}
				<-p.Done()
				if ws := unix.WaitStatus(p.Exit().Status); ws.ExitStatus() != i%10 {
					t.Errorf("exit status is %#x, want %d", int(ws), i%10)
				}
			}
		})
	}
	wg.Wait()
	if pids := childrenOfThread(os.Getpid(), os.Getpid()); len(pids) != 0 {
		t.Errorf("children are left: %v", pids)
	}
}

func TestCloseKillsAndRefuses(t *testing.T) {
	l, err := New(nil)
	if err != nil {
		t.Fatal(err)
	}
	p := launch(t, l, shell(t.TempDir(), "sleep 1000"))
	if err := errors.Join(l.Close(), l.Close()); err != nil {
		t.Fatal(err)
	}
	if ws := waitDone(t, p); ws.Signal() != unix.SIGKILL {
		t.Errorf("wait status is %#x", int(ws))
	}
	if _, err := l.Launch(shell(t.TempDir(), "true")); !errors.Is(err, ErrClosed) {
		t.Errorf("error is %v", err)
	}
}

func BenchmarkLaunchTrue(b *testing.B) {
	l, err := New(nil)
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	s := container.Spec{Path: "/bin/true", Dir: b.TempDir()}
	for b.Loop() {
		p, err := l.Launch(s)
		if err != nil {
			b.Fatal(err)
		}
		<-p.Done()
	}
}
