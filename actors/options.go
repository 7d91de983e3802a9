package actors

import (
	"cmp"
	"crypto/tls"
	"net/http"

	"go.uber.org/zap"
)

// Limits bound what one actor's mailbox holds. A zero field has the default.
type Limits struct {
	// MailboxMessages waiting at most; 1,000,000. Continuations, timers and
	// Exited count, but are never refused.
	MailboxMessages int
	// MailboxBytes of waiting messages that came over the network, as they were
	// on the wire; 64 MiB. Messages of this process are shared, not copied, and
	// count as messages only.
	MailboxBytes int64
}

func (l Limits) withDefaults(d Limits) *Limits {
	return &Limits{
		MailboxMessages: cmp.Or(max(l.MailboxMessages, 0), d.MailboxMessages),
		MailboxBytes:    cmp.Or(max(l.MailboxBytes, 0), d.MailboxBytes),
	}
}

// Options make a System. The zero Options make one that does not listen.
type Options struct {
	// Listen is the host:port to listen on; port 0 takes a free one. Empty: the
	// system does not listen, and has an address with port 0.
	Listen string
	// Advertise is the host, or host:port, under which peers know this system;
	// default: what it listens on, or the host's name.
	Advertise string
	// TLS of all links and of HTTP, both when dialing and when dialed; peers
	// prove themselves with certificates. Nil: plain TCP.
	TLS *tls.Config
	// Authenticator and Policy of links; see there for what nil means.
	Authenticator Authenticator
	Policy        Policy
	// Links bound what peers can cost.
	Links LinkLimits
	// Guard takes the place of every handler of Route: it asks who wants it
	// before it hands on to it. Nil: whoever asks is answered.
	Guard func(pattern string, h http.Handler) http.Handler
	// Unready: HTTP requests are answered with 503 until Ready is called, so that
	// nobody takes a route that is still to be mounted for one that there is not.
	Unready bool
	// Logger is nil for silence.
	Logger *zap.Logger
	// Limits of every mailbox that has none of its own.
	Limits Limits
	// OnPanic is called, on the actor's goroutine, after a panic was logged and
	// its actor told to stop. A daemon ends its process here. Nil: nothing more.
	OnPanic func(Panic)
	// OnDeadLetter and OnUnhandled see every such message, with its count so
	// far, on the goroutine where it was lost; they must not block. For tests.
	OnDeadLetter, OnUnhandled func(Lost)
	// Runner runs the actors; nil: goroutines.
	Runner Runner
	// Transport takes the place of links over TCP. The system then does not
	// listen, Advertise must be its host:port, and what else concerns links and
	// HTTP is not used. Nil: links over TCP.
	Transport NewTransport
}

// defaultLimits are those of Limits' comments.
var defaultLimits = Limits{MailboxMessages: 1_000_000, MailboxBytes: 64 << 20}
