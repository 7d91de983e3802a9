package core

import "google.golang.org/protobuf/proto"

// Peer is an actor's printed address.
type Peer string

// Input is what may happen to an allocator; the list below is closed.
type Input interface{ input() }

// Received is a message as it came. The allocator takes it for immutable, and
// keeps parts of it.
type Received struct {
	From Peer
	// Of the connection the message came on; empty without authentication.
	Principal string
	Message   proto.Message
}

// TimerFired tells that the time of a SetTimer is over.
type TimerFired struct{ Key string }

// PeerExited tells that the link to a peer is gone, after all its messages.
type PeerExited struct{ Peer Peer }

// Seeded replaces the state of chance, which decides the order in which a pass
// looks at agents, and, with ByLot, who comes first on each.
type Seeded struct{ Seed uint64 }

func (Received) input()   {}
func (TimerFired) input() {}
func (PeerExited) input() {}
func (Seeded) input()     {}
