package slave

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	"google.golang.org/protobuf/proto"

	"troupe/actors"
	"troupe/actors/actortest"
	"troupe/actors/address"
	"troupe/executor"
	"troupe/executor/host"
	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/messages/tasks"
	"troupe/slave/checkpoint"
	"troupe/slave/container/containerizer"
	"troupe/slave/container/posix"
	"troupe/slave/container/sandbox"
	"troupe/slave/container/volumes"
	"troupe/slave/state"
	"troupe/slave/state/view"
	"troupe/tools/troupe/isolation"
)

// TestMain lets the agents of tests start this program again as an executor
// host, as wiring does with its own program.
func TestMain(m *testing.M) {
	if agent := os.Getenv("AGENT_TEST_HOST_OF"); agent != "" {
		if err := runHost(agent, os.Args[1]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	if os.Getenv("AGENT_TEST_EXECUTOR") != "" {
		if err := executor.RunTasks(context.Background(), untilFile); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// untilFile is the work of tasks of a custom executor: each ends when there is
// a file of its name in the sandbox.
func untilFile(ctx context.Context, task *executor.Task) ([]byte, error) {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		if _, err := os.Stat(task.ID()); err == nil {
			return []byte("done"), nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func runHost(agent, id string) error {
	ctx, stop := signal.NotifyContext(context.Background(), unix.SIGTERM)
	defer stop()
	l, err := posix.New(nil)
	if err != nil {
		return err
	}
	pid, err := address.Parse(agent)
	if err != nil {
		return err
	}
	err = host.Run(ctx, host.Options{
		Agent: pid, HostID: id, Containers: isolation.NewContainers(containerizer.Options{Plain: l}), RecoveryTimeout: patience, ReconnectMax: 20 * time.Millisecond,
	})
	if errors.Is(err, host.ErrAgentGone) {
		err = nil
	}
	return errors.Join(err, l.Close())
}

// processes starts hosts as this program.
type processes struct{ output string }

func (p processes) StartHost(agent actors.PID, id string) (HostProcess, error) {
	d, err := posix.StartDaemon(os.Args[0], []string{id}, append(os.Environ(), "AGENT_TEST_HOST_OF="+agent.String()), p.output)
	if err != nil {
		return nil, err
	}
	return d, nil
}

func (p processes) WatchHost(pid int, started uint64) (HostProcess, error) {
	d, err := posix.FindDaemon(pid, started)
	if err != nil {
		return nil, err
	}
	return d, nil
}

func (p processes) Sweep(_ context.Context, list []state.Remains) (map[state.Program]int32, error) {
	var sandboxes []string
	for _, r := range list {
		sandboxes = append(sandboxes, r.Sandbox)
	}
	return nil, posix.KillBySandbox(sandboxes)
}

func (p processes) Strays(context.Context) ([]state.ContainerID, error) { return nil, nil }

type sandboxes struct {
	sandbox.Layout
	*sandbox.Collector
}

// ForgetExit: nothing is recorded where nothing has an init.
func (sandboxes) ForgetExit(string, string) {}

// fakeMaster admits agents, and acknowledges updates unless it holds them.
type fakeMaster struct {
	sys     *actors.System
	pid     actors.PID
	mu      sync.Mutex
	holding bool
	agent   actors.PID
	got     []proto.Message
	changed chan struct{}
}

func (f *fakeMaster) Init(c *actors.Context) {
	c.HandleAny(func(c *actors.Context, m proto.Message) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.got = append(f.got, m)
		f.agent = c.Sender()
		close(f.changed)
		f.changed = make(chan struct{})
		id := &mesos.AgentID{Value: proto.String("S0")}
		switch m := m.(type) {
		case *cluster.RegisterAgent:
			c.Reply(&cluster.AgentRegistered{AgentId: id, MasterId: proto.String("M"), TotalPingTimeout: proto.Int64(75e9)})
		case *cluster.ReregisterAgent:
			c.Reply(&cluster.AgentReregistered{AgentId: id, MasterId: proto.String("M"), TotalPingTimeout: proto.Int64(75e9)})
		case *cluster.StatusUpdate:
			if !f.holding {
				c.Reply(&cluster.StatusUpdateAck{
					FrameworkId: m.FrameworkId, AgentId: id, TaskId: m.GetStatus().TaskId, Uuid: m.GetStatus().Uuid,
				})
			}
		}
	})
}

func (f *fakeMaster) hold(on bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.holding = on
}

const patience = 3 * time.Minute

// await waits for a message that says yes, among all that came.
func await[M proto.Message](t *testing.T, f *fakeMaster, what string, yes func(M) bool) M {
	t.Helper()
	late := time.After(patience)
	for {
		f.mu.Lock()
		got, changed := f.got[:len(f.got):len(f.got)], f.changed
		f.mu.Unlock()
		for _, m := range got {
			if m, ok := m.(M); ok && yes(m) {
				return m
			}
		}
		select {
		case <-changed:
		case <-late:
			t.Fatalf("the master does not get %s", what)
		}
	}
}

func (f *fakeMaster) awaitState(t *testing.T, task string, s mesos.TaskState) *mesos.TaskStatus {
	t.Helper()
	return await(t, f, task+" "+s.String(), func(u *cluster.StatusUpdate) bool {
		if u.GetStatus().GetTaskId().GetValue() != task {
			return false
		}
		if got := u.GetStatus().GetState(); tasks.Terminal(got) && got != s {
			t.Fatalf("%s ended with %v", task, u.GetStatus())
		}
		return u.GetStatus().GetState() == s
	}).GetStatus()
}

func (f *fakeMaster) send(m proto.Message) {
	f.mu.Lock()
	agent := f.agent
	f.mu.Unlock()
	f.sys.Do(f.pid, func(c *actors.Context) { c.Send(agent, m) })
}

func (f *fakeMaster) run(task, command string) { f.send(runTask(task, command)) }

func (f *fakeMaster) kill(framework, task string) {
	f.send(&cluster.KillTask{
		FrameworkId: &mesos.FrameworkID{Value: &framework}, TaskId: &mesos.TaskID{Value: &task},
		KillPolicy: &mesos.KillPolicy{GracePeriod: &mesos.DurationInfo{Nanoseconds: proto.Int64(1e8)}},
	})
}

func runTask(task, command string) *cluster.RunTask {
	return &cluster.RunTask{
		Framework: &mesos.FrameworkInfo{User: proto.String(""), Name: proto.String("test"), Id: &mesos.FrameworkID{Value: proto.String("F")}},
		Task: &mesos.TaskInfo{
			Name: &task, TaskId: &mesos.TaskID{Value: &task}, AgentId: &mesos.AgentID{Value: proto.String("S0")},
			Resources: []*mesos.Resource{{
				Name: proto.String("cpus"), Type: mesos.Value_SCALAR.Enum(), Scalar: &mesos.Value_Scalar{Value: proto.Float64(0.1)},
				AllocationInfo: &mesos.Resource_AllocationInfo{Role: proto.String("*")},
			}},
			Command: &mesos.CommandInfo{Value: &command},
		},
	}
}

func newMaster(t *testing.T) *fakeMaster {
	t.Helper()
	f := &fakeMaster{sys: newSystem(t, "127.0.0.1:0"), changed: make(chan struct{})}
	var err error
	if f.pid, err = f.sys.Spawn("master", f); err != nil {
		t.Fatal(err)
	}
	return f
}

func newSystem(t *testing.T, listen string) *actors.System {
	t.Helper()
	return actortest.NewSystem(t, actors.Options{Listen: listen})
}

func closeSystem(t *testing.T, sys *actors.System) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := sys.Close(ctx); err != nil {
		t.Error(err)
	}
}

// events keeps the newest of what is published.
type events struct {
	mu        sync.Mutex
	executors map[view.ContainerID]*view.Executor
	hosts     map[view.HostID]*view.Host
}

func (e *events) Publish(ev view.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch ev := ev.(type) {
	case view.ExecutorChanged:
		e.executors[ev.Executor.Container] = ev.Executor
	case view.HostChanged:
		e.hosts[ev.Host.ID] = ev.Host
	case view.HostRemoved:
		delete(e.hosts, ev.ID)
	}
}

func (e *events) hostPids() []int {
	e.mu.Lock()
	defer e.mu.Unlock()
	var pids []int
	for _, h := range e.hosts {
		if h.Pid != 0 {
			pids = append(pids, int(h.Pid))
		}
	}
	return pids
}

func (e *events) pid(executor string) int {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, x := range e.executors {
		if string(x.ID) == executor {
			return int(x.Pid)
		}
	}
	return 0
}

func (e *events) sandbox(task string) string {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, x := range e.executors {
		if string(x.ID) == task {
			return x.Sandbox
		}
	}
	return ""
}

// testAgent is an agent with all its parts, in one work directory.
type testAgent struct {
	sys     *actors.System
	journal *checkpoint.Journal
	service *Service
	events  *events
}

func startAgent(t *testing.T, f *fakeMaster, workDir, listen string, change func(*Options)) *testAgent {
	t.Helper()
	opened, err := checkpoint.Open(workDir, true)
	if err != nil {
		t.Fatal(err)
	}
	layout := sandbox.Layout{WorkDir: workDir}
	a := &testAgent{
		sys: newSystem(t, listen), journal: opened.Journal,
		events: &events{executors: map[view.ContainerID]*view.Executor{}, hosts: map[view.HostID]*view.Host{}},
	}
	o := Options{
		Config: state.Config{
			Info:    &mesos.AgentInfo{Hostname: proto.String("localhost")},
			Version: "1", ContainersPerHost: 3, RegistrationBackoff: time.Millisecond, ShutdownGrace: time.Second,
		},
		Master: f.pid, Records: opened.Records, Rebooted: opened.Rebooted, Journal: opened.Journal, Publisher: a.events,
		Sandboxes: sandboxes{layout, sandbox.NewCollector(layout, sandbox.Policy{Delay: time.Hour, Headroom: 0.1})},
		Volumes:   volumes.Store{WorkDir: workDir},
		Processes: processes{filepath.Join(workDir, "hosts.log")},
	}
	if change != nil {
		change(&o)
	}
	if a.service, err = Start(a.sys, o); err != nil {
		t.Fatal(err)
	}
	return a
}

// leave ends the agent's process, as far as its tasks can see.
func (a *testAgent) leave(t *testing.T) {
	t.Helper()
	closeSystem(t, a.sys)
	if err := a.journal.Close(); err != nil {
		t.Error(err)
	}
}

// shutdown ends everything, and checks that nothing is left.
func (a *testAgent) shutdown(t *testing.T) {
	t.Helper()
	pids := a.events.hostPids()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := a.service.Shutdown(ctx, "the test ends"); err != nil {
		t.Error(err)
	}
	a.leave(t)
	for _, pid := range pids {
		if alive(pid) {
			t.Errorf("host %d is left", pid)
		}
	}
}
