package remote

import (
	"errors"
	"fmt"
	"net"

	"troupe/actors/address"
	"troupe/actors/remote/handshake"
)

// authRounds bounds how often each side speaks of credentials.
const authRounds = 8

// greeting is what a handshake finds out.
type greeting struct {
	conn      net.Conn
	peer      Peer
	principal string
}

// refusal is an error that the peer is told, with what it should do about it.
type refusal struct {
	code handshake.Code
	text string
}

func (r *refusal) Error() string { return r.text }

func refuse(code handshake.Code, format string, args ...any) error {
	return &refusal{code, fmt.Sprintf(format, args...)}
}

func unexpected(m handshake.Msg, want handshake.Kind) error {
	if m.Kind == handshake.Reject {
		return fmt.Errorf("refused by the peer: %s", m.Text)
	}
	return refuse(handshake.Refused, "%v message, want %v", m.Kind, want)
}

// greet is the dialer's side of finding out who is who.
func (t *Transport) greet(g *greeting) error {
	ex := t.exchange(g.peer)
	out, done, err := ex.Next(nil)
	if err != nil {
		return fmt.Errorf("credentials for %s: %w", g.peer.Address, err)
	}
	if err := handshake.Write(g.conn, handshake.Preface, t.hello(out, done)); err != nil {
		return err
	}
	m, err := t.hear(g.conn)
	if err != nil {
		return err
	}
	if err := g.introduce(m); err != nil {
		return t.reject(g.conn, err)
	}
	for round := 0; ; round++ {
		if !done {
			if out, done, err = ex.Next(m.Auth); err != nil {
				return t.reject(g.conn, refuse(handshake.Refused, "authentication: %v", err))
			}
		} else {
			out = nil
		}
		if done && m.Done && len(out) == 0 {
			break
		}
		if round == authRounds {
			return t.reject(g.conn, refuse(handshake.Refused, "authentication took over %d rounds", authRounds))
		}
		if m, err = t.askAuth(g.conn, out, done); err != nil {
			return err
		}
	}
	g.principal = ex.Principal()
	return t.reject(g.conn, t.admit(*g))
}

// askAuth sends credentials and gives the answer.
func (t *Transport) askAuth(conn net.Conn, out []byte, done bool) (handshake.Msg, error) {
	if err := handshake.Write(conn, "", handshake.Msg{Kind: handshake.Auth, Auth: out, Done: done}); err != nil {
		return handshake.Msg{}, err
	}
	m, err := handshake.Read(conn)
	if err == nil && m.Kind != handshake.Auth {
		err = t.reject(conn, unexpected(m, handshake.Auth))
	}
	return m, err
}

// welcome is the acceptor's side of finding out who is who, up to the Attach,
// which it gives. The preface has been read.
func (t *Transport) welcome(g *greeting) (handshake.Msg, error) {
	m, err := handshake.Read(g.conn)
	if err != nil {
		return m, err
	}
	if err := g.introduce(m); err != nil {
		return m, err
	}
	ex := t.exchange(g.peer)
	kind := handshake.Hello
	done := false
	for range authRounds {
		var out []byte
		if !done {
			if out, done, err = ex.Next(m.Auth); err != nil {
				return m, refuse(handshake.Refused, "authentication: %v", err)
			}
		}
		answer := t.hello(out, done)
		answer.Kind = kind
		if err := handshake.Write(g.conn, "", answer); err != nil {
			return m, err
		}
		if m, err = handshake.Read(g.conn); err != nil {
			return m, err
		}
		if m.Kind == handshake.Attach && done {
			g.principal = ex.Principal()
			return m, t.admit(*g)
		}
		if m.Kind != handshake.Auth {
			return m, unexpected(m, handshake.Auth)
		}
		kind = handshake.Auth
	}
	return m, refuse(handshake.Refused, "authentication took over %d rounds", authRounds)
}

func (t *Transport) hello(auth []byte, done bool) handshake.Msg {
	return handshake.Msg{
		Kind: handshake.Hello, Version: handshake.Version,
		Address: t.cfg.Address, Incarnation: t.cfg.Incarnation, Auth: auth, Done: done,
	}
}

// introduce checks who the other side says it is, and notes it.
func (g *greeting) introduce(m handshake.Msg) error {
	if m.Kind != handshake.Hello {
		return unexpected(m, handshake.Hello)
	}
	if m.Version != handshake.Version {
		return refuse(handshake.Refused, "version %d, want %d", m.Version, handshake.Version)
	}
	if m.Incarnation == "" {
		return refuse(handshake.Refused, "incarnation is empty")
	}
	if err := (address.PID{Name: "peer", Address: m.Address, Incarnation: m.Incarnation}).Validate(); err != nil {
		return refuse(handshake.Refused, "%v", err)
	}
	g.peer.Address, g.peer.Incarnation = m.Address, m.Incarnation
	return nil
}

// admit asks the policy.
func (t *Transport) admit(g greeting) error {
	if t.cfg.Policy == nil {
		return nil
	}
	if err := t.cfg.Policy.Admit(g.principal, g.peer); err != nil {
		return refuse(handshake.Refused, "not admitted: %v", err)
	}
	return nil
}

// reject tells the peer of a refusal, and gives the error back.
func (t *Transport) reject(conn net.Conn, err error) error {
	var r *refusal
	if !errors.As(err, &r) {
		return err
	}
	if werr := handshake.Write(conn, "", handshake.Msg{Kind: handshake.Reject, Code: r.code, Text: r.text}); werr != nil {
		return errors.Join(err, werr)
	}
	return err
}

// exchange begins the authentication with a peer.
func (t *Transport) exchange(p Peer) Exchange {
	if t.cfg.Authenticator != nil {
		return t.cfg.Authenticator.Begin(p)
	}
	return certificate{p}
}

// certificate is the default exchange, which says nothing.
type certificate struct{ peer Peer }

func (certificate) Next([]byte) ([]byte, bool, error) { return nil, true, nil }

// Principal is the common name of the peer's verified certificate.
func (c certificate) Principal() string {
	if c.peer.TLS == nil || len(c.peer.TLS.VerifiedChains) == 0 {
		return ""
	}
	return c.peer.TLS.VerifiedChains[0][0].Subject.CommonName
}

// addressOf gives the address of a peer's system, with no actor's name.
func addressOf(p Peer) *address.PID {
	return &address.PID{Address: p.Address, Incarnation: p.Incarnation}
}

func (k peerKey) less(o peerKey) bool {
	if k.address != o.address {
		return k.address < o.address
	}
	return k.incarnation < o.incarnation
}
