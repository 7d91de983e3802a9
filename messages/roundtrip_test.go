package messages_test

import (
	"bytes"
	stdjson "encoding/json"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"pgregory.net/rapid"

	"troupe/messages/json"
)

// TestWireRoundTrip shows that what a client sends comes out again, with what
// this version does not know of.
func TestWireRoundTrip(t *testing.T) {
	everyType(func(mt protoreflect.MessageType) {
		check(t, mt, func(t *rapid.T) {
			sent := random(t, mt, 3)
			addUnknown(t, sent.ProtoReflect())
			data, err := proto.MarshalOptions{Deterministic: true}.Marshal(sent)
			if err != nil {
				t.Fatal(err)
			}
			got := mt.New().Interface()
			if err := proto.Unmarshal(data, got); err != nil {
				t.Fatal(err)
			}
			again, err := proto.MarshalOptions{Deterministic: true}.Marshal(got)
			if err != nil || !bytes.Equal(data, again) {
				t.Fatalf("%x came out as %x, %v", data, again, err)
			}
		})
	})
}

// TestJSONRoundTrip shows that JSON keeps every message; only defaults appear
// that were not set.
func TestJSONRoundTrip(t *testing.T) {
	everyType(func(mt protoreflect.MessageType) {
		check(t, mt, func(t *rapid.T) {
			sent := random(t, mt, 3)
			data := json.Marshal(sent)
			if !stdjson.Valid(data) {
				t.Fatalf("%s is no JSON", data)
			}
			got := mt.New().Interface()
			if err := json.Unmarshal(data, got); err != nil {
				t.Fatalf("%s: %v", data, err)
			}
			setDefaults(sent.ProtoReflect())
			if !proto.Equal(sent, got) {
				t.Fatalf("sent %v, got %v from %s", sent, got, data)
			}
			var stream bytes.Buffer
			if err := json.Write(&stream, sent); err != nil || !bytes.Equal(stream.Bytes(), data) {
				t.Fatalf("streamed %s, %v, marshalled %s", stream.Bytes(), err, data)
			}
		})
	})
}

func check(t *testing.T, mt protoreflect.MessageType, property func(*rapid.T)) {
	t.Run(string(mt.Descriptor().FullName()), func(t *testing.T) { rapid.Check(t, property) })
}

// setDefaults sets what the JSON writer writes without being set.
func setDefaults(m protoreflect.Message) {
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		fd := fields.Get(i)
		old := fd.Options().(*descriptorpb.FieldOptions).GetDeprecated()
		switch {
		case fd.HasDefault() && !old && !m.Has(fd):
			m.Set(fd, fd.Default())
		case fd.IsMap() && fd.MapValue().Message() != nil:
			m.Get(fd).Map().Range(func(_ protoreflect.MapKey, v protoreflect.Value) bool {
				setDefaults(v.Message())
				return true
			})
		case fd.IsMap() || fd.Message() == nil:
		case fd.IsList():
			for j := range m.Get(fd).List().Len() {
				setDefaults(m.Get(fd).List().Get(j).Message())
			}
		case m.Has(fd):
			setDefaults(m.Get(fd).Message())
		}
	}
}
