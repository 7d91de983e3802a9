package remote

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"go.uber.org/zap"

	"troupe/actors/address"
)

// ALPN is the protocol that links negotiate in TLS.
const ALPN = "troupe/1"

// Config is what a transport is made of. Only Address, Incarnation and
// Receiver must be set.
type Config struct {
	// Listener takes connections of peers and of HTTP clients; the transport
	// closes it. Nil: the system does not listen, and its port is 0.
	Listener net.Listener
	// Address is the host:port by which peers know and dial this system.
	Address string
	// Incarnation differs between any two runs of a system.
	Incarnation string
	Receiver    Receiver
	TLS         TLS
	// Authenticator is nil for: the common name of the verified certificate.
	Authenticator Authenticator
	// Policy is nil for: whoever is authenticated may do everything.
	Policy Policy
	Limits Limits
	// Logger is nil for silence.
	Logger *zap.Logger
	// HTTP answers the HTTP requests that come to the listener. Nil: such
	// connections are closed.
	HTTP http.Handler
	// Dial replaces the dialer of TCP connections. TLS, when configured, runs
	// on top.
	Dial func(ctx context.Context, address string) (net.Conn, error)
}

// TLS holds the two sides' configurations; both set or none. The server side
// asks peers for a certificate and verifies it against ClientCAs whatever its
// ClientAuth says, which then counts for HTTP clients alone.
type TLS struct{ Server, Client *tls.Config }

// Limits bounds what peers can cost. A zero field has the default.
type Limits struct {
	MaxMessage       int           // bytes of one message's body; 16 MiB
	QueueBytes       int           // bytes accepted for one peer and not acknowledged; 64 MiB
	MaxPeers         int           // linked systems; 100,000
	MaxHandshakes    int           // connections in their handshake, while others wait; 1,024
	MaxWaiting       int           // connections that wait for their handshake, while others wait to be accepted; 16,384
	MaxWatches       int           // local actors watched over one link; 100,000
	Heartbeat        time.Duration // longest silence of this side; 5 s
	DeadAfter        time.Duration // longest silence of a peer; 15 s
	AckDelay         time.Duration // longest time that a message which was taken stays unacknowledged; 1 s
	StallAfter       time.Duration // longest time that a peer takes nothing of what waits; 30 s
	DialTimeout      time.Duration // for a TCP connection; 10 s
	HandshakeTimeout time.Duration // for TLS and the handshake, from when the acceptor turns to it; 10 s
	BackoffMin       time.Duration // between dials that fail, doubling, jittered; 100 ms
	BackoffMax       time.Duration // where the doubling ends; 5 s
}

func (l Limits) withDefaults() Limits {
	l.MaxMessage = cmp.Or(l.MaxMessage, 16<<20)
	l.QueueBytes = cmp.Or(l.QueueBytes, 64<<20)
	l.MaxPeers = cmp.Or(l.MaxPeers, 100_000)
	l.MaxHandshakes = cmp.Or(l.MaxHandshakes, 1024)
	l.MaxWaiting = cmp.Or(l.MaxWaiting, 16_384)
	l.MaxWatches = cmp.Or(l.MaxWatches, 100_000)
	l.Heartbeat = cmp.Or(l.Heartbeat, 5*time.Second)
	l.DeadAfter = cmp.Or(l.DeadAfter, 15*time.Second)
	l.AckDelay = cmp.Or(l.AckDelay, time.Second)
	l.StallAfter = cmp.Or(l.StallAfter, 30*time.Second)
	l.DialTimeout = cmp.Or(l.DialTimeout, 10*time.Second)
	l.HandshakeTimeout = cmp.Or(l.HandshakeTimeout, 10*time.Second)
	l.BackoffMin = cmp.Or(l.BackoffMin, 100*time.Millisecond)
	l.BackoffMax = cmp.Or(l.BackoffMax, 5*time.Second)
	return l
}

func (l Limits) check() error {
	counts := []struct {
		name  string
		value int
	}{
		{"MaxMessage", l.MaxMessage},
		{"QueueBytes", l.QueueBytes},
		{"MaxPeers", l.MaxPeers},
		{"MaxHandshakes", l.MaxHandshakes},
		{"MaxWaiting", l.MaxWaiting},
		{"MaxWatches", l.MaxWatches},
		{"Heartbeat", int(l.Heartbeat)},
		{"DeadAfter", int(l.DeadAfter)},
		{"AckDelay", int(l.AckDelay)},
		{"StallAfter", int(l.StallAfter)},
		{"DialTimeout", int(l.DialTimeout)},
		{"HandshakeTimeout", int(l.HandshakeTimeout)},
		{"BackoffMin", int(l.BackoffMin)},
		{"BackoffMax", int(l.BackoffMax)},
	}
	for _, c := range counts {
		if c.value < 0 {
			return fmt.Errorf("remote: limit %s is %d, below 0", c.name, c.value)
		}
	}
	switch {
	case l.MaxMessage+messageCost > l.QueueBytes:
		return fmt.Errorf("remote: limit MaxMessage %d does not fit into QueueBytes %d", l.MaxMessage, l.QueueBytes)
	case l.Heartbeat*2 > l.DeadAfter:
		return fmt.Errorf("remote: limit Heartbeat %v is over half of DeadAfter %v", l.Heartbeat, l.DeadAfter)
	}
	return nil
}

func (c *Config) complete() error {
	c.Limits = c.Limits.withDefaults()
	if c.Logger == nil {
		c.Logger = zap.NewNop()
	}
	if c.Dial == nil {
		d := &net.Dialer{KeepAlive: -1}
		c.Dial = func(ctx context.Context, address string) (net.Conn, error) { return d.DialContext(ctx, "tcp", address) }
	}
	switch {
	case c.Receiver == nil:
		return errors.New("remote: Receiver is nil")
	case c.Incarnation == "":
		return errors.New("remote: Incarnation is empty")
	case (c.TLS.Server == nil) != (c.TLS.Client == nil):
		return errors.New("remote: TLS is set for one side only")
	}
	if err := (address.PID{Name: "self", Address: c.Address, Incarnation: c.Incarnation}).Validate(); err != nil {
		return fmt.Errorf("remote: this system: %w", err)
	}
	if listens := c.Listener != nil; listens != address.Dialable(c.Address) {
		return fmt.Errorf("remote: address %q of a system with listener %t: the port is 0 if and only if it does not listen", c.Address, listens)
	}
	return c.Limits.check()
}
