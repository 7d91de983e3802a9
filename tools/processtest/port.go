package processtest

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"testing"
)

// Of the ports that FreePort looks at the first is lowestPort: servers that people
// know by their ports have lower ones, mostly. The last is before agentPorts, which
// agents offer to tasks unless they are told otherwise.
const (
	lowestPort = 12_000
	agentPorts = 31_000
)

// FreePort is a TCP port of 127.0.0.1 for a process that is told where to
// listen, and may be killed and started again there. Until the test ends nobody
// else gets it: the system gives out higher ones to those who ask for any, and
// tests, also of other packages, keep theirs by a socket of its name.
func FreePort(t *testing.T) int {
	t.Helper()
	n := min(firstOfAny(t), agentPorts) - lowestPort
	if n <= 0 {
		t.Fatalf("no ports are left between %d and those that the system gives out", lowestPort)
	}
	for from, i := rand.IntN(n), 0; i < n; i++ {
		if port := lowestPort + (from+i)%n; keep(t, port) {
			return port
		}
	}
	t.Fatal("no port is free")
	return 0
}

// firstOfAny is the lowest port that who asks for any may get.
func firstOfAny(t *testing.T) int {
	t.Helper()
	const file = "/proc/sys/net/ipv4/ip_local_port_range"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var first, last int
	if _, err := fmt.Sscan(string(text), &first, &last); err != nil {
		t.Fatalf("%s: %q: %v", file, text, err)
	}
	return first
}

// keep takes a port for the test, unless another test has it or somebody
// listens there.
func keep(t *testing.T, port int) bool {
	kept, err := net.Listen("unix", fmt.Sprint("@troupe-test-port-", port)) // a name, and no file
	if err != nil {
		return false
	}
	l, err := net.Listen("tcp", fmt.Sprint("127.0.0.1:", port))
	if err != nil {
		_ = kept.Close() // it has no file
		return false
	}
	_ = l.Close() // nobody connects to it
	t.Cleanup(func() { _ = kept.Close() })
	return true
}
