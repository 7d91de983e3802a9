package zookeepertest

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	// patience bounds every wait; it is never waited for when all is well.
	patience = 3 * time.Minute
	// attempts are how often ports are chosen: between choosing one and its use
	// somebody else may take it.
	attempts = 5
)

// TB is what is needed of a test; a program that measures can fill it, too.
type TB interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
	TempDir() string
	Cleanup(f func())
}

// Ensemble is a group of servers, counted from 0. Its methods fail the test
// where they do not succeed in time.
type Ensemble struct {
	tb      TB
	servers []*server
}

// Start starts n servers, 1 or 3, and returns when all of them serve.
func Start(tb TB, n int) *Ensemble {
	tb.Helper()
	if _, err := os.Stat(jar); err != nil {
		tb.Fatalf("ZooKeeper is not installed (tools/test does it; Debian: apt-get install zookeeper default-jre-headless): %v", err)
	}
	for range attempts {
		e, err := start(tb, n)
		if err == nil {
			return e
		}
		if !errors.Is(err, errPortTaken) {
			tb.Fatal(err)
		}
	}
	tb.Fatalf("no free ports for ZooKeeper were found in %d attempts", attempts)
	return nil
}

func start(tb TB, n int) (*Ensemble, error) {
	e := &Ensemble{tb: tb}
	ports, err := freePorts(3 * n)
	if err != nil {
		return nil, err
	}
	dir := tb.TempDir()
	members := ""
	if n > 1 {
		for i := range n {
			members += fmt.Sprintf("server.%d=127.0.0.1:%d:%d\n", i+1, ports[n+i], ports[2*n+i])
		}
	}
	tb.Cleanup(e.close)
	for i := range n {
		s := &server{dir: filepath.Join(dir, strconv.Itoa(i)), id: i + 1, port: ports[i]}
		e.servers = append(e.servers, s)
		if err := Configure(s.dir, s.id, "127.0.0.1", s.port, members); err != nil {
			return nil, err
		}
		if err := s.start(); err != nil {
			return nil, err
		}
	}
	for _, s := range e.servers {
		if err := s.awaitServing(); err != nil {
			e.close()
			return nil, err
		}
	}
	return e, nil
}

// freePorts finds ports that nobody listens on.
func freePorts(n int) ([]int, error) {
	var ports []int
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close() // all are held until all are found, so that they differ
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports, nil
}

func (e *Ensemble) close() {
	for _, s := range e.servers {
		s.kill()
	}
}

// Servers are the addresses for clients, host:port.
func (e *Ensemble) Servers() []string {
	var all []string
	for _, s := range e.servers {
		all = append(all, s.address())
	}
	return all
}

// URL is what --zk takes for a path such as "/mesos".
func (e *Ensemble) URL(path string) string { return "zk://" + strings.Join(e.Servers(), ",") + path }

// Leader is the server that leads the others; it waits until one does. A
// server alone leads itself.
func (e *Ensemble) Leader() int {
	e.tb.Helper()
	leader := -1
	e.until("a server leads", func() bool {
		for i, s := range e.servers {
			if state := s.state(); state == "leader" || state == "standalone" {
				leader = i
				return true
			}
		}
		return false
	})
	return leader
}

// Kill ends a server with SIGKILL, and waits until it is gone.
func (e *Ensemble) Kill(i int) { e.servers[i].kill() }

// Pause stops a server with SIGSTOP: its connections hold, and nothing answers.
func (e *Ensemble) Pause(i int) {
	e.tb.Helper()
	if err := e.servers[i].signal(syscall.SIGSTOP); err != nil {
		e.tb.Fatal(err)
	}
}

// Continue lets a paused server go on. It does not wait.
func (e *Ensemble) Continue(i int) {
	e.tb.Helper()
	if err := e.servers[i].signal(syscall.SIGCONT); err != nil {
		e.tb.Fatal(err)
	}
}

// Restart starts a server that was killed, with the data that it had. It does
// not wait: see AwaitServing.
func (e *Ensemble) Restart(i int) {
	e.tb.Helper()
	if err := e.servers[i].start(); err != nil {
		e.tb.Fatal(err)
	}
}

// AwaitServing waits until a server serves clients, which it does while it
// belongs to a majority.
func (e *Ensemble) AwaitServing(i int) {
	e.tb.Helper()
	if err := e.servers[i].awaitServing(); err != nil {
		e.tb.Fatal(err)
	}
}

// until polls.
func (e *Ensemble) until(what string, ok func() bool) {
	e.tb.Helper()
	if !poll(ok) {
		e.tb.Fatalf("not within %s: %s", patience, what)
	}
}

// poll asks 50 times a second until ok, and tells whether it was in time.
func poll(ok func() bool) bool {
	deadline := time.After(patience)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			return false
		}
	}
	return true
}
