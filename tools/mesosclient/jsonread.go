package mesosclient

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// Unmarshal implements [Encoding]. It is an error, which names the path, if
// anything is there that a server does not write: members that the schema does
// not know, null, numbers in quotes, numbers for enumerations.
func (JSON) Unmarshal(data []byte, m proto.Message) error {
	if err := readObject(data, m.ProtoReflect()); err != nil {
		return fmt.Errorf("%s: %w", m.ProtoReflect().Descriptor().Name(), err)
	}
	return proto.CheckInitialized(m)
}

func readObject(data []byte, m protoreflect.Message) error {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(data, &members); err != nil {
		return err
	}
	for name, raw := range members {
		f := m.Descriptor().Fields().ByName(protoreflect.Name(name))
		if f == nil {
			return fmt.Errorf("%s: no such field", name)
		}
		if err := readMember(raw, m, f); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func readMember(raw json.RawMessage, m protoreflect.Message, f protoreflect.FieldDescriptor) error {
	switch {
	case bytes.Equal(raw, []byte("null")):
		return errors.New("is null")
	case f.IsMap():
		return readMap(raw, m.Mutable(f).Map(), f.MapValue())
	case f.IsList():
		return readList(raw, m.Mutable(f).List(), f)
	case f.Message() != nil:
		return readObject(raw, m.Mutable(f).Message())
	}
	v, err := readScalar(raw, f)
	if err == nil {
		m.Set(f, v)
	}
	return err
}

func readMap(raw json.RawMessage, entries protoreflect.Map, value protoreflect.FieldDescriptor) error {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(raw, &members); err != nil {
		return err
	}
	for key, raw := range members {
		v := entries.NewValue()
		err := error(nil)
		if value.Message() != nil {
			err = readObject(raw, v.Message())
		} else {
			v, err = readScalar(raw, value)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
		entries.Set(protoreflect.ValueOfString(key).MapKey(), v)
	}
	return nil
}

func readList(raw json.RawMessage, list protoreflect.List, f protoreflect.FieldDescriptor) error {
	var items []json.RawMessage
	if err := json.Unmarshal(raw, &items); err != nil {
		return err
	}
	for i, raw := range items {
		v := list.NewElement()
		err := error(nil)
		if f.Message() != nil {
			err = readObject(raw, v.Message())
		} else {
			v, err = readScalar(raw, f)
		}
		if err != nil {
			return fmt.Errorf("[%d]: %w", i, err)
		}
		list.Append(v)
	}
	return nil
}

func readScalar(raw json.RawMessage, f protoreflect.FieldDescriptor) (protoreflect.Value, error) {
	switch f.Kind() {
	case protoreflect.StringKind, protoreflect.BytesKind, protoreflect.EnumKind:
		var text string
		if err := json.Unmarshal(raw, &text); err != nil {
			return protoreflect.Value{}, err
		}
		return readText(text, f)
	case protoreflect.BoolKind:
		var b bool
		err := json.Unmarshal(raw, &b)
		return protoreflect.ValueOfBool(b), err
	case protoreflect.DoubleKind, protoreflect.FloatKind:
		return readFloat(raw, f.Kind())
	default:
		return readInteger(string(raw), f.Kind())
	}
}

func readText(text string, f protoreflect.FieldDescriptor) (protoreflect.Value, error) {
	switch f.Kind() {
	case protoreflect.BytesKind:
		data, err := base64.StdEncoding.DecodeString(text)
		return protoreflect.ValueOfBytes(data), err
	case protoreflect.EnumKind:
		value := f.Enum().Values().ByName(protoreflect.Name(text))
		if value == nil {
			return protoreflect.Value{}, fmt.Errorf("%q is no %s", text, f.Enum().Name())
		}
		return protoreflect.ValueOfEnum(value.Number()), nil
	default:
		return protoreflect.ValueOfString(text), nil
	}
}

func readFloat(raw json.RawMessage, kind protoreflect.Kind) (protoreflect.Value, error) {
	var d float64
	switch string(raw) {
	case `"Infinity"`:
		d = math.Inf(1)
	case `"-Infinity"`:
		d = math.Inf(-1)
	default:
		if err := json.Unmarshal(raw, &d); err != nil {
			return protoreflect.Value{}, err
		}
	}
	if kind == protoreflect.FloatKind {
		return protoreflect.ValueOfFloat32(float32(d)), nil
	}
	return protoreflect.ValueOfFloat64(d), nil
}

func readInteger(text string, kind protoreflect.Kind) (protoreflect.Value, error) {
	switch kind {
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind:
		n, err := strconv.ParseUint(text, 10, 32)
		return protoreflect.ValueOfUint32(uint32(n)), err
	case protoreflect.Uint64Kind, protoreflect.Fixed64Kind:
		n, err := strconv.ParseUint(text, 10, 64)
		return protoreflect.ValueOfUint64(n), err
	case protoreflect.Int32Kind, protoreflect.Sint32Kind, protoreflect.Sfixed32Kind:
		n, err := strconv.ParseInt(text, 10, 32)
		return protoreflect.ValueOfInt32(int32(n)), err
	default:
		n, err := strconv.ParseInt(text, 10, 64)
		return protoreflect.ValueOfInt64(n), err
	}
}
