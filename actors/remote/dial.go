package remote

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"time"

	"go.uber.org/zap"

	"troupe/actors/remote/handshake"
)

// dialTries is how often one attempt starts over because the peer asked it to
// wait.
const dialTries = 3

// askedToWait says that an attempt may start over after a time.
type askedToWait struct {
	time time.Duration
	text string
}

// Error gives the peer's words.
func (w *askedToWait) Error() string { return "the peer asked to wait: " + w.text }

func (t *Transport) newAttempt() *attempt {
	a := &attempt{}
	a.ctx, a.cancel = context.WithCancel(t.ctx)
	return a
}

// try runs an attempt to its end: the peer is linked, by whoever, or what
// waits for it has become dead letters.
func (t *Transport) try(p *peer, a *attempt) {
	defer a.cancel()
	err := a.pause(time.Duration(p.putOff()))
	for i := 0; err == nil && i < dialTries; i++ {
		if p, err = t.reach(p, a); err == nil {
			return
		}
		var w *askedToWait
		if errors.As(err, &w) && i+1 < dialTries {
			err = a.pause(w.time) // in which the peer may make the link, and call the attempt off
		}
	}
	t.log.Debug("dial failed", zap.String("peer", p.key.address), zap.Error(err))
	p.fail(a, err)
}

// putOff is how long the peer must not be dialed yet.
func (p *peer) putOff() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return max(0, p.notBefore-p.t.now())
}

// pause waits, unless the attempt is called off.
func (a *attempt) pause(d time.Duration) error {
	if d <= 0 {
		return a.ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-a.ctx.Done():
		return a.ctx.Err()
	case <-timer.C:
		return nil
	}
}

// reach dials once. It gives the peer that the attempt is for by then, which
// is another one when the system that answered has another address.
func (t *Transport) reach(p *peer, a *attempt) (*peer, error) {
	conn, state, err := t.connect(a.ctx, p.key.address)
	if err != nil {
		return p, err
	}
	stop := context.AfterFunc(a.ctx, func() { _ = conn.Close() })
	defer stop()
	kept := false
	defer func() {
		if !kept {
			_ = conn.Close() // unused, so that its end is nobody's loss
		}
	}()
	g := greeting{conn: conn, peer: Peer{Address: p.key.address, Dialed: true, Remote: conn.RemoteAddr(), TLS: state}}
	if err := t.greet(&g); err != nil {
		return p, err
	}
	owner, mine, err := t.recognize(p, a, g.peer)
	if err != nil || !mine {
		return owner, err
	}
	kept, err = t.attach(owner, a, g, stop)
	return owner, err
}

// connect opens a connection, with TLS when configured.
func (t *Transport) connect(ctx context.Context, addr string) (net.Conn, *tls.ConnectionState, error) {
	dctx, cancel := context.WithTimeout(ctx, t.cfg.Limits.DialTimeout)
	defer cancel()
	conn, err := t.cfg.Dial(dctx, addr)
	if err != nil {
		return nil, nil, fmt.Errorf("dial %s: %w", addr, err)
	}
	if err := conn.SetDeadline(time.Now().Add(t.patience())); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("dial %s: %w", addr, err), conn.Close())
	}
	if t.cfg.TLS.Client == nil {
		return conn, nil, nil
	}
	c := tls.Client(conn, t.clientTLS(addr))
	if err := c.HandshakeContext(ctx); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("TLS with %s: %w", addr, err), conn.Close())
	}
	state := c.ConnectionState()
	if state.NegotiatedProtocol != ALPN {
		return nil, nil, errors.Join(fmt.Errorf("TLS with %s: protocol %q, want %q", addr, state.NegotiatedProtocol, ALPN), conn.Close())
	}
	return c, &state, nil
}

// patience is how long a dialer waits for each answer. The acceptor's own
// HandshakeTimeout begins when it turns to the connection, which may have waited.
func (t *Transport) patience() time.Duration {
	return max(t.cfg.Limits.HandshakeTimeout, t.cfg.Limits.DeadAfter)
}

// mostWaits bounds how often a peer may say that it will come.
const mostWaits = 1000

// hear takes the acceptor's next answer. As long as that says that it will come,
// it lives, and giving up would only make another dial for it.
func (t *Transport) hear(conn net.Conn) (handshake.Msg, error) {
	for range mostWaits {
		if err := conn.SetDeadline(time.Now().Add(t.patience())); err != nil {
			return handshake.Msg{}, err
		}
		m, err := handshake.Read(conn)
		if err != nil || m.Kind != handshake.Wait {
			return m, err
		}
	}
	return handshake.Msg{}, fmt.Errorf("the peer asked to wait %d times", mostWaits)
}

