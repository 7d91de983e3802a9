package linux

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"troupe/slave/container/isolator/cgroups"
	"troupe/slave/container/plan"
)

// kinds are the ways by which nothing escapes: by the kernel's knowing who is whose
// child, by a pid namespace, by a cgroup, and by both.
func kinds(t *testing.T) map[string]plan.Plan {
	t.Helper()
	proc := []plan.Mount{{Source: "proc", Target: "/proc", Type: "proc", Flags: unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC}}
	spaces := plan.NewPID | plan.NewMount
	one, other, unified := inHierarchy(t, "freezer", "one"), inHierarchy(t, "freezer", "other"), inHierarchy(t, "unified", "one")
	return map[string]plan.Plan{
		"tree":      {Hostname: "", NoNewPrivileges: true},
		"namespace": {New: spaces, Mounts: proc},
		"freezer":   {Cgroups: []string{one}, Kill: one},
		"version 2": {Cgroups: []string{unified}, Kill: unified},
		"both":      {New: spaces, Mounts: proc, Cgroups: []string{other}, Kill: other},
	}
}

// inHierarchy makes a cgroup for a test.
func inHierarchy(t testing.TB, hierarchy, name string) string {
	t.Helper()
	folder := fmt.Sprintf("/sys/fs/cgroup/%s/troupe-linux-%d-%s", hierarchy, os.Getpid(), name)
	if err := os.Mkdir(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cgroups.Kill(context.Background(), folder); err != nil {
			t.Error(err)
		}
		eventually(t, folder+" is removed", func() bool { return os.Remove(folder) == nil })
	})
	return folder
}

// marked lists the living processes that have the mark in their arguments.
func marked(t *testing.T, mark string) []int {
	t.Helper()
	entries, err := os.ReadDir("/proc")
	if err != nil {
		t.Fatal(err)
	}
	var pids []int
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		arguments, err := os.ReadFile("/proc/" + e.Name() + "/cmdline")
		if err == nil && strings.Contains(string(arguments), mark) && alive(pid) {
			pids = append(pids, pid)
		}
	}
	return pids
}

// escapes are what programs do to be left alone. Each has MARK among its arguments,
// writes "ready" to the file ready, and exits with 5 when it ends by itself.
var escapes = map[string]string{
	"double fork":             "(sh -c '(sleep 1000 && echo MARK) & (sleep 1001 && echo MARK) &' &); echo ready >ready; exit 5",
	"setsid":                  "setsid sh -c 'sleep 1000; echo MARK' & echo ready >ready; exit 5",
	"sheds all traces":        "(cd /; exec env -i /usr/bin/setsid /bin/sh -c '/bin/sleep 1000; echo MARK' </dev/null >/dev/null 2>&1 &); echo ready >ready; exit 5",
	"ignores all signals":     "trap '' HUP INT QUIT TERM; (trap '' HUP INT QUIT TERM; sleep 1000; echo MARK) & echo ready >ready; exit 5",
	"stops its init":          "kill -STOP $PPID; (setsid sh -c 'sleep 1000; echo MARK' &); echo ready >ready; exit 5",
	"stays":                   "(setsid sh -c 'sleep 1000; echo MARK' &); echo ready >ready; sleep 1000; echo MARK",
	"stops its init, stays":   "kill -STOP $PPID; echo ready >ready; sleep 1000; echo MARK",
	"kills its init, stays":   "exec setpriv --pdeathsig clear sh -c 'sleep 0.3; kill -KILL $PPID; (setsid sh -c \"sleep 1000; echo MARK\" &) ; echo ready >ready; sleep 1000; echo MARK'",
	"leaves its cgroup":       "echo $$ >/sys/fs/cgroup/freezer/tasks; (setsid sh -c 'sleep 1000; echo MARK' &); echo ready >ready; sleep 1000; echo MARK",
	"forks as fast as it can": "echo ready >ready; for i in 1 2 3 4 5 6; do ./hop MARK & done; exec ./hop MARK",
}

// TestNothingEscapes whatever it does, and the status of a program is its own.
func TestNothingEscapes(t *testing.T) {
	l := newLauncher(t)
	for kind, p := range kinds(t) {
		for name, script := range escapes {
			t.Run(kind+"/"+name, func(t *testing.T) { escape(t, l, p, script) })
		}
	}
}

