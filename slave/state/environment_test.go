package state

import (
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/messages/token"
)

// environmentOf is what an executor of that kind gets, by name.
func environmentOf(t *testing.T, cfg Config, kind cluster.LaunchContainer_Kind, info *mesos.ExecutorInfo) map[string]string {
	t.Helper()
	m := New(cfg)
	m.info = &mesos.AgentInfo{Id: s0()}
	e := &executor{framework: &framework{info: simFramework()}, info: info, kind: kind, container: "C", sandbox: "/box"}
	values := map[string]string{}
	for _, v := range m.environment(e).GetVariables() {
		if _, twice := values[v.GetName()]; twice || v.GetType() != mesos.Environment_Variable_VALUE {
			t.Errorf("variable %v", v)
		}
		values[v.GetName()] = v.GetValue()
	}
	return values
}

func TestEnvironment(t *testing.T) {
	cfg := testConfig(1)
	cfg.Environment = []string{"PATH=/opt/bin", "A=1", "MESOS_SLAVE_ID=lie"}
	cfg.RecoveryTimeout = 90 * time.Second
	cfg.Custom.Environment = []string{"LIBPROCESS_SSL_CERT_FILE=/cert"}
	cfg.Custom.TokenKey = []byte("key")
	info := &mesos.ExecutorInfo{
		ExecutorId: &mesos.ExecutorID{Value: proto.String("E")}, Resources: executorResources,
		ShutdownGracePeriod: &mesos.DurationInfo{Nanoseconds: proto.Int64(int64(3 * time.Minute))},
		Command: &mesos.CommandInfo{Environment: &mesos.Environment{Variables: []*mesos.Environment_Variable{
			{Name: proto.String("A"), Value: proto.String("2")},
			{Name: proto.String("HIDDEN"), Type: mesos.Environment_Variable_SECRET.Enum()},
		}}},
	}
	for _, c := range []struct {
		kind cluster.LaunchContainer_Kind
		a    string
	}{{cluster.LaunchContainer_CUSTOM, "2"}, {cluster.LaunchContainer_COMMAND, "1"}, {cluster.LaunchContainer_DEFAULT, "2"}} {
		got := environmentOf(t, cfg, c.kind, info)
		want := map[string]string{
			"PATH": "/opt/bin", "A": c.a, "LIBPROCESS_IP": "10.0.0.1", "LIBPROCESS_PORT": "0",
			"MESOS_FRAMEWORK_ID": "F", "MESOS_EXECUTOR_ID": "E", "MESOS_DIRECTORY": "/box", "MESOS_SANDBOX": "/box",
			"MESOS_SLAVE_ID": "S0", "MESOS_SLAVE_PID": "slave(1)@10.0.0.1:5051", "MESOS_AGENT_ENDPOINT": "10.0.0.1:5051",
			"MESOS_CHECKPOINT": "1", "MESOS_HTTP_COMMAND_EXECUTOR": "0", "MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD": "3mins",
			"MESOS_RECOVERY_TIMEOUT": "90secs", "MESOS_SUBSCRIPTION_BACKOFF_MAX": "500ms", "MESOS_ALLOCATION_ROLE": "*",
		}
		if c.kind == cluster.LaunchContainer_CUSTOM {
			want["LIBPROCESS_SSL_CERT_FILE"] = "/cert"
			want["MESOS_EXECUTOR_AUTHENTICATION_TOKEN"] = token.Sign(cfg.Custom.TokenKey, map[string]string{"fid": "F", "eid": "E", "cid": "C"})
		}
		if c.kind == cluster.LaunchContainer_DEFAULT {
			want["MESOS_CONTAINER_IP"] = "10.0.0.1"
		}
		for name, value := range want {
			if got[name] != value {
				t.Errorf("%v: %s is %q, want %q", c.kind, name, got[name], value)
			}
		}
		if len(got) != len(want) {
			t.Errorf("%v: the environment is %v", c.kind, got)
		}
	}
}

func TestDefaultPathAndHosts(t *testing.T) {
	cfg := testConfig(1)
	cfg.Endpoint = "[::1]:5051"
	got := environmentOf(t, cfg, cluster.LaunchContainer_DEFAULT, &mesos.ExecutorInfo{})
	if got["PATH"] != defaultPath || got["LIBPROCESS_IP"] != "::1" {
		t.Errorf("the environment is %v", got)
	}
}

// BenchmarkCommandTask is a task from its launch to its acknowledged end, and
// everything that the machine has to do with it.
func BenchmarkCommandTask(b *testing.B) {
	m := New(testConfig(1))
	queue := []Input{Started{}, MasterDetected{"master@m:1"}, TimerFired{timerRegistration}}
	peer := func(name string, msg proto.Message) { queue = append(queue, Received{From: Peer(name), Message: msg}) }
	var container string
	answer := func(e Effect) {
		switch e := e.(type) {
		case Checkpoint:
			queue = append(queue, Checkpointed{Key: e.Key})
		case MakeSandbox:
			container = string(e.Container)
			queue = append(queue, SandboxMade{Container: e.Container})
		case StartHost:
			peer("host@h", &cluster.HostReady{HostId: proto.String(string(e.Host)), Pid: proto.Int32(1)})
		case Send:
			benchAnswer(peer, container, e.Message)
		}
	}
	now := time.Unix(1000, 0)
	run := func() {
		for len(queue) > 0 {
			in := queue[0]
			queue = queue[1:]
			for _, e := range m.Step(now, in) {
				answer(e)
			}
		}
	}
	run()
	for b.Loop() {
		peer("master@m:1", &cluster.RunTask{Framework: simFramework(), Task: simTaskInfo("T")})
		run()
	}
	if len(m.frameworks) != 0 || len(m.containers) != 0 {
		b.Fatalf("%d frameworks and %d containers are left", len(m.frameworks), len(m.containers))
	}
}

// benchAnswer is what the others say to a message of the agent.
func benchAnswer(peer func(string, proto.Message), container string, msg proto.Message) {
	w := &simContainer{launch: &cluster.LaunchContainer{ContainerId: &mesos.ContainerID{Value: &container}}}
	executorPeer := "executor/" + w.id() + "@h"
	switch msg := msg.(type) {
	case *cluster.RegisterAgent:
		peer("master@m:1", &cluster.AgentRegistered{AgentId: s0(), MasterId: proto.String("M")})
	case *cluster.LaunchContainer:
		peer(executorPeer, benchCall("SUBSCRIBE", nil))
	case *cluster.StatusUpdate:
		peer("master@m:1", &cluster.StatusUpdateAck{
			FrameworkId: msg.FrameworkId, AgentId: msg.AgentId, TaskId: msg.GetStatus().TaskId, Uuid: msg.GetStatus().Uuid,
		})
	default:
		if benchLaunched(msg) {
			for n, s := range []mesos.TaskState{mesos.TaskState_TASK_STARTING, mesos.TaskState_TASK_RUNNING, mesos.TaskState_TASK_FINISHED} {
				peer(executorPeer, benchCall("UPDATE", &mesos.TaskStatus{
					TaskId: &mesos.TaskID{Value: proto.String("T")}, State: s.Enum(), Source: mesos.TaskStatus_SOURCE_EXECUTOR.Enum(),
					Uuid: []byte("000000000000000" + string(rune('0'+n))),
				}))
			}
			peer("host@h", &cluster.ContainerEnded{ContainerId: &mesos.ContainerID{Value: &container}, Status: proto.Int32(0)})
		}
	}
}
