package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"troupe/tools/processtest"
)

// A leader that was stopped for longer than the others wait for it writes
// nothing when it goes on: it ends itself, and says why. Its task lives on.
func TestALeaderThatWasStoppedEndsItself(t *testing.T) {
	w := newWorld(t)
	m := w.trio()
	leader := m.leader()
	agent := m.startAgent("agent", 0)
	ready := filepath.Join(w.dir, "go")
	task := w.startTask("survivor", fmt.Sprintf(`echo before; until [ -e %s ]; do sleep 0.05; done; echo after`, ready))
	task.Await(task.Out, "before")
	m.masters[leader].Signal(syscall.SIGSTOP)
	others := strings.Join(append(append([]string{}, m.addresses[:leader]...), m.addresses[leader+1:]...), ",")
	eventually(t, "another master leads, and has the agent", func() bool {
		m.supervise()
		r := w.only("agents", "--master="+others)
		return r.code == 0 && strings.Contains(r.out, " active")
	})
	m.masters[leader].Signal(syscall.SIGCONT)
	m.masters[leader].wait().check(t, "a leader that was stopped", 1, "",
		`"ended","error":"this master leads no more: most of the masters did not answer within 1.5s, or elected another`)
	m.startMaster(leader)
	touch(t, ready)
	task.wait().check(t, "run", 0, "^before\nafter\n$", "")
	agent.Signal(syscall.SIGUSR1)
	agent.wait().check(t, "agent after SIGUSR1", 0, "", "")
	m.end()
}

// What masters say to each other has the certificates of everything else; a
// master of strangers is not heard.
func TestMastersOverTLS(t *testing.T) {
	w := newWorld(t)
	m := w.trio(processtest.NewAuthority(t, filepath.Join(w.dir, "authority")).Issue("everybody")...)
	leader := m.leader()
	agent := m.startAgent("agent", 0)
	w.do("run", "--", "echo", "secret").check(t, "run", 0, "^secret\n$", "TASK_FINISHED")
	stranger := processtest.NewAuthority(t, filepath.Join(w.dir, "stranger")).Issue("stranger")
	port := processtest.FreePort(t)
	self := fmt.Sprintf("127.0.0.1:%d", port)
	mallory := w.start(append([]string{
		"master", fmt.Sprint("--port=", port), "--masters=" + m.where() + "," + self, calm, "--work_dir=" + filepath.Join(w.dir, "mallory"),
	}, stranger...)...)
	mallory.Await(mallory.Err, "a new registry needs all masters; one is not there yet")
	w.do("masters", "add", self).check(t, "masters add", 1, "", "start it first")
	mallory.Signal(syscall.SIGTERM)
	mallory.wait()
	m.masters[leader].kill()
	if next := m.leader(); next == leader {
		t.Error("the master that was killed leads")
	}
	m.startMaster(leader)
	m.active(1)
	agent.Signal(syscall.SIGUSR1)
	agent.wait().check(t, "agent after SIGUSR1", 0, "", "")
	m.end()
}

// end ends every master in order.
func (m *trio) end() {
	m.t.Helper()
	for _, d := range m.masters {
		d.Signal(syscall.SIGTERM)
		d.wait().check(m.t, "master after SIGTERM", 0, "", `"ended in order"`)
	}
}

