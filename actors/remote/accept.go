package remote

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"go.uber.org/zap"

	"troupe/actors/remote/handshake"
)

// front is what listens: it takes connections and finds out whether they are
// links or HTTP.
type front struct {
	t     *Transport
	tls   *tls.Config
	lobby *lobby
	web   *web // nil without HTTP
}

func newFront(t *Transport) *front {
	f := &front{t: t, lobby: newLobby(t.cfg.Limits, t.cfg.TLS.Server != nil)}
	if t.cfg.TLS.Server != nil {
		f.tls = serverTLS(t.cfg.TLS.Server)
	}
	if t.cfg.HTTP != nil {
		f.web = newWeb(t)
	}
	return f
}

// serverTLS asks those who want a link for a certificate, and offers HTTP to
// the others on the configuration's own terms.
func serverTLS(own *tls.Config) *tls.Config {
	web := own.Clone()
	web.NextProtos = []string{"http/1.1"}
	link := own.Clone()
	link.NextProtos = []string{ALPN}
	link.ClientAuth = tls.RequireAndVerifyClientCert
	web.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		for _, p := range hello.SupportedProtos {
			if p == ALPN {
				return link, nil
			}
		}
		return nil, nil
	}
	return web
}

// Waits after an Accept that failed, as it does when no file descriptor is
// left; they double.
const (
	acceptPause    = 5 * time.Millisecond
	acceptPauseMax = time.Second
)

// accept takes connections until the listener is closed.
func (f *front) accept() {
	pause := acceptPause
	for {
		conn, err := f.t.cfg.Listener.Accept()
		switch {
		case err == nil:
			pause = acceptPause
			f.t.connections.Add(1)
			f.admit(conn)
		case f.t.ctx.Err() != nil || errors.Is(err, net.ErrClosed):
			return
		default:
			f.t.log.Warn("accept failed", zap.Duration("pause", pause), zap.Error(err))
			select {
			case <-f.t.ctx.Done():
				return
			case <-time.After(pause):
			}
			pause = min(2*pause, acceptPauseMax)
		}
	}
}

// admit lets a connection in. Where even the seats are taken, the others wait in
// the listener's queue.
func (f *front) admit(conn net.Conn) {
	for {
		switch f.lobby.enter(conn, f.t.now()) {
		case aSeat:
			return
		case aHandler:
			if !f.t.spawn(func() { f.serve(conn) }) {
				f.refuse(conn, ErrClosed)
			}
			return
		case noPlace:
		}
		select {
		case <-f.lobby.room:
		case <-f.t.ctx.Done():
			f.refuse(conn, ErrClosed)
			return
		}
	}
}

// assure tells those who wait long for their handshake that they wait, and takes
// HTTP out of the crowd: who asks which master leads has a second's patience.
func (f *front) assure(now, every int64) {
	found := f.lobby.assure(now, now+every-int64(f.t.cfg.Limits.Heartbeat))
	for _, conn := range found.left {
		f.refuse(conn, errLeft)
	}
	for _, conn := range found.web {
		if !f.t.spawn(func() { f.handle(conn) }) {
			f.refuse(conn, ErrClosed)
		}
	}
}

// errLeft is about a dialer that did not wait for its handshake.
var errLeft = errors.New("the dialer hung up")

func (f *front) refuse(conn net.Conn, err error) {
	f.t.refused.Add(1)
	_ = conn.Close() // refused either way
	f.t.complaints.Info("connection refused", zap.Stringer("remote", conn.RemoteAddr()), zap.Error(err))
}

// serve finds out what a connection is and hands it on, and then the next one
// that waits.
func (f *front) serve(conn net.Conn) {
	for ; conn != nil; conn = f.lobby.next() {
		f.handle(conn)
	}
}

func (f *front) handle(conn net.Conn) {
	if err := f.sort(conn); err != nil {
		f.refuse(conn, err)
	}
}

func (f *front) sort(conn net.Conn) error {
	stop := context.AfterFunc(f.t.ctx, func() { _ = conn.Close() })
	defer stop()
	if err := conn.SetDeadline(time.Now().Add(f.t.cfg.Limits.HandshakeTimeout)); err != nil {
		return err
	}
	var state *tls.ConnectionState
	if f.tls != nil {
		c := tls.Server(conn, f.tls)
		if err := c.HandshakeContext(f.t.ctx); err != nil {
			return fmt.Errorf("TLS: %w", err)
		}
		s := c.ConnectionState()
		if s.NegotiatedProtocol != ALPN {
			return f.serveWeb(c, stop)
		}
		conn, state = c, &s
	}
	preface := make([]byte, len(handshake.Preface))
	if _, err := io.ReadFull(conn, preface[:1]); err != nil {
		return fmt.Errorf("first byte: %w", err)
	}
	if preface[0] != handshake.Preface[0] {
		if f.tls != nil {
			return fmt.Errorf("first byte %#x after %s was negotiated", preface[0], ALPN)
		}
		return f.serveWeb(&begunConn{Conn: conn, first: preface[:1]}, stop)
	}
	if _, err := io.ReadFull(conn, preface[1:]); err != nil || string(preface) != handshake.Preface {
		return fmt.Errorf("preface %q, want %q", preface, handshake.Preface)
	}
	return f.t.acceptLink(greeting{conn: conn, peer: Peer{Remote: conn.RemoteAddr(), TLS: state}}, stop)
}

