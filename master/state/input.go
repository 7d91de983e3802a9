package state

import (
	"google.golang.org/protobuf/proto"

	"troupe/master/registry"
)

// Peer is an actor's printed address.
type Peer string

// Input is what may happen to a master; the list below is closed.
type Input interface{ input() }

// Started begins the leadership of this master, once, before anything else.
type Started struct {
	// What the registry held.
	Registry registry.Registry
}

// Received is a message as it came. The machine takes it for immutable, and
// keeps parts of it.
type Received struct {
	From Peer
	// Of the connection the message came on; empty without authentication.
	Principal string
	Message   proto.Message
	// Names the question that an Answer is to; 0 when nobody waits for one.
	Ask uint64
}

// PeerExited tells that the link to a peer is gone, after all its messages.
type PeerExited struct{ Peer Peer }

// TimerFired tells that the time of a SetTimer is over.
type TimerFired struct{ Key string }

// Persisted answers the Persist with the same Key. Answers come in the order
// of the effects.
type Persisted struct {
	Key uint64
	// Nil: the operation is durable. Wraps registry.ErrConflict: the registry
	// forbade it. Anything else: the store failed, and with it the master.
	Err error
}

// AgentSilent is the observer's word that an agent left too many pings
// unanswered.
type AgentSilent struct{ Agent AgentID }

// AgentAnswered is the observer's word that an agent which it reported silent
// answers again.
type AgentAnswered struct{ Agent AgentID }

// HostsListed says of which hosts alone agents are offered from now on.
type HostsListed struct{ Hosts Hosts }

func (Started) input()       {}
func (Received) input()      {}
func (PeerExited) input()    {}
func (TimerFired) input()    {}
func (Persisted) input()     {}
func (AgentSilent) input()   {}
func (AgentAnswered) input() {}
func (HostsListed) input()   {}
