package pen

import (
	"io"
	"math"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
)

// sectionPrefix is the room for the length of a section, which is not known
// when it begins: a varint may be longer than it need be.
const sectionPrefix = 5

// Taker is a writer that takes over what it is given: it need not copy it, and
// may Reuse it.
type Taker interface{ Take(p []byte) error }

// wire collects protobuf's encoding in pieces, so that nothing large is copied
// when it grows.
type wire struct {
	out      io.Writer
	pieces   [][]byte
	aside    int // bytes in pieces
	b        []byte
	begun    []int // where in b the content of each short message begins
	sections []place
	err      error
}

// place is where the content of a section begins.
type place struct{ piece, at, total int }

func (w *wire) begin(f *Field) {
	w.b = append(append(w.b, f.tag...), 0)
	w.begun = append(w.begun, len(w.b))
}

// end writes the length before the message that it closes; one byte of room is
// there already.
func (w *wire) end() {
	last := len(w.begun) - 1
	start := w.begun[last]
	w.begun = w.begun[:last]
	n := len(w.b) - start
	if more := protowire.SizeVarint(uint64(n)) - 1; more > 0 {
		var room [sectionPrefix]byte
		w.b = append(w.b, room[:more]...)
		copy(w.b[start+more:], w.b[start:start+n])
	}
	protowire.AppendVarint(w.b[:start-1], uint64(n))
	w.setAside()
}

// setAside begins a new piece when this one is full and nothing in it can grow.
func (w *wire) setAside() {
	if len(w.b) < PieceSize || len(w.begun) > 0 {
		return
	}
	w.pieces = append(w.pieces, w.b)
	w.aside += len(w.b)
	w.b = Piece()
}

func (w *wire) section(f *Field) {
	var room [sectionPrefix]byte
	w.b = append(append(w.b, f.tag...), room[:]...)
	w.sections = append(w.sections, place{len(w.pieces), len(w.b), w.aside + len(w.b)})
}

func (w *wire) endSection() {
	last := len(w.sections) - 1
	s := w.sections[last]
	w.sections = w.sections[:last]
	n := uint64(w.aside + len(w.b) - s.total)
	in := w.b
	if s.piece < len(w.pieces) {
		in = w.pieces[s.piece]
	}
	for i := s.at - sectionPrefix; i < s.at-1; i++ {
		in[i] = byte(n)&0x7f | 0x80
		n >>= 7
	}
	in[s.at-1] = byte(n)
}

func (w *wire) message(f *Field, m proto.Message) {
	w.b = append(w.b, f.tag...)
	w.b = protowire.AppendVarint(w.b, uint64(proto.Size(m)))
	b, err := proto.MarshalOptions{AllowPartial: true}.MarshalAppend(w.b, m)
	if err != nil && w.err == nil {
		w.err = err
	}
	w.b = b
	w.setAside()
}

// The fields of a map's entry, which is a message.
var (
	entryKey   = &Field{tag: protowire.AppendTag(nil, 1, protowire.BytesType)}
	entryValue = &Field{tag: protowire.AppendTag(nil, 2, protowire.BytesType)}
)

func (w *wire) entry(f *Field, key string, m proto.Message) {
	w.begin(f)
	w.text(entryKey, key)
	w.message(entryValue, m)
	w.end()
}

// text writes a string. Bytes that are not UTF-8 become U+FFFD, as in JSON:
// many readers refuse a whole message for one of them.
func (w *wire) text(f *Field, s string) {
	if !utf8.ValidString(s) {
		s = string([]rune(s))
	}
	w.b = append(w.b, f.tag...)
	w.b = protowire.AppendString(w.b, s)
}

func (w *wire) bytes(f *Field, b []byte) {
	w.b = append(w.b, f.tag...)
	w.b = protowire.AppendBytes(w.b, b)
}

func (w *wire) varint(f *Field, n uint64) {
	w.b = append(w.b, f.tag...)
	w.b = protowire.AppendVarint(w.b, n)
}

func (w *wire) double(f *Field, v float64) {
	w.b = append(w.b, f.tag...)
	w.b = protowire.AppendFixed64(w.b, math.Float64bits(v))
}

// flush passes everything on.
func (w *wire) flush() error {
	if w.err != nil {
		return w.err
	}
	give := func(piece []byte) error {
		_, err := w.out.Write(piece)
		Reuse(piece)
		return err
	}
	if taker, ok := w.out.(Taker); ok {
		give = taker.Take
	}
	for _, piece := range append(w.pieces, w.b) {
		if err := give(piece); err != nil {
			return err
		}
	}
	w.pieces, w.aside, w.b = nil, 0, nil
	return nil
}