func (t *Transport) clientTLS(addr string) *tls.Config {
	c := t.cfg.TLS.Client.Clone()
	c.NextProtos = []string{ALPN}
	if host, _, err := net.SplitHostPort(addr); err == nil && c.ServerName == "" {
		c.ServerName = host
	}
	return c
}

// recognize finds whose attempt this is, now that the other side has said who
// it is, and tells false when nothing is left to do for it.
func (t *Transport) recognize(p *peer, a *attempt, who Peer) (*peer, bool, error) {
	if who.Address == t.cfg.Address && who.Incarnation == t.cfg.Incarnation {
		return p, false, fmt.Errorf("dial %s: it is this system itself", p.key.address)
	}
	if who.Address == p.key.address {
		return p, true, nil
	}
	for {
		owner, err := t.peer(keyOf(addressOf(who)))
		if err != nil {
			return p, false, err
		}
		mine, err := p.become(owner, a)
		if !errors.Is(err, errForgotten) {
			return owner, mine, err
		}
	}
}

// become makes p an alias of owner and hands its attempt and all that waits to
// it, unless owner has a link or an attempt of its own.
func (p *peer) become(owner *peer, a *attempt) (bool, error) {
	unlock := lockBoth(p, owner)
	switch {
	case p.attempt != a:
		unlock()
		return false, nil // called off
	case owner.forgotten:
		unlock()
		return false, errForgotten
	case owner.alias != nil || len(p.aliases) > 0:
		unlock()
		return false, fmt.Errorf("dial %s: answered as %s, which answered as another", p.key.address, owner.key.address)
	}
	p.attempt = nil
	p.alias = owner
	owner.aliases = append(owner.aliases, p)
	mine := owner.link == nil && owner.attempt == nil
	if mine {
		owner.attempt = a
	}
	pending, ws := p.pending, p.watches
	p.pending, p.load, p.watches = nil, 0, nil
	tell := owner.adopt(pending, ws)
	unlock()
	tell()
	return mine, nil
}

// lockBoth locks two peers, in the same order whoever asks, and gives the way
// back.
func lockBoth(p, q *peer) (unlock func()) {
	first, second := p, q
	if q.key.less(p.key) {
		first, second = q, p
	}
	first.mu.Lock()
	second.mu.Lock()
	return func() {
		second.mu.Unlock()
		first.mu.Unlock()
	}
}

// attach asks the peer to make the connection the link, and does so. It tells
// whether the connection is in use.
func (t *Transport) attach(p *peer, a *attempt, g greeting, stop func() bool) (bool, error) {
	seq := t.seq.Add(1)
	p.mu.Lock()
	if p.attempt != a {
		p.mu.Unlock()
		return false, nil // the peer was faster
	}
	a.attached = seq
	seen := p.seen
	if p.seenOf != g.peer.Incarnation {
		seen = 0
	}
	p.mu.Unlock()
	err := handshake.Write(g.conn, "", handshake.Msg{Kind: handshake.Attach, Seq: seq, Seen: seen})
	if err != nil {
		return false, err
	}
	m, err := t.hear(g.conn)
	switch {
	case err != nil:
		return false, err
	case m.Kind == handshake.Reject && m.Code != handshake.Refused:
		return false, t.wait(p, a, m)
	case m.Kind != handshake.Welcome:
		return false, unexpected(m, handshake.Welcome)
	}
	return t.take(p, a, newLink(p, g, seq), stop)
}

// take makes l the link of the attempt, unless another one came first.
func (t *Transport) take(p *peer, a *attempt, l *link, stop func() bool) (bool, error) {
	if err := l.conn.SetDeadline(time.Time{}); err != nil {
		return false, err
	}
	p.mu.Lock()
	if p.attempt != a || !stop() {
		p.mu.Unlock()
		return false, nil
	}
	tell := p.install(l)
	p.mu.Unlock()
	tell()
	l.start()
	return true, nil
}

// wait says how long the peer gets to make the link itself, or to be ready.
func (t *Transport) wait(p *peer, a *attempt, m handshake.Msg) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.attempt == a {
		a.attached = 0
	}
	if m.Code == handshake.Yield {
		return &askedToWait{t.cfg.Limits.HandshakeTimeout, m.Text}
	}
	return &askedToWait{t.cfg.Limits.BackoffMin, m.Text}
}