func escape(t *testing.T, l *Launcher, p plan.Plan, script string) {
	dir := t.TempDir()
	mark := "mark-" + strconv.FormatInt(time.Now().UnixNano(), 36)
	// A process that is always another one.
	hop := "#!/bin/sh\nsetsid \"$0\" \"$1\" </dev/null >/dev/null 2>&1 &\nexit 0\n"
	if err := os.WriteFile(filepath.Join(dir, "hop"), []byte(hop), 0o755); err != nil {
		t.Fatal(err)
	}
	process := launch(t, l, shell(dir, strings.ReplaceAll(script, "MARK", mark)), p, nil)
	readFile(t, dir, "ready")
	ends := strings.HasSuffix(script, "exit 5")
	if !ends {
		process.Kill(0)
	}
	ws := waitDone(t, process)
	if ends && (!ws.Exited() || ws.ExitStatus() != 5) {
		t.Errorf("wait status is %#x, want that of exit 5", int(ws))
	}
	if left := marked(t, mark); len(left) > 0 {
		t.Errorf("processes %v have escaped", left)
		for _, pid := range left {
			if err := unix.Kill(pid, unix.SIGKILL); err != nil && !errors.Is(err, unix.ESRCH) {
				t.Error(err)
			}
		}
	}
	if alive(process.Init()) {
		t.Error("its init lives")
	}
}

// TestStormDuringKill: a program that goes on forking while it is killed.
func TestStormDuringKill(t *testing.T) {
	l := newLauncher(t)
	for kind, p := range kinds(t) {
		t.Run(kind, func(t *testing.T) {
			dir := t.TempDir()
			mark := "storm-" + strconv.FormatInt(time.Now().UnixNano(), 36)
			storm := "trap '' TERM; echo ready >ready; while :; do (setsid sh -c ': " + mark + "; sleep 0.05' &); done"
			process := launch(t, l, shell(dir, storm), p, nil)
			readFile(t, dir, "ready")
			process.Kill(20 * time.Millisecond)
			if ws := waitDone(t, process); ws.Signal() != unix.SIGKILL {
				t.Errorf("wait status is %#x", int(ws))
			}
			if left := marked(t, mark); len(left) > 0 {
				t.Errorf("processes %v have escaped", left)
			}
		})
	}
}

// TestNeighboursAreOutOfReach of a program in a pid namespace: they cannot be seen
// or signalled, by what is mounted over or under /proc either.
func TestNeighboursAreOutOfReach(t *testing.T) {
	l := newLauncher(t)
	neighbour := launch(t, l, shell(t.TempDir(), "sleep 1000"), plan.Plan{NoNewPrivileges: true}, nil)
	n := strconv.Itoa(neighbour.Pid())
	script := "kill -9 " + n + " 2>/dev/null && echo killed; test -e /proc/" + n + " && echo seen; umount /proc; test -e /proc/" + n + " && echo seen below; " +
		"mount -t proc proc /proc; test -e /proc/" + n + " && echo seen again; echo end"
	if got := run(t, l, kinds(t)["namespace"], nil, script); got != "end\n" {
		t.Errorf("it did: %s", got)
	}
	if !alive(neighbour.Pid()) {
		t.Error("the neighbour is dead")
	}
	neighbour.Kill(0)
	waitDone(t, neighbour)
}

// TestInitIsOutOfReach for programs of other users: they can neither look into it nor
// signal it.
func TestInitIsOutOfReach(t *testing.T) {
	l, dir := newLauncher(t), t.TempDir()
	for at := dir; at != "/"; at = filepath.Dir(at) {
		if info, err := os.Stat(at); err == nil && info.Mode().Perm()&0o005 != 0o005 && strings.HasPrefix(at, "/tmp/") {
			if err := os.Chmod(at, 0o755); err != nil {
				t.Fatal(err)
			}
		}
	}
	s := shell(dir, "kill -9 $PPID 2>/dev/null && echo killed; ls /proc/$PPID/fd/ 2>/dev/null && echo listed; cat /proc/$PPID/environ 2>/dev/null && echo read; echo end")
	s.User = "nobody"
	if ws := waitDone(t, launch(t, l, s, plan.Plan{NoNewPrivileges: true}, nil)); ws != 0 {
		t.Errorf("wait status is %#x", int(ws))
	}
	if got := readFile(t, dir, "stdout"); got != "end\n" {
		t.Errorf("it did: %s", got)
	}
}

// TestWhoStopsWhatEnters a container, as whoever is the same user there may, does not
// hold up those that are elsewhere; nor does a garbage collection that comes meanwhile.
func TestWhoStopsWhatEnters(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(1))
	l, dir := newLauncher(t, "does not end"), t.TempDir()
	p := launch(t, l, shell(dir, "echo up; while :; do kill -STOP -1; done"), plan.Plan{New: plan.NewPID}, nil)
	readFile(t, dir, "stdout")
	var entering sync.WaitGroup
	over := make(chan struct{})
	for _, spaces := range []plan.Namespaces{0, plan.NewPID} {
		entering.Go(func() {
			for {
				select {
				case <-over:
					return
				default:
				}
				if q, err := l.Launch(shell(dir, "true"), plan.Plan{New: spaces}, p.Container()); err == nil {
					q.Kill(0)
				}
			}
		})
	}
	for range 20 {
		done := make(chan struct{})
		go func() {
			defer close(done)
			if q, err := l.Launch(shell(t.TempDir(), "true"), plan.Plan{NoNewPrivileges: true}, nil); err != nil {
				t.Error(err)
			} else {
				<-q.Done()
			}
		}()
		select {
		case <-done:
		case <-time.After(soon):
			t.Fatal("nothing can be launched")
		}
	}
	close(over)
	p.Kill(0)
	waitDone(t, p)
	entering.Wait()
}

