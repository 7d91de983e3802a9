package work

import (
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos"
)

func because(st mesos.TaskState, why mesos.TaskStatus_Reason) *mesos.TaskStatus {
	return &mesos.TaskStatus{TaskId: &mesos.TaskID{Value: proto.String("T")}, State: st.Enum(), Reason: why.Enum()}
}

func TestLost(t *testing.T) {
	const preempted = mesos.TaskStatus_REASON_CONTAINER_PREEMPTED
	for _, c := range []struct {
		status *mesos.TaskStatus
		want   bool
	}{
		{status("T", unreachable), true},
		{status("T", dropped), true},
		{status("T", mesos.TaskState_TASK_GONE_BY_OPERATOR), true},
		{because(killed, preempted), true},
		{because(failed, mesos.TaskStatus_REASON_EXECUTOR_TERMINATED), true},
		{status("T", failed), false},
		{status("T", killed), false},
		{status("T", running), false},
		{because(finished, preempted), false},
		{because(failed, mesos.TaskStatus_REASON_COMMAND_EXECUTOR_FAILED), false},
		{because(failed, mesos.TaskStatus_REASON_MAX_COMPLETION_TIME_REACHED), false},
	} {
		if got := Lost(c.status); got != c.want {
			t.Errorf("%v: %t", c.status, got)
		}
	}
}

// Of a task that is to be repeated only when it is lost, a failure is final.
func TestAgain(t *testing.T) {
	r := rig{t, New()}
	r.want(Add{&Task{ID: "T", Command: "build", Retries: Forever, Again: Lost}}, "revive")
	r.m.Step(time.Time{}, Offers{[]*mesos.Offer{offer("O", "cpus:1;mem:64")}})
	r.want(Updated{because(failed, mesos.TaskStatus_REASON_EXECUTOR_TERMINATED)}, "T attempt 1 FAILED", "timer retry/T in 1s")
	r.want(TimerFired{"retry/T"}, "revive")
	r.m.Step(time.Time{}, Offers{[]*mesos.Offer{offer("O", "cpus:1;mem:64")}})
	r.want(Updated{status("T.2", failed)}, "T attempt 2 FAILED final")
}
