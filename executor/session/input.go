package session

import (
	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos"
)

// Peer is an actor's printed address, "name@host:port" with an optional
// "#incarnation".
type Peer string

// Input is what can happen to a session.
type Input interface{ input() }

// Start begins the session: the first input.
type Start struct{}

// Received is a message as it came. Only executor events of the agent count.
type Received struct {
	From    Peer
	Message proto.Message
}

// TimerFired answers a SetTimer.
type TimerFired struct{ Key string }

// PeerExited answers a Link.
type PeerExited struct{ Peer Peer }

// Update is news of a task, to be delivered at least once. Status needs
// task_id, state and a fresh uuid of 16 bytes; the session completes a copy.
// What follows a terminal state of the same task is dropped.
type Update struct{ Status *mesos.TaskStatus }

// Message is data for the framework, delivered at most once.
type Message struct{ Data []byte }

// Finish ends the session once every update is acknowledged, or after a
// minute.
type Finish struct{}

func (Start) input()      {}
func (Received) input()   {}
func (TimerFired) input() {}
func (PeerExited) input() {}
func (Update) input()     {}
func (Message) input()    {}
func (Finish) input()     {}
