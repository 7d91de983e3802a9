package core

import (
	"time"

	"google.golang.org/protobuf/proto"
)

// Effect is what an allocator does; the list below is closed. The shell
// performs effects strictly in order.
type Effect interface{ effect() }

// Send sends a message, which nobody modifies any more.
type Send struct {
	To      Peer
	Message proto.Message
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

func (Send) effect()        {}
func (SetTimer) effect()    {}
func (CancelTimer) effect() {}
func (Link) effect()        {}
func (Unlink) effect()      {}
func (Note) effect()        {}
