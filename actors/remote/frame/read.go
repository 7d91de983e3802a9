package frame

import (
	"encoding/binary"
	"fmt"
	"math"
)

// fields reads the uvarints at the head of a payload and keeps the first
// error.
type fields struct {
	kind Kind
	b    []byte
	err  error
}

func (f *fields) number(field string, lowest, highest uint64) uint64 {
	if f.err != nil {
		return 0
	}
	v, w := binary.Uvarint(f.b)
	switch {
	case w <= 0:
		f.err = &Error{f.kind, field, uint64(len(f.b)), "bytes left are not a varint"}
	case v < lowest || v > highest:
		f.err = &Error{f.kind, field, v, fmt.Sprintf("outside %d to %d", lowest, highest)}
	default:
		f.b = f.b[w:]
		return v
	}
	return 0
}

func (f *fields) head() Head {
	return Head{
		Target: uint32(f.number("target", 1, MaxNames)),
		Sender: uint32(f.number("sender", 0, MaxNames)),
		Type:   uint32(f.number("type", 1, MaxNames)),
	}
}

func (f *fields) keys() Keys {
	return Keys{Target: f.number("target key", 0, math.MaxUint64), Sender: f.number("sender key", 0, math.MaxUint64)}
}

func (f *fields) pair() Pair {
	return Pair{
		Watcher: uint32(f.number("watcher", 1, MaxNames)),
		Watched: uint32(f.number("watched", 1, MaxNames)),
	}
}

func (f *fields) end() error {
	if f.err == nil && len(f.b) > 0 {
		f.err = &Error{f.kind, "length", uint64(len(f.b)), "bytes too many"}
	}
	return f.err
}

// short tells whether a byte is a whole number, and not zero.
func short(b byte) bool { return b-1 < 0x7f }

// ParseMessage reads the payload of a Message or of a Keyed; the body is a part
// of it.
func ParseMessage(kind Kind, payload []byte) (h Head, k Keys, body []byte, err error) {
	if kind == Message && len(payload) >= 3 && len(payload) <= ChunkSize && short(payload[0]) && payload[1] < 0x80 && short(payload[2]) {
		return Head{uint32(payload[0]), uint32(payload[1]), uint32(payload[2])}, Keys{}, payload[3:], nil // by far the most
	}
	f := fields{kind: kind, b: payload}
	h = f.head()
	if kind == Keyed {
		k = f.keys()
	}
	if f.err == nil && len(f.b) > ChunkSize {
		f.err = &Error{kind, "body", uint64(len(f.b)), fmt.Sprintf("over %d", ChunkSize)}
	}
	return h, k, f.b, f.err
}

// ParseBegin reads the payload of a Begin: a head, keys, and the size of the
// body, from 1 to most.
func ParseBegin(payload []byte, most int) (h Head, k Keys, size int, err error) {
	f := fields{kind: Begin, b: payload}
	h, k = f.head(), f.keys()
	size = int(f.number("size", 1, uint64(most)))
	return h, k, size, f.end()
}

// ParseText reads the payload of a Name, Type or Goodbye.
func ParseText(k Kind, payload []byte) (string, error) {
	if len(payload) > MaxText {
		return "", &Error{k, "length", uint64(len(payload)), fmt.Sprintf("over %d", MaxText)}
	}
	return string(payload), nil
}

// ParseReset checks the payload of a Reset, which is empty.
func ParseReset(payload []byte) error {
	f := fields{kind: Reset, b: payload}
	return f.end()
}

// ParseAck reads the payload of an Ack.
func ParseAck(payload []byte) (whole, bulk uint64, err error) {
	f := fields{kind: Ack, b: payload}
	whole = f.number("whole", 0, 1<<63)
	bulk = f.number("bulk", 0, 1<<63)
	return whole, bulk, f.end()
}

// ParsePair reads the payload of a Link or an Unlink.
func ParsePair(k Kind, payload []byte) (Pair, error) {
	f := fields{kind: k, b: payload}
	p := f.pair()
	return p, f.end()
}

// ParseExited reads the payload of an Exited.
func ParseExited(payload []byte) (Pair, string, error) {
	f := fields{kind: Exited, b: payload}
	p := f.pair()
	if f.err != nil {
		return p, "", f.err
	}
	reason, err := ParseText(Exited, f.b)
	return p, reason, err
}
