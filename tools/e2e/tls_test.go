package e2e

import (
	"path/filepath"
	"syscall"
	"testing"

	"troupe/tools/processtest"
)

// With certificates everything works as without, and nobody without one gets in.
func TestTLS(t *testing.T) {
	w := newWorld(t)
	a := processtest.NewAuthority(t, filepath.Join(w.dir, "authority"))
	c := w.separate(a.Issue("everybody")...)
	w.do("run", "--", "echo", "secret").check(t, "run", 0, "^secret\n$", "TASK_FINISHED")
	w.do("agents").check(t, "agents", 0, "active", "^$")
	task := w.startSleeper("kept")
	c.agent.kill()
	c.startAgent()
	c.endSleeper(task)

	master := c.flags[0]
	w.only("agents", master).check(t, "without certificate", 1, "^$", "does not answer|400|HTTPS")
	stranger := processtest.NewAuthority(t, filepath.Join(w.dir, "stranger")).Issue("stranger")
	w.only(append([]string{"agents", master}, stranger...)...).check(t, "with a stranger's certificate", 1, "^$", "certificate")
	w.only(append([]string{"run", master}, append(stranger, "--", "true")...)...).check(t, "run by a stranger", 1, "^$", "certificate")
	mallory := w.start(append([]string{
		"agent", "--port=0", master, "--work_dir=" + filepath.Join(w.dir, "mallory"), "--registration_backoff_factor=50ms",
	}, stranger...)...)
	mallory.Await(mallory.Err, `(?i)certificate|handshake|unknown authority|link to the master broke`)
	if r := w.do("agents", "--json"); r.code != 0 || len(jsonList(t, r.out)) != 1 {
		t.Errorf("a stranger's agent was admitted: %+v", r)
	}
	mallory.Signal(syscall.SIGTERM)
	mallory.wait()
	c.end()
}

// The mappers of the demo are executors in processes of their own: they find
// what they need in their environment.
func TestTLSForCustomExecutors(t *testing.T) {
	w := newWorld(t)
	certificate := processtest.NewAuthority(t, filepath.Join(w.dir, "authority")).Issue("local")
	d := w.local(append([]string{"--demo"}, certificate...)...)
	d.Await(d.Out, `(?m)^\d+ words counted; the most frequent:  the \d+`)
	d.Signal(syscall.SIGINT)
	d.wait().check(t, "demo after SIGINT", 0, "https://", "^$")
}

func TestLocalTLS(t *testing.T) {
	w := newWorld(t)
	w.flags = nil
	certificate := processtest.NewAuthority(t, filepath.Join(w.dir, "authority")).Issue("local")
	d := w.local(append([]string{"--agents=1"}, certificate...)...)
	w.flags = append(w.flags, certificate...)
	w.do("run", "--", "echo", "secret").check(t, "run", 0, "^secret\n$", "TASK_FINISHED")
	d.Signal(syscall.SIGINT)
	d.wait().check(t, "local after SIGINT", 0, "https://", "^$")
}