// serveWeb hands a connection to the HTTP server.
func (f *front) serveWeb(conn net.Conn, stop func() bool) error {
	if f.web == nil {
		return errors.New("HTTP, which is not served here")
	}
	if err := conn.SetDeadline(time.Time{}); err != nil {
		return err
	}
	if err := giveUpSilent(conn); err != nil {
		return err
	}
	if !stop() {
		return context.Cause(f.t.ctx)
	}
	return f.web.serve(conn)
}

// acceptLink is the acceptor's side of making a link.
func (t *Transport) acceptLink(g greeting, stop func() bool) error {
	m, err := t.welcome(&g)
	if err != nil {
		return t.reject(g.conn, err)
	}
	for {
		p, err := t.peer(keyOf(addressOf(g.peer)))
		if err != nil {
			return t.reject(g.conn, refuse(handshake.Busy, "%v", err))
		}
		l, old, err := p.acceptLink(g, m)
		switch {
		case errors.Is(err, errForgotten):
			continue
		case err != nil:
			return t.reject(g.conn, err)
		case old != nil:
			<-old.done
			continue
		}
		l.welcome(stop)
		return nil
	}
}

// acceptLink decides whether the connection becomes the link, and makes it so.
// Instead it may give a link that has just been broken, and must be gone
// before the caller tries again.
func (p *peer) acceptLink(g greeting, m handshake.Msg) (l, old *link, err error) {
	p.mu.Lock()
	if err := p.acceptable(g, m); err != nil {
		p.mu.Unlock()
		return nil, nil, err
	}
	if old := p.link; old != nil {
		cause := errors.New("lost: the peer linked anew")
		switch {
		case old.parting.heard:
			cause = errPeerClosed
		case old.remote.Incarnation != g.peer.Incarnation:
			cause = errors.New("lost: the peer restarted")
		}
		p.mu.Unlock()
		old.end(cause)
		return nil, old, nil
	}
	l = newLink(p, g, m.Seq)
	tell := p.install(l)
	p.mu.Unlock()
	tell()
	return l, nil, nil
}

// acceptable tells why the connection cannot become the link. The caller has
// locked.
func (p *peer) acceptable(g greeting, m handshake.Msg) error {
	own := peerKey{p.t.cfg.Address, p.t.cfg.Incarnation}
	theirs := peerKey{g.peer.Address, g.peer.Incarnation}
	l, a := p.link, p.attempt
	switch {
	case p.forgotten:
		return errForgotten
	case own == theirs:
		return refuse(handshake.Refused, "address %s and incarnation %s are those of this system", g.peer.Address, g.peer.Incarnation)
	case p.alias != nil:
		return refuse(handshake.Busy, "address %s is another name of %s", g.peer.Address, p.alias.key.address)
	case l == nil:
		if a != nil && a.attached > m.Seen && own.less(theirs) {
			return refuse(handshake.Yield, "%s is dialing %s", own.address, g.peer.Address)
		}
		if limit := p.t.cfg.Limits.MaxPeers; int(p.t.linked.Load()) >= limit {
			return refuse(handshake.Busy, "%d peers are linked, the limit", limit)
		}
	case l.remote.Incarnation != g.peer.Incarnation && l.principal != g.principal:
		return refuse(handshake.Refused, "address %s is linked to principal %q, not %q", g.peer.Address, l.principal, g.principal)
	case l.remote.Incarnation != g.peer.Incarnation:
	case l.remote.Dialed && l.seq > m.Seen:
		return refuse(handshake.Duplicate, "%s has linked %s already", own.address, g.peer.Address)
	case !l.remote.Dialed && l.seq >= m.Seq:
		return refuse(handshake.Refused, "dial %d of %s came after dial %d", m.Seq, g.peer.Address, l.seq)
	}
	return nil
}

// welcome tells the dialer that its connection is the link, and starts it.
func (l *link) welcome(stop func() bool) {
	err := handshake.Write(l.conn, "", handshake.Msg{Kind: handshake.Welcome})
	if err == nil {
		err = l.conn.SetDeadline(time.Time{})
	}
	if err != nil || !stop() {
		l.end(fmt.Errorf("lost: %w", errors.Join(err, context.Cause(l.p.t.ctx))))
	}
	l.start()
}
