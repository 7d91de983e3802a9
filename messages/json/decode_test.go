package json

import (
	"math"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos"
	"troupe/messages/mesos/master"
	"troupe/messages/mesos/scheduler"
)

// TestTolerance reads what Mesos clients are known to send.
func TestTolerance(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       func(c *scheduler.Call) bool
	}{
		{"unknown members", `{"no":1,"such":[{"a":[]}],"member":{"x":null},"type":"KILL"}`, func(c *scheduler.Call) bool { return c.GetType() == scheduler.Call_KILL }},
		{"camel case is unknown", `{"frameworkId":{"value":"f"}}`, func(c *scheduler.Call) bool { return c.FrameworkId == nil }},
		{"null", `{"framework_id":null,"accept":{"offer_ids":null,"operations":[null]},"type":null}`, func(c *scheduler.Call) bool {
			return c.FrameworkId == nil && c.Type == nil && c.Accept != nil && len(c.Accept.Operations) == 0
		}},
		{"number in quotes", `{"accept":{"filters":{"refuse_seconds":"1.5"}}}`, func(c *scheduler.Call) bool { return c.GetAccept().GetFilters().GetRefuseSeconds() == 1.5 }},
		{"whole number as a double", `{"subscribe":{"framework_info":{"user":"u","name":"n","failover_timeout":604800}}}`, func(c *scheduler.Call) bool {
			return c.GetSubscribe().GetFrameworkInfo().GetFailoverTimeout() == 604800
		}},
		{"boolean in quotes", `{"subscribe":{"framework_info":{"user":"u","name":"n","checkpoint":"true"}}}`, func(c *scheduler.Call) bool { return c.GetSubscribe().GetFrameworkInfo().GetCheckpoint() }},
		{"unknown enum", `{"type":"FROBNICATE","framework_id":{"value":"f"}}`, func(c *scheduler.Call) bool { return c.Type == nil && c.GetType() == 0 }},
		{"unknown enum in a list of messages", `{"subscribe":{"framework_info":{"user":"u","name":"n","capabilities":[{"type":"NEW"},{"type":"MULTI_ROLE"}]}}}`, func(c *scheduler.Call) bool {
			list := c.GetSubscribe().GetFrameworkInfo().GetCapabilities()
			return len(list) == 2 && list[0].Type == nil && list[1].GetType() == mesos.FrameworkInfo_Capability_MULTI_ROLE
		}},
		{"enum as a number", `{"type":6}`, func(c *scheduler.Call) bool { return c.GetType() == scheduler.Call_KILL }},
		{"one object for a list", `{"accept":{"offer_ids":{"value":"O1"}}}`, func(c *scheduler.Call) bool {
			return len(c.GetAccept().GetOfferIds()) == 1 && c.Accept.OfferIds[0].GetValue() == "O1"
		}},
		{"one string for a list", `{"revive":{"roles":"web"}}`, func(c *scheduler.Call) bool { return len(c.GetRevive().GetRoles()) == 1 }},
		{"last of two", `{"revive":{"roles":["a","b"]},"revive":{"roles":["c"]}}`, func(c *scheduler.Call) bool { return strings.Join(c.GetRevive().GetRoles(), "") == "c" }},
		{"null takes back", `{"type":"KILL","type":null}`, func(c *scheduler.Call) bool { return c.Type == nil }},
		{"infinite limit", `{"accept":{"operations":[{"launch":{"task_infos":[{"name":"n","task_id":{"value":"t"},"agent_id":{"value":"s"},"limits":{"mem":{"value":"Infinity"},"cpus":null}}]}}]}}`, func(c *scheduler.Call) bool {
			limits := c.Accept.Operations[0].Launch.TaskInfos[0].Limits
			return len(limits) == 1 && math.IsInf(limits["mem"].GetValue(), 1)
		}},
		{"escapes", `{"framework_id":{"value":"\u0041\n\"\/\\\ud83d\ude00\ud83d!\b\f\r\t"}}`, func(c *scheduler.Call) bool {
			return c.GetFrameworkId().GetValue() == "A\n\"/\\😀\ufffd!\b\f\r\t"
		}},
		{"not UTF-8", "{\"framework_id\":{\"value\":\"a\xffb\"}}", func(c *scheduler.Call) bool { return c.GetFrameworkId().GetValue() == "a\xffb" }},
		{"bytes", `{"message":{"agent_id":{"value":"s"},"executor_id":{"value":"e"},"data":"aGk="}}`, func(c *scheduler.Call) bool { return string(c.GetMessage().GetData()) == "hi" }},
		{"bytes without padding", `{"message":{"agent_id":{"value":"s"},"executor_id":{"value":"e"},"data":"aGk"}}`, func(c *scheduler.Call) bool { return string(c.GetMessage().GetData()) == "hi" }},
		{"white space", " {\n\t\"type\" :\r \"KILL\" } \n", func(c *scheduler.Call) bool { return c.GetType() == scheduler.Call_KILL }},
		{"nothing", `{}`, func(c *scheduler.Call) bool { return proto.Equal(c, &scheduler.Call{}) }},
	} {
		var call scheduler.Call
		if err := Unmarshal([]byte(c.text), &call); err != nil || !c.want(&call) {
			t.Errorf("%s: got %v, %v", c.name, &call, err)
		}
	}
}

