package check

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/prototext"

	"troupe/messages/cluster"
)

func TestRecord(t *testing.T) {
	for text, want := range map[string]string{ // the error; "" is none
		`identity { agent { hostname: "h" id { value: "S0" } } }`:                            "",
		`identity { agent { hostname: "h" id { value: "../S0" } } }`:                         "identity.agent_id",
		`identity { agent { hostname: "h" } }`:                                               "identity.agent_id",
		`framework { framework { user: "u" name: "n" id { value: "F" } } }`:                  "",
		`framework { framework { user: "u" name: "n" } }`:                                    "framework.framework_id",
		`executor { executor { executor_id { value: "E" } } container_id { value: "C" } }`:   "",
		`executor { executor { executor_id { value: "E/F" } } container_id { value: "C" } }`: "executor.executor_id",
		`executor { executor { executor_id { value: "E" } } container_id { value: ".." } }`:  "executor.container_id",
		`launch { tasks { task_id { value: "T" } } tasks { task_id { value: "U" } } }`:       "",
		`launch { }`: "launch.tasks",
		`launch { tasks { task_id { value: "T" } } tasks { task_id { value: "T" } } }`:                      "launch.task_id",
		`launch { tasks { task_id { value: "" } } }`:                                                        "launch.task_id",
		`update { framework_id { value: "F" } status { task_id { value: "T" } uuid: "x" } }`:                "update.status.uuid",
		`update { framework_id { value: "" } status { task_id { value: "T" } uuid: "x" } }`:                 "update.framework_id",
		`update { framework_id { value: "F" } status { task_id { value: "T" } uuid: "0123456789abcdef" } }`: "",
		`host { host_id: "H1" }`:  "",
		`host { host_id: "H/1" }`: "host.host_id",
		`agent_forgotten { }`:     "",
	} {
		r := new(cluster.JournalRecord)
		if err := (prototext.UnmarshalOptions{AllowPartial: true}).Unmarshal([]byte(text), r); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		err := Record(r)
		if want == "" && err != nil || want != "" && (err == nil || !strings.HasPrefix(err.Error(), want+":")) {
			t.Errorf("%s: error %v, want one of %q", text, err, want)
		}
	}
}
