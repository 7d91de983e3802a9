package executor_test

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/actors"
	"troupe/executor"
	"troupe/executor/executortest"
	"troupe/messages/mesos"
)

// quiet stands in for testing.T where there is none.
type quiet struct{ executortest.TB }

func (quiet) Helper()           {}
func (quiet) Fatal(args ...any) { panic(fmt.Sprint(args...)) }

// shout is an executor that is a function. Under a real agent its program
// calls executor.RunTasks(ctx, shout), which reads the rest from the
// environment.
func shout(_ context.Context, t *executor.Task) ([]byte, error) {
	return bytes.ToUpper(t.Info.GetData()), nil
}

func ExampleRunWith() {
	sys, err := actors.New(actors.Options{Listen: "127.0.0.1:0"})
	if err != nil {
		panic(err)
	}
	agent := executortest.NewAgent(quiet{}, sys)
	ended := make(chan error)
	go func() {
		ended <- executor.RunWith(context.Background(), executor.Config{
			FrameworkID: "F1", ExecutorID: "shouter", Agent: agent.PID, ShutdownGracePeriod: time.Second,
		}, executor.NewTasks(shout), actors.Options{})
	}()
	agent.Subscribed(quiet{})
	agent.Launch(&mesos.TaskInfo{
		Name: proto.String("hello"), TaskId: &mesos.TaskID{Value: proto.String("T1")},
		AgentId: &mesos.AgentID{Value: proto.String("S1")}, Data: []byte("hello"),
	})
	for range 2 {
		st := agent.Update(quiet{}, "T1")
		fmt.Printf("%s %q\n", st.GetState(), st.GetData())
	}
	agent.Shutdown()
	fmt.Println("ended:", <-ended)
	if err := sys.Close(context.Background()); err != nil {
		panic(err)
	}
	// Output:
	// TASK_RUNNING ""
	// TASK_FINISHED "HELLO"
	// ended: <nil>
}

// greeter keeps tasks running until they are killed.
type greeter struct{ executor.Base }

func (greeter) Launch(d *executor.Driver, t *mesos.TaskInfo) {
	d.Update(&mesos.TaskStatus{TaskId: t.GetTaskId(), State: mesos.TaskState_TASK_RUNNING.Enum()})
}

func (greeter) Kill(d *executor.Driver, task string, _ *mesos.KillPolicy) {
	d.Update(&mesos.TaskStatus{TaskId: &mesos.TaskID{Value: &task}, State: mesos.TaskState_TASK_KILLED.Enum()})
}

// A Handler of one's own sees launches and kills as they are. Under a
// real agent its program calls executor.Run(ctx, greeter{}).
func ExampleHandler() {
	sys, err := actors.New(actors.Options{Listen: "127.0.0.1:0"})
	if err != nil {
		panic(err)
	}
	agent := executortest.NewAgent(quiet{}, sys)
	ended := make(chan error)
	go func() {
		ended <- executor.RunWith(context.Background(), executor.Config{
			FrameworkID: "F1", ExecutorID: "greeter", Agent: agent.PID, ShutdownGracePeriod: time.Second,
		}, greeter{}, actors.Options{})
	}()
	agent.Subscribed(quiet{})
	agent.Launch(&mesos.TaskInfo{
		Name: proto.String("door"), TaskId: &mesos.TaskID{Value: proto.String("door")}, AgentId: &mesos.AgentID{Value: proto.String("S1")},
	})
	fmt.Println(agent.Update(quiet{}, "door").GetState())
	agent.Kill("door")
	fmt.Println(agent.Update(quiet{}, "door").GetState())
	agent.Shutdown()
	fmt.Println("ended:", <-ended)
	if err := sys.Close(context.Background()); err != nil {
		panic(err)
	}
	// Output:
	// TASK_RUNNING
	// TASK_KILLED
	// ended: <nil>
}
