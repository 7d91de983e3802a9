package pod_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"troupe/actors"
	"troupe/executor"
	"troupe/executor/executortest"
	"troupe/executor/pod"
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
	x        *pod.Executor
}

func start(t *testing.T, user string, edit ...func(*executor.Config)) *rig {
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
		gone: make(chan struct{}), dir: t.TempDir(),
	}
	r.x = pod.New(program.Spec{Dir: r.dir, User: user}, r.launcher, func() { close(r.gone) })
	c := executor.Config{FrameworkID: "F1", ExecutorID: "E1", Agent: r.PID}
	for _, e := range edit {
		e(&c)
	}
	r.actor, err = executor.NewActor(sys, c, r.x)
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
	return &mesos.TaskInfo{TaskId: &mesos.TaskID{Value: &id}, Command: &mesos.CommandInfo{Value: proto.String(id)}}
}

// launched waits for the processes of n tasks, by task id.
func (r *rig) launched(t *testing.T, n int) map[string]*executortest.Process {
	t.Helper()
	ps := map[string]*executortest.Process{}
	for range n {
		p := r.launcher.Next(t)
		id := p.Spec.Args[2]
		ps[id] = p
		r.WantStates(t, id, starting, running)
	}
	return ps
}

func TestGroupFinishes(t *testing.T) {
	r := start(t, "")
	r.LaunchGroup(sleep("T1"), sleep("T2"))
	ps := r.launched(t, 2)
	dir, err := filepath.EvalSymlinks(filepath.Join(r.dir, "tasks", "T1"))
	if s := ps["T1"].Spec; err != nil || s.Dir != dir || s.Env[len(s.Env)-1] != "MESOS_SANDBOX="+dir {
		t.Errorf("launched %+v, sandbox %s, %v", s, dir, err)
	}
	if rel, err := filepath.Rel(filepath.Join(r.dir, "containers"), dir); err != nil || strings.Contains(rel, "/") {
		t.Errorf("sandbox %s: %v", dir, err)
	}
	ps["T1"].Exit(0)
	r.WantStates(t, "T1", finished)
	ps["T2"].Exit(0)
	r.WantStates(t, "T2", finished)
	<-r.gone
}

func TestFailureIsSharedByItsGroupAlone(t *testing.T) {
	r := start(t, "")
	r.LaunchGroup(sleep("T1"), sleep("T2"))
	ps := r.launched(t, 2)
	r.LaunchGroup(sleep("T3"))
	other := r.launched(t, 1)["T3"]
	ps["T1"].Exit(1 << 8)
	r.WantStates(t, "T1", failed)
	ps["T2"].Killed(t)
	ps["T2"].Exit(15)
	r.WantStates(t, "T2", killing, killed)
	other.Exit(0)
	r.WantStates(t, "T3", finished)
	<-r.gone
}

func TestKillOfOneEndsItsGroup(t *testing.T) {
	r := start(t, "")
	r.LaunchGroup(sleep("T1"), sleep("T2"))
	ps := r.launched(t, 2)
	r.Kill("T2")
	ps["T2"].Killed(t)
	ps["T2"].Exit(15)
	ps["T1"].Killed(t)
	ps["T1"].Exit(15)
	r.WantStates(t, "T1", killing, killed)
	<-r.gone
}

func TestShutdownAndDestroy(t *testing.T) {
	r := start(t, "")
	r.LaunchGroup(sleep("T1"))
	p := r.launched(t, 1)["T1"]
	r.Shutdown()
	p.Killed(t)
	p.Exit(15)
	<-r.gone

	r = start(t, "")
	r.LaunchGroup(sleep("T1"))
	p = r.launched(t, 1)["T1"]
	r.actor.Driver().Do(r.x.Destroy)
	if g := p.Killed(t); g != 0 {
		t.Errorf("grace %s", g)
	}
	p.Exit(9)
	<-r.gone

	r = start(t, "")
	r.LaunchGroup(sleep("T1"))
	p = r.launched(t, 1)["T1"]
	r.Stop(t)
	p.Killed(t)
	p.Exit(9)
	<-r.gone
}

func TestWhatAPodCannotRun(t *testing.T) {
	for name, c := range map[string]struct {
		launch func(r *rig)
		want   string
	}{
		"a single task":      {func(r *rig) { r.Launch(sleep("T1")) }, "does not take LAUNCH"},
		"a process too many": {func(r *rig) { r.launcher.Fail(errors.New("no memory")); r.LaunchGroup(sleep("T1")) }, "no memory"},
		"no command":         {func(r *rig) { r.LaunchGroup(&mesos.TaskInfo{TaskId: sleep("T1").TaskId}) }, "command.value: must be set"},
	} {
		t.Run(name, func(t *testing.T) {
			r := start(t, "")
			c.launch(r)
			for {
				st := r.Update(t, "T1")
				if st.GetState() == starting {
					continue
				}
				if st.GetState() != failed || !strings.Contains(st.GetMessage(), c.want) {
					t.Errorf("status %v", st)
				}
				break
			}
			<-r.gone
		})
	}
}

