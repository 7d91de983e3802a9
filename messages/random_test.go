package messages_test

import (
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"pgregory.net/rapid"

	_ "troupe/messages/cluster"
	_ "troupe/messages/mesos"
	_ "troupe/messages/mesos/agent"
	_ "troupe/messages/mesos/allocator"
	_ "troupe/messages/mesos/executor"
	_ "troupe/messages/mesos/maintenance"
	_ "troupe/messages/mesos/master"
	_ "troupe/messages/mesos/quota"
	_ "troupe/messages/mesos/resourceprovider"
	_ "troupe/messages/mesos/scheduler"
)

// ours tells whether a type belongs to the vocabulary.
func ours(name protoreflect.FullName) bool {
	for _, prefix := range []string{"mesos.v1.", "troupe.cluster."} {
		if len(name) > len(prefix) && string(name[:len(prefix)]) == prefix {
			return true
		}
	}
	return false
}

// everyType calls do with every message type of the vocabulary.
func everyType(do func(protoreflect.MessageType)) {
	protoregistry.GlobalTypes.RangeMessages(func(mt protoreflect.MessageType) bool {
		if ours(mt.Descriptor().FullName()) && !mt.Descriptor().IsMapEntry() {
			do(mt)
		}
		return true
	})
}

// random draws a message of type mt with all required fields and, above depth
// 0, some others.
func random(t *rapid.T, mt protoreflect.MessageType, depth int) proto.Message {
	m := mt.New()
	fill(t, m, depth)
	return m.Interface()
}

func fill(t *rapid.T, m protoreflect.Message, depth int) {
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		fd := fields.Get(i)
		if fd.Cardinality() != protoreflect.Required && (depth <= 0 || !rapid.Bool().Draw(t, string(fd.Name()))) {
			continue
		}
		switch {
		case fd.IsMap():
			fillMap(t, m.Mutable(fd).Map(), fd, depth)
		case fd.IsList():
			fillList(t, m.Mutable(fd).List(), fd, depth)
		case fd.Message() != nil:
			fill(t, m.Mutable(fd).Message(), depth-1)
		default:
			m.Set(fd, scalar(t, fd))
		}
	}
}

func fillList(t *rapid.T, list protoreflect.List, fd protoreflect.FieldDescriptor, depth int) {
	for range rapid.IntRange(0, 2).Draw(t, "elements") {
		if fd.Message() != nil {
			fill(t, list.AppendMutable().Message(), depth-1)
		} else {
			list.Append(scalar(t, fd))
		}
	}
}

func fillMap(t *rapid.T, entries protoreflect.Map, fd protoreflect.FieldDescriptor, depth int) {
	for range rapid.IntRange(0, 2).Draw(t, "entries") {
		key := scalar(t, fd.MapKey()).MapKey()
		if fd.MapValue().Message() != nil {
			fill(t, entries.Mutable(key).Message(), depth-1)
		} else {
			entries.Set(key, scalar(t, fd.MapValue()))
		}
	}
}

func scalar(t *rapid.T, fd protoreflect.FieldDescriptor) protoreflect.Value {
	switch fd.Kind() {
	case protoreflect.BoolKind:
		return protoreflect.ValueOfBool(rapid.Bool().Draw(t, "bool"))
	case protoreflect.StringKind:
		return protoreflect.ValueOfString(rapid.String().Draw(t, "string"))
	case protoreflect.BytesKind:
		return protoreflect.ValueOfBytes(rapid.SliceOfN(rapid.Byte(), 0, 20).Draw(t, "bytes"))
	case protoreflect.EnumKind:
		values := fd.Enum().Values()
		return protoreflect.ValueOfEnum(values.Get(rapid.IntRange(0, values.Len()-1).Draw(t, "enum")).Number())
	case protoreflect.DoubleKind:
		return protoreflect.ValueOfFloat64(rapid.Float64().Draw(t, "double"))
	case protoreflect.FloatKind:
		return protoreflect.ValueOfFloat32(rapid.Float32().Draw(t, "float"))
	case protoreflect.Int32Kind, protoreflect.Sint32Kind, protoreflect.Sfixed32Kind:
		return protoreflect.ValueOfInt32(rapid.Int32().Draw(t, "int32"))
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind:
		return protoreflect.ValueOfUint32(rapid.Uint32().Draw(t, "uint32"))
	case protoreflect.Uint64Kind, protoreflect.Fixed64Kind:
		return protoreflect.ValueOfUint64(rapid.Uint64().Draw(t, "uint64"))
	default:
		return protoreflect.ValueOfInt64(rapid.Int64().Draw(t, "int64"))
	}
}

// addUnknown gives m, and every message in it, a field that no one knows.
func addUnknown(t *rapid.T, m protoreflect.Message) {
	const number = 50_000
	raw := protowire.AppendTag(nil, number, protowire.BytesType)
	raw = protowire.AppendBytes(raw, rapid.SliceOfN(rapid.Byte(), 0, 9).Draw(t, "unknown"))
	m.SetUnknown(raw)
	m.Range(func(fd protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case fd.IsMap() || fd.Message() == nil:
		case fd.IsList():
			for i := range v.List().Len() {
				addUnknown(t, v.List().Get(i).Message())
			}
		default:
			addUnknown(t, v.Message())
		}
		return true
	})
}
