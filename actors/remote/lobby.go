package remote

import (
	"errors"
	"net"
	"sync"
	"syscall"

	"troupe/actors/remote/handshake"
)

// lobby is where connections wait for their handshake, in the order in which
// they came. They are taken out of the listener's queue, which the kernel cuts
// off where it is full, and their dialers are told now and then that they wait
// for somebody who lives.
type lobby struct {
	most    int           // handshakes under way
	seats   int           // connections that wait
	tls     bool          // what comes cannot be told apart before the handshake
	room    chan struct{} // 1 once a seat was given up while all were taken
	mu      sync.Mutex
	under   int // handshakes under way; all there may be, while somebody waits
	waiting queue[guest]
}

// guest is a connection that waits. It has none any more when its dialer left.
type guest struct {
	conn net.Conn
	told int64 // when its dialer last heard that it waits; at first, when it came
	link bool  // its dialer said that it wants a link
}

func newLobby(l Limits, tls bool) *lobby {
	return &lobby{most: l.MaxHandshakes, seats: l.MaxWaiting, tls: tls, room: make(chan struct{}, 1)}
}

// place is what a connection gets that comes in.
type place uint8

const (
	noPlace  place = iota
	aSeat          // somebody who comes from a handshake takes it
	aHandler       // the caller begins its handshake
)

func (b *lobby) enter(conn net.Conn, now int64) place {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.under < b.most:
		b.under++
		return aHandler
	case b.waiting.len() < b.seats:
		b.waiting.push(guest{conn: conn, told: now})
		return aSeat
	}
	return noPlace
}

// next gives whoever comes from a handshake the next connection; nil when none
// waits, and there is one handshake less under way.
func (b *lobby) next() net.Conn {
	b.mu.Lock()
	defer b.mu.Unlock()
	for b.waiting.len() > 0 {
		conn := b.waiting.pop().conn
		select {
		case b.room <- struct{}{}:
		default:
		}
		if conn != nil {
			return conn
		}
	}
	b.under--
	return nil
}

// found is what assure found out about those who wait.
type found struct {
	left []net.Conn // whose dialers have left
	web  []net.Conn // that are no links: no handshake is before them
}

// assure tells those who wait for a link, and have heard nothing since the time
// given, that they wait. What it gives waits no more: the caller sees to it. Over
// TLS nobody can be told, nor told apart.
func (b *lobby) assure(now, since int64) found {
	var f found
	b.mu.Lock() // nobody takes a connection while it is written to
	defer b.mu.Unlock()
	for i := b.waiting.head; i < len(b.waiting.items); i++ {
		g := &b.waiting.items[i]
		due := g.told <= since
		if g.conn == nil || !due && (g.link || b.tls) {
			continue
		}
		switch state := look(g.conn, due); state {
		case atEnd:
			f.left = append(f.left, g.conn)
			g.conn = nil
		case other:
			if !b.tls {
				f.web = append(f.web, g.conn)
				g.conn = nil
			}
		case unread:
			g.link = true
		case quiet:
		}
		if due {
			g.told = now
		}
	}
	return f
}

// waitNotice is what a dialer hears that waits.
var waitNotice = handshake.Append(nil, handshake.Msg{Kind: handshake.Wait})

// look tells what has come over a connection: unread for a link, other for what
// is none. To a dialer of links it writes the notice when that is due. It never
// waits: the first that is written to a connection fits into its buffer.
func look(conn net.Conn, due bool) intake {
	raw := rawOf(conn)
	if raw == nil {
		return quiet
	}
	state := quiet
	err := raw.Control(func(fd uintptr) {
		var first byte
		if first, state = peek(fd); state != unread {
			return
		}
		if first != handshake.Preface[0] {
			state = other
		} else if due {
			if _, err := syscall.Write(int(fd), waitNotice); err != nil && !errors.Is(err, syscall.EAGAIN) {
				state = atEnd
			}
		}
	})
	if err != nil {
		return atEnd // it is closed
	}
	return state
}

// intake is what a descriptor has for who reads.
type intake uint8

const (
	quiet intake = iota
	unread
	other // only look tells
	atEnd
)

// peek looks without waiting, and gives the next byte if there is one.
func peek(fd uintptr) (byte, intake) {
	var room [1]byte
	n, _, err := syscall.Recvfrom(int(fd), room[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
	switch {
	case err == nil && n == 1:
		return room[0], unread
	case errors.Is(err, syscall.EAGAIN), errors.Is(err, syscall.EINTR):
		return 0, quiet
	}
	return 0, atEnd
}

// rawOf is nil for a connection without a descriptor of its own.
func rawOf(conn net.Conn) syscall.RawConn {
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return nil
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return nil // it is closed; whoever reads will say why
	}
	return raw
}

// busy is how many handshakes are under way.
func (b *lobby) busy() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.under
}
