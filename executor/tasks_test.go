package executor_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"troupe/actors"
	"troupe/executor"
	"troupe/executor/executortest"
	"troupe/messages/mesos"
	executorpb "troupe/messages/mesos/executor"
)

// start spawns an executor beside a fake agent, and waits for its SUBSCRIBE.
func start(t *testing.T, h executor.Handler) (*executortest.Agent, *executor.Actor) {
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
	agent := executortest.NewAgent(t, sys)
	a, err := executor.NewActor(sys, executor.Config{FrameworkID: "F1", ExecutorID: "E1", Agent: agent.PID}, h)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := sys.Spawn("executor", a); err != nil {
		t.Fatal(err)
	}
	agent.Subscribed(t)
	return agent, a
}

func info(id string) *mesos.TaskInfo { return &mesos.TaskInfo{TaskId: &mesos.TaskID{Value: &id}} }

const (
	running  = mesos.TaskState_TASK_RUNNING
	finished = mesos.TaskState_TASK_FINISHED
	failed   = mesos.TaskState_TASK_FAILED
	killed   = mesos.TaskState_TASK_KILLED
)

// end is a handler that reports its Ended.
type end struct {
	executor.Handler
	err chan error
}

func (e end) Ended(d *executor.Driver, err error) {
	e.Handler.Ended(d, err)
	e.err <- err
}

func TestTasksAreFunctions(t *testing.T) {
	h := end{executor.NewTasks(func(ctx context.Context, t *executor.Task) ([]byte, error) {
		switch t.ID() {
		case "good":
			t.Progress([]byte("half"))
			t.Send([]byte("hello"))
			return []byte("result"), nil
		case "bad":
			return nil, errors.New("no luck")
		case "worse":
			panic("oh")
		default:
			<-ctx.Done()
			return nil, ctx.Err()
		}
	}), make(chan error, 1)}
	agent, _ := start(t, h)
	agent.Launch(info("good"))
	agent.WantStates(t, "good", running)
	if st := agent.WantStates(t, "good", running); string(st.GetData()) != "half" {
		t.Errorf("progress %q", st.GetData())
	}
	if st := agent.WantStates(t, "good", finished); string(st.GetData()) != "result" || st.GetExecutorId().GetValue() != "E1" {
		t.Errorf("status %v", st)
	}
	m := executortest.Await(t, agent, func(c *executorpb.Call) bool { return c.GetType() == executorpb.Call_MESSAGE })
	if string(m.GetMessage().GetData()) != "hello" {
		t.Errorf("message %q", m.GetMessage().GetData())
	}
	agent.Launch(info("bad"))
	if st := agent.WantStates(t, "bad", running, failed); st.GetMessage() != "no luck" {
		t.Errorf("message %q", st.GetMessage())
	}
	agent.Launch(info("worse"))
	if st := agent.WantStates(t, "worse", running, failed); st.GetMessage() != "panic: oh" {
		t.Errorf("message %q", st.GetMessage())
	}
	agent.Launch(info("slow"))
	agent.WantStates(t, "slow", running)
	agent.Kill("stranger")
	agent.Kill("slow")
	if st := agent.WantStates(t, "slow", killed); st.Message != nil {
		t.Errorf("message %q", st.GetMessage())
	}
	agent.Launch(info("slower"))
	agent.WantStates(t, "slower", running)
	agent.Shutdown()
	agent.WantStates(t, "slower", killed)
	if err := <-h.err; err != nil {
		t.Error(err)
	}
}

func TestShutdownWithoutTasksFinishes(t *testing.T) {
	h := end{executor.NewTasks(nil), make(chan error, 1)}
	agent, _ := start(t, h)
	agent.Shutdown()
	if err := <-h.err; err != nil {
		t.Error(err)
	}
}

func TestBaseRefusesTasks(t *testing.T) {
	h := end{executor.Base{}, make(chan error, 1)}
	agent, a := start(t, h)
	agent.Launch(info("T1"))
	if st := agent.WantStates(t, "T1", failed); !strings.Contains(st.GetMessage(), `executor "E1" does not take LAUNCH`) {
		t.Errorf("message %q", st.GetMessage())
	}
	agent.LaunchGroup(info("T2"), info("T3"))
	agent.WantStates(t, "T2", failed)
	agent.Kill("T9")
	agent.Event(&executorpb.Event{
		Type: executorpb.Event_MESSAGE.Enum(), Message: &executorpb.Event_Message{Data: []byte("x")},
	})
	agent.Send(a.Driver().Config().Agent, &mesos.TaskID{Value: proto.String("for the agent itself")})
	agent.Shutdown()
	if err := <-h.err; err != nil {
		t.Error(err)
	}
}

func TestExecutorWithoutRecoveryEndsWithItsAgent(t *testing.T) {
	sys, err := actors.New(actors.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer sys.Close(context.Background())
	agent := executortest.NewAgent(t, sys)
	h := end{executor.Base{}, make(chan error, 1)}
	a, err := executor.NewActor(sys, executor.Config{FrameworkID: "F1", ExecutorID: "E1", Agent: agent.PID}, h)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := sys.Spawn("executor", a); err != nil {
		t.Fatal(err)
	}
	agent.Subscribed(t)
	if err := sys.Stop(context.Background(), agent.PID); err != nil {
		t.Fatal(err)
	}
	if err := <-h.err; err == nil || !strings.Contains(err.Error(), "agent is gone") {
		t.Errorf("ended with %v", err)
	}
}

func TestRunNeedsAnAgentsEnvironment(t *testing.T) {
	t.Setenv("MESOS_FRAMEWORK_ID", "")
	if err := executor.Run(t.Context(), executor.Base{}); err == nil || !strings.Contains(err.Error(), "MESOS_FRAMEWORK_ID") {
		t.Errorf("error %v", err)
	}
	if _, err := executor.NewActor(nil, executor.Config{}, executor.Base{}); err == nil || !strings.Contains(err.Error(), "framework_id") {
		t.Errorf("error %v", err)
	}
}
