package posix

import (
	"errors"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// pidsIn reads one pid per line from a file of the sandbox, once there are n.
func pidsIn(t *testing.T, dir, name string, n int) []int {
	t.Helper()
	var pids []int
	eventually(t, strconv.Itoa(n)+" pids in "+name, func() bool {
		pids = pids[:0]
		content, _ := os.ReadFile(dir + "/" + name)
		for _, f := range strings.Fields(string(content)) {
			pid, err := strconv.Atoi(f)
			if err != nil {
				t.Fatal(err)
			}
			pids = append(pids, pid)
		}
		return len(pids) >= n && strings.HasSuffix(string(content), "\n")
	})
	return pids
}

func TestKillGraceIsHonoured(t *testing.T) {
	l, dir := newLauncher(t), t.TempDir()
	p := launch(t, l, shell(dir, "trap 'echo bye; exit 7' TERM; echo up; while :; do sleep 0.01; done"))
	readFile(t, dir, "stdout")
	p.Kill(time.Hour)
	if ws := waitDone(t, p); ws.ExitStatus() != 7 {
		t.Errorf("wait status is %#x", int(ws))
	}
	if got := readFile(t, dir, "stdout"); got != "up\nbye\n" {
		t.Errorf("stdout is %q", got)
	}
}

func TestSecondKillOnlyShortens(t *testing.T) {
	l, dir := newLauncher(t), t.TempDir()
	p := launch(t, l, shell(dir, "trap '' TERM; echo up; while :; do sleep 0.01; done"))
	readFile(t, dir, "stdout")
	p.Kill(time.Hour)
	p.Kill(2 * time.Hour) // no effect
	q := p.(*Process)
	q.grace.mu.Lock()
	left := time.Until(q.grace.deadline)
	q.grace.mu.Unlock()
	if left > time.Hour {
		t.Errorf("%v are left after a later kill with a longer grace", left)
	}
	select {
	case <-p.Done():
		t.Fatal("ended although it ignores SIGTERM and the grace is not over")
	default:
	}
	p.Kill(time.Millisecond)
	if ws := waitDone(t, p); ws.Signal() != unix.SIGKILL {
		t.Errorf("wait status is %#x", int(ws))
	}
	p.Kill(0) // after the end: nothing
}

// Each script writes the pid of a process that tries to get away.
var escapes = map[string]string{
	"background":       "sleep 1000 & echo $! >pids; wait",
	"own group":        "set -m; sleep 1000 & echo $! >pids; wait",
	"own session":      "setsid sh -c 'echo $$ >pids; sleep 1000' & wait",
	"double fork":      "(setsid sh -c 'echo $$ >pids; sleep 1000' &) ; sleep 1000",
	"ignores SIGTERM":  "(trap '' TERM; sh -c 'echo $$ >pids; sleep 1000' &) ; sleep 1000",
	"cleared all":      "(cd /; env -i /usr/bin/setsid /bin/sh -c 'echo $$ >'$MESOS_SANDBOX'/pids; exec /bin/sleep 1000 >/dev/null 2>&1' &) ; sleep 1000",
	"stopped":          "sleep 1000 & kill -STOP $!; echo $! >pids; wait",
	"program has gone": "(setsid sh -c 'echo $$ >pids; sleep 1000' &) ; while [ ! -s pids ]; do sleep 0.01; done; exit 0",
}

func TestNothingEscapesAKill(t *testing.T) {
	for name, script := range escapes {
		t.Run(name, func(t *testing.T) {
			l, dir := newLauncher(t), t.TempDir()
			p := launch(t, l, shell(dir, script))
			escaped := pidsIn(t, dir, "pids", 1)[0]
			p.Kill(20 * time.Millisecond)
			waitDone(t, p)
			if !gone(escaped) {
				sendTo(escaped, unix.SIGKILL)
				t.Errorf("process %d got away", escaped)
			}
			eventually(t, "no zombie is left", func() bool { _, err := readStat(escaped); return err != nil })
		})
	}
}

func TestNeighboursAreLeftAlone(t *testing.T) {
	l, one, two := newLauncher(t), t.TempDir(), t.TempDir()
	script := "(setsid sh -c 'echo $$ >pids; sleep 1000' &) ; sleep 1000"
	p, q := launch(t, l, shell(one, script)), launch(t, l, shell(two, script))
	escaped, neighbour := pidsIn(t, one, "pids", 1)[0], pidsIn(t, two, "pids", 1)[0]
	p.Kill(0)
	waitDone(t, p)
	if !gone(escaped) {
		t.Error("the killed program's orphan lives")
	}
	if gone(neighbour) || gone(q.Pid()) {
		t.Error("the neighbour was killed")
	}
}

func TestForkStormIsKilled(t *testing.T) {
	l, dir := newLauncher(t), t.TempDir()
	// Forty families that each keep forking orphans into sessions of their own.
	p := launch(t, l, shell(dir, `
		i=0; while [ $i -lt 40 ]; do i=$((i+1))
			(setsid sh -c 'while :; do (sleep 0.05 &); sleep 0.01; done' &)
		done; echo up; sleep 1000`))
	readFile(t, dir, "stdout")
	p.Kill(0)
	waitDone(t, p)
	eventually(t, "no child is left", func() bool { return len(l.orphans()) == 0 })
}

// startHost runs this program as a host of one script.
func startHost(t *testing.T, dir, script string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0], dir)
	cmd.Env = append(os.Environ(), "POSIX_TEST_HOST="+script)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() }) // errors: it may be gone
	return cmd
}

