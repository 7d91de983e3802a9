package mesosclient

import (
	"context"
	"fmt"

	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos"
	"troupe/messages/mesos/executor"
)

// Executor is an executor's subscription: a stream of events, and calls.
type Executor struct {
	*Stream
	Endpoint
	FrameworkID, ExecutorID string
}

// ExecutorFrom makes an executor of the environment that an agent gives it;
// getenv reads a variable. It is not subscribed.
func ExecutorFrom(getenv func(string) string, enc Encoding) (*Executor, error) {
	e := &Executor{
		Endpoint:    Endpoint{Address: getenv("MESOS_AGENT_ENDPOINT"), Path: ExecutorPath, Encoding: enc},
		FrameworkID: getenv("MESOS_FRAMEWORK_ID"), ExecutorID: getenv("MESOS_EXECUTOR_ID"),
	}
	if e.Address == "" || e.FrameworkID == "" || e.ExecutorID == "" {
		return nil, fmt.Errorf("the environment names agent %q, framework %q, executor %q", e.Address, e.FrameworkID, e.ExecutorID)
	}
	if token := getenv("MESOS_EXECUTOR_AUTHENTICATION_TOKEN"); token != "" {
		e.Authorization = "Bearer " + token
	}
	return e, nil
}

// Subscribe opens the stream, after it has closed one that was open. subscribe
// names what the agent has not acknowledged yet.
func (e *Executor) Subscribe(ctx context.Context, subscribe *executor.Call_Subscribe) error {
	if e.Stream != nil {
		_ = e.Close() // it may have ended already
	}
	var err error
	e.Stream, err = e.Open(ctx, e.from(&executor.Call{Type: executor.Call_SUBSCRIBE.Enum(), Subscribe: subscribe}), nil)
	return err
}

// Event is the next event.
func (e *Executor) Event() (*executor.Event, error) {
	event := &executor.Event{}
	return event, e.Next(event)
}

// Say sends a call, with the ids of executor and framework.
func (e *Executor) Say(ctx context.Context, call *executor.Call) (*Answer, error) {
	return e.Call(ctx, e.from(call), nil)
}

func (e *Executor) from(call *executor.Call) *executor.Call {
	call = proto.CloneOf(call)
	call.ExecutorId = &mesos.ExecutorID{Value: proto.String(e.ExecutorID)}
	call.FrameworkId = &mesos.FrameworkID{Value: proto.String(e.FrameworkID)}
	return call
}