func TestWholeNumbers(t *testing.T) {
	for text, want := range map[string]int64{
		"1": 1, "-5": -5, `"7"`: 7, "3.0": 3, "1e3": 1000, "12.50e2": 1250, "-0": 0, "0e999": 0, "0.000": 0, "-2.0E0": -2,
		"1795229683566911000": 1795229683566911000, "1.795229683566911e18": 1795229683566911000,
		"9223372036854775807": math.MaxInt64, "-9223372036854775808": math.MinInt64,
	} {
		var d mesos.DurationInfo
		if err := Unmarshal([]byte(`{"nanoseconds":`+text+`}`), &d); err != nil || d.GetNanoseconds() != want {
			t.Errorf("%s is %d, %v", text, d.GetNanoseconds(), err)
		}
	}
	for text, want := range map[string]string{
		"9223372036854775808":    "nanoseconds: 9223372036854775808: is out of the range of int64",
		"1e19":                   "nanoseconds: 1e19: is out of the range of int64",
		"1.5":                    "nanoseconds: 1.5: must be a whole number",
		"1e-1":                   "nanoseconds: 1e-1: must be a whole number",
		"1e999999999":            "nanoseconds: 1e999999999: must be a whole number",
		"1e99999999999999999999": "nanoseconds: 1e99999999999999999999: must be a whole number",
		`"1 "`:                   `nanoseconds: "1 ": must be a whole number`,
		`"0x1"`:                  `nanoseconds: "0x1": must be a whole number`,
		`""`:                     `nanoseconds: "": must be a whole number`,
		"true":                   "nanoseconds: true: must be a whole number",
		"Infinity":               `nanoseconds: byte 16, 'I': expected a value`,
		"01":                     `byte 17, '1': expected ',' or '}'`,
		"+1":                     `nanoseconds: byte 16, '+': expected a value`,
		"1.":                     `nanoseconds: byte 18, '}': expected a digit`,
		".5":                     `nanoseconds: byte 16, '.': expected a value`,
		"1e":                     `nanoseconds: byte 18, '}': expected a digit`,
		"-":                      `nanoseconds: byte 17, '}': expected a value`,
		"[1]":                    `nanoseconds: byte 16, '[': expected a whole number`,
		"{}":                     `nanoseconds: byte 16, '{': expected a whole number`,
	} {
		if err := Unmarshal([]byte(`{"nanoseconds":`+text+`}`), new(mesos.DurationInfo)); err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
	}
}

