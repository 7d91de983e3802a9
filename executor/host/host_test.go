package host_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/actors"
	"troupe/executor/executortest"
	"troupe/executor/host"
	"troupe/messages/cluster"
	"troupe/messages/mesos"
)

type rig struct {
	*executortest.Agent
	launcher *executortest.Launcher
	host     actors.PID
	actor    *host.Host
	system   *actors.System
	ended    chan error
}

func start(t *testing.T, edit ...func(*host.Options)) *rig {
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
	r := &rig{
		Agent: executortest.NewAgent(t, sys), launcher: executortest.NewLauncher(),
		system: sys, ended: make(chan error, 1),
	}
	o := host.Options{
		Agent: r.PID, HostID: "H1", Containers: r.launcher,
		RecoveryTimeout: time.Hour, ReconnectMax: time.Millisecond,
	}
	for _, e := range edit {
		e(&o)
	}
	r.actor = host.New(sys, o, func(err error) { r.ended <- err })
	if r.host, err = sys.Spawn(host.Name, r.actor); err != nil {
		t.Fatal(err)
	}
	return r
}

func containerID(id string) *mesos.ContainerID { return &mesos.ContainerID{Value: &id} }

func (r *rig) order(id string, kind cluster.LaunchContainer_Kind, edit ...func(*cluster.LaunchContainer)) {
	m := &cluster.LaunchContainer{
		ContainerId: containerID(id), Kind: kind.Enum(), Sandbox: proto.String("/tmp"),
		Framework: framework(),
		Executor: &mesos.ExecutorInfo{
			ExecutorId: &mesos.ExecutorID{Value: &id}, Command: &mesos.CommandInfo{Value: proto.String("run me")},
		},
		Environment: &mesos.Environment{Variables: []*mesos.Environment_Variable{
			{Name: proto.String("A"), Value: proto.String("1")},
		}},
	}
	for _, e := range edit {
		e(m)
	}
	r.Send(r.host, m)
}

func (r *rig) wantLaunched(t *testing.T, id string) *cluster.ContainerLaunched {
	t.Helper()
	return executortest.Await(t, r.Agent, func(m *cluster.ContainerLaunched) bool { return m.GetContainerId().GetValue() == id })
}

func (r *rig) wantEnded(t *testing.T, id string) *cluster.ContainerEnded {
	t.Helper()
	return executortest.Await(t, r.Agent, func(m *cluster.ContainerEnded) bool { return m.GetContainerId().GetValue() == id })
}

func (r *rig) wantReady(t *testing.T) *cluster.HostReady {
	t.Helper()
	return executortest.Await[*cluster.HostReady](t, r.Agent, nil)
}

func task(id string) *mesos.TaskInfo {
	return &mesos.TaskInfo{TaskId: &mesos.TaskID{Value: &id}, Command: &mesos.CommandInfo{Value: proto.String("x")}}
}

const (
	custom = cluster.LaunchContainer_CUSTOM
	cmd    = cluster.LaunchContainer_COMMAND
	group  = cluster.LaunchContainer_DEFAULT

	starting = mesos.TaskState_TASK_STARTING
	running  = mesos.TaskState_TASK_RUNNING
	finished = mesos.TaskState_TASK_FINISHED
)

func TestHostSaysWhoItIs(t *testing.T) {
	r := start(t)
	if m := r.wantReady(t); m.GetHostId() != "H1" || m.GetPid() == 0 || len(m.GetContainers()) != 0 {
		t.Errorf("%v", m)
	}
}

func TestCommandContainer(t *testing.T) {
	r := start(t)
	r.order("C1", cmd)
	if m := r.wantLaunched(t, "C1"); m.Pid != nil {
		t.Errorf("pid %d of an executor that is built in", m.GetPid())
	}
	r.Subscribed(t)
	r.Launch(task("C1"))
	p := r.launcher.Next(t)
	if p.Spec.Dir != "/tmp" || p.Spec.Env[0] != "A=1" {
		t.Errorf("launched %+v", p.Spec)
	}
	p.Exit(0)
	r.WantStates(t, "C1", starting, running, finished)
	if m := r.wantEnded(t, "C1"); m.Status == nil || m.GetStatus() != 0 {
		t.Errorf("%v", m)
	}
}

func TestPodContainer(t *testing.T) {
	r := start(t)
	r.order("C1", group, func(m *cluster.LaunchContainer) { m.Sandbox = proto.String(t.TempDir()) })
	r.Subscribed(t)
	r.LaunchGroup(task("T1"))
	p := r.launcher.Next(t)
	r.WantStates(t, "T1", starting, running)
	p.Exit(0)
	r.WantStates(t, "T1", finished)
	r.wantEnded(t, "C1")
}

