package actors

import (
	"context"
	"errors"
	"fmt"

	"google.golang.org/protobuf/proto"

	"troupe/actors/address"
	"troupe/actors/remote"
)

// Transport carries messages to other systems, and what concerns links between
// actors. Package remote's is the one of production. No method but Close waits
// for a peer.
type Transport interface {
	// Start is called once, before any other; nothing is received before.
	Start()
	// Send takes a message, of which nobody hears again or the Receiver as a
	// dead letter. An error says that it was not taken, and why.
	Send(from, to PID, m proto.Message) error
	// Link asks for exactly one Receiver.Exited; Unlink takes that back.
	Link(watcher, watched PID)
	Unlink(watcher, watched PID)
	// Ended answers Receiver.Watch, after all that watched has sent.
	Ended(watcher, watched PID, reason string)
	Peers() []PeerInfo
	// Close delivers what it can until ctx is done.
	Close(ctx context.Context) error
}

// Receiver is a system as its transport sees it, and Delivery a message for it;
// see package remote for what each promises.
type (
	Receiver = remote.Receiver
	Delivery = remote.Delivery
)

// NewTransport makes the transport of a system that is known to others under
// the address, for one incarnation of it.
type NewTransport func(address, incarnation string, r Receiver) (Transport, error)

// connect makes the transport, and so gives the system its address.
func (s *System) connect(o Options) error {
	create, at := o.Transport, o.Advertise
	if create == nil {
		var err error
		if create, at, err = s.tcp(o); err != nil {
			return err
		}
	}
	if err := address.ValidateHostPort(at); err != nil {
		return fmt.Errorf("address of this system: %w", err)
	}
	s.address = at
	s.outside = &origin{pid: s.PID(outsideName)}
	transport, err := create(at, s.incarnation, &network{system: s})
	if err != nil {
		return err
	}
	s.transport = transport
	transport.Start()
	return nil
}

// tcp opens the listener, if there is to be one, for links of package remote,
// and gives the address under which peers know it.
func (s *System) tcp(o Options) (NewTransport, string, error) {
	listener, at, err := listen(o)
	return func(address, incarnation string, r Receiver) (Transport, error) {
		t, err := remote.New(remote.Config{
			Listener: listener, Address: address, Incarnation: incarnation, Receiver: r,
			TLS: remote.TLS{Server: o.TLS, Client: o.TLS}, Authenticator: o.Authenticator, Policy: o.Policy,
			Limits: o.Links, Logger: s.logger.Named("links"), HTTP: &s.routes,
		})
		if err != nil && listener != nil {
			err = errors.Join(err, listener.Close())
		}
		return t, err
	}, at, err
}

func (s *System) anonymousAddress() bool { return !address.Dialable(s.address) }

func (s *System) sendAbroad(from *origin, to PID, m proto.Message, ask uint64) {
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

// Peers describes the systems that this one knows, linked or not.
func (s *System) Peers() []PeerInfo { return s.transport.Peers() }
