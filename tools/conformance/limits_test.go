package conformance

import (
	"math"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos"
	"troupe/tools/cgrouptest"
	"troupe/tools/mesosclient"
)

// TestLimitsOfTasks: a task may use more than it requests, up to its limits, and is
// told of with the limit that it ran into.
func TestLimitsOfTasks(t *testing.T) {
	c := newWorld(t)
	c.agentFlags = []string{"--isolation=cgroups/cpu,cgroups/mem", "--cgroups_root=" + cgrouptest.Root(t)}
	c.start()
	f := subscribe(t, c.master, mesosclient.JSON{}, describe("limits"))
	for _, test := range []struct {
		task  string
		limit float64 // of memory, in megabytes
		want  mesos.TaskState
	}{
		{"roomy", 256, mesos.TaskState_TASK_FINISHED},
		{"endless", math.Inf(1), mesos.TaskState_TASK_FINISHED},
		{"narrow", 64, mesos.TaskState_TASK_FAILED},
	} {
		offer := f.offer()
		hog := shell(offer, test.task, "head -c 120000000 /dev/zero | tail -c 120000000 >/dev/null")
		hog.Limits = map[string]*mesos.Value_Scalar{"mem": {Value: &test.limit}, "cpus": {Value: proto.Float64(1)}}
		f.accept(offer, launch(hog))
		status := f.update(test.task, test.want)
		if test.want == mesos.TaskState_TASK_FINISHED {
			continue
		}
		used := status.GetLimitation().GetResources()
		if status.GetReason() != mesos.TaskStatus_REASON_CONTAINER_LIMITATION_MEMORY ||
			!strings.HasPrefix(status.GetMessage(), "Memory limit exceeded: Requested: 64MB") ||
			len(used) != 1 || used[0].GetName() != "mem" || used[0].GetScalar().GetValue() < 60 {
			t.Errorf("%v", status)
		}
	}
	f.teardown()
}
