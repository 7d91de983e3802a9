package remote

import (
	"crypto/tls"
	"net"
	"testing"

	"golang.org/x/sys/unix"
)

func TestSilentClientsAreGivenUp(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	begun := &begunConn{Conn: conn}
	for name, wrapped := range map[string]net.Conn{"plain": begun, "TLS": tls.Server(conn, nil)} {
		set(t, conn, 0)
		if err := giveUpSilent(wrapped); err != nil {
			t.Fatal(err)
		}
		if got := set(t, conn, -1); got != int(webSilence.Milliseconds()) {
			t.Errorf("%s: given up after %d ms", name, got)
		}
	}
	one, other := net.Pipe()
	defer one.Close()
	defer other.Close()
	if err := giveUpSilent(one); err != nil {
		t.Errorf("a pipe: %v", err)
	}
}

// set sets the option, unless ms is negative, and returns it.
func set(t *testing.T, conn net.Conn, ms int) (now int) {
	t.Helper()
	raw, err := conn.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	err = raw.Control(func(fd uintptr) {
		if ms >= 0 {
			if err := unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, ms); err != nil {
				t.Error(err)
			}
		}
		if now, err = unix.GetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT); err != nil {
			t.Error(err)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return now
}