func TestErrorsNameThePath(t *testing.T) {
	for text, want := range map[string]string{
		`{"accept":{"operations":[{"launch":{"task_infos":[{},{},{"name":1}]}}]}}`: `accept.operations[0].launch.task_infos[0].name: must be set`,
		`{"accept":{"operations":{"launch":{"task_infos":[{"name":"n","task_id":{"value":"t"},"agent_id":{"value":"s"},"resources":[{"name":"cpus","type":"SCALAR","scalar":{"value":"lots"}}]}]}}}}`: `accept.operations.launch.task_infos[0].resources[0].scalar.value: "lots": must be a number`,
		`{"accept":{"operations":[{"launch":{"task_infos":[{"name":"n","task_id":{"value":"t"},"agent_id":{"value":"s"},"limits":{"mem":{}}}]}}]}}`:                                                   `accept.operations[0].launch.task_infos[0].limits[mem].value: must be set`,
		`{"accept":{"operations":[{"launch":{"task_infos":[{"resources":[{"name":"cpus","type":"SCALER"}]}]}}]}}`:                                                                                     `accept.operations[0].launch.task_infos[0].resources[0].type: "SCALER": is not a value of mesos.v1.Value.Type`,
		`{"type":true}`:                                                  `type: true: must be the name of a value`,
		`{"type":1.5}`:                                                   `type: 1.5: must be the name of a value`,
		`{"framework_id":"f"}`:                                           `framework_id: byte 17, '"': expected an object`,
		`{"framework_id":{"value":5}}`:                                   `framework_id.value: 5: must be a string`,
		`{"framework_id":{"value":["f"]}}`:                               `framework_id.value: byte 26, '[': expected a string`,
		`{"framework_id":{}}`:                                            `framework_id.value: must be set`,
		`{"framework_id":{"value":null}}`:                                `framework_id.value: must be set`,
		`{"revive":{"roles":["a",["b"]]}}`:                               `revive.roles[1]: byte 25, '[': expected a string`,
		`{"message":{"data":"a-_="}}`:                                    `message.data: "a-_=": must be a string in base64`,
		`{"subscribe":{"framework_info":{"checkpoint":1}}}`:              `subscribe.framework_info.checkpoint: 1: must be true or false`,
		`{"subscribe":{"framework_info":{"failover_timeout":"1e999"}}}`:  `subscribe.framework_info.failover_timeout: "1e999": must be a number`,
		`{"subscribe":{"framework_info":{"failover_timeout":Infinity}}}`: `subscribe.framework_info.failover_timeout: byte 52, 'I': expected a value`,
		`{"subscribe":{"framework_info":{"offer_filters":[]}}}`:          `subscribe.framework_info.offer_filters: byte 49, '[': expected an object`,
	} {
		if err := Unmarshal([]byte(text), new(scheduler.Call)); err == nil || err.Error() != want {
			t.Errorf("%s:\ngot  %v\nwant %s", text, err, want)
		}
	}
}