// A machine that is gone is replaced by two commands, and one that only lost its
// work directory by one.
func TestReplacingAMaster(t *testing.T) {
	w := newWorld(t)
	m := w.trio()
	leader := m.leader()
	wiped, gone := (leader+1)%3, (leader+2)%3
	m.masters[wiped].kill()
	if err := os.RemoveAll(filepath.Join(w.dir, fmt.Sprint("master-", wiped))); err != nil {
		t.Fatal(err)
	}
	m.startMaster(wiped)
	m.masters[wiped].Await(m.masters[wiped].Err, `waits to be added to it: troupe masters add `+m.addresses[wiped])
	w.do("masters", "add", m.addresses[wiped]).check(t, "masters add", 0, "^$", "^$")
	m.masters[wiped].Await(m.masters[wiped].Err, `this master has a log`)
	m.masters[gone].kill()
	w.do("masters", "remove", m.addresses[wiped]).check(t, "masters remove", 1, "", m.addresses[gone]+" would not answer: most of them must")
	w.do("masters", "remove", m.addresses[gone]).check(t, "masters remove", 0, "^$", "^$")
	old := m.addresses[gone]
	m.addresses[gone] = fmt.Sprintf("127.0.0.1:%d", processtest.FreePort(t))
	if err := os.RemoveAll(filepath.Join(w.dir, fmt.Sprint("master-", gone))); err != nil {
		t.Fatal(err)
	}
	m.startMaster(gone)
	m.masters[gone].Await(m.masters[gone].Err, `waits to be added to it: troupe masters add `+m.addresses[gone])
	w.do("masters", "add", m.addresses[gone]).check(t, "masters add", 0, "^$", "^$")
	m.masters[gone].Await(m.masters[gone].Err, `this master has a log`)
	w.do("masters", "add", old).check(t, "masters add", 1, "", "start it first")
	m.masters[leader].kill() // the two that were replaced go on alone
	w.flags = []string{"--master=" + m.where()}
	if next := m.leader(); next == leader {
		t.Error("the master that was killed leads")
	}
	m.startMaster(leader)
	m.end()
}

// What cannot be is refused, with what to do.
func TestMasterRefusesWrongMasters(t *testing.T) {
	w := newWorld(t)
	port := processtest.FreePort(t)
	self := fmt.Sprintf("127.0.0.1:%d", port)
	master := func(dir string, flags ...string) *daemon {
		return w.start(append([]string{"master", fmt.Sprint("--port=", port), "--work_dir=" + filepath.Join(w.dir, dir)}, flags...)...)
	}
	alone := master("alone")
	alone.Await(alone.Err, `"This master leads"`)
	alone.Signal(syscall.SIGTERM)
	alone.wait().check(t, "master after SIGTERM", 0, "", "")
	one := master("one", "--masters="+self)
	one.Await(one.Err, `"This master leads"`)
	one.Signal(syscall.SIGTERM)
	one.wait().check(t, "master after SIGTERM", 0, "", "")
	for _, c := range []struct {
		dir, flags string
		code       int
		want       string
	}{
		{"two", "--masters=127.0.0.1:1,127.0.0.1:2", 1, "known as " + self + ", which is not one of 127.0.0.1:1,127.0.0.1:2"},
		{"two", "--masters=" + self + "," + self, 2, "listed twice"},
		{"two", "--masters=" + self + ",h", 2, "host:port"},
		{"two", "--masters=zk://h:1/p", 2, "is no list of host:port"},
		{"two", "--masters=" + self + ",h:1,h:2 --quorum=3", 2, `--quorum="3" is not 2`},
		{"two", "--quorum=2", 2, "needs --masters"},
		{"two", "--registry=replicated_log", 2, "needs --masters"},
		{"two", "--registry=in_memory --masters=" + self, 2, "cannot be shared"},
		{"two", "--election_timeout=1ms --masters=" + self, 2, "is below 50ms"},
		{"alone", "--masters=" + self, 1, "holds the registry of a single master"},
		{"one", "", 1, "holds the registry of several masters"},
		{"one", "--masters=" + self + ",127.0.0.1:1", 1, "the masters are " + self + ", and the list names .* use troupe masters add"},
	} {
		master(c.dir, strings.Fields(c.flags)...).wait().check(t, c.dir+" "+c.flags, c.code, "", c.want)
	}
	log := filepath.Join(w.dir, "one", "registry", "log.db")
	if err := os.Truncate(log, 8192); err != nil {
		t.Fatal(err)
	}
	master("one", "--masters="+self).wait().check(t, "a damaged log", 1, "", log+": not a registry that can be read: .*troupe masters remove")
}
