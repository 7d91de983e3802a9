package slave

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/messages/resources"
)

// runGroup launches tasks under one executor of groups.
func (f *fakeMaster) runGroup(executor string, tasks ...*mesos.TaskInfo) {
	base := runTask("", "")
	own := resources.MustParse("cpus:0.1;mem:32;disk:32").Allocate("*").Proto()
	f.send(&cluster.RunTaskGroup{
		Framework: base.Framework,
		Executor: &mesos.ExecutorInfo{
			Type: mesos.ExecutorInfo_DEFAULT.Enum(), ExecutorId: &mesos.ExecutorID{Value: &executor}, Resources: own,
		},
		TaskGroup: &mesos.TaskGroupInfo{Tasks: tasks},
	})
}

// member is a task of a group, with what the group shares at ./shared.
func member(id, command string) *mesos.TaskInfo {
	info := runTask(id, command).Task
	info.Container = &mesos.ContainerInfo{Type: mesos.ContainerInfo_MESOS.Enum(), Volumes: []*mesos.Volume{{
		Mode: mesos.Volume_RW.Enum(), ContainerPath: proto.String("shared"),
		Source: &mesos.Volume_Source{
			Type: mesos.Volume_Source_SANDBOX_PATH.Enum(),
			SandboxPath: &mesos.Volume_Source_SandboxPath{
				Type: mesos.Volume_Source_SandboxPath_PARENT.Enum(), Path: proto.String("of/all"),
			},
		},
	}}}
	return info
}

// TestGroups: two groups of one executor, that share a volume; one of them ends
// with the health of a task, the other finishes, and the executor with it.
func TestGroups(t *testing.T) {
	master := newMaster(t)
	a := startAgent(t, master, t.TempDir(), "127.0.0.1:0", nil)
	defer a.shutdown(t)
	await(t, master, "RegisterAgent", func(*cluster.RegisterAgent) bool { return true })
	master.runGroup("E",
		member("writer", `echo "$MESOS_CONTAINER_IP $MESOS_SANDBOX" >shared/word; while [ ! -e shared/end ]; do sleep 0.02; done`),
		member("reader", `while [ ! -s shared/word ] || [ ! -e shared/end ]; do sleep 0.02; done; cat shared/word`),
	)
	st := master.awaitState(t, "writer", mesos.TaskState_TASK_RUNNING)
	id := st.GetContainerStatus().GetContainerId()
	master.awaitState(t, "reader", mesos.TaskState_TASK_RUNNING)
	sick := member("sick", "while :; do sleep 1; done")
	sick.HealthCheck = often(&mesos.HealthCheck{
		Type: mesos.HealthCheck_COMMAND.Enum(), ConsecutiveFailures: proto.Uint32(2),
		Command: &mesos.CommandInfo{Value: proto.String("[ -e ./shared/nothing ]")},
	})
	master.runGroup("E", sick, member("mate", "while :; do sleep 1; done"))
	if end := master.awaitState(t, "sick", mesos.TaskState_TASK_KILLED); end.Healthy == nil || end.GetHealthy() {
		t.Errorf("the end is %v", end)
	}
	if end := master.awaitState(t, "mate", mesos.TaskState_TASK_KILLED); end.Healthy != nil || end.GetSource() != mesos.TaskStatus_SOURCE_EXECUTOR {
		t.Errorf("the end is %v", end)
	}
	box := a.events.sandbox("E")
	if err := os.WriteFile(filepath.Join(box, "of", "all", "end"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, task := range []string{"writer", "reader"} {
		master.awaitState(t, task, mesos.TaskState_TASK_FINISHED)
	}
	await(t, master, "ExecutorExited", func(m *cluster.ExecutorExited) bool { return m.GetExecutorId().GetValue() == "E" })
	own := filepath.Join(box, "containers", id.GetValue())
	got, err := os.ReadFile(filepath.Join(box, "tasks", "reader", "stdout"))
	if want := "127.0.0.1 " + own + "\n"; err != nil || string(got) != want {
		t.Errorf("read %q, %v; want %q", got, err, want)
	}
	if parent := id.GetParent().GetValue(); parent == "" || !strings.HasSuffix(box, parent) {
		t.Errorf("container %v in %s", id, box)
	}
}
