package frame

import "encoding/binary"

func open(b []byte, k Kind, size int) []byte {
	b = append(b, byte(k))
	return binary.AppendUvarint(b, uint64(size))
}

func width(v uint64) int {
	n := 1
	for ; v >= 0x80; v >>= 7 {
		n++
	}
	return n
}

func (h Head) width() int {
	return width(uint64(h.Target)) + width(uint64(h.Sender)) + width(uint64(h.Type))
}

func (h Head) append(b []byte) []byte {
	b = binary.AppendUvarint(b, uint64(h.Target))
	b = binary.AppendUvarint(b, uint64(h.Sender))
	return binary.AppendUvarint(b, uint64(h.Type))
}

func (k Keys) width() int { return width(k.Target) + width(k.Sender) }

func (k Keys) append(b []byte) []byte {
	return binary.AppendUvarint(binary.AppendUvarint(b, k.Target), k.Sender)
}

// AppendMessage adds a whole message; its body is at most ChunkSize long.
func AppendMessage(b []byte, h Head, body []byte) []byte {
	b = open(b, Message, h.width()+len(body))
	return append(h.append(b), body...)
}

// AppendKeyed adds a whole message with keys; its body is at most ChunkSize
// long.
func AppendKeyed(b []byte, h Head, k Keys, body []byte) []byte {
	b = open(b, Keyed, h.width()+k.width()+len(body))
	return append(k.append(h.append(b)), body...)
}

// AppendBegin adds the head of a message whose body of size bytes follows in
// Chunks.
func AppendBegin(b []byte, h Head, k Keys, size int) []byte {
	b = open(b, Begin, h.width()+k.width()+width(uint64(size)))
	return binary.AppendUvarint(k.append(h.append(b)), uint64(size))
}

// AppendChunk adds the next part, at most ChunkSize long, of the message
// begun last.
func AppendChunk(b, part []byte) []byte {
	return append(open(b, Chunk, len(part)), part...)
}

// AppendName gives an actor's name the next number.
func AppendName(b []byte, name string) []byte {
	return append(open(b, Name, len(name)), name...)
}

// AppendType gives a type's name the next number.
func AppendType(b []byte, name string) []byte {
	return append(open(b, Type, len(name)), name...)
}

// AppendReset forgets all numbers.
func AppendReset(b []byte) []byte { return open(b, Reset, 0) }

// AppendAck says how many messages this side has taken since the link began:
// whole ones, and those that came in the bulk lane.
func AppendAck(b []byte, whole, bulk uint64) []byte {
	b = open(b, Ack, width(whole)+width(bulk))
	return binary.AppendUvarint(binary.AppendUvarint(b, whole), bulk)
}

// AppendLink asks to be told when the watched actor ends.
func AppendLink(b []byte, p Pair) []byte { return p.append(open(b, Link, p.width())) }

// AppendUnlink takes a Link back.
func AppendUnlink(b []byte, p Pair) []byte { return p.append(open(b, Unlink, p.width())) }

// AppendExited answers a Link. The reason is cut to MaxText bytes.
func AppendExited(b []byte, p Pair, reason string) []byte {
	reason = Cut(reason)
	b = open(b, Exited, p.width()+len(reason))
	return append(p.append(b), reason...)
}

// AppendGoodbye ends what this side has to say. The reason is cut to MaxText
// bytes.
func AppendGoodbye(b []byte, reason string) []byte {
	reason = Cut(reason)
	return append(open(b, Goodbye, len(reason)), reason...)
}

// Cut shortens a text to MaxText bytes.
func Cut(s string) string {
	if len(s) > MaxText {
		return s[:MaxText]
	}
	return s
}

func (p Pair) width() int { return width(uint64(p.Watcher)) + width(uint64(p.Watched)) }

func (p Pair) append(b []byte) []byte {
	b = binary.AppendUvarint(b, uint64(p.Watcher))
	return binary.AppendUvarint(b, uint64(p.Watched))
}
