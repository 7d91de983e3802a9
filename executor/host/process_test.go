package host_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/actors"
	"troupe/actors/actortest"
	"troupe/actors/address"
	"troupe/executor/host"
	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/messages/mesos/executor"
	"troupe/messages/tasks"
	"troupe/slave/container/containerizer"
	"troupe/slave/container/posix"
	"troupe/tools/troupe/isolation"
)

// hostAgent tells the test's own program to be a host.
const hostAgent = "TEST_HOST_AGENT"

func TestMain(m *testing.M) {
	if agent := os.Getenv(hostAgent); agent != "" {
		if err := beHost(agent); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func beHost(agent string) error {
	pid, err := address.Parse(agent)
	if err != nil {
		return err
	}
	l, err := posix.New(nil)
	if err != nil {
		return err
	}
	return host.Run(context.Background(), host.Options{
		Agent: pid, HostID: os.Getenv("TEST_HOST_ID"), Containers: isolation.NewContainers(containerizer.Options{Plain: l}), RecoveryTimeout: time.Minute,
	})
}

// station is an agent with real host processes.
type station struct {
	t      testing.TB
	system *actors.System
	agent  actors.PID
	dir    string
	hosts  []*hostProcess
	// command is what every task runs, and health how it is asked; nil if not.
	command string
	health  *mesos.HealthCheck

	ready         chan actors.PID
	running, over chan string
}

type hostProcess struct {
	cmd *exec.Cmd
	pid actors.PID
}

func newStation(t testing.TB, command string) *station {
	t.Helper()
	sys := actortest.NewSystem(t, actors.Options{Listen: "127.0.0.1:0"})
	s := &station{
		t: t, system: sys, dir: t.TempDir(), command: command,
		ready: make(chan actors.PID, 10_000), running: make(chan string, 10_000), over: make(chan string, 10_000),
	}
	var err error
	if s.agent, err = sys.Spawn("agent", s); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, h := range s.hosts {
			// A host that has ended by itself is no error here.
			_ = h.cmd.Process.Kill()
			_ = h.cmd.Wait()
		}
	})
	return s
}

// Init makes the station an agent: every executor that subscribes gets its
// task, every update its acknowledgement.
func (s *station) Init(c *actors.Context) {
	actors.Handle(c, func(c *actors.Context, m *cluster.HostReady) {
		c.Reply(&cluster.HostReadyAck{HostId: m.HostId})
		s.ready <- c.Sender()
	})
	actors.Handle(c, func(c *actors.Context, m *executor.Call) {
		id := m.GetExecutorId().GetValue()
		switch m.GetType() {
		case executor.Call_SUBSCRIBE:
			c.Reply(&executor.Event{Type: executor.Event_SUBSCRIBED.Enum(), Subscribed: &executor.Event_Subscribed{
				ExecutorInfo: &mesos.ExecutorInfo{ExecutorId: m.GetExecutorId()}, FrameworkInfo: framework(),
				AgentInfo: &mesos.AgentInfo{Hostname: proto.String("localhost")},
			}})
			c.Reply(&executor.Event{Type: executor.Event_LAUNCH.Enum(), Launch: &executor.Event_Launch{Task: s.task(id)}})
		case executor.Call_UPDATE:
			st := m.GetUpdate().GetStatus()
			c.Reply(&executor.Event{Type: executor.Event_ACKNOWLEDGED.Enum(), Acknowledged: &executor.Event_Acknowledged{
				TaskId: st.GetTaskId(), Uuid: st.GetUuid(),
			}})
			if st.GetState() == running {
				s.running <- id
			} else if tasks.Terminal(st.GetState()) && st.GetState() != finished {
				s.t.Logf("task %s: %s %s", id, st.GetState(), st.GetMessage())
			}
		}
	})
	actors.Handle(c, func(*actors.Context, *cluster.ContainerLaunched) {})
	actors.Handle(c, func(c *actors.Context, m *cluster.ContainerEnded) {
		c.Reply(&cluster.ContainerEndedAck{ContainerId: m.GetContainerId()})
		s.over <- m.GetContainerId().GetValue()
	})
}

func framework() *mesos.FrameworkInfo {
	return &mesos.FrameworkInfo{
		User: proto.String("root"), Name: proto.String("test"), Id: &mesos.FrameworkID{Value: proto.String("F1")},
	}
}

