package json

import (
	"bytes"
	stdjson "encoding/json"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos/agent"
	"troupe/messages/mesos/master"
	"troupe/messages/mesos/scheduler"
	"troupe/messages/recordio"
)

// The files in testdata are answers of a Mesos 1.12 cluster with one agent.

// TestEventsOfAMesosMaster reads a stream of events and writes it again: not a
// byte may differ.
func TestEventsOfAMesosMaster(t *testing.T) {
	stream, err := os.ReadFile("testdata/v1_scheduler_events.recordio")
	if err != nil {
		t.Fatal(err)
	}
	records := recordio.NewReader(bytes.NewReader(stream), 1<<20)
	count := 0
	for {
		record, err := records.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		var event scheduler.Event
		if err := Unmarshal(record, &event); err != nil {
			t.Fatal(err)
		}
		if got := Marshal(&event); !bytes.Equal(got, record) {
			t.Errorf("got  %s\nwant %s", got, record)
		}
		count++
	}
	if count != 3 {
		t.Errorf("%d events, want 3", count)
	}
}

// TestAnswersOfAMesosCluster reads answers and writes them again. The files
// were indented by a program that wrote 64.0 as 64, so documents are compared
// as values.
func TestAnswersOfAMesosCluster(t *testing.T) {
	files, err := filepath.Glob("testdata/v1_*.json")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var m proto.Message = new(master.Response)
		if strings.Contains(file, "v1_agent_") {
			m = new(agent.Response)
		}
		if err := Unmarshal(data, m); err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		want, got := document(t, data), document(t, Marshal(m))
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\ngot  %v\nwant %v", file, got, want)
		}
	}
}

// document parses data and leaves out empty arrays and objects, which Mesos
// writes in places where it does not go by the schema.
func document(t *testing.T, data []byte) any {
	t.Helper()
	decoder := stdjson.NewDecoder(bytes.NewReader(data))
	var v any
	if err := decoder.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return withoutEmpty(v)
}

func withoutEmpty(v any) any {
	switch v := v.(type) {
	case map[string]any:
		if agent, ok := v["agent_info"].(map[string]any); ok {
			delete(agent, "checkpoint") // of the schema before v1; a Mesos master lets it through
		}
		for key, member := range v {
			if member = withoutEmpty(member); member == nil {
				delete(v, key)
			} else {
				v[key] = member
			}
		}
		if len(v) == 0 {
			return nil
		}
	case []any:
		for i := range v {
			v[i] = withoutEmpty(v[i])
		}
		if len(v) == 0 {
			return nil
		}
	}
	return v
}
