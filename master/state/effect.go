package state

import (
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/master/registry"
	"troupe/master/state/view"
)

// Effect is what a master does; the list below is closed. The shell performs
// effects strictly in order. The machine produces an effect that reveals a
// durable fact only after the Persisted that answers its Persist.
type Effect interface{ effect() }

// Send sends a message, which nobody modifies any more.
type Send struct {
	To      Peer
	Message proto.Message
}

// Answer answers an operator's request, or a call that was asked, once, at once
// or later.
type Answer struct {
	To Peer
	// Of the Received that it answers.
	Ask uint64
	// A *cluster.OperatorReply to a request, a *scheduler.APIResult to a call.
	Reply proto.Message
}

// SetTimer asks for TimerFired{Key}; setting a key again replaces it.
type SetTimer struct {
	Key   string
	After time.Duration
}

// CancelTimer takes a timer back; a key that is not set is no error.
type CancelTimer struct{ Key string }

// Link asks for PeerExited.
type Link struct{ Peer Peer }

// Unlink takes Link back.
type Unlink struct{ Peer Peer }

// Persist asks the registrar for an operation; answered by Persisted.
type Persist struct {
	Key       uint64
	Operation registry.Operation
}

// Observe starts an agent's observer, or tells it of a new address or state.
// The observer pings and reports AgentSilent.
type Observe struct {
	Agent AgentID
	Peer  Peer
	// What pings say: false makes the agent register again.
	Connected bool
}

// Unobserve stops an agent's observer.
type Unobserve struct{ Agent AgentID }

// Publish tells the read side.
type Publish struct{ Event view.Event }

// Level of a Note.
type Level uint8

// The levels, from the least urgent.
const (
	Debug Level = iota
	Info
	Warn
)

// Field is a named value of a Note.
type Field struct{ Name, Value string }

// Note is a line of the log.
type Note struct {
	Level  Level
	Text   string
	Fields []Field
}

// Halt ends this master's leadership, and its process: it must not act any
// more. It is the last effect.
type Halt struct{ Err error }

func (Send) effect()        {}
func (Answer) effect()      {}
func (SetTimer) effect()    {}
func (CancelTimer) effect() {}
func (Link) effect()        {}
func (Unlink) effect()      {}
func (Persist) effect()     {}
func (Observe) effect()     {}
func (Unobserve) effect()   {}
func (Publish) effect()     {}
func (Note) effect()        {}
func (Halt) effect()        {}