func TestSyntaxErrorsNameThePlace(t *testing.T) {
	for text, want := range map[string]string{
		``:                    `the document ends at byte 0: expected an object`,
		`null`:                `byte 1, 'n': expected an object`,
		`[]`:                  `byte 1, '[': expected an object`,
		`{`:                   `the document ends at byte 1: expected a key in quotes`,
		`{"a"`:                `the document ends at byte 4: expected ':'`,
		`{"a":`:               `the document ends at byte 5: expected a value`,
		`{"a":1`:              `the document ends at byte 6: expected ',' or '}'`,
		`{"a":1,}`:            `byte 8, '}': expected a key in quotes`,
		`{"a":[1,]}`:          `byte 9, ']': expected a value`,
		`{"a":1} x`:           `byte 9, 'x': expected the end of the document`,
		`{a:1}`:               `byte 2, 'a': expected a key in quotes`,
		`{'a':1}`:             `byte 2, '\'': expected a key in quotes`,
		`{"a":nul}`:           `byte 6, 'n': expected a value`,
		`{"a":"\x"}`:          `byte 8, 'x': no such escape`,
		`{"a":"\u12g4"}`:      `byte 8, 'u': expected four hexadecimal digits after \u`,
		`{"a":"\u12`:          `the document ends at byte 10: a string is not closed`,
		`{"a":"\`:             `the document ends at byte 7: a string is not closed`,
		`{"a":"b`:             `the document ends at byte 7: a string is not closed`,
		`{"a":"\n`:            `the document ends at byte 8: a string is not closed`,
		"{\"a\":\"b\nc\"}":    `byte 8, '\n': control characters must be escaped`,
		"{\"a\":\"\\n\x00\"}": `byte 9, '\x00': control characters must be escaped`,
		"\ufeff{}":            `byte 1, 'ï': expected an object`,
	} {
		if err := Unmarshal([]byte(text), new(scheduler.Call)); err == nil || err.Error() != want {
			t.Errorf("%q:\ngot  %v\nwant %s", text, err, want)
		}
	}
}

func TestDepthIsLimited(t *testing.T) {
	parents := func(n int) string {
		return strings.Repeat(`{"value":"c","parent":`, n) + `{"value":"c"}` + strings.Repeat("}", n)
	}
	if err := Unmarshal([]byte(parents(MaxDepth-1)), new(mesos.ContainerID)); err != nil {
		t.Errorf("%d levels: %v", MaxDepth, err)
	}
	for name, text := range map[string]string{
		"known":   parents(MaxDepth),
		"far":     parents(1_000_000),
		"unknown": `{"x":` + strings.Repeat("[", 1_000_000) + strings.Repeat("]", 1_000_000) + `}`,
		"objects": `{"x":` + strings.Repeat(`{"x":`, 1_000_000) + "1" + strings.Repeat("}", 1_000_001),
	} {
		if err := Unmarshal([]byte(text), new(mesos.ContainerID)); err == nil || !strings.Contains(err.Error(), tooDeep) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestReadIsLimited(t *testing.T) {
	text := `{"framework_id":{"value":"f"}}`
	if err := Read(strings.NewReader(text), int64(len(text)), new(scheduler.Call)); err != nil {
		t.Error(err)
	}
	if err := Read(strings.NewReader(text), int64(len(text)-1), new(scheduler.Call)); err == nil || err.Error() != "the document is over the limit of 29 bytes" {
		t.Errorf("got %v", err)
	}
}

func TestDurationIsAnObject(t *testing.T) {
	text := `{"type":"DRAIN_AGENT","drain_agent":{"agent_id":{"value":"S0"},"max_grace_period":{"seconds":600},"mark_gone":true}}`
	var call master.Call
	if err := Unmarshal([]byte(text), &call); err != nil || call.GetDrainAgent().GetMaxGracePeriod().GetSeconds() != 600 {
		t.Fatalf("got %v, %v", &call, err)
	}
	if got := string(Marshal(&call)); got != text {
		t.Errorf("got %s", got)
	}
	bad := strings.Replace(text, `{"seconds":600}`, `"600s"`, 1)
	if err := Unmarshal([]byte(bad), &call); err == nil || !strings.HasPrefix(err.Error(), "drain_agent.max_grace_period: ") {
		t.Errorf("600s: %v", err)
	}
}

func TestUnmarshalArray(t *testing.T) {
	list, err := UnmarshalArray[*mesos.MachineID]([]byte(`[{"hostname":"a"},{"ip":"10.0.0.1"}]`))
	if err != nil || len(list) != 2 || list[0].GetHostname() != "a" || list[1].GetIp() != "10.0.0.1" {
		t.Errorf("got %v, %v", list, err)
	}
	for text, want := range map[string]string{
		`{}`:                  `byte 1, '{': expected an array`,
		`[1]`:                 `[0]: byte 2, '1': expected an object`,
		`[{},{"hostname":1}]`: `[1].hostname: 1: must be a string`,
		`[{}]]`:               `byte 5, ']': expected the end of the document`,
	} {
		if _, err := UnmarshalArray[*mesos.MachineID]([]byte(text)); err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
	}
}

func TestTheMessageIsReplaced(t *testing.T) {
	call := &scheduler.Call{Type: scheduler.Call_KILL.Enum(), FrameworkId: &mesos.FrameworkID{Value: proto.String("old")}}
	if err := Unmarshal([]byte(`{"type":"REVIVE"}`), call); err != nil || call.FrameworkId != nil {
		t.Errorf("got %v, %v", call, err)
	}
}
