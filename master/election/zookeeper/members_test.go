package zookeeper

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos"
)

// What Mesos 1.x writes is understood.
func TestDecodeMesos(t *testing.T) {
	info, err := decode([]byte(`{"address":{"hostname":"a.example","ip":"10.0.0.1","port":5050},` +
		`"capabilities":[{"type":"AGENT_UPDATE"}],"hostname":"a.example","id":"m","ip":16777226,"pid":"master@10.0.0.1:5050","port":5050,"version":"1.11.0"}`))
	if err != nil {
		t.Fatal(err)
	}
	want := &mesos.MasterInfo{
		Id: proto.String("m"), Ip: proto.Uint32(16777226), Port: proto.Uint32(5050), Pid: proto.String("master@10.0.0.1:5050"),
		Hostname: proto.String("a.example"), Version: proto.String("1.11.0"),
		Address:      &mesos.Address{Hostname: proto.String("a.example"), Ip: proto.String("10.0.0.1"), Port: proto.Int32(5050)},
		Capabilities: []*mesos.MasterInfo_Capability{{Type: mesos.MasterInfo_Capability_AGENT_UPDATE.Enum()}},
	}
	if !proto.Equal(info, want) {
		t.Errorf("got %v", info)
	}
}

// What is written has the members that clients of Mesos look for.
func TestEncode(t *testing.T) {
	info := &mesos.MasterInfo{
		Id: proto.String("m"), Ip: proto.Uint32(16777343), Port: proto.Uint32(5050), Pid: proto.String("master@127.0.0.1:5050"),
		Hostname: proto.String("localhost"),
		Address:  &mesos.Address{Hostname: proto.String("localhost"), Ip: proto.String("127.0.0.1"), Port: proto.Int32(5050)},
	}
	const want = `{"id":"m","ip":16777343,"port":5050,"pid":"master@127.0.0.1:5050","hostname":"localhost",` +
		`"address":{"hostname":"localhost","ip":"127.0.0.1","port":5050}}`
	if got := string(encode(info)); got != want {
		t.Errorf("got %s", got)
	}
}

func TestDecodeRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"":                           "content",
		"not json":                   "not json",
		`{"id":"m"}`:                 "ip",
		`{"id":"","ip":1,"port":1}`:  "content.id",
		strings.Repeat("x", 1000):    strings.Repeat("x", maxShown),
		"\xff\xfe":                   `\xff\xfe`,
		`{"id":"m","ip":"a","port"`:  "ip",
		`{"id":1,"ip":[],"port":{}}`: "id",
	} {
		_, err := decode([]byte(text))
		if err == nil || !strings.Contains(err.Error(), want) || len(err.Error()) > 400 {
			t.Errorf("%.20q: %v, want one that names %q", text, err, want)
		}
	}
}

// FuzzDecode holds that what is taken for a leader can be written and read
// again, and that nothing makes the reader fail in another way than an error.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"id":"m","ip":1,"port":5050,"pid":"master@127.0.0.1:5050"}`))
	f.Add([]byte(`{"id":"m","ip":"1","port":5.05e3,"capabilities":[{"type":"NEW"}],"domain":null}`))
	f.Add([]byte("\x0a\x01m\x10\x01"))
	f.Add([]byte("{\"id\":\"0\xed\xb9\x94\xc8\",\"ip\":\"0\",\"port\":0}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		info, err := decode(data)
		if err != nil {
			return
		}
		again, err := decode(encode(info))
		if err != nil || !proto.Equal(again, info) {
			t.Errorf("%q is %v, then %v, %v", data, info, again, err)
		}
	})
}
