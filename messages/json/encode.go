package json

import (
	"io"
	"maps"
	"slices"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// Write writes m to out. Only out can fail.
func Write(out io.Writer, m proto.Message) error {
	w := NewWriter(out)
	w.Message(m)
	return w.Flush()
}

// Append appends m to b.
func Append(b []byte, m proto.Message) []byte {
	w := &Writer{buffer: b}
	w.Message(m)
	return w.buffer
}

// Marshal returns m as JSON.
func Marshal(m proto.Message) []byte { return Append(nil, m) }

func (w *Writer) message(m protoreflect.Message, p *plan) {
	w.BeginObject()
	for _, f := range p.fields {
		if !m.Has(f.FieldDescriptor) {
			if f.whenUnset != nil {
				w.key(f)
				w.buffer = append(w.buffer, f.whenUnset...)
				w.comma = true
			}
			continue
		}
		w.key(f)
		w.field(f, m.Get(f.FieldDescriptor))
	}
	w.EndObject()
}

func (w *Writer) key(f *fieldPlan) {
	w.separate()
	w.buffer = append(w.buffer, f.key...)
	w.comma = false
}

func (w *Writer) field(f *fieldPlan, v protoreflect.Value) {
	switch {
	case f.IsMap():
		w.mapping(f, v.Map())
	case f.IsList():
		w.BeginArray()
		for list, i := v.List(), 0; i < list.Len(); i++ {
			w.single(f, f.FieldDescriptor, list.Get(i))
		}
		w.EndArray()
	default:
		w.single(f, f.FieldDescriptor, v)
	}
}

// single writes one value of f; fd is f's own descriptor or that of its
// values.
func (w *Writer) single(f *fieldPlan, fd protoreflect.FieldDescriptor, v protoreflect.Value) {
	if fd.Message() != nil {
		w.message(v.Message(), f.message())
		return
	}
	w.separate()
	w.buffer = appendScalar(w.buffer, fd, v)
}

// mapping writes the entries in order of their keys.
func (w *Writer) mapping(f *fieldPlan, m protoreflect.Map) {
	entries := make(map[string]protoreflect.Value, m.Len())
	m.Range(func(k protoreflect.MapKey, v protoreflect.Value) bool {
		entries[k.String()] = v
		return true
	})
	w.BeginObject()
	for _, key := range slices.Sorted(maps.Keys(entries)) {
		w.Key(key)
		w.single(f, f.MapValue(), entries[key])
	}
	w.EndObject()
}
