package conformance

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos"
	"troupe/tools/mesosclient"
)

// What tasks find in their environment: what the agent gives to their executor,
// their role, and their command's own on top.
func TestEnvironmentOfTasks(t *testing.T) {
	c := newCluster(t)
	inEach(t, func(t *testing.T, enc mesosclient.Encoding) {
		for _, roles := range [][]string{{"*"}, {"a", "b"}} {
			info := describe("environments")
			info.Roles = roles
			f := subscribe(t, c.master, enc, info)
			for name, launched := range attachments {
				file := filepath.Join(t.TempDir(), "environment")
				var role string
				launched(f, func(offer *mesos.Offer) *mesos.TaskInfo {
					role = offer.GetAllocationInfo().GetRole()
					task := shell(offer, name, "env >'"+file+"'")
					task.Command.Environment = &mesos.Environment{Variables: []*mesos.Environment_Variable{
						{Name: proto.String("OWN"), Value: proto.String("1")},
						{Name: proto.String("LIBPROCESS_PORT"), Value: proto.String("7")},
					}}
					return task
				})
				f.update(name, mesos.TaskState_TASK_FINISHED)
				f.found(c, name, role, file)
			}
			f.teardown()
		}
	})
}

// found checks what a task has written down of its environment.
func (f *framework) found(c *cluster, name, role, file string) {
	f.t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		f.t.Fatal(err)
	}
	got := map[string]string{}
	for _, line := range strings.Split(string(text), "\n") {
		k, v, _ := strings.Cut(line, "=")
		got[k] = v
	}
	want := map[string]string{
		"OWN": "1", "LIBPROCESS_PORT": "7", "MESOS_ALLOCATION_ROLE": role, "MESOS_FRAMEWORK_ID": f.FrameworkID,
		"MESOS_AGENT_ENDPOINT": c.agent, "MESOS_SANDBOX": got["PWD"],
	}
	if name != "command task" {
		want["MESOS_CONTAINER_IP"] = "127.0.0.1"
	}
	for k, v := range want {
		if got[k] != v || v == "" {
			f.t.Errorf("%s: %s=%q, want %q", name, k, got[k], v)
		}
	}
	for _, k := range []string{"HOME", "MESOS_TASK_ID"} {
		if v, set := got[k]; set {
			f.t.Errorf("%s: %s=%q is set", name, k, v)
		}
	}
}
