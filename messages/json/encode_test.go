package json

import (
	"bytes"
	stdjson "encoding/json"
	"errors"
	"math"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos"
	"troupe/messages/mesos/scheduler"
)

func TestWrittenForms(t *testing.T) {
	for _, c := range []struct {
		m    proto.Message
		want string
	}{
		{&mesos.Filters{}, `{"refuse_seconds":5.0}`},
		{&mesos.Filters{RefuseSeconds: proto.Float64(0.1)}, `{"refuse_seconds":0.1}`},
		{&mesos.CommandInfo{}, `{"shell":true}`},
		{&mesos.CommandInfo{Shell: proto.Bool(false), Arguments: []string{"a", "b"}}, `{"shell":false,"arguments":["a","b"]}`},
		{&mesos.KillPolicy{}, `{}`},
		{&mesos.TimeInfo{Nanoseconds: proto.Int64(math.MaxInt64)}, `{"nanoseconds":9223372036854775807}`},
		{&mesos.Value_Range{Begin: proto.Uint64(0), End: proto.Uint64(math.MaxUint64)}, `{"begin":0,"end":18446744073709551615}`},
		{&mesos.Secret_Value{Data: []byte{0xfb, 0xff, 0}}, `{"data":"+/8A"}`},
		{&mesos.Label{Key: proto.String("a\"\\/\n\x01<é😀"), Value: proto.String("a\xffb")}, `{"key":"a\"\\/\n\u0001<é😀","value":"a` + "\ufffd" + `b"}`},
		{&mesos.Label{Key: proto.String("\xff\xfe")}, `{"key":"` + "\ufffd\ufffd" + `"}`},
		{&mesos.Resource{Name: proto.String("cpus"), Type: mesos.Value_SCALAR.Enum()}, `{"name":"cpus","type":"SCALAR"}`},
		{
			&mesos.TaskInfo{Name: proto.String("n"), Limits: map[string]*mesos.Value_Scalar{"mem": {Value: proto.Float64(math.Inf(1))}, "cpus": {Value: proto.Float64(1)}}},
			`{"name":"n","limits":{"cpus":{"value":1.0},"mem":{"value":"Infinity"}}}`,
		},
		{&scheduler.Event{Type: scheduler.Event_HEARTBEAT.Enum()}, `{"type":"HEARTBEAT"}`},
	} {
		if got := string(Marshal(c.m)); got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
}

func TestDoubles(t *testing.T) {
	for f, want := range map[float64]string{
		0: "0.0", 15: "15.0", 1.5: "1.5", 1e-3: "0.001", 1e-7: "1e-07", 1e20: "100000000000000000000.0", 1e21: "1e+21",
		1795229656.374347: "1795229656.374347", -2: "-2.0", math.Inf(-1): `"-Infinity"`, math.MaxFloat64: "1.7976931348623157e+308",
	} {
		if got := string(appendFloat(nil, f, 64)); got != want {
			t.Errorf("%v is written %s, want %s", f, got, want)
		}
	}
	if got := string(appendFloat(nil, math.NaN(), 64)); got != `"NaN"` {
		t.Errorf("NaN is written %s", got)
	}
}

func TestWriterByHand(t *testing.T) {
	var out bytes.Buffer
	w := NewWriter(&out)
	w.BeginObject()
	w.Field("id", "a\"b")
	w.Field("n", 5)
	w.Field("active", true)
	w.Field("none", nil)
	w.Field("time", 1.0)
	w.Field("big", uint64(math.MaxUint64))
	w.Field("roles", []string{"a", "b"})
	w.Field("filters", &mesos.Filters{})
	w.Key("tasks")
	w.BeginArray()
	w.BeginObject()
	w.EndObject()
	w.BeginArray()
	w.EndArray()
	w.Int(-1)
	w.Uint(1)
	w.Float(2)
	w.Bool(false)
	w.Null()
	w.String("x")
	w.Message(&mesos.KillPolicy{})
	w.EndArray()
	w.Field("last", int64(7))
	w.EndObject()
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	want := `{"id":"a\"b","n":5,"active":true,"none":null,"time":1.0,"big":18446744073709551615,"roles":["a","b"],` +
		`"filters":{"refuse_seconds":5.0},"tasks":[{},[],-1,1,2.0,false,null,"x",{}],"last":7}`
	if out.String() != want || !stdjson.Valid(out.Bytes()) {
		t.Errorf("got  %s\nwant %s", out.String(), want)
	}
}

func TestWriterRefusesUnknownTypes(t *testing.T) {
	w := NewWriter(&bytes.Buffer{})
	w.BeginObject()
	w.Field("c", make(chan int))
	w.EndObject()
	if err := w.Flush(); err == nil || err.Error() != "json: writing c: a chan int has no form" {
		t.Errorf("got %v", err)
	}
}

// sink fails once it has taken limit bytes and keeps the largest single write.
type sink struct{ taken, largest, limit int }

var errFull = errors.New("full")

func (s *sink) Write(p []byte) (int, error) {
	s.taken, s.largest = s.taken+len(p), max(s.largest, len(p))
	if s.taken > s.limit {
		return 0, errFull
	}
	return len(p), nil
}

func TestWriterStreams(t *testing.T) {
	offers := &scheduler.Event{Offers: &scheduler.Event_Offers{}}
	for range 20_000 {
		offers.Offers.Offers = append(offers.Offers.Offers, &mesos.Offer{Hostname: proto.String(strings.Repeat("h", 50))})
	}
	all := &sink{limit: math.MaxInt}
	if err := Write(all, offers); err != nil || all.taken < 1<<20 || all.largest > 2*flushAt {
		t.Errorf("%d bytes, at most %d at once, %v", all.taken, all.largest, err)
	}
	if err := Write(&sink{limit: 1 << 17}, offers); !errors.Is(err, errFull) {
		t.Errorf("got %v", err)
	}
}
