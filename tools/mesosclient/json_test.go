package mesosclient

import (
	"math"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos"
	"troupe/messages/mesos/master"
	"troupe/messages/mesos/scheduler"
)

// everyKind has every kind of field that messages have.
func everyKind() *mesos.TaskInfo {
	return &mesos.TaskInfo{
		Name: proto.String(`a "task" ☃`), TaskId: &mesos.TaskID{Value: proto.String("t")},
		AgentId: &mesos.AgentID{Value: proto.String("S0")},
		Resources: []*mesos.Resource{{
			Name: proto.String("ports"), Type: mesos.Value_RANGES.Enum(),
			Ranges: &mesos.Value_Ranges{Range: []*mesos.Value_Range{{Begin: proto.Uint64(0), End: proto.Uint64(math.MaxUint64)}}},
		}},
		Command:           &mesos.CommandInfo{Shell: proto.Bool(false), Arguments: []string{"a", "b"}},
		Data:              []byte{0, 255, 254},
		MaxCompletionTime: &mesos.DurationInfo{Nanoseconds: proto.Int64(math.MinInt64)},
		Limits:            map[string]*mesos.Value_Scalar{"mem": {Value: proto.Float64(math.Inf(1))}, "cpus": {Value: proto.Float64(0.25)}},
	}
}

func TestJSONBothWays(t *testing.T) {
	for _, enc := range Encodings() {
		data, err := enc.Marshal(everyKind())
		if err != nil {
			t.Fatal(err)
		}
		var back mesos.TaskInfo
		if err := enc.Unmarshal(data, &back); err != nil {
			t.Fatalf("%v: %s", err, data)
		}
		if !proto.Equal(everyKind(), &back) {
			t.Errorf("%s became %v", data, &back)
		}
	}
}

func TestJSONAsItIsWritten(t *testing.T) {
	data, err := JSON{}.Marshal(everyKind())
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`"task_id":{"value":"t"}`, `"end":18446744073709551615`, `"type":"RANGES"`, `"data":"AP/+"`,
		`"nanoseconds":-9223372036854775808`, `"mem":{"value":"Infinity"}`, `"shell":false`,
	} {
		if !strings.Contains(string(data), want) {
			t.Errorf("no %s in %s", want, data)
		}
	}
}

// The client takes nothing that a server must not write.
func TestJSONIsStrict(t *testing.T) {
	for _, c := range []struct {
		m        proto.Message
		in, want string
	}{
		{&mesos.TaskInfo{}, `{"taskId":{"value":"t"}}`, "TaskInfo: taskId: no such field"},
		{&mesos.TaskInfo{}, `{"task_id":null}`, "TaskInfo: task_id: is null"},
		{&mesos.TaskInfo{}, `{"task_id":{"value":1}}`, "TaskInfo: task_id: value: json: cannot unmarshal number"},
		{&mesos.TaskInfo{}, `{"resources":[{"name":"a"},{"type":7}]}`, "TaskInfo: resources: [1]: type: json: cannot unmarshal number"},
		{&mesos.TaskInfo{}, `{"resources":{}}`, "TaskInfo: resources: json: cannot unmarshal object"},
		{&mesos.TaskInfo{}, `{"limits":{"cpus":{"value":"1"}}}`, "TaskInfo: limits: cpus: value: json: cannot unmarshal string"},
		{&mesos.TaskInfo{}, `{"limits":[]}`, "TaskInfo: limits: json: cannot unmarshal array"},
		{&mesos.TaskInfo{}, `{"data":"%"}`, "TaskInfo: data: illegal base64"},
		{&mesos.TaskInfo{}, `{}`, "required field"},
		{&mesos.Value_Range{}, `{"begin":"1"}`, "Range: begin: strconv.ParseUint"},
		{&mesos.Value_Range{}, `{"begin":-1}`, "Range: begin: strconv.ParseUint"},
		{&mesos.DurationInfo{}, `{"nanoseconds":1.5}`, "DurationInfo: nanoseconds: strconv.ParseInt"},
		{&mesos.CommandInfo{}, `{"shell":"true"}`, "CommandInfo: shell: json: cannot unmarshal string"},
		{&mesos.MasterInfo{}, `{"ip":4294967296}`, "MasterInfo: ip: strconv.ParseUint"},
		{&scheduler.Event_Failure{}, `{"status":2147483648}`, "Failure: status: strconv.ParseInt"},
		{&scheduler.Call{}, `{"type":"DANCE"}`, `Call: type: "DANCE" is no Type`},
		{&scheduler.Call_Revive{}, `{"roles":["a",1]}`, "Revive: roles: [1]: json: cannot unmarshal number"},
		{&master.Response_GetFlags{}, `[]`, "GetFlags: json: cannot unmarshal array"},
	} {
		if err := (JSON{}).Unmarshal([]byte(c.in), c.m); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.in, err, c.want)
		}
	}
}

func FuzzJSON(f *testing.F) {
	data, err := JSON{}.Marshal(everyKind())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte(`{"limits":{"a":{"value":"-Infinity"}}}`))
	f.Fuzz(func(t *testing.T, in []byte) {
		var first, second mesos.TaskInfo
		if (JSON{}).Unmarshal(in, &first) != nil {
			return
		}
		out, err := JSON{}.Marshal(&first)
		if err != nil {
			t.Fatal(err)
		}
		if err := (JSON{}).Unmarshal(out, &second); err != nil {
			t.Fatalf("%s was written for %s: %v", out, in, err)
		}
		if !proto.Equal(&first, &second) {
			t.Errorf("%s was written for %s", out, in)
		}
	})
}
