package command_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/actors"
	"troupe/executor"
	"troupe/executor/command"
	"troupe/executor/executortest"
	"troupe/executor/program"
	"troupe/messages/mesos"
)

const (
	starting = mesos.TaskState_TASK_STARTING
	running  = mesos.TaskState_TASK_RUNNING
	killing  = mesos.TaskState_TASK_KILLING
	finished = mesos.TaskState_TASK_FINISHED
	failed   = mesos.TaskState_TASK_FAILED
	killed   = mesos.TaskState_TASK_KILLED
)

type rig struct {
	*executortest.Agent
	launcher *executortest.Launcher
	gone     chan struct{}
	dir      string
	actor    *executor.Actor
	x        *command.Executor
}

func start(t *testing.T) *rig {
	t.Helper()
	return startWith(t, 0)
}

func startWith(t *testing.T, shutdownGrace time.Duration) *rig {
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
	r := &rig{Agent: executortest.NewAgent(t, sys), launcher: executortest.NewLauncher(), gone: make(chan struct{})}
	r.dir = t.TempDir()
	base := program.Spec{Dir: r.dir, Env: []string{"A=1", "B=2"}}
	r.x = command.New(base, r.launcher, func() { close(r.gone) })
	r.actor, err = executor.NewActor(sys, executor.Config{
		FrameworkID: "F1", ExecutorID: "T1", Agent: r.PID, ShutdownGracePeriod: shutdownGrace,
	}, r.x)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := sys.Spawn("executor/C1", r.actor); err != nil {
		t.Fatal(err)
	}
	r.Subscribed(t)
	return r
}

func sleep(id string) *mesos.TaskInfo {
	return &mesos.TaskInfo{
		TaskId: &mesos.TaskID{Value: &id},
		Command: &mesos.CommandInfo{
			Value: proto.String("sleep 1"), Environment: &mesos.Environment{Variables: []*mesos.Environment_Variable{
				{Name: proto.String("A"), Value: proto.String("3")},
				{Name: proto.String("MESOS_ALLOCATION_ROLE"), Value: proto.String("another")},
			}},
		},
		Resources: []*mesos.Resource{{
			Name: proto.String("cpus"), Type: mesos.Value_SCALAR.Enum(),
			AllocationInfo: &mesos.Resource_AllocationInfo{Role: proto.String("web")},
		}},
	}
}

func TestTaskRunsAndFinishes(t *testing.T) {
	r := start(t)
	r.Launch(sleep("T1"))
	p := r.launcher.Next(t)
	want := []string{"A=3", "B=2", "MESOS_ALLOCATION_ROLE=web"}
	if p.Spec.Dir != r.dir || !slices.Equal(p.Spec.Args, []string{"sh", "-c", "sleep 1"}) || !slices.Equal(p.Spec.Env, want) {
		t.Errorf("launched %+v", p.Spec)
	}
	st := r.WantStates(t, "T1", starting, running)
	if st.GetSource() != mesos.TaskStatus_SOURCE_EXECUTOR || len(st.GetUuid()) != 16 || st.GetTimestamp() == 0 {
		t.Errorf("status %v", st)
	}
	p.Exit(0)
	r.WantStates(t, "T1", finished)
	<-r.gone
}

func TestKillWithGrace(t *testing.T) {
	r := start(t)
	info := sleep("T1")
	info.KillPolicy = &mesos.KillPolicy{GracePeriod: &mesos.DurationInfo{Nanoseconds: proto.Int64(int64(time.Minute))}}
	r.Launch(info)
	p := r.launcher.Next(t)
	r.WantStates(t, "T1", starting, running)
	r.Kill("T1")
	if g := p.Killed(t); g != time.Minute {
		t.Errorf("grace %s", g)
	}
	p.Exit(15)
	r.WantStates(t, "T1", killing, killed)
	<-r.gone
}

func TestSecondTaskFails(t *testing.T) {
	r := start(t)
	r.Launch(sleep("T1"))
	r.Launch(sleep("T2"))
	if st := r.WantStates(t, "T2", failed); !strings.Contains(st.GetMessage(), `has run "T1"`) {
		t.Errorf("message %q", st.GetMessage())
	}
	r.launcher.Next(t).Exit(0)
	<-r.gone
}

func TestLaunchThatFails(t *testing.T) {
	r := start(t)
	r.launcher.Fail(errors.New("fork: no memory"))
	r.Launch(sleep("T1"))
	st := r.WantStates(t, "T1", starting, failed)
	if st.GetMessage() != "fork: no memory" || st.GetReason() != mesos.TaskStatus_REASON_CONTAINER_LAUNCH_FAILED {
		t.Errorf("status %v", st)
	}
	<-r.gone
}

