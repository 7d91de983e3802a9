package actors

import (
	"context"

	"google.golang.org/protobuf/proto"

	"troupe/actors/address"
)

// Transport carries messages to other systems.
type Transport interface {
	Send(from, to PID, m proto.Message) error
	Link(watcher, watched PID)
	Unlink(watcher, watched PID)
	Ended(watcher, watched PID, reason string)
	Close(ctx context.Context) error
}

func (s *System) anonymousAddress() bool { return !address.Dialable(s.address) }

func (s *System) sendAbroad(from *origin, to PID, m proto.Message, ask uint64) {
	if s.transport == nil {
		s.undelivered(from, to, m, ask, reasonNoTransport)
		return
	}
	var sender PID
	if from != nil {
		sender = from.pid
	}
	if ask != 0 {
		sender.Name = markAsk(sender.Name, ask)
	}
	if err := s.transport.Send(sender, to, m); err != nil {
		s.undelivered(from, to, m, ask, err.Error())
	}
}