func TestHostDeathKillsItsChildren(t *testing.T) {
	dir := t.TempDir()
	host := startHost(t, dir, "echo $$ >pids; exec sleep 1000")
	child := pidsIn(t, dir, "pids", 1)[0]
	if err := host.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	host.Wait() // says that it was killed
	eventually(t, "the kernel killed the child", func() bool { return gone(child) })
}

func TestKillBySandboxEndsWhatTheKernelDoesNot(t *testing.T) {
	dir := t.TempDir()
	host := startHost(t, dir, "(setsid sh -c 'echo $$ >pids; sleep 1000' &) ; sleep 1000")
	grandchild := pidsIn(t, dir, "pids", 1)[0]
	eventually(t, "usage is attributed", func() bool {
		return surveyed(t, new(Survey), host.Process.Pid, dir, "/other")[dir].Processes >= 2
	})
	if err := host.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	host.Wait() // says that it was killed
	if gone(grandchild) {
		t.Fatal("the kernel killed the grandchild: this test shows nothing")
	}
	KillBySandbox([]string{dir})
	if !gone(grandchild) {
		t.Error("the grandchild lives")
	}
}

// A process that may not be killed is left alone after a while, and named; the
// others are killed.
func TestWhatMayNotBeKilled(t *testing.T) {
	for _, test := range []struct {
		name     string
		refusals int // of the first of two
		left     bool
	}{{"never", 1 << 30, true}, {"at last", maxRefusals - 1, false}} {
		t.Run(test.name, func(t *testing.T) {
			var pids []int
			for range 2 {
				c := exec.Command("sleep", "1000")
				if err := c.Start(); err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() {
					_ = c.Process.Kill() // most are gone
					_ = c.Wait()
				})
				pids = append(pids, c.Process.Pid)
			}
			refused := 0
			err := killAll(func() []int { return pids }, func(pid int, sig unix.Signal) error {
				if pid == pids[0] && sig == unix.SIGKILL {
					if refused++; refused <= test.refusals {
						return unix.EPERM
					}
				}
				return sendTo(pid, sig)
			})
			if test.left && (!errors.Is(err, unix.EPERM) || !strings.Contains(err.Error(), "["+strconv.Itoa(pids[0])+"]")) || !test.left && err != nil {
				t.Errorf("error is %v", err)
			}
			for i, pid := range pids {
				s, err := readStat(pid)
				if err != nil {
					t.Fatal(err) // it is not reaped yet
				}
				if lives := s.state != 'Z'; lives != (test.left && i == 0) {
					t.Errorf("process %d of 2 is %c", i+1, s.state)
				}
			}
		})
	}
}

func TestSignalsToNobody(t *testing.T) {
	c := exec.Command("true")
	if err := c.Run(); err != nil {
		t.Fatal(err)
	}
	if err := sendTo(c.Process.Pid, unix.SIGKILL); err != nil {
		t.Errorf("a process that is gone: %v", err)
	}
	if err := sendTo(os.Getpid(), unix.Signal(1<<20)); !errors.Is(err, unix.EINVAL) {
		t.Errorf("a signal that is none: %v", err)
	}
}
