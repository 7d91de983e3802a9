// Package frame is the wire form of a link between two systems: what each
// frame holds, how it is written and how it is read. It is pure: it allocates
// nothing while reading, keeps no state, and answers any bytes with a frame,
// a wish for more bytes, or an error that names the field and its value. Only
// actors/remote imports it.
//
// A frame is a kind (one byte), the payload's length (uvarint) and the
// payload. Names of actors and of message types are sent once per link, as
// Name and Type frames, and then by number, from 1; zero stands for no name.
package frame

import (
	"encoding/binary"
	"fmt"
)

// Kind says what a frame holds.
type Kind byte

// The kinds of frames. A reader that meets another kind ends the link.
const (
	Message Kind = 1 + iota // a whole message
	Keyed                   // the same, with keys behind the names
	Begin                   // the head of a message that follows in chunks
	Chunk                   // the next part of the message begun last
	Name                    // gives an actor's name the next number
	Type                    // gives a message type's name the next number
	Reset                   // forgets all numbers of names and types
	Ack                     // how many messages were taken; also the heartbeat
	Link                    // asks to be told when an actor ends
	Unlink                  // takes a Link back
	Exited                  // answers a Link
	Goodbye                 // the last frame of a side that closes in order
)

var kindNames = [...]string{"invalid", "message", "keyed", "begin", "chunk", "name", "type", "reset", "ack", "link", "unlink", "exited", "goodbye"}

// String gives the kind's name, or its number when there is none.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return fmt.Sprintf("kind %d", byte(k))
}

// Bounds that both sides of a link keep, in bytes unless said otherwise.
const (
	// ChunkSize is the most of a message's body that one frame holds; a
	// longer body is sent as a Begin and as many Chunks as it takes.
	ChunkSize = 64 << 10
	// MaxText bounds the name of an actor, of a type, and a reason.
	MaxText = 512
	// MaxNames bounds how many names, and how many types, have a number at
	// one time.
	MaxNames = 4096
	// MaxNameBytes bounds the sum of the lengths of all names and types that
	// have a number at one time.
	MaxNameBytes = 128 << 10
	// MaxHead bounds what a frame is longer than its body, name or reason.
	MaxHead = 48
	// MaxPayload bounds any payload.
	MaxPayload = ChunkSize + MaxHead
)

// Head says whom a message is for, who sent it and of which type it is.
type Head struct{ Target, Sender, Type uint32 }

// Keys are numbers that stand behind a message's names, one for each question
// that was asked, so that every name does not need a number of its own. Zero
// stands for none.
type Keys struct{ Target, Sender uint64 }

// Pair says who watches whom.
type Pair struct{ Watcher, Watched uint32 }

// Error says what was wrong with a frame.
type Error struct {
	Kind  Kind
	Field string
	Value uint64
	Why   string
}

// Error names the frame's kind, the field and its value.
func (e *Error) Error() string {
	return fmt.Sprintf("malformed %v frame: %s %d: %s", e.Kind, e.Field, e.Value, e.Why)
}

// Next cuts the first frame off b. The payload is a part of b. With n == 0
// and no error, b holds only the beginning of a frame.
func Next(b []byte) (k Kind, payload []byte, n int, err error) {
	if len(b) < 2 {
		if len(b) == 1 && !known(Kind(b[0])) {
			return 0, nil, 0, &Error{Kind(b[0]), "kind", uint64(b[0]), "unknown"}
		}
		return 0, nil, 0, nil
	}
	k = Kind(b[0])
	if !known(k) {
		return 0, nil, 0, &Error{k, "kind", uint64(b[0]), "unknown"}
	}
	size, w := binary.Uvarint(b[1:])
	if w < 0 || w == 0 && len(b) > binary.MaxVarintLen64 {
		return 0, nil, 0, &Error{k, "length", 0, "not a varint"}
	}
	if w == 0 {
		return 0, nil, 0, nil
	}
	if size > MaxPayload {
		return 0, nil, 0, &Error{k, "length", size, fmt.Sprintf("over %d", MaxPayload)}
	}
	end := 1 + w + int(size)
	if len(b) < end {
		return 0, nil, 0, nil
	}
	return k, b[1+w : end], end, nil
}

func known(k Kind) bool { return k >= Message && k <= Goodbye }
