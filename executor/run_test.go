package executor_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/actors"
	"troupe/executor"
	"troupe/executor/executortest"
	"troupe/messages/mesos"
)

// runWith runs an executor beside an agent that it reaches over the network.
func runWith(t *testing.T, ctx context.Context, grace time.Duration, h executor.Handler) (*executortest.Agent, <-chan error) {
	t.Helper()
	sys, err := actors.New(actors.Options{Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := sys.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	agent := executortest.NewAgent(t, sys)
	ended := make(chan error, 1)
	go func() {
		ended <- executor.RunWith(ctx, executor.Config{
			FrameworkID: "F1", ExecutorID: "E1", Agent: agent.PID, ShutdownGracePeriod: grace,
		}, h, actors.Options{})
	}()
	agent.Subscribed(t)
	return agent, ended
}

func wireInfo(id string) *mesos.TaskInfo {
	return &mesos.TaskInfo{
		Name: &id, TaskId: &mesos.TaskID{Value: &id}, AgentId: &mesos.AgentID{Value: proto.String("S1")},
	}
}

func untilKilled(ctx context.Context, _ *executor.Task) ([]byte, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestRunThatIsCancelledShutsDown(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	agent, ended := runWith(t, ctx, time.Minute, executor.NewTasks(untilKilled))
	agent.Launch(wireInfo("T1"))
	agent.WantStates(t, "T1", running)
	cancel()
	agent.WantStates(t, "T1", killed)
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// deaf does not shut down.
type deaf struct{ executor.Base }

func (deaf) Shutdown(*executor.Driver) {}

func TestRunEndsWithItsGrace(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	_, ended := runWith(t, ctx, time.Millisecond, deaf{})
	cancel()
	err := <-ended
	if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), `executor "E1" did not shut down within 1ms`) {
		t.Errorf("error %v", err)
	}
}

func TestRunEndsWithItsAgent(t *testing.T) {
	agent, ended := runWith(t, t.Context(), time.Minute, executor.NewTasks(untilKilled))
	agent.Launch(wireInfo("T1"))
	agent.WantStates(t, "T1", running)
	agent.Stop(t)
	if err := <-ended; err == nil || !strings.Contains(err.Error(), "agent is gone") {
		t.Errorf("error %v", err)
	}
}

func TestRunNeedsPlaceForItsSystem(t *testing.T) {
	err := executor.RunWith(t.Context(), executor.Config{ExecutorID: "E1"}, executor.Base{}, actors.Options{Listen: "nowhere"})
	if err == nil || !strings.Contains(err.Error(), `start actor system of executor "E1"`) {
		t.Errorf("error %v", err)
	}
}
