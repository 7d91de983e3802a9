package check

import (
	"testing"

	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos"
)

func good() *mesos.TaskStatus {
	return &mesos.TaskStatus{
		TaskId: &mesos.TaskID{Value: proto.String("T")}, ExecutorId: &mesos.ExecutorID{Value: proto.String("E")},
		State: mesos.TaskState_TASK_RUNNING.Enum(), Source: mesos.TaskStatus_SOURCE_EXECUTOR.Enum(), Uuid: make([]byte, 16),
	}
}

func TestUpdate(t *testing.T) {
	if err := Update("E", good()); err != nil {
		t.Errorf("a good one: %v", err)
	}
	for want, change := range map[string]func(*mesos.TaskStatus){
		`update.status.task_id: must be set`:                                   func(u *mesos.TaskStatus) { u.TaskId = nil },
		`update.status.uuid: "ab": must be of 16 bytes`:                        func(u *mesos.TaskStatus) { u.Uuid = []byte("ab") },
		`update.status.executor_id: "X": must be the caller's, "E"`:            func(u *mesos.TaskStatus) { u.ExecutorId.Value = proto.String("X") },
		`update.status.source: "SOURCE_AGENT": must be SOURCE_EXECUTOR`:        func(u *mesos.TaskStatus) { u.Source = mesos.TaskStatus_SOURCE_AGENT.Enum() },
		`update.status.state: "TASK_STAGING": is not for executors to say`:     func(u *mesos.TaskStatus) { u.State = mesos.TaskState_TASK_STAGING.Enum() },
		`update.status.state: "TASK_UNREACHABLE": is not for executors to say`: func(u *mesos.TaskStatus) { u.State = mesos.TaskState_TASK_UNREACHABLE.Enum() },
	} {
		u := good()
		change(u)
		if err := Update("E", u); err == nil || err.Error() != want {
			t.Errorf("error is %v, want %s", err, want)
		}
	}
	if err := Update("E", nil); err == nil {
		t.Error("no status was taken")
	}
}

func TestIDs(t *testing.T) {
	for _, id := range []string{"", ".", "..", "a/b", "a\x00"} {
		if AgentID(id) == nil || FrameworkID(id) == nil || Key("F", id) == nil || Key(id, "T") == nil {
			t.Errorf("%q was taken", id)
		}
	}
	if err := Key("F", "T"); err != nil {
		t.Error(err)
	}
}

func TestWords(t *testing.T) {
	if !Over(mesos.TaskState_TASK_LOST) || Over(mesos.TaskState_TASK_KILLING) {
		t.Error("the terminal states are wrong")
	}
	aware := &mesos.FrameworkInfo{Capabilities: []*mesos.FrameworkInfo_Capability{
		{Type: mesos.FrameworkInfo_Capability_PARTITION_AWARE.Enum()},
	}}
	if !PartitionAware(aware) || PartitionAware(&mesos.FrameworkInfo{}) {
		t.Error("the capability is not seen")
	}
	if Task(&mesos.TaskInfo{}) == nil || Group(&mesos.ExecutorInfo{}, &mesos.TaskGroupInfo{}) == nil {
		t.Error("a task or a group of nothing was taken")
	}
}
