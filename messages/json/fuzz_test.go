package json

import (
	stdjson "encoding/json"
	"os"
	"testing"

	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos/master"
	"troupe/messages/mesos/scheduler"
)

// FuzzUnmarshal shows that whatever is read is written as a document that
// reads back as the same message.
func FuzzUnmarshal(f *testing.F) {
	for _, seed := range []string{
		`{"type":"ACCEPT","accept":{"offer_ids":[{"value":"O1"}],"operations":{"type":"LAUNCH","launch":{"task_infos":[{"name":"n","task_id":{"value":"t"},"agent_id":{"value":"s"},"limits":{"mem":{"value":"Infinity"}}}]}}}}`,
		`{"type":6,"x":[[{}],"\ud83d\ude00"],"kill":null}`,
		`{"subscribe":{"framework_info":{"user":"u","name":"n","failover_timeout":"1e3","checkpoint":"true"}}}`,
		`{"framework_id":{"value":"` + "\xff" + `"}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var call, again scheduler.Call
		if Unmarshal(data, &call) != nil {
			return
		}
		text := Marshal(&call)
		if !stdjson.Valid(text) {
			t.Fatalf("%q is written as %s", data, text)
		}
		if err := Unmarshal(text, &again); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if twice := Marshal(&again); string(twice) != string(text) {
			t.Fatalf("%s is written again as %s", text, twice)
		}
	})
}

// FuzzMarshal shows that any message that protobuf accepts is written as a
// document that reads back.
func FuzzMarshal(f *testing.F) {
	for _, file := range []string{"testdata/v1_master_GET_STATE.json", "testdata/v1_master_GET_ROLES.json"} {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		var m master.Response
		if err := Unmarshal(text, &m); err != nil {
			f.Fatal(err)
		}
		data, err := proto.Marshal(&m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var m master.Response
		if (proto.UnmarshalOptions{RecursionLimit: MaxDepth / 2}).Unmarshal(data, &m) != nil {
			return
		}
		text := Marshal(&m)
		if !stdjson.Valid(text) {
			t.Fatalf("%x is written as %s", data, text)
		}
		if err := Unmarshal(text, &m); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	})
}
