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

func (w *Writer) message(m protoreflect.Message) {
	w.BeginObject()
	for _, f := range planOf(m.Descriptor()).fields {
		if !m.Has(f.FieldDescriptor) {
			if f.whenUnset != nil {
				w.key(f)
				w.buffer = append(w.buffer, f.whenUnset...)
				w.comma = true
			}
			continue
		}
		w.key(f)
		w.field(f.FieldDescriptor, m.Get(f.FieldDescriptor))
	}
	w.EndObject()
}

func (w *Writer) key(f *fieldPlan) {
	w.separate()
	w.buffer = append(w.buffer, f.key...)
	w.comma = false
}

func (w *Writer) field(fd protoreflect.FieldDescriptor, v protoreflect.Value) {
	switch {
	case fd.IsMap():
		w.mapping(fd.MapValue(), v.Map())
	case fd.IsList():
		w.BeginArray()
		for i := range v.List().Len() {
			w.single(fd, v.List().Get(i))
		}
		w.EndArray()
	default:
		w.single(fd, v)
	}
}

func (w *Writer) single(fd protoreflect.FieldDescriptor, v protoreflect.Value) {
	if fd.Message() != nil {
		w.message(v.Message())
		return
	}
	w.separate()
	w.buffer = appendScalar(w.buffer, fd, v)
}

// mapping writes the entries in order of their keys.
func (w *Writer) mapping(values protoreflect.FieldDescriptor, m protoreflect.Map) {
	entries := make(map[string]protoreflect.Value, m.Len())
	m.Range(func(k protoreflect.MapKey, v protoreflect.Value) bool {
		entries[k.String()] = v
		return true
	})
	w.BeginObject()
	for _, key := range slices.Sorted(maps.Keys(entries)) {
		w.Key(key)
		w.single(values, entries[key])
	}
	w.EndObject()
}
