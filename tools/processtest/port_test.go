package processtest

import (
	"fmt"
	"net"
	"testing"
)

// A port is one test's until that ends, and none that anybody gets by chance.
func TestFreePort(t *testing.T) {
	var port int
	t.Run("kept", func(t *testing.T) {
		port = FreePort(t)
		if first := firstOfAny(t); port < lowestPort || port >= first {
			t.Errorf("port %d is not below %d", port, first)
		}
		if keep(t, port) {
			t.Errorf("port %d is given to a second test", port)
		}
		l, err := net.Listen("tcp", fmt.Sprint("127.0.0.1:", port))
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	if !keep(t, port) {
		t.Errorf("port %d is kept after the test's end", port)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if taken := l.Addr().(*net.TCPAddr).Port; keep(t, taken) {
		t.Errorf("port %d is given away, and somebody listens there", taken)
	}
}
