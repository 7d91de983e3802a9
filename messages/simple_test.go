package messages_test

import (
	"bytes"
	"encoding/base64"
	stdjson "encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"pgregory.net/rapid"

	"troupe/messages/field"
	"troupe/messages/json"
)

// simple is what a message looks like in JSON, as plainly as the rules can be
// told: a tree of maps, lists, strings, booleans and numbers. Whole numbers are
// texts of their digits in a stdjson.Number, doubles are float64.
func simple(m protoreflect.Message) map[string]any {
	object := map[string]any{}
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		fd := fields.Get(i)
		old := fd.Options().(*descriptorpb.FieldOptions).GetDeprecated()
		switch {
		case !m.Has(fd) && (!fd.HasDefault() || old || fd.Cardinality() != protoreflect.Optional):
		case fd.IsMap():
			entries := map[string]any{}
			m.Get(fd).Map().Range(func(k protoreflect.MapKey, v protoreflect.Value) bool {
				entries[strings.ToValidUTF8(k.String(), "\ufffd")] = simpleValue(fd.MapValue(), v)
				return true
			})
			object[string(fd.Name())] = entries
		case fd.IsList():
			var list []any
			for j := range m.Get(fd).List().Len() {
				list = append(list, simpleValue(fd, m.Get(fd).List().Get(j)))
			}
			object[string(fd.Name())] = list
		default:
			object[string(fd.Name())] = simpleValue(fd, m.Get(fd)) // or its default
		}
	}
	return object
}

func simpleValue(fd protoreflect.FieldDescriptor, v protoreflect.Value) any {
	switch fd.Kind() {
	case protoreflect.MessageKind, protoreflect.GroupKind:
		return simple(v.Message())
	case protoreflect.BoolKind:
		return v.Bool()
	case protoreflect.StringKind:
		return strings.ToValidUTF8(v.String(), "\ufffd")
	case protoreflect.BytesKind:
		return base64.StdEncoding.EncodeToString(v.Bytes())
	case protoreflect.EnumKind:
		if value := fd.Enum().Values().ByNumber(v.Enum()); value != nil {
			return string(value.Name())
		}
		return stdjson.Number(fmt.Sprint(v.Enum()))
	case protoreflect.DoubleKind, protoreflect.FloatKind:
		switch f := v.Float(); {
		case math.IsNaN(f):
			return "NaN"
		case math.IsInf(f, 1):
			return "Infinity"
		case math.IsInf(f, -1):
			return "-Infinity"
		default:
			return f
		}
	}
	return stdjson.Number(fmt.Sprint(v.Interface()))
}

// settled has the doubles of a document as such: only they have a point or an
// exponent.
func settled(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key, member := range v {
			v[key] = settled(member)
		}
	case []any:
		for i, element := range v {
			v[i] = settled(element)
		}
	case stdjson.Number:
		if !strings.ContainsAny(string(v), ".eE") {
			return v
		}
		f, err := v.Float64()
		if err != nil {
			return err
		}
		return f
	}
	return v
}

// TestJSONIsWhatTheRulesSay compares the encoder with simple, for every type.
func TestJSONIsWhatTheRulesSay(t *testing.T) {
	everyType(func(mt protoreflect.MessageType) {
		check(t, mt, func(t *rapid.T) {
			m := random(t, mt, 3)
			text := json.Marshal(m)
			in := stdjson.NewDecoder(bytes.NewReader(text))
			in.UseNumber()
			var got any
			if err := in.Decode(&got); err != nil || in.More() || !utf8.Valid(text) {
				t.Fatalf("%s: %v", text, err)
			}
			if want := simple(m.ProtoReflect()); !reflect.DeepEqual(settled(got), any(want)) {
				t.Fatalf("%s, want %v", text, want)
			}
		})
	})
}

// spot is a place in a tree: what is there, and how to put something else.
type spot struct {
	path string
	put  func(any)
}

// spots lists the places of all values that are no objects, but for what is in
// maps of the schema, whose keys may be anything.
func spots(m protoreflect.Message, object map[string]any, path string) []spot {
	var all []spot
	m.Range(func(fd protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		name := string(fd.Name())
		at := strings.TrimPrefix(path+"."+name, ".")
		switch {
		case fd.IsMap():
		case fd.IsList():
			list, _ := object[name].([]any)
			for i, element := range list {
				in := fmt.Sprintf("%s[%d]", at, i)
				if below, ok := element.(map[string]any); ok {
					all = append(all, spots(v.List().Get(i).Message(), below, in)...)
				} else {
					all = append(all, spot{in, func(other any) { list[i] = other }})
				}
			}
		case fd.Message() != nil:
			all = append(all, spots(v.Message(), object[name].(map[string]any), at)...)
		default:
			all = append(all, spot{at, func(other any) { object[name] = other }})
		}
		return true
	})
	return all
}

// TestJSONErrorsNameThePath spoils one value of a document: the error names its
// place.
func TestJSONErrorsNameThePath(t *testing.T) {
	everyType(func(mt protoreflect.MessageType) {
		check(t, mt, func(t *rapid.T) {
			m := random(t, mt, 3).ProtoReflect()
			tree := simple(m)
			places := spots(m, tree, "")
			if len(places) == 0 {
				return
			}
			spoilt := places[rapid.IntRange(0, len(places)-1).Draw(t, "spot")]
			spoilt.put(map[string]any{})
			text, err := stdjson.Marshal(tree)
			if err != nil {
				t.Fatal(err)
			}
			err = json.Unmarshal(text, mt.New().Interface())
			var where *field.Error
			if !errors.As(err, &where) || where.Path != spoilt.path {
				t.Fatalf("%s spoilt at %s: %v", text, spoilt.path, err)
			}
		})
	})
}