func TestCustomContainer(t *testing.T) {
	r := start(t)
	r.order("C1", custom)
	p := r.launcher.Next(t)
	if m := r.wantLaunched(t, "C1"); int(m.GetPid()) != p.Pid() {
		t.Errorf("%v", m)
	}
	r.order("C1", custom)
	r.wantLaunched(t, "C1")
	p.Exit(7 << 8)
	if m := r.wantEnded(t, "C1"); m.GetStatus() != 7<<8 || m.GetMessage() != "exited with status 7" {
		t.Errorf("%v", m)
	}
}

func TestDestroy(t *testing.T) {
	r := start(t)
	destroy := func(id string) { r.Send(r.host, &cluster.DestroyContainer{ContainerId: containerID(id)}) }
	destroy("C9")
	if m := r.wantEnded(t, "C9"); m.Status != nil || m.GetMessage() != "no such container" {
		t.Errorf("%v", m)
	}
	r.order("C1", custom)
	p := r.launcher.Next(t)
	destroy("C1")
	if g := p.Killed(t); g != 0 {
		t.Errorf("grace %s", g)
	}
	p.Exit(9)
	r.wantEnded(t, "C1")

	r.order("C2", cmd)
	r.wantLaunched(t, "C2")
	destroy("C2")
	r.wantEnded(t, "C2")
}

func TestNewsOfTheEndIsRepeatedUntilAcknowledged(t *testing.T) {
	r := start(t)
	r.Hold(true)
	r.order("C1", custom)
	r.launcher.Next(t).Exit(0)
	r.wantEnded(t, "C1")
	r.order("C1", custom)
	r.wantEnded(t, "C1")
	r.Send(r.host, &cluster.DestroyContainer{ContainerId: containerID("C1")})
	r.wantEnded(t, "C1")
	r.Send(r.host, &cluster.ContainerEndedAck{ContainerId: containerID("C1")})
	r.Send(r.host, &cluster.DestroyContainer{ContainerId: containerID("C1")})
	if m := r.wantEnded(t, "C1"); m.GetMessage() != "no such container" {
		t.Errorf("still there: %v", m)
	}
}

// withImage asks for a file system that cannot be had.
func withImage(m *cluster.LaunchContainer) {
	m.Sandbox = proto.String(os.TempDir())
	m.Executor.Container = &mesos.ContainerInfo{
		Type:  mesos.ContainerInfo_MESOS.Enum(),
		Mesos: &mesos.ContainerInfo_MesosInfo{Image: &mesos.Image{Type: mesos.Image_DOCKER.Enum()}},
	}
}

// TestContainerOfAnExecutor: what its ContainerInfo asks for, and can be had, is
// there.
func TestContainerOfAnExecutor(t *testing.T) {
	r := start(t)
	furnished := func(m *cluster.LaunchContainer) {
		m.Sandbox = proto.String(t.TempDir())
		m.Executor.Container = &mesos.ContainerInfo{
			Type: mesos.ContainerInfo_MESOS.Enum(), TtyInfo: &mesos.TTYInfo{},
			Volumes: []*mesos.Volume{{Mode: mesos.Volume_RW.Enum(), ContainerPath: proto.String("data"), HostPath: proto.String("real")}},
		}
	}
	r.order("C1", custom, furnished)
	p := r.launcher.Next(t)
	if !p.Spec.Terminal || p.Spec.Streams[0] == nil {
		t.Errorf("launched %+v", p.Spec)
	}
	if to, err := os.Readlink(filepath.Join(p.Spec.Dir, "data")); err != nil || to != "real" {
		t.Errorf("the volume is %q, %v", to, err)
	}
	r.wantLaunched(t, "C1")
	p.Exit(0)
	r.wantEnded(t, "C1")
	r.order("C2", group, furnished)
	r.wantLaunched(t, "C2")
}

func TestOrdersThatCannotBeObeyed(t *testing.T) {
	r := start(t)
	for want, c := range map[string]struct {
		kind cluster.LaunchContainer_Kind
		edit func(*cluster.LaunchContainer)
	}{
		`sandbox: "here": is not an absolute path`: {cmd, func(m *cluster.LaunchContainer) { m.Sandbox = proto.String("here") }},
		"executor.command: must be set":            {custom, func(m *cluster.LaunchContainer) { m.Executor.Command = nil }},
		"framework_id":                             {cmd, func(m *cluster.LaunchContainer) { m.Framework.Id = nil }},
		"command.value: must be set":               {custom, func(m *cluster.LaunchContainer) { m.Executor.Command = &mesos.CommandInfo{} }},
		"executor.container.mesos.image":           {custom, withImage},
		"container.mesos.image":                    {group, withImage},
		"executor.container.type: DOCKER": {custom, func(m *cluster.LaunchContainer) {
			m.Executor.Container = &mesos.ContainerInfo{Type: mesos.ContainerInfo_DOCKER.Enum()}
		}},
	} {
		r.order("C1", c.kind, c.edit)
		if m := r.wantEnded(t, "C1"); m.Status != nil || !strings.Contains(m.GetMessage(), want) {
			t.Errorf("%v, want %q", m, want)
		}
	}
	r.order("a/b", cmd)
	if m := r.wantEnded(t, "a/b"); !strings.Contains(m.GetMessage(), "container_id") {
		t.Errorf("%v", m)
	}
	r.launcher.Fail(errors.New("no memory"))
	r.order("C1", custom)
	if m := r.wantEnded(t, "C1"); m.GetMessage() != "launch executor: no memory" {
		t.Errorf("%v", m)
	}
}

