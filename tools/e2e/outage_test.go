package e2e

import (
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"troupe/master/election/zookeepertest"
)

// Without ZooKeeper nobody leads, and tasks run on. When it is back, so is all
// that was known: the masters, which their supervisor has started again, elect
// a leader, and agent and framework find it.
func TestZooKeeperIsAwayForAWhile(t *testing.T) {
	e := zookeepertest.Start(t, 3)
	url := e.URL("/troupe")
	w := newWorld(t)
	first := w.stand("first", url)
	first.leads()
	second := w.stand("second", url)
	second.Await(second.Err, `"A master leads"`)
	agent := w.start("agent", "--port=0", "--master="+url, "--work_dir="+filepath.Join(w.dir, "agent"),
		"--resources=cpus:4;mem:1024;disk:1024", "--registration_backoff_factor=50ms")
	f := w.steady(url, 3, time.Hour)
	scheduler := f.start()
	f.all("TASK_RUNNING")
	pids := f.pids()

	for server := range 3 {
		e.Kill(server)
	}
	first.wait().check(t, "a leader without ZooKeeper", 1, "", `"ended","error":"the leadership of `)
	f.alive(pids, "the end of the leader's session")
	again := w.stand("first", url)
	again.answers("/state", 503)
	for server := range 3 {
		e.Restart(server)
	}
	eventually(t, "one of the masters knows the agent", func() bool {
		return again.knowsAgent() || second.knowsAgent()
	})
	f.alive(pids, "ZooKeeper's return")
	r := w.only("tasks", "list", "--master="+url)
	r.check(t, "tasks list", 0, "(?s)(steady-.*TASK_RUNNING.*){3}", "^$")
	f.drain(scheduler)
	agent.Signal(syscall.SIGUSR1)
	agent.wait().check(t, "agent after SIGUSR1", 0, "", "")
	for _, m := range []*candidate{second, again} {
		m.Signal(syscall.SIGTERM)
		m.wait().check(t, "master after SIGTERM", 0, "", "")
	}
	eventually(t, "no process is left", func() bool { return len(w.Processes()) == 0 })
}
