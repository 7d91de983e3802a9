package pen

import (
	"io"

	"google.golang.org/protobuf/proto"

	"troupe/messages/json"
)

// Pen writes one message. Begin and End, Section and EndSection, List and
// EndList must match. Between List and EndList all that is written is elements
// of that list; elsewhere a field is written once.
type Pen struct {
	json *json.Writer // nil: protobuf
	wire wire
	list *Field   // whose elements are written; nil outside of a list
	open []*Field // list of each message that is open
}

// JSON returns a pen that writes to out as it goes.
func JSON(out io.Writer) *Pen {
	p := &Pen{json: json.NewWriter(out)}
	p.json.BeginObject()
	return p
}

// Protobuf returns a pen that keeps all until Finish: before a message goes
// its length.
func Protobuf(out io.Writer) *Pen { return &Pen{wire: wire{out: out}} }

// Finish writes what is left, and returns the first error of the writer.
func (p *Pen) Finish() error {
	if p.json == nil {
		return p.wire.flush()
	}
	p.json.EndObject()
	return p.json.Flush()
}

// key begins a value of f.
func (p *Pen) key(f *Field) {
	if p.list == nil {
		p.json.RawKey(f.key)
	}
}

// Begin opens a message in f that is short, some kilobytes at most.
func (p *Pen) Begin(f *Field) {
	if p.json == nil {
		p.wire.begin(f)
	} else {
		p.key(f)
		p.json.BeginObject()
	}
	p.open = append(p.open, p.list)
	p.list = nil
}

// End closes what Begin opened.
func (p *Pen) End() {
	p.pop()
	if p.json == nil {
		p.wire.end()
	} else {
		p.json.EndObject()
	}
}

func (p *Pen) pop() {
	p.list = p.open[len(p.open)-1]
	p.open = p.open[:len(p.open)-1]
}

// Section opens a message in f that may be of any length; none that was opened
// with Begin may be open.
func (p *Pen) Section(f *Field) {
	if p.json != nil {
		p.Begin(f)
		return
	}
	p.wire.section(f)
	p.open = append(p.open, p.list)
	p.list = nil
}

// EndSection closes what Section opened.
func (p *Pen) EndSection() {
	if p.json != nil {
		p.End()
		return
	}
	p.pop()
	p.wire.endSection()
}

// List begins a list in f. In JSON it is there even if it is empty.
func (p *Pen) List(f *Field) {
	if p.json != nil {
		p.key(f)
		p.json.BeginArray()
	}
	p.list = f
}

// EndList ends a list.
func (p *Pen) EndList() {
	p.list = nil
	if p.json != nil {
		p.json.EndArray()
	}
}

// Map begins a map in f from strings to messages.
func (p *Pen) Map(f *Field) {
	if p.json != nil {
		p.key(f)
		p.json.BeginObject()
	}
}

// Entry writes an entry of the map in f that is open; a key is written once.
func (p *Pen) Entry(f *Field, key string, m proto.Message) {
	if p.json == nil {
		p.wire.entry(f, key, m)
		return
	}
	p.json.Key(key)
	p.json.Message(m)
}

// EndMap ends a map.
func (p *Pen) EndMap() {
	if p.json != nil {
		p.json.EndObject()
	}
}

// Message writes a message that exists.
func (p *Pen) Message(f *Field, m proto.Message) {
	if p.json == nil {
		p.wire.message(f, m)
		return
	}
	p.key(f)
	p.json.Message(m)
}

// String writes a string.
func (p *Pen) String(f *Field, s string) {
	if p.json == nil {
		p.wire.text(f, s)
		return
	}
	p.key(f)
	p.json.String(s)
}

// Bytes writes bytes.
func (p *Pen) Bytes(f *Field, b []byte) {
	if p.json == nil {
		p.wire.bytes(f, b)
		return
	}
	p.key(f)
	p.json.Base64(b)
}

// Bool writes a truth.
func (p *Pen) Bool(f *Field, v bool) {
	if p.json == nil {
		n := uint64(0)
		if v {
			n = 1
		}
		p.wire.varint(f, n)
		return
	}
	p.key(f)
	p.json.Bool(v)
}

// Int writes a whole number.
func (p *Pen) Int(f *Field, n int64) {
	if p.json == nil {
		p.wire.varint(f, uint64(n))
		return
	}
	p.key(f)
	p.json.Int(n)
}

// Uint writes a whole number.
func (p *Pen) Uint(f *Field, n uint64) {
	if p.json == nil {
		p.wire.varint(f, n)
		return
	}
	p.key(f)
	p.json.Uint(n)
}

// Double writes a number.
func (p *Pen) Double(f *Field, v float64) {
	if p.json == nil {
		p.wire.double(f, v)
		return
	}
	p.key(f)
	p.json.Float(v)
}

// Thousandths is Double of n/1000, at less cost in JSON.
func (p *Pen) Thousandths(f *Field, n int64) {
	if p.json == nil {
		p.wire.double(f, float64(n)/1000)
		return
	}
	p.key(f)
	p.json.Thousandths(n)
}

// Enum writes a value of an enum; in JSON its name, or its number when it has
// none.
func (p *Pen) Enum(f *Field, n int32) {
	if p.json == nil {
		p.wire.varint(f, uint64(int64(n)))
		return
	}
	p.key(f)
	if name, ok := f.enum[n]; ok {
		p.json.String(name)
	} else {
		p.json.Int(int64(n))
	}
}
