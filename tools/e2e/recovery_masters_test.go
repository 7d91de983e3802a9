package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// Two of three masters lose their disks. The third does not lead by itself, and
// is made to on request; agent and task find it and go on.
func TestOneMasterIsLeft(t *testing.T) {
	w := newWorld(t)
	m := w.trio()
	left := m.leader()
	agent := m.startAgent("agent", 0)
	ready := filepath.Join(w.dir, "go")
	task := w.startTask("survivor", fmt.Sprintf(`echo before; until [ -e %s ]; do sleep 0.05; done; echo after`, ready))
	task.Await(task.Out, "before")
	dir := "--work_dir=" + filepath.Join(w.dir, fmt.Sprint("master-", left))
	w.only("masters", "recover", "--yes", dir).check(t, "recover", 1, "", "another process uses it: stop that master")
	for i, d := range m.masters {
		d.kill()
		if i != left {
			if err := os.RemoveAll(filepath.Join(w.dir, fmt.Sprint("master-", i))); err != nil {
				t.Fatal(err)
			}
		}
	}
	lost := (left + 1) % 3
	m.startMaster(lost) // with an empty disk
	w.only("masters", "recover", "--yes", dir).check(t, "recover", 1, "", m.addresses[lost]+" answers: if that is a master of this cluster, it is not lost")
	m.masters[lost].kill()
	w.only("masters", "recover").check(t, "recover", 2, "", "--work_dir")
	w.only("masters", "recover", "--work_dir="+w.dir).check(t, "recover", 1, "", "is not there: no master has kept a registry with others here")
	w.only("masters", "recover", dir).check(t, "recover", 0, `(?s)this master  `+m.addresses[left]+`\n.*registry     [1-9]`, "Nothing was changed")
	w.only("masters", "recover", "--yes", dir).check(t, "recover", 0, "(?s)registry", "Done. Start it with --masters="+m.addresses[left])

	_, port, _ := strings.Cut(m.addresses[left], ":")
	alone := w.start("master", "--port="+port, "--masters="+m.addresses[left], dir)
	eventually(t, "it leads, and has the agent", func() bool {
		r := w.only("agents", "--master="+m.addresses[left])
		return r.code == 0 && strings.Contains(r.out, " active")
	})
	touch(t, ready)
	task.wait().check(t, "run", 0, "^before\nafter\n$", "")
	agent.Signal(syscall.SIGUSR1)
	agent.wait().check(t, "agent after SIGUSR1", 0, "", "")
	alone.Signal(syscall.SIGTERM)
	alone.wait().check(t, "master after SIGTERM", 0, "", `"ended in order"`)
}