func TestFoldersStayInTheSandbox(t *testing.T) {
	for _, folder := range []string{"tasks", "containers"} {
		r := start(t, "")
		outside := t.TempDir()
		if err := os.Symlink(outside, filepath.Join(r.dir, folder)); err != nil {
			t.Fatal(err)
		}
		r.LaunchGroup(sleep("T1"))
		if st := r.WantStates(t, "T1", starting, failed); !strings.Contains(st.GetMessage(), `make the sandbox of task "T1"`) {
			t.Errorf("message %q", st.GetMessage())
		}
		if left, err := os.ReadDir(outside); err != nil || len(left) != 0 {
			t.Errorf("outside: %v, %v", left, err)
		}
		<-r.gone
	}
}

// TestTasksHaveContainersOfTheirOwn: also one that has an earlier one's id.
func TestTasksHaveContainersOfTheirOwn(t *testing.T) {
	r := start(t, "")
	r.LaunchGroup(sleep("keep"))
	keep := r.launched(t, 1)["keep"]
	var sandboxes []string
	for range 2 {
		r.LaunchGroup(sleep("T1"))
		p := r.launcher.Next(t)
		st := r.WantStates(t, "T1", starting, running)
		id := st.GetContainerStatus().GetContainerId()
		if p.Spec.Dir != filepath.Join(r.dir, "containers", id.GetValue()) || id.GetParent().GetValue() != executortest.Container {
			t.Errorf("container %v in %s", id, p.Spec.Dir)
		}
		if at, err := filepath.EvalSymlinks(filepath.Join(r.dir, "tasks", "T1")); err != nil || at != p.Spec.Dir {
			t.Errorf("tasks/T1 is %s, %v; want %s", at, err, p.Spec.Dir)
		}
		sandboxes = append(sandboxes, p.Spec.Dir)
		p.Exit(0)
		r.WantStates(t, "T1", finished)
	}
	if sandboxes[0] == sandboxes[1] {
		t.Errorf("one sandbox for two tasks: %s", sandboxes)
	}
	keep.Exit(0)
	<-r.gone
}

func sandboxPath(kind mesos.Volume_Source_SandboxPath_Type, path, at string) *mesos.Volume {
	return &mesos.Volume{
		Mode: mesos.Volume_RW.Enum(), ContainerPath: &at,
		Source: &mesos.Volume_Source{
			Type:        mesos.Volume_Source_SANDBOX_PATH.Enum(),
			SandboxPath: &mesos.Volume_Source_SandboxPath{Type: kind.Enum(), Path: &path},
		},
	}
}

func TestTasksShareAVolume(t *testing.T) {
	r := start(t, "")
	a, b := sleep("T1"), sleep("T2")
	for _, info := range []*mesos.TaskInfo{a, b} {
		info.Container = &mesos.ContainerInfo{
			Type: mesos.ContainerInfo_MESOS.Enum(), Volumes: []*mesos.Volume{sandboxPath(mesos.Volume_Source_SandboxPath_PARENT, "shared", "data")},
		}
	}
	r.LaunchGroup(a, b)
	ps := r.launched(t, 2)
	if err := os.WriteFile(filepath.Join(ps["T1"].Spec.Dir, "data", "word"), []byte("hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(filepath.Join(ps["T2"].Spec.Dir, "data", "word")); err != nil || string(got) != "hello" {
		t.Errorf("read %q, %v", got, err)
	}
	if _, err := os.Stat(filepath.Join(r.dir, "shared", "word")); err != nil {
		t.Error(err)
	}
	ps["T1"].Exit(0)
	ps["T2"].Exit(0)
	<-r.gone
}

func TestVolumeThatCannotBe(t *testing.T) {
	r := start(t, "")
	a, b := sleep("T1"), sleep("T2")
	a.Container = &mesos.ContainerInfo{
		Type: mesos.ContainerInfo_MESOS.Enum(), Volumes: []*mesos.Volume{sandboxPath(mesos.Volume_Source_SandboxPath_PARENT, "../other", "data")},
	}
	r.LaunchGroup(a, b)
	st := r.WantStates(t, "T1", starting, failed)
	if want := `container.volumes[0].source.sandbox_path.path: "../other": must be relative, and within the sandbox`; st.GetMessage() != want {
		t.Errorf("message %q", st.GetMessage())
	}
	// The other task ends with it, which may have come before its launch.
	if p := r.launcher.NextUnless(r.gone); p != nil {
		p.Killed(t)
		p.Exit(15)
	}
	<-r.gone
}

func TestUsersThatDoNotExist(t *testing.T) {
	r := start(t, "nobody-of-this-name")
	r.LaunchGroup(sleep("T1"))
	if st := r.WantStates(t, "T1", starting, failed); !strings.Contains(st.GetMessage(), `user "nobody-of-this-name"`) {
		t.Errorf("message %q", st.GetMessage())
	}
	<-r.gone
}
