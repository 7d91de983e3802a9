package pen

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"troupe/messages/json"
)

// Field is a field of a message type, prepared for writing.
type Field struct {
	key  json.Key
	tag  []byte // number and wire type
	kind protoreflect.Kind
	enum map[int32]string // names in quotes by number; nil for other kinds
}

// Form gives the fields of a message type.
type Form struct {
	d protoreflect.MessageDescriptor
}

// Of is the form of M.
func Of[M proto.Message]() Form {
	var m M
	return Form{m.ProtoReflect().Descriptor()}
}

// Field returns the field of a name. It panics when the type has no such
// field: forms are made once, when the program starts.
func (f Form) Field(name string) *Field {
	d := f.d.Fields().ByName(protoreflect.Name(name))
	if d == nil {
		panic(fmt.Sprintf("pen: %s has no field %q", f.d.FullName(), name))
	}
	field := &Field{key: json.NewKey(name), kind: d.Kind()}
	field.tag = protowire.AppendTag(nil, d.Number(), wireType(d.Kind()))
	if d.Kind() == protoreflect.EnumKind {
		values := d.Enum().Values()
		field.enum = make(map[int32]string, values.Len())
		for i := range values.Len() {
			field.enum[int32(values.Get(i).Number())] = string(values.Get(i).Name())
		}
	}
	return field
}

// Extension is a field for text that no schema has: readers that do not know it
// skip it.
func Extension(name string, number int32) *Field {
	return &Field{
		key: json.NewKey(name), kind: protoreflect.StringKind,
		tag: protowire.AppendTag(nil, protowire.Number(number), protowire.BytesType),
	}
}

// wireType is how values of a kind are framed; the kinds that no message here
// has are as their like.
func wireType(kind protoreflect.Kind) protowire.Type {
	switch kind {
	case protoreflect.DoubleKind:
		return protowire.Fixed64Type
	case protoreflect.StringKind, protoreflect.BytesKind, protoreflect.MessageKind:
		return protowire.BytesType
	default:
		return protowire.VarintType
	}
}