func TestExecutorWaitsForTheLastAcknowledgement(t *testing.T) {
	r := start(t)
	r.Hold(true)
	r.Launch(sleep("T1"))
	r.launcher.Next(t).Exit(1 << 8)
	var all []*mesos.TaskStatus
	for range 3 {
		all = append(all, r.Update(t, "T1"))
	}
	r.Event(executortest.Acknowledgement(all[0]))
	r.Event(executortest.Acknowledgement(all[1]))
	r.Kill("T1")
	select {
	case <-r.gone:
		t.Fatal("ended before its last update was acknowledged")
	default:
	}
	r.Event(executortest.Acknowledgement(all[2]))
	<-r.gone
}

func TestShutdown(t *testing.T) {
	r := start(t)
	r.Shutdown()
	<-r.gone

	r = start(t)
	r.Launch(sleep("T1"))
	p := r.launcher.Next(t)
	r.WantStates(t, "T1", starting, running)
	r.Shutdown()
	p.Killed(t)
	p.Exit(15)
	r.WantStates(t, "T1", killing, killed)
	<-r.gone
}

// TestShutdownLeavesTimeToTell: the task's end by force comes before the
// executor's.
func TestShutdownLeavesTimeToTell(t *testing.T) {
	for grace, want := range map[time.Duration]time.Duration{
		0: 3 * time.Second, time.Minute: 58 * time.Second, 2 * time.Second: 0, time.Second: 500 * time.Millisecond,
	} {
		r := startWith(t, grace)
		r.Launch(sleep("T1"))
		p := r.launcher.Next(t)
		r.WantStates(t, "T1", starting, running)
		r.Shutdown()
		if got := p.Killed(t); got != want {
			t.Errorf("with a shutdown grace of %s the task has %s, want %s", grace, got, want)
		}
		p.Exit(9)
		<-r.gone
	}
}

func TestKillBeforeLaunchEndsTheExecutor(t *testing.T) {
	r := start(t)
	r.Kill("T1")
	<-r.gone
}

func TestDestroy(t *testing.T) {
	r := start(t)
	r.Hold(true)
	r.Launch(sleep("T1"))
	p := r.launcher.Next(t)
	r.WantStates(t, "T1", starting, running)
	r.actor.Driver().Do(r.x.Destroy)
	if g := p.Killed(t); g != 0 {
		t.Errorf("grace %s", g)
	}
	p.Exit(9)
	<-r.gone
}

func TestAgentGone(t *testing.T) {
	r := start(t)
	r.Launch(sleep("T1"))
	p := r.launcher.Next(t)
	r.WantStates(t, "T1", starting, running)
	r.Stop(t)
	if g := p.Killed(t); g != 0 {
		t.Errorf("grace %s", g)
	}
	p.Exit(9)
	<-r.gone
}

func TestGroupsAreNotForCommands(t *testing.T) {
	r := start(t)
	r.LaunchGroup(sleep("T1"), sleep("T2"))
	for _, id := range []string{"T1", "T2"} {
		if st := r.WantStates(t, id, failed); !strings.Contains(st.GetMessage(), "does not take LAUNCH_GROUP") {
			t.Errorf("message %q", st.GetMessage())
		}
	}
	<-r.gone
}

func TestVolumesOfCommands(t *testing.T) {
	for want, c := range map[string]*mesos.ContainerInfo{
		"": {Volumes: []*mesos.Volume{{
			Mode: mesos.Volume_RW.Enum(), ContainerPath: proto.String("data"), HostPath: proto.String("real"),
		}}},
		`container.mesos.image: APPC: cannot be had from this executor`: {Mesos: &mesos.ContainerInfo_MesosInfo{
			Image: &mesos.Image{Type: mesos.Image_APPC.Enum()},
		}},
	} {
		r := start(t)
		info := sleep("T1")
		info.Container = c
		c.Type = mesos.ContainerInfo_MESOS.Enum()
		r.Launch(info)
		if want != "" {
			if st := r.WantStates(t, "T1", starting, failed); !strings.HasPrefix(st.GetMessage(), want) {
				t.Errorf("message %q, want %q", st.GetMessage(), want)
			}
			<-r.gone
			continue
		}
		r.launcher.Next(t).Exit(0)
		r.WantStates(t, "T1", starting, running, finished)
		if to, err := os.Readlink(filepath.Join(r.dir, "data")); err != nil || to != "real" {
			t.Errorf("link to %q, %v", to, err)
		}
		<-r.gone
	}
}
