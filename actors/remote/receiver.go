package remote

import (
	"crypto/tls"
	"fmt"
	"net"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"troupe/actors/address"
)

// Receiver is what the transport hands things to. Its methods are called from
// the transport's goroutines and from within Send, Link and Close; they must
// not block, and may call the transport again.
type Receiver interface {
	// Deliver takes a message from a peer. It may give back the work that the
	// message has made, which the caller must see done soon: on the link's
	// goroutine, or another.
	Deliver(d *Delivery) Work
	// DeadLetter takes each message that Send accepted and that will not
	// arrive, exactly once. The reason wraps a Reason.
	DeadLetter(from, to address.PID, typ protoreflect.FullName, reason error)
	// Rejected takes notice of a message from a peer that was not delivered:
	// its type is unknown here, its body is malformed, or the policy forbids
	// it.
	Rejected(from, to address.PID, principal string, typ protoreflect.FullName, reason error)
	// Exited answers a Link, exactly once, after all messages that the
	// watched actor's system sent earlier on that link.
	Exited(watcher, watched address.PID, reason string)
	// Watch says that a peer's actor wants to be told when the local actor
	// watched ends, or at once when there is none; Transport.Ended tells it.
	// A peer's repeated wish is passed on once.
	Watch(watcher, watched address.PID)
	// Unwatch takes a Watch back; the peer did, or its link ended.
	Unwatch(watcher, watched address.PID)
}

// Work is something that a message has made.
type Work interface {
	// Do does it. It may take long, or even wait: the link is then read by
	// another goroutine.
	Do()
	// Go has it done by somebody else.
	Go()
}

// Delivery is a message from a peer. The Receiver reads it during the call, and
// may change what Memo points to; it is used again for the next message.
type Delivery struct {
	// From has the peer's own address and incarnation; its name is empty when
	// the message has no sender.
	From address.PID
	To   address.PID
	// Principal is that of the link.
	Principal string
	Message   proto.Message
	// Size is that of the encoded message, in bytes.
	Size int
	// Memo is the Receiver's to keep something about From in, for it gets the
	// same again with most later messages of the same sender, whatever key
	// stands behind its name.
	Memo *any
}

// Reason says why a message is a dead letter. It is an error to be found with
// errors.Is or errors.As.
type Reason uint8

// The reasons.
const (
	// Unreachable: there is no link to the peer and none could be made.
	Unreachable Reason = iota
	// Lost: the link ended before the message was written to it.
	Lost
	// Unconfirmed: the link ended after the message was written to it and
	// before the peer acknowledged it. It may have arrived.
	Unconfirmed
	// Stale: the message was meant for another incarnation of the peer.
	Stale
	// OverBudget: too much waits for the peer already.
	OverBudget
	// Closed: this transport is closed.
	Closed
	reasons
)

var reasonTexts = [reasons]string{"unreachable", "lost", "unconfirmed", "stale incarnation", "over budget", "closed"}

// Error gives the reason in words.
func (r Reason) Error() string {
	if r < reasons {
		return reasonTexts[r]
	}
	return fmt.Sprintf("reason %d", uint8(r))
}

// Peer is what is known of the other system when a link is made.
type Peer struct {
	Address     string // as it claims; as dialed while it has said nothing
	Incarnation string // as it claims; empty while it has said nothing
	Dialed      bool   // this side dialed
	Remote      net.Addr
	TLS         *tls.ConnectionState // nil without TLS
}

// Authenticator proves to a peer who this system is, and finds out who the
// peer is.
type Authenticator interface {
	// Begin starts the exchange with one peer.
	Begin(p Peer) Exchange
}

// Exchange is one side of an authentication: the dialer's and the acceptor's
// Next are called in turn, the dialer's first with nil, until both are done.
// It is used by one goroutine, for at most the time of a handshake and eight
// rounds.
type Exchange interface {
	// Next takes what the other side said and gives what to say. Done means
	// that this side is satisfied and Next will not be called again. An error
	// ends the connection; its text is told to the peer.
	Next(in []byte) (out []byte, done bool, err error)
	// Principal is who the peer is, once done; "" for nobody in particular.
	Principal() string
}

// Policy says who may do what. Its methods are called on the goroutines of
// links and must not block.
type Policy interface {
	// Admit says whether a system with this principal may be linked under
	// this address. An error ends the connection; its text is told to the
	// peer.
	Admit(principal string, p Peer) error
	// Allow says whether a message of the type may be delivered. It is called
	// once for each message that arrived; an error makes it Rejected.
	Allow(principal string, from, to address.PID, typ protoreflect.FullName) error
}
