package mesosclient

import (
	"context"
	"fmt"

	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos"
	"troupe/messages/mesos/scheduler"
)

// Scheduler is a subscription of a framework: a stream of events, and calls
// that belong to it.
type Scheduler struct {
	*Stream
	Endpoint
	FrameworkID string
	// ID names the stream; every call repeats it.
	ID string
	// Subscribed is the first event.
	Subscribed *scheduler.Event_Subscribed
}

// Subscribe opens a subscription and waits for its first event, which must be
// SUBSCRIBED. An ERROR instead is a *Failed.
func Subscribe(ctx context.Context, address string, enc Encoding, subscribe *scheduler.Call_Subscribe) (*Scheduler, error) {
	return SubscribeAt(ctx, Endpoint{Address: address, Path: SchedulerPath, Encoding: enc}, subscribe)
}

// SubscribeAt is Subscribe at an endpoint, which every call goes to.
func SubscribeAt(ctx context.Context, at Endpoint, subscribe *scheduler.Call_Subscribe) (*Scheduler, error) {
	s := &Scheduler{Endpoint: at}
	call := &scheduler.Call{
		Type:        scheduler.Call_SUBSCRIBE.Enum(),
		FrameworkId: subscribe.GetFrameworkInfo().GetId(),
		Subscribe:   subscribe,
	}
	var err error
	if s.Stream, err = s.Open(ctx, call, nil); err != nil {
		return nil, err
	}
	if err := s.begin(); err != nil {
		_ = s.Close() // what went wrong is told already
		return nil, err
	}
	return s, nil
}

// Failed is the error of a subscription that was answered by an ERROR event.
type Failed struct{ Message string }

func (f *Failed) Error() string { return "ERROR: " + f.Message }

func (s *Scheduler) begin() error {
	if s.ID = s.Header.Get(StreamID); s.ID == "" || len(s.ID) > 128 {
		return fmt.Errorf("the answer's %s is %q", StreamID, s.ID)
	}
	first, err := s.Event()
	switch {
	case err != nil:
		return fmt.Errorf("the first event: %w", err)
	case first.GetType() == scheduler.Event_ERROR:
		return &Failed{first.GetError().GetMessage()}
	case first.GetType() != scheduler.Event_SUBSCRIBED:
		return fmt.Errorf("the first event is %s", first.GetType())
	}
	s.Subscribed = first.GetSubscribed()
	s.FrameworkID = s.Subscribed.GetFrameworkId().GetValue()
	return nil
}

// Event is the next event.
func (s *Scheduler) Event() (*scheduler.Event, error) {
	e := &scheduler.Event{}
	return e, s.Next(e)
}

// Say sends a call of the subscription, with its framework's id.
func (s *Scheduler) Say(ctx context.Context, call *scheduler.Call) (*Answer, error) {
	call = proto.CloneOf(call)
	call.FrameworkId = &mesos.FrameworkID{Value: proto.String(s.FrameworkID)}
	return s.Call(ctx, call, map[string]string{StreamID: s.ID})
}