// TestLinksAreNotFollowed below a folder that programs write to.
func TestLinksAreNotFollowed(t *testing.T) {
	l, below, outside := newLauncher(t), t.TempDir(), t.TempDir()
	if err := os.Symlink(outside, filepath.Join(below, "link")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(below, "real"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, m := range []plan.Mount{
		{Source: outside, Target: below + "/link", TargetBelow: below},
		{Source: outside, Target: below + "/link/deeper", TargetBelow: below},
		{Source: below + "/link", SourceBelow: below, Target: outside},
		{Source: below + "/link/../real", SourceBelow: below, Target: outside},
		{Source: outside, Target: below + "/../x", TargetBelow: below},
	} {
		m.Flags = unix.MS_BIND
		_, err := l.Launch(shell(t.TempDir(), "true"), plan.Plan{New: plan.NewMount, Mounts: []plan.Mount{m}}, nil)
		if err == nil {
			t.Errorf("%+v is mounted", m)
		}
	}
	good := plan.Mount{Source: below + "/real", SourceBelow: below, Target: below + "/new/place", TargetBelow: below, Flags: unix.MS_BIND}
	run(t, l, plan.Plan{New: plan.NewMount, Mounts: []plan.Mount{good}}, nil, "touch "+below+"/new/place/file")
	if _, err := os.Stat(below + "/real/file"); err != nil {
		t.Error(err)
	}
	if left, err := os.ReadDir(outside); err != nil || len(left) > 0 {
		t.Errorf("outside there is %v, %v", left, err)
	}
	s := shell(below, "true")
	s.Status = filepath.Join(below, "link")
	if _, err := l.Launch(s, plan.Plan{NoNewPrivileges: true}, nil); err == nil || !strings.Contains(err.Error(), "status file") {
		t.Errorf("a status file that is a link: %v", err)
	}
}

// TestHostThatDies takes its containers along, by whatever it is killed.
func TestHostThatDies(t *testing.T) {
	for _, spaces := range []plan.Namespaces{0, plan.NewPID} {
		dir := t.TempDir()
		mark := "host-" + strconv.FormatInt(time.Now().UnixNano(), 36)
		host := startHost(t, dir, spaces, "echo up; sleep 1000; echo "+mark)
		readFile(t, dir, "stdout")
		if err := host.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = host.Wait() // says that it was killed
		eventually(t, "what the host ran has ended", func() bool { return len(marked(t, mark)) == 0 })
		if _, ok, err := ReadStatus(filepath.Join(dir, "status")); ok || err != nil {
			t.Errorf("a program that was killed with its init has a status: %v", err)
		}
	}
}

// TestStatusOutlivesTheHost: a program ends while its host cannot notice.
func TestStatusOutlivesTheHost(t *testing.T) {
	for _, spaces := range []plan.Namespaces{0, plan.NewPID} {
		dir := t.TempDir()
		host := startHost(t, dir, spaces, "echo up; while [ ! -e go ]; do sleep 0.01; done; exit 7")
		readFile(t, dir, "stdout")
		if err := host.Process.Signal(unix.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "go"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the status is recorded", func() bool {
			status, ok, err := ReadStatus(filepath.Join(dir, "status"))
			return err == nil && ok && status == 7<<8
		})
		if err := host.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = host.Wait() // says that it was killed
	}
}

// TestStatusOfWhoseInitIsKilled is known, if that was written down before.
func TestStatusOfWhoseInitIsKilled(t *testing.T) {
	l := newLauncher(t)
	for range 20 {
		dir := t.TempDir()
		s := shell(dir, "init=$PPID; (setsid sh -c 'while [ ! -s status ]; do :; done; kill -KILL '$init &); exit 7")
		s.Status = filepath.Join(dir, "status")
		if ws := waitDone(t, launch(t, l, s, plan.Plan{NoNewPrivileges: true}, nil)); ws.ExitStatus() != 7 {
			t.Errorf("wait status is %#x", int(ws))
		}
	}
}

func startHost(t *testing.T, dir string, spaces plan.Namespaces, script string) *exec.Cmd {
	t.Helper()
	host := exec.Command(os.Args[0], dir, strconv.Itoa(int(spaces)))
	host.Env = append(os.Environ(), "LINUX_TEST_HOST="+script)
	host.Stderr = os.Stderr
	if err := host.Start(); err != nil {
		t.Fatal(err)
	}
	return host
}
