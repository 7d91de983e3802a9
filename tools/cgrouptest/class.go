package cgrouptest

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// class is the one that the kernel gives to packets of a socket that this program
// opens, as sock_diag(7) tells it.
func class() (uint32, error) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_SOCK_DIAG)
	if err != nil {
		return 0, err
	}
	defer unix.Close(fd)
	if err := unix.Sendto(fd, listeners(), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return 0, err
	}
	port := uint16(l.Addr().(*net.TCPAddr).Port)
	for b := make([]byte, 1<<16); ; {
		n, _, err := unix.Recvfrom(fd, b, 0)
		if err != nil {
			return 0, err
		}
		messages, err := syscall.ParseNetlinkMessage(b[:n])
		if err != nil {
			return 0, err
		}
		for _, m := range messages {
			switch {
			case m.Header.Type == unix.NLMSG_ERROR && len(m.Data) >= 4:
				return 0, fmt.Errorf("sock_diag: %w", unix.Errno(-int32(binary.NativeEndian.Uint32(m.Data))))
			case m.Header.Type == unix.NLMSG_DONE:
				return 0, errors.New("sock_diag: no such socket")
			case len(m.Data) >= socketSize && binary.BigEndian.Uint16(m.Data[4:]) == port:
				return classIn(m.Data[socketSize:])
			}
		}
	}
}

// Sizes of what is asked and answered, and the attribute of the class, which is told
// with that of the traffic class.
const (
	requestSize  = 56
	socketSize   = 72
	trafficClass = 6
	classID      = 17
)

// listeners asks for all TCP sockets that listen.
func listeners() []byte {
	b := make([]byte, unix.SizeofNlMsghdr+requestSize)
	binary.NativeEndian.PutUint32(b, uint32(len(b)))
	binary.NativeEndian.PutUint16(b[4:], unix.SOCK_DIAG_BY_FAMILY)
	binary.NativeEndian.PutUint16(b[6:], unix.NLM_F_REQUEST|unix.NLM_F_DUMP)
	r := b[unix.SizeofNlMsghdr:]
	r[0], r[1], r[2] = unix.AF_INET, unix.IPPROTO_TCP, 1<<(trafficClass-1)
	binary.NativeEndian.PutUint32(r[4:], 1<<unix.BPF_TCP_LISTEN)
	return b
}

func classIn(attributes []byte) (uint32, error) {
	for len(attributes) >= 4 {
		size, kind := binary.NativeEndian.Uint16(attributes), binary.NativeEndian.Uint16(attributes[2:])
		if size < 4 || int(size) > len(attributes) {
			break
		}
		if kind == classID && size == 8 {
			return binary.NativeEndian.Uint32(attributes[4:]), nil
		}
		attributes = attributes[min(int(size+3)&^3, len(attributes)):]
	}
	return 0, errors.New("sock_diag: no class")
}
