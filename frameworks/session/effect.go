package session

import (
	"time"

	"troupe/messages/mesos"
	"troupe/messages/mesos/scheduler"
)

// Effect is what a session asks of its shell. Effects are performed strictly
// in the order they are returned.
type Effect interface{ effect() }

// Send sends a call to the master.
type Send struct {
	To   Peer
	Call *scheduler.Call
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

// Persist asks to make the framework id durable; answered by Persisted. The
// author learns nothing of a new subscription before that.
type Persist struct{ FrameworkID *mesos.FrameworkID }

// Connected tells the author that the master accepts calls now.
type Connected struct {
	FrameworkID *mesos.FrameworkID
	// Master may be nil: it is optional on the wire.
	Master *mesos.MasterInfo
	// Resumed is false for the first subscription of a new framework.
	Resumed bool
}

// Disconnected tells the author that the master is out of reach. Every offer
// is void; tasks run on. Connected or Ended follows some day.
type Disconnected struct{ Reason string }

// Deliver hands an event to the author: OFFERS, INVERSE_OFFERS, RESCIND,
// RESCIND_INVERSE_OFFER, UPDATE, UPDATE_OPERATION_STATUS, MESSAGE or FAILURE.
// An UPDATE that carries a uuid is to be answered by Handled; the same update
// is not delivered again while that is outstanding, nor soon after.
type Deliver struct{ Event *scheduler.Event }

// Refused tells the author that a call came to nothing. Nothing of it has
// happened, unless Err says otherwise.
type Refused struct {
	// Call is nil when the master does not say which one it refused.
	Call *scheduler.Call
	Err  error
}

// Ended is the last effect of a session. Err is nil after a teardown and after
// Leave, and a *MasterError when the master would have no more of it.
type Ended struct {
	Err error
	// TornDown: the author asked for a teardown, and the master has said that the
	// framework is no more: its id is of no use. Err is nil then.
	TornDown bool
}

// Level ranks a Note.
type Level int

// Levels of a Note.
const (
	Debug Level = iota
	Info
	Warn
)

// Note is a log line. Fields are pairs of name and value.
type Note struct {
	Level  Level
	Text   string
	Fields []string
}

func (Send) effect()         {}
func (SetTimer) effect()     {}
func (CancelTimer) effect()  {}
func (Link) effect()         {}
func (Unlink) effect()       {}
func (Persist) effect()      {}
func (Connected) effect()    {}
func (Disconnected) effect() {}
func (Deliver) effect()      {}
func (Refused) effect()      {}
func (Ended) effect()        {}
func (Note) effect()         {}