func (s *station) task(id string) *mesos.TaskInfo {
	return &mesos.TaskInfo{
		Name: &id, TaskId: &mesos.TaskID{Value: &id}, AgentId: &mesos.AgentID{Value: proto.String("S1")},
		Command: &mesos.CommandInfo{Value: &s.command}, HealthCheck: s.health,
	}
}

// host starts a host process and waits until it has said who it is.
func (s *station) host() *hostProcess {
	s.t.Helper()
	n := strconv.Itoa(len(s.hosts))
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), hostAgent+"="+s.agent.String(), "TEST_HOST_ID="+n, "GOMAXPROCS=2")
	cmd.Stderr = os.Stderr
	h := &hostProcess{cmd: cmd}
	s.hosts = append(s.hosts, h)
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	h.pid = next(s.t, s.ready, "HostReady")
	return h
}

func next[T any](t testing.TB, c chan T, what string) (v T) {
	t.Helper()
	late := time.NewTimer(3 * time.Minute)
	defer late.Stop()
	select {
	case v = <-c:
	case <-late.C:
		t.Fatalf("no %s", what)
	}
	return v
}

func (s *station) launch(h *hostProcess, id string) {
	m := &cluster.LaunchContainer{
		ContainerId: containerID(id), Kind: cluster.LaunchContainer_COMMAND.Enum(), Framework: framework(),
		Executor: &mesos.ExecutorInfo{ExecutorId: &mesos.ExecutorID{Value: &id}}, Sandbox: &s.dir,
		Environment: &mesos.Environment{Variables: []*mesos.Environment_Variable{
			{Name: proto.String("PATH"), Value: proto.String("/usr/bin:/bin")},
		}},
	}
	s.system.Do(s.agent, func(c *actors.Context) { c.Send(h.pid, m) })
}

func (s *station) tell(h *hostProcess, m proto.Message) {
	s.system.Do(s.agent, func(c *actors.Context) { c.Send(h.pid, m) })
}

func TestHostProcessRunsTasksAndStops(t *testing.T) {
	s := newStation(t, "echo $0 ran")
	h := s.host()
	for i := range 5 {
		s.launch(h, fmt.Sprintf("C%d", i))
	}
	for range 5 {
		next(t, s.over, "ContainerEnded")
	}
	out, err := os.ReadFile(s.dir + "/stdout")
	if err != nil || strings.Count(string(out), "sh ran\n") != 5 {
		t.Errorf("stdout %q, %v", out, err)
	}
	s.tell(h, &cluster.StopHost{})
	if err := h.cmd.Wait(); err != nil {
		t.Error(err)
	}
}

func TestHostThatDiesTakesItsTasksAndNoOthers(t *testing.T) {
	s := newStation(t, "echo $$; exec sleep 300")
	a, b := s.host(), s.host()
	s.launch(a, "C1")
	next(t, s.running, "TASK_RUNNING")
	dead := s.pidOf(t, 1)
	s.launch(b, "C2")
	next(t, s.running, "TASK_RUNNING")
	alive := s.pidOf(t, 2)
	if err := a.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	await(t, "the task of the dead host to be gone", func() bool { return !exists(dead) })
	if !exists(alive) {
		t.Error("the other host's task is gone, too")
	}
	s.tell(b, &cluster.DestroyContainer{ContainerId: containerID("C2")})
	next(t, s.over, "ContainerEnded")
	if exists(alive) {
		t.Error("a destroyed container's process lives")
	}
}

// pidOf is what the n-th task wrote.
func (s *station) pidOf(t *testing.T, n int) int {
	t.Helper()
	pid := 0
	await(t, "the pid of a task", func() bool {
		out, err := os.ReadFile(s.dir + "/stdout")
		lines := strings.Fields(string(out))
		if err != nil || len(lines) < n {
			return false
		}
		pid, err = strconv.Atoi(lines[n-1])
		return err == nil
	})
	return pid
}

// exists leaves zombies out: who reaps them is not the question here.
func exists(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !strings.Contains(string(stat), ") Z ")
}

func await(t testing.TB, what string, holds func() bool) {
	t.Helper()
	late := time.NewTimer(3 * time.Minute)
	defer late.Stop()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-late.C:
			t.Fatalf("waited in vain for %s", what)
		}
	}
}