func TestStopHostWaitsForItsContainers(t *testing.T) {
	r := start(t)
	r.order("C1", custom)
	p := r.launcher.Next(t)
	r.wantLaunched(t, "C1")
	r.Send(r.host, &cluster.StopHost{})
	r.order("C2", cmd)
	if m := r.wantEnded(t, "C2"); !strings.Contains(m.GetMessage(), "is stopping") {
		t.Errorf("%v", m)
	}
	p.Exit(0)
	if err := <-r.ended; err != nil {
		t.Error(err)
	}
}

func TestEmptyHostLeavesWithItsAgent(t *testing.T) {
	r := start(t)
	r.wantReady(t)
	r.Stop(t)
	if err := <-r.ended; !errors.Is(err, host.ErrAgentGone) {
		t.Errorf("ended with %v", err)
	}
}

func TestHostOutlivesItsAgent(t *testing.T) {
	r := start(t)
	r.order("C1", custom)
	p := r.launcher.Next(t)
	r.order("C2", cmd)
	r.Subscribed(t)
	r.Stop(t)
	p.Exit(3 << 8)
	r.Agent = executortest.NewAgent(t, r.system)
	// Whether C1 is still among them depends on who was faster.
	if held := r.wantReady(t).GetContainers(); held[len(held)-1].GetContainerId().GetValue() != "C2" {
		t.Errorf("holds %v", held)
	}
	if m := r.wantEnded(t, "C1"); m.GetStatus() != 3<<8 {
		t.Errorf("%v", m)
	}
	r.Subscribed(t)
	r.Launch(task("C2"))
	r.launcher.Next(t).Exit(0)
	r.WantStates(t, "C2", starting, running, finished)
	r.wantEnded(t, "C2")
}

func TestAgentThatStaysAway(t *testing.T) {
	r := start(t, func(o *host.Options) { o.RecoveryTimeout = 10 * time.Millisecond })
	r.order("C1", custom)
	p := r.launcher.Next(t)
	r.order("C2", cmd)
	r.wantLaunched(t, "C1")
	r.Subscribed(t)
	r.Stop(t)
	if g := p.Killed(t); g != 0 {
		t.Errorf("grace %s", g)
	}
	p.Exit(9)
	if err := <-r.ended; !errors.Is(err, host.ErrAgentGone) {
		t.Errorf("ended with %v", err)
	}
}

func TestAbortKillsEverything(t *testing.T) {
	r := start(t)
	r.Hold(true)
	r.order("C1", custom)
	r.launcher.Next(t).Exit(0)
	r.wantEnded(t, "C1")
	r.order("C2", custom)
	p := r.launcher.Next(t)
	r.wantLaunched(t, "C2")
	r.system.Do(r.host, func(*actors.Context) { r.actor.Abort(context.Canceled) })
	p.Killed(t)
	p.Exit(9)
	if err := <-r.ended; !errors.Is(err, context.Canceled) {
		t.Errorf("ended with %v", err)
	}
}

func TestStrangersAreIgnored(t *testing.T) {
	elsewhere := actors.PID{Name: "agent", Address: "127.0.0.1:1"}
	r := start(t, func(o *host.Options) { o.Agent = elsewhere })
	if err := <-r.ended; !errors.Is(err, host.ErrAgentGone) {
		t.Fatalf("ended with %v", err)
	}
	r.order("C1", cmd)
	r.system.Do(r.host, func(*actors.Context) {
		r.system.Do(r.PID, func(c *actors.Context) { c.Send(r.PID, &cluster.StopHost{}) })
	})
	executortest.Await[*cluster.StopHost](t, r.Agent, nil)
}

func TestRunNamesWhatIsMissing(t *testing.T) {
	ok := host.Options{Agent: actors.PID{Name: "agent", Address: "127.0.0.1:1"}, HostID: "H1", Containers: executortest.NewLauncher()}
	for want, o := range map[string]host.Options{
		"agent":      {HostID: ok.HostID, Containers: ok.Containers},
		"host id":    {Agent: ok.Agent, Containers: ok.Containers},
		"containers": {Agent: ok.Agent, HostID: ok.HostID},
	} {
		if err := host.Run(t.Context(), o); err == nil || !strings.Contains(err.Error(), want+": must be set") {
			t.Errorf("error %v, want one about %s", err, want)
		}
	}
}
