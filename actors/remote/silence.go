package remote

import (
	"crypto/tls"
	"errors"
	"net"
	"time"

	"golang.org/x/sys/unix"
)

// webSilence is how long an HTTP client may acknowledge nothing of what was
// sent to it. Keepalives do not help there: the kernel sends none while it
// repeats data, for a quarter of an hour.
const webSilence = 2 * time.Minute

// giveUpSilent makes the kernel break a connection whose peer is silent for
// longer than webSilence. Connections that are not TCP stay as they are.
func giveUpSilent(conn net.Conn) error {
	if c, ok := conn.(*begunConn); ok {
		conn = c.Conn
	}
	if c, ok := conn.(*tls.Conn); ok {
		conn = c.NetConn()
	}
	c, ok := conn.(*net.TCPConn)
	if !ok {
		return nil
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return err
	}
	var set error
	err = raw.Control(func(fd uintptr) {
		set = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(webSilence.Milliseconds()))
	})
	return errors.Join(err, set)
}
