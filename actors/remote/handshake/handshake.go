// Package handshake is the wire form of what two systems say before a link
// carries frames. It is pure but for Read and Write, which move one message,
// and it answers any bytes with a message or with an error that names the
// field. Only actors/remote imports it.
//
// The dialer speaks first and the two alternate:
//
//	dialer    Preface, Hello   who I am, first credentials
//	acceptor  Hello            who I am, an answer to them
//	dialer    Auth             only while credentials are left to exchange,
//	acceptor  Auth             round by round
//	dialer    Attach           make this connection the link
//	acceptor  Welcome          it is; frames follow from both sides
//
// Either side may say Reject instead, and hangs up. Before its Hello the acceptor
// may say Wait, any number of times: it will come to the dialer.
package handshake

import (
	"encoding/binary"
	"fmt"
	"io"
)

// Preface is what a dialer sends first. Its first byte begins no HTTP method,
// so that one byte tells links from HTTP.
const Preface = "\x00troupe\n"

// Version is the protocol's version; both sides must name the same.
const Version = 1

// Bounds in bytes.
const (
	// MaxText bounds an address, an incarnation and a reason.
	MaxText = 512
	// MaxAuth bounds the credentials of one message.
	MaxAuth = 16 << 10
	// maxPayload bounds any message.
	maxPayload = MaxAuth + 4*MaxText
	headSize   = 3
)

// Kind says which of the messages of a handshake it is.
type Kind byte

// The kinds of messages.
const (
	Hello Kind = 1 + iota
	Auth
	Attach
	Welcome
	Reject
	Wait
)

// Code says to a rejected dialer what to do.
type Code uint64

// The codes of a Reject.
const (
	// Refused: dialing again will not help.
	Refused Code = iota
	// Yield: wait, for the acceptor's own connection is about to come.
	Yield
	// Duplicate: the two systems are linked already.
	Duplicate
	// Busy: dial again later.
	Busy
)

var kindNames = [...]string{"invalid", "hello", "auth", "attach", "welcome", "reject", "wait"}

// String gives the kind's name, or its number when there is none.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return fmt.Sprintf("kind %d", byte(k))
}

// Msg is one message. Which fields count depends on the kind; a Parse leaves
// the others zero.
type Msg struct {
	Kind        Kind
	Version     uint64 // Hello
	Address     string // Hello: host:port of the speaker's system
	Incarnation string // Hello: of the speaker's system
	Done        bool   // Hello, Auth: the speaker needs no more credentials
	Auth        []byte // Hello, Auth: credentials
	Seq         uint64 // Attach: number of the dial, growing with each
	Seen        uint64 // Attach: highest Seq taken from the acceptor, 0 for none
	Code        Code   // Reject
	Text        string // Reject: why, for people
}

// Append adds the message to b.
func Append(b []byte, m Msg) []byte {
	start := len(b)
	b = append(b, byte(m.Kind), 0, 0)
	switch m.Kind {
	case Hello:
		b = binary.AppendUvarint(b, m.Version)
		b = appendText(b, m.Address)
		b = appendText(b, m.Incarnation)
		b = appendAuth(b, m)
	case Auth:
		b = appendAuth(b, m)
	case Attach:
		b = binary.AppendUvarint(b, m.Seq)
		b = binary.AppendUvarint(b, m.Seen)
	case Reject:
		b = binary.AppendUvarint(b, uint64(m.Code))
		b = appendText(b, m.Text[:min(len(m.Text), MaxText)])
	}
	binary.BigEndian.PutUint16(b[start+1:], uint16(len(b)-start-headSize))
	return b
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func appendAuth(b []byte, m Msg) []byte {
	done := byte(0)
	if m.Done {
		done = 1
	}
	b = append(b, done)
	b = binary.AppendUvarint(b, uint64(len(m.Auth)))
	return append(b, m.Auth...)
}

// Check tells whether the message keeps the bounds; only such may be written.
func (m Msg) Check() error {
	switch {
	case len(m.Address) > MaxText:
		return fmt.Errorf("handshake: address of %d bytes, over %d", len(m.Address), MaxText)
	case len(m.Incarnation) > MaxText:
		return fmt.Errorf("handshake: incarnation of %d bytes, over %d", len(m.Incarnation), MaxText)
	case len(m.Auth) > MaxAuth:
		return fmt.Errorf("handshake: credentials of %d bytes, over %d", len(m.Auth), MaxAuth)
	}
	return nil
}

// Write sends the message after the prefix, in one write.
func Write(w io.Writer, prefix string, m Msg) error {
	if err := m.Check(); err != nil {
		return err
	}
	if _, err := w.Write(Append([]byte(prefix), m)); err != nil {
		return fmt.Errorf("handshake: write %v: %w", m.Kind, err)
	}
	return nil
}

// Read takes one message and not a byte more.
func Read(r io.Reader) (Msg, error) {
	var head [headSize]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return Msg{}, fmt.Errorf("handshake: read: %w", err)
	}
	size := int(binary.BigEndian.Uint16(head[1:]))
	if size > maxPayload {
		return Msg{}, fmt.Errorf("handshake: %v of %d bytes, over %d", Kind(head[0]), size, maxPayload)
	}
	payload := make([]byte, size)
	if _, err := io.ReadFull(r, payload); err != nil {
		return Msg{}, fmt.Errorf("handshake: read %v: %w", Kind(head[0]), err)
	}
	return Parse(Kind(head[0]), payload)
}
