package zookeeper

import (
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos"
)

func TestCandidatesAreSortedByNumber(t *testing.T) {
	children := []string{
		"log_replicas", "json.info_0000000010", "info_0000000001", "registry", "json.info_", "json.info_x", "json.info_-000000001",
		"json.info_10000000000", "json.info_0000000009", "_c_0f-json.info_0000000001",
	}
	var got []string
	for _, c := range candidates(children) {
		got = append(got, c.name)
	}
	want := []string{"json.info_0000000009", "json.info_0000000010", "json.info_10000000000"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

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

func FuzzCandidates(f *testing.F) {
	f.Add("json.info_0000000001,json.info_0000000000,log_replicas")
	f.Add("json.info_99999999999999999999,json.info_,json.info_+1")
	f.Fuzz(func(t *testing.T, names string) {
		children := strings.Split(names, ",")
		all := candidates(children)
		for i, c := range all {
			if c.number < 0 || !slices.Contains(children, c.name) || i > 0 && all[i-1].number > c.number {
				t.Errorf("%q: candidate %d is %v", children, i, c)
			}
		}
	})
}

func TestServersTakeTurns(t *testing.T) {
	s := new(servers)
	if err := s.Init([]string{"a", "b"}); err != nil || s.Len() != 2 {
		t.Fatalf("%d servers, %v", s.Len(), err)
	}
	// A pause comes after all were tried in vain, and not after a success.
	for i, want := range []struct {
		server string
		pause  bool
	}{{"a", false}, {"b", false}, {"a", true}, {"b", false}, {"a", true}} {
		if server, pause := s.Next(); server != want.server || pause != want.pause {
			t.Errorf("attempt %d: %s %v, want %v", i, server, pause, want)
		}
	}
	s.Connected()
	if server, pause := s.Next(); server != "b" || pause {
		t.Errorf("after a success: %s %v", server, pause)
	}
}
