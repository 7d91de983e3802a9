package chaos

import (
	"net"
	"os"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// at runs f in the network namespace of a node.
func (n *network) at(node int, f func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with f
		space, err := os.Open("/run/netns/" + n.namespace(node))
		if err != nil {
			done <- err
			return
		}
		defer space.Close()
		if err := unix.Setns(int(space.Fd()), unix.CLONE_NEWNET); err != nil {
			done <- os.NewSyscallError("setns", err)
			return
		}
		done <- f()
	}()
	return <-done
}

// reaches tells whether node a can connect to node b.
func (n *network) reaches(a, b int) bool {
	var l net.Listener
	err := n.at(b, func() (err error) {
		l, err = net.Listen("tcp", net.JoinHostPort(n.address(b), "0"))
		return err
	})
	if err != nil {
		n.t.Fatal(err)
	}
	defer l.Close()
	return n.at(a, func() error {
		c, err := net.DialTimeout("tcp", l.Addr().String(), 300*time.Millisecond)
		if err == nil {
			err = c.Close()
		}
		return err
	}) == nil
}

// Nodes that are cut off from each other do not hear each other until all
// faults between them have healed; others do all the time.
func TestPartitions(t *testing.T) {
	n := newNetwork(t, 99)
	if n == nil {
		return // newNetwork says why
	}
	for node := range 3 {
		n.join(node)
	}
	hears := func(when string, want bool, a, b int) {
		t.Helper()
		got := n.reaches(a, b)
		// A cable that is put back carries only after a while.
		for late := time.Now().Add(3 * time.Minute); want && !got && time.Now().Before(late); {
			got = n.reaches(a, b)
		}
		if got != want {
			t.Errorf("%s: node %d reaches node %d is %t", when, a, b, got)
		}
	}
	hears("at first", true, 0, 1)
	first, second := n.isolate(1), n.isolate(1)
	hears("isolated", false, 0, 1)
	hears("another is isolated", true, 0, 2)
	first()
	hears("one of two faults healed", false, 0, 1)
	second()
	hears("healed", true, 0, 1)
	heal := n.part(0, 2)
	hears("parted", false, 0, 2)
	hears("parted, the other way", false, 2, 0)
	hears("not parted", true, 0, 1)
	heal()
	hears("together", true, 0, 2)
}
