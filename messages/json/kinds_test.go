package json

import (
	"math"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"troupe/messages/mesos"
	"troupe/messages/mesos/agent"
)

// TestKindsOfScalars covers what the vocabulary itself does not use.
func TestKindsOfScalars(t *testing.T) {
	for _, c := range []struct {
		m    proto.Message
		want string
	}{
		{wrapperspb.Float(0.1), `{"value":0.1}`},
		{wrapperspb.Float(float32(math.Inf(-1))), `{"value":"-Infinity"}`},
		{wrapperspb.Double(math.NaN()), `{"value":"NaN"}`},
		{wrapperspb.Double(5e-324), `{"value":5e-324}`},
		{wrapperspb.Int32(math.MinInt32), `{"value":-2147483648}`},
		{wrapperspb.UInt32(math.MaxUint32), `{"value":4294967295}`},
		{wrapperspb.Bool(true), `{"value":true}`},
		{wrapperspb.String("\r\t\x1f\x7f"), `{"value":"\r\t\u001f` + "\x7f" + `"}`},
		{wrapperspb.Bytes([]byte{}), `{}`},
		{
			&mesos.Volume_Source_CSIVolume_StaticProvisioning{VolumeContext: map[string]string{"b": "2", "a": "1"}},
			`{"volume_context":{"a":"1","b":"2"}}`,
		},
		{&agent.ProcessIO_Control{Type: agent.ProcessIO_Control_Type(77).Enum()}, `{"type":77}`},
	} {
		got := Marshal(c.m)
		if string(got) != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
		back := c.m.ProtoReflect().New().Interface()
		if _, partial := c.m.(*mesos.Volume_Source_CSIVolume_StaticProvisioning); partial {
			continue // lacks what is required
		}
		if err := Unmarshal(got, back); err != nil || !proto.Equal(back, c.m) {
			t.Errorf("%s came back as %v, %v", got, back, err)
		}
	}
}

func TestRangesOfScalars(t *testing.T) {
	for _, c := range []struct {
		m          proto.Message
		text, want string
	}{
		{new(wrapperspb.Int32Value), "2147483648", "value: 2147483648: is out of the range of int32"},
		{new(wrapperspb.UInt32Value), "-1", "value: -1: must be a whole number that is not negative"},
		{new(wrapperspb.UInt32Value), "4294967296", "value: 4294967296: is out of the range of uint32"},
		{new(wrapperspb.UInt64Value), "18446744073709551616", "value: 18446744073709551616: is out of the range of uint64"},
		{new(wrapperspb.FloatValue), "1e39", "value: 1e39: must be a number"},
		{new(wrapperspb.FloatValue), `"x"`, `value: "x": must be a number`},
		{new(wrapperspb.DoubleValue), `"infinity"`, `value: "infinity": must be a number`},
		{new(wrapperspb.DoubleValue), `"0x1p3"`, `value: "0x1p3": must be a number`},
		{new(wrapperspb.BoolValue), `"yes"`, `value: "yes": must be true or false`},
		{new(wrapperspb.BoolValue), `{}`, `value: byte 10, '{': expected true or false`},
		{new(wrapperspb.BytesValue), `5`, `value: 5: must be a string in base64`},
		{new(wrapperspb.StringValue), `false`, `value: false: must be a string`},
	} {
		if err := Unmarshal([]byte(`{"value":`+c.text+`}`), c.m); err == nil || err.Error() != c.want {
			t.Errorf("%s: got %v, want %s", c.text, err, c.want)
		}
	}
}

func TestMaps(t *testing.T) {
	var s structpb.Struct
	text := `{"fields":{"a":{"bool_value":true},"a":{"number_value":1},"gone":null,"b":{"list_value":{"values":[null,{"string_value":"x"}]}}}}`
	if err := Unmarshal([]byte(text), &s); err != nil {
		t.Fatal(err)
	}
	if len(s.Fields) != 2 || s.Fields["a"].GetNumberValue() != 1 || s.Fields["b"].GetListValue().Values[0].GetStringValue() != "x" {
		t.Errorf("got %v", &s)
	}
	var p mesos.Volume_Source_CSIVolume_StaticProvisioning
	err := Unmarshal([]byte(`{"volume_context":{"a":"1","b":2}}`), &p)
	if err == nil || err.Error() != "volume_context[b]: 2: must be a string" {
		t.Errorf("got %v", err)
	}
	long := strings.Repeat("k", 1000)
	err = Unmarshal([]byte(`{"volume_context":{"`+long+`":1}}`), &p)
	if err == nil || len(err.Error()) > 150 {
		t.Errorf("got %v", err)
	}
	for text, want := range map[string]string{
		`{"volume_context":{1:2}}`:       "volume_context: byte 20, '1': expected a key in quotes",
		`{"volume_context":{"a" "b"}}`:   "volume_context: byte 24, '\"': expected ':'",
		`{"volume_context":{"a":"b" 1}}`: "volume_context: byte 28, '1': expected ',' or '}'",
	} {
		if err := Unmarshal([]byte(text), &p); err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
	}
}

// TestConcurrentUse runs the first readers and writers of types at once; the
// race detector watches.
func TestConcurrentUse(t *testing.T) {
	done := make(chan error)
	for range 8 {
		go func() {
			var c mesos.ContainerID
			err := Unmarshal([]byte(`{"value":"c","parent":{"value":"p"}}`), &c)
			Marshal(&c)
			done <- err
		}()
	}
	for range 8 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}
