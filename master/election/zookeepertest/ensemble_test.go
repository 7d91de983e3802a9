package zookeepertest_test

import (
	"net"
	"strings"
	"testing"

	"troupe/master/election/zookeepertest"
)

func TestOneServer(t *testing.T) {
	e := zookeepertest.Start(t, 1)
	if e.Leader() != 0 || len(e.Servers()) != 1 {
		t.Errorf("server %d of %v leads", e.Leader(), e.Servers())
	}
	if want := "zk://" + e.Servers()[0] + "/path"; e.URL("/path") != want {
		t.Errorf("the URL is %s, want %s", e.URL("/path"), want)
	}
	e.Kill(0)
	if c, err := net.Dial("tcp", e.Servers()[0]); err == nil {
		c.Close()
		t.Error("a killed server takes connections")
	}
	e.Restart(0)
	e.AwaitServing(0)
}

// An ensemble survives the loss of its leader, killed or hung.
func TestEnsemble(t *testing.T) {
	e := zookeepertest.Start(t, 3)
	if url := e.URL("/p"); strings.Count(url, ",") != 2 {
		t.Errorf("the URL of three servers is %s", url)
	}
	first := e.Leader()
	e.Kill(first)
	second := e.Leader()
	if second == first {
		t.Error("a killed server leads")
	}
	e.Restart(first)
	e.AwaitServing(first)
	e.Pause(second)
	e.Continue(second)
	e.AwaitServing(second)
}
