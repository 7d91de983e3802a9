package pod_test

import (
	"context"
	"testing"

	"google.golang.org/protobuf/proto"

	"troupe/actors"
	"troupe/executor"
	"troupe/executor/executortest"
	"troupe/executor/pod"
	"troupe/executor/program"
	"troupe/messages/cluster"
	"troupe/messages/mesos"
)

// contained is a pod in a container.
func contained(t *testing.T) (*rig, *executortest.Box) {
	t.Helper()
	sys, err := actors.New(actors.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := sys.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	r := &rig{Agent: executortest.NewAgent(t, sys), launcher: executortest.NewLauncher(), gone: make(chan struct{}), dir: t.TempDir()}
	made, err := r.launcher.Open(t.Context(), program.Contents{ID: &mesos.ContainerID{Value: proto.String("C")}, Sandbox: r.dir})
	if err != nil {
		t.Fatal(err)
	}
	r.x = pod.New(program.Spec{Dir: r.dir, Container: made}, r.launcher, func() { close(r.gone) })
	r.actor, err = executor.NewActor(sys, executor.Config{FrameworkID: "F1", ExecutorID: "E1", Agent: r.PID}, r.x)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := sys.Spawn("executor", r.actor); err != nil {
		t.Fatal(err)
	}
	r.Subscribed(t)
	return r, r.launcher.Opened(t)
}

// TestTasksHaveContainers within the executor's: with amounts of their own if they
// want that, and gone before their end is told.
func TestTasksHaveContainers(t *testing.T) {
	r, outer := contained(t)
	shared, own := sleep("T1"), sleep("T2")
	own.Resources = []*mesos.Resource{{Name: proto.String("mem"), Scalar: &mesos.Value_Scalar{Value: proto.Float64(64)}}}
	own.Limits = map[string]*mesos.Value_Scalar{"mem": {Value: proto.Float64(128)}}
	own.Container = &mesos.ContainerInfo{Type: mesos.ContainerInfo_MESOS.Enum(), LinuxInfo: &mesos.LinuxInfo{ShareCgroups: proto.Bool(false)}}
	r.LaunchGroup(shared, own)
	boxes := map[string]*executortest.Box{}
	for range 2 {
		p := r.launcher.Next(t)
		b := p.Spec.Container.(*executortest.Box)
		if b.Within != outer || b.Sandbox != p.Spec.Dir {
			t.Errorf("the container is %+v", b)
		}
		name := "T1"
		if b.Amounts != nil {
			name = "T2"
		}
		boxes[name] = b
		defer p.Exit(0)
	}
	if a := boxes["T2"].Amounts; a.GetMem() != 64 || a.GetMemLimit() != 128 || boxes["T1"] == nil {
		t.Errorf("amounts are %v", boxes["T2"].Amounts)
	}
}

// TestLimitOfTask ends it with the reason, and the rest of its group.
func TestLimitOfTask(t *testing.T) {
	r, _ := contained(t)
	r.LaunchGroup(sleep("T1"))
	p := r.launcher.Next(t)
	r.WantStates(t, "T1", starting, running)
	limit := &cluster.ContainerLimit{
		Reason: mesos.TaskStatus_REASON_CONTAINER_LIMITATION_MEMORY.Enum(), Message: proto.String("too much"),
		Resources: []*mesos.Resource{{Name: proto.String("mem"), Scalar: &mesos.Value_Scalar{Value: proto.Float64(64)}}},
	}
	b := p.Spec.Container.(*executortest.Box)
	b.Exceed(limit)
	p.Killed(t)
	p.ExitFor(limit)
	b.Gone(t)
	st := r.WantStates(t, "T1", failed)
	if st.GetReason() != limit.GetReason() || st.GetMessage() != "too much" || len(st.GetLimitation().GetResources()) != 1 {
		t.Errorf("%v", st)
	}
	<-r.gone
}

// TestKillWhileContainerIsMade ends the task at once.
func TestKillWhileContainerIsMade(t *testing.T) {
	r, _ := contained(t)
	release := r.launcher.Hold()
	defer release()
	r.LaunchGroup(sleep("T1"))
	r.launcher.Opened(t)
	r.Kill("T1")
	r.WantStates(t, "T1", starting, killing, killed)
	<-r.gone
}
