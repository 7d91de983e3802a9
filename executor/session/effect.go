package session

import (
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos/executor"
)

// Effect is what a session asks of its shell, in order.
type Effect interface{ effect() }

// Send sends a message to the agent.
type Send struct {
	To      Peer
	Message proto.Message
}

// SetTimer asks for TimerFired after a while. Setting a key again replaces it.
type SetTimer struct {
	Key   string
	After time.Duration
}

// CancelTimer takes a SetTimer back. Unknown keys are ignored.
type CancelTimer struct{ Key string }

// Link asks for PeerExited.
type Link struct{ Peer Peer }

// Unlink takes a Link back.
type Unlink struct{ Peer Peer }

// Deliver hands an event to the executor's author: SUBSCRIBED (also after a
// reconnection), LAUNCH, LAUNCH_GROUP, KILL, ACKNOWLEDGED, MESSAGE or SHUTDOWN.
// A task is delivered once.
type Deliver struct{ Event *executor.Event }

// Ended is the last effect. Err is nil after Finish.
type Ended struct{ Err error }

// Note is a warning for the log. Fields are pairs of name and value.
type Note struct {
	Text   string
	Fields []string
}

func (Send) effect()        {}
func (SetTimer) effect()    {}
func (CancelTimer) effect() {}
func (Link) effect()        {}
func (Unlink) effect()      {}
func (Deliver) effect()     {}
func (Ended) effect()       {}
func (Note) effect()        {}
