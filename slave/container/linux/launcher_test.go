package linux

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"troupe/slave/container"
	"troupe/slave/container/plan"
)

// TestLaunchGivesExactlyWhatWasAsked: an init between leaves no trace.
func TestLaunchGivesExactlyWhatWasAsked(t *testing.T) {
	l, dir := newLauncher(t), t.TempDir()
	t.Setenv("SECRET", "not for tasks")
	s := container.Spec{
		Path: "/bin/sh", Args: []string{"sh", "-c", "env; pwd; ls /proc/self/fd; grep SigBlk /proc/self/status; grep SigIgn /proc/self/status; echo err >&2; exit 3"},
		Dir: dir, Env: []string{"PATH=/usr/bin:/bin", "A=b", "B=base"},
	}
	p := launch(t, l, s, plan.Plan{NoNewPrivileges: true, Env: []string{"B=plan"}}, nil)
	if ws := waitDone(t, p); !ws.Exited() || ws.ExitStatus() != 3 {
		t.Errorf("exit status is %#x", int(ws))
	}
	lines := strings.Split(strings.TrimSpace(readFile(t, dir, "stdout")), "\n")
	slices.Sort(lines)
	want := []string{
		"A=b", "B=plan", "PATH=/usr/bin:/bin", "PWD=" + dir, dir, "0", "1", "2", "3",
		"SigBlk:\t0000000000000000", "SigIgn:\t0000000000000000",
	}
	slices.Sort(want)
	if !slices.Equal(lines, want) {
		t.Errorf("stdout is %q, want %q", lines, want)
	}
	if got := readFile(t, dir, "stderr"); got != "err\n" {
		t.Errorf("stderr is %q", got)
	}
}

