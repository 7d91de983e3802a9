package json

import (
	"fmt"
	"io"
	"strconv"

	"google.golang.org/protobuf/proto"
)

// flushAt is the size from which a Writer passes on what it has, in bytes.
const flushAt = 32 << 10

// Writer writes a document piece by piece. Commas are its own business; that
// Begin and End match and that members of objects have keys is the caller's.
// It keeps the first error, which Flush returns.
type Writer struct {
	out    io.Writer // nil: all stays in buffer
	buffer []byte
	comma  bool // before the next key or element
	err    error
}

// NewWriter returns a Writer to out.
func NewWriter(out io.Writer) *Writer {
	return &Writer{out: out, buffer: make([]byte, 0, 1<<10)}
}

// Flush passes on what is written so far. It must be called at the end.
func (w *Writer) Flush() error {
	if w.err == nil && len(w.buffer) > 0 {
		_, w.err = w.out.Write(w.buffer)
	}
	w.buffer = w.buffer[:0]
	return w.err
}

// BeginObject opens an object.
func (w *Writer) BeginObject() { w.open('{') }

// EndObject closes an object.
func (w *Writer) EndObject() { w.close('}') }

// BeginArray opens an array.
func (w *Writer) BeginArray() { w.open('[') }

// EndArray closes an array.
func (w *Writer) EndArray() { w.close(']') }

// Key writes the key of the next value.
func (w *Writer) Key(key string) {
	w.separate()
	w.buffer = append(appendString(w.buffer, key), ':')
	w.comma = false
}

// Key is a key in the form that it is written in.
type Key string

// NewKey returns the form of a key, to be written often.
func NewKey(key string) Key { return Key(append(appendString(nil, key), ':')) }

// RawKey is Key for a key that was prepared.
func (w *Writer) RawKey(key Key) {
	w.separate()
	w.buffer = append(w.buffer, key...)
	w.comma = false
}

// Base64 writes bytes.
func (w *Writer) Base64(data []byte) {
	w.separate()
	w.buffer = appendBytes(w.buffer, data)
}

// String writes a string.
func (w *Writer) String(s string) {
	w.separate()
	w.buffer = appendString(w.buffer, s)
}

// Bool writes true or false.
func (w *Writer) Bool(v bool) {
	w.separate()
	w.buffer = strconv.AppendBool(w.buffer, v)
}

// Int writes a whole number.
func (w *Writer) Int(n int64) {
	w.separate()
	w.buffer = strconv.AppendInt(w.buffer, n, 10)
}

// Uint writes a whole number.
func (w *Writer) Uint(n uint64) {
	w.separate()
	w.buffer = strconv.AppendUint(w.buffer, n, 10)
}

// Float writes a number with a point or an exponent.
func (w *Writer) Float(f float64) {
	w.separate()
	w.buffer = appendFloat(w.buffer, f, 64)
}

// Thousandths is Float of n/1000, at less cost.
func (w *Writer) Thousandths(n int64) {
	w.separate()
	w.buffer = appendThousandths(w.buffer, n)
}

// Null writes null.
func (w *Writer) Null() {
	w.separate()
	w.buffer = append(w.buffer, "null"...)
}

// Message writes a message as an object.
func (w *Writer) Message(m proto.Message) {
	r := m.ProtoReflect()
	w.message(r, planOf(r.Descriptor()))
}

// Field writes a key and a value, which is nil, a string, bool, int, int32,
// int64, uint32, uint64 or float64, a list of strings, or a message. Any other
// type is an error.
func (w *Writer) Field(key string, value any) {
	w.Key(key)
	switch v := value.(type) {
	case nil:
		w.Null()
	case string:
		w.String(v)
	case bool:
		w.Bool(v)
	case int:
		w.Int(int64(v))
	case int32:
		w.Int(int64(v))
	case int64:
		w.Int(v)
	case uint32:
		w.Uint(uint64(v))
	case uint64:
		w.Uint(v)
	case float64:
		w.Float(v)
	case []string:
		w.strings(v)
	case proto.Message:
		w.Message(v)
	default:
		w.Null()
		w.fail(fmt.Errorf("json: writing %s: a %T has no form", key, value))
	}
}

func (w *Writer) strings(list []string) {
	w.BeginArray()
	for _, s := range list {
		w.String(s)
	}
	w.EndArray()
}

func (w *Writer) fail(err error) {
	if w.err == nil {
		w.err = err
	}
}

// separate makes room for the next key or value.
func (w *Writer) separate() {
	if len(w.buffer) >= flushAt && w.out != nil {
		_ = w.Flush() // w.err keeps it
	}
	if w.comma {
		w.buffer = append(w.buffer, ',')
	}
	w.comma = true
}

func (w *Writer) open(bracket byte) {
	w.separate()
	w.buffer = append(w.buffer, bracket)
	w.comma = false
}

func (w *Writer) close(bracket byte) {
	w.buffer = append(w.buffer, bracket)
	w.comma = true
}