// TestPlainPlansTakeNoInit: they are as fast as ever.
func TestPlainPlansTakeNoInit(t *testing.T) {
	l := newLauncher(t)
	p, err := l.Launch(shell(t.TempDir(), "exit $A"), plan.Plan{Env: []string{"A=4"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := p.(*Process); ok {
		t.Error("a plain plan has an init")
	}
	if ws := waitDone(t, p); ws.ExitStatus() != 4 {
		t.Errorf("wait status %#x", int(ws))
	}
}

// TestStatus is that of the program, signals too, and is recorded.
func TestStatus(t *testing.T) {
	l := newLauncher(t)
	for script, want := range map[string]int{
		"exit 0": 0, "exit 7": 7 << 8, "kill -TERM $$": 15, "kill -KILL $$": 9,
		"ulimit -c 0; kill -SEGV $$": 11,
	} {
		for _, spaces := range []plan.Namespaces{0, plan.NewPID | plan.NewMount} {
			s := shell(t.TempDir(), script)
			s.Status = filepath.Join(s.Dir, "status")
			if spaces != 0 {
				// Whoever is not the first process of its namespace may kill itself.
				s.Args[2] = script
			}
			p := launch(t, l, s, plan.Plan{New: spaces, NoNewPrivileges: true}, nil)
			if ws := waitDone(t, p); int(ws)&^0x80 != want {
				t.Errorf("%s in %d: wait status is %#x, want %#x", script, spaces, int(ws), want)
			}
			got, ok, err := ReadStatus(s.Status)
			if got != p.Exit().Status || !ok || err != nil {
				t.Errorf("%s in %d: recorded is %#x, %t, %v", script, spaces, got, ok, err)
			}
		}
	}
}

// TestSignalsToTheInit are for its program, from the outside and within a pid namespace.
func TestSignalsToTheInit(t *testing.T) {
	l := newLauncher(t)
	for _, signal := range []string{"HUP", "INT", "QUIT", "ABRT", "USR1", "TERM", "WINCH"} {
		for spaces, init := range map[plan.Namespaces]string{0: "$PPID", plan.NewPID: "1"} {
			s := shell(t.TempDir(), "trap 'exit 5' "+signal+"; kill -"+signal+" "+init+"; while :; do sleep 0.01; done")
			p := launch(t, l, s, plan.Plan{New: spaces, NoNewPrivileges: true}, nil)
			if ws := waitDone(t, p); ws.ExitStatus() != 5 {
				t.Errorf("%s to %s: wait status is %#x", signal, init, int(ws))
			}
		}
	}
}

func TestReadStatus(t *testing.T) {
	path := filepath.Join(t.TempDir(), "status")
	if _, ok, err := ReadStatus(path); ok || err != nil {
		t.Errorf("without a file: %t, %v", ok, err)
	}
	for content, want := range map[string]string{"": "none", "12": "none", "256\n": "256", "x\n": "error", "-1\n": "error", "65536\n": "error", "1\n2\n": "error"} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		status, ok, err := ReadStatus(path)
		got := "none"
		if err != nil {
			got = "error"
		} else if ok {
			got = strconv.Itoa(status)
		}
		if got != want {
			t.Errorf("%q: %s, want %s", content, got, want)
		}
	}
}

// TestPIDNamespace: the program sees its own processes alone, and proc shows them.
func TestPIDNamespace(t *testing.T) {
	l := newLauncher(t)
	p := plan.Plan{New: plan.NewPID | plan.NewMount, Mounts: []plan.Mount{{Source: "proc", Target: "/proc", Type: "proc", Flags: unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC}}}
	got := run(t, l, p, nil, "set -- /proc/[0-9]*; echo $#; cat /proc/1/comm; kill -STOP 1; kill -KILL 1; grep State /proc/1/status")
	if want := "2\ntroupe-init\nState:\tS (sleeping)\n"; got != want {
		t.Errorf("it sees %q, want %q", got, want)
	}
}

// TestMountsStayInside a mount namespace, and are gone with it.
func TestMountsStayInside(t *testing.T) {
	l, place := newLauncher(t), t.TempDir()
	p := plan.Plan{New: plan.NewMount, Mounts: []plan.Mount{
		{Source: "tmpfs", Target: place, Type: "tmpfs", Data: "size=1m"},
	}}
	got := run(t, l, p, nil, "touch "+place+"/x; ls "+place+"; mount -t tmpfs none "+place+"; ls "+place+"; echo end")
	if got != "x\nend\n" {
		t.Errorf("inside there is %q", got)
	}
	if left, err := os.ReadDir(place); err != nil || len(left) > 0 {
		t.Errorf("outside there is %v, %v", left, err)
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil || strings.Contains(string(mounts), place) {
		t.Errorf("a mount is left: %v", err)
	}
}

// TestEnter: what is launched in a container is in its namespaces.
func TestEnter(t *testing.T) {
	l, place := newLauncher(t), t.TempDir()
	p := plan.Plan{
		New: plan.NewPID | plan.NewMount | plan.NewIPC | plan.NewUTS, Hostname: "inside",
		Mounts: []plan.Mount{
			{Source: "proc", Target: "/proc", Type: "proc"},
			{Source: "tmpfs", Target: place, Type: "tmpfs"},
		},
	}
	dir := t.TempDir()
	main := launch(t, l, shell(dir, "echo here >"+place+"/file; echo up; sleep 1000"), p, nil)
	readFile(t, dir, "stdout")
	const ask = "hostname; for n in pid mnt ipc uts; do readlink /proc/self/ns/$n; done"
	want := spacesOf(t, main.Pid())
	got := run(t, l, plan.Plan{}, main.Container(), ask+"; cat "+place+"/file; cat /proc/1/comm")
	if got != "inside\n"+want+"here\ntroupe-init\n" {
		t.Errorf("it is in %q, want %q", got, want)
	}
	// One below has its own pids, the rest is as above.
	below := plan.Plan{New: plan.NewPID | plan.NewMount, Mounts: p.Mounts[:1]}
	got = run(t, l, below, main.Container(), "hostname; cat "+place+"/file; set -- /proc/[0-9]*; echo $#")
	if got != "inside\nhere\n2\n" {
		t.Errorf("below it is %q", got)
	}
	if got := run(t, l, plan.Plan{NoNewPrivileges: true}, nil, ask); got != hostname(t)+spacesOf(t, os.Getpid()) {
		t.Errorf("a program of the machine is in %q", got)
	}
	main.Kill(0)
	waitDone(t, main)
	if _, err := l.Launch(shell(dir, "true"), plan.Plan{}, main.Container()); err == nil || !strings.Contains(err.Error(), "has ended") {
		t.Errorf("entering what has ended: %v", err)
	}
}

func hostname(t *testing.T) string {
	name, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	return name + "\n"
}

func spacesOf(t *testing.T, pid int) string {
	t.Helper()
	all := ""
	for _, n := range []string{"pid", "mnt", "ipc", "uts"} {
		target, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/%s", pid, n))
		if err != nil {
			t.Fatal(err)
		}
		all += target + "\n"
	}
	return all
}

// TestHold: two programs share what none of them has made.
func TestHold(t *testing.T) {
	l := newLauncher(t)
	held, err := l.Hold(t.TempDir(), plan.Plan{New: plan.NewPID | plan.NewIPC | plan.NewUTS, Hostname: "held"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	const ask = "hostname; for n in pid ipc uts; do readlink /proc/self/ns/$n; done"
	one, other := run(t, l, plan.Plan{}, held, ask), run(t, l, plan.Plan{}, held, ask)
	if one != other || !strings.HasPrefix(one, "held\n") {
		t.Errorf("they are in %q and %q", one, other)
	}
	left := launch(t, l, shell(t.TempDir(), "sleep 1000"), plan.Plan{}, held)
	held.Close()
	if ws := waitDone(t, left); ws.Signal() != unix.SIGKILL {
		t.Logf("its status is %#x", int(ws)) // its init may have been killed before it could tell
	}
	if alive(left.Pid()) {
		t.Error("a program outlives the pid namespace it is in")
	}
	if _, err := l.Hold(t.TempDir(), plan.Plan{}, nil); err == nil {
		t.Error("held nothing")
	}
}
