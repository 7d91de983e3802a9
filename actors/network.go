package actors

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"

	"google.golang.org/protobuf/reflect/protoreflect"

	"troupe/actors/remote"
)

// What a system's links are made with; see package remote.
type (
	// Authenticator proves who this system is, and finds out who a peer is.
	Authenticator = remote.Authenticator
	// Exchange is one side of proving it, with one Peer.
	Exchange = remote.Exchange
	// Peer is what is known of another system when a link is made.
	Peer = remote.Peer
	// Policy says which peers may be linked, and what they may send to whom.
	// Without one, every peer that got through TLS and the Authenticator may
	// send any message to any actor. Nobody can stop an actor of another system,
	// or speak for an actor of a third.
	Policy = remote.Policy
	// LinkLimits bound what peers can cost, and say how soon a silent one is
	// given up.
	LinkLimits = remote.Limits
	// PeerInfo describes a peer at one moment.
	PeerInfo = remote.PeerInfo
)

// listen opens what o asks for and says how peers know this system.
func listen(o Options) (net.Listener, string, error) {
	if o.Listen == "" {
		host, err := hostOr(o.Advertise)
		return nil, net.JoinHostPort(host, "0"), err
	}
	listener, err := net.Listen("tcp", o.Listen)
	if err != nil {
		return nil, "", fmt.Errorf("listen on %q: %w", o.Listen, err)
	}
	address, err := advertised(listener.Addr(), o.Advertise)
	if err != nil {
		return nil, "", errors.Join(err, listener.Close())
	}
	return listener, address, nil
}

// advertised is the address of peers for a listener: what it is bound to,
// unless that is every address of the host, or as advertise says.
func advertised(bound net.Addr, advertise string) (string, error) {
	tcp, ok := bound.(*net.TCPAddr)
	if !ok {
		return "", fmt.Errorf("listen: %v is no TCP address", bound)
	}
	host, port := tcp.IP.String(), strconv.Itoa(tcp.Port)
	if tcp.IP.IsUnspecified() {
		host = ""
	}
	if advertise != "" {
		h, p, err := net.SplitHostPort(advertise)
		if err != nil {
			h, p = advertise, port
		}
		host, port = cmp.Or(h, host), cmp.Or(p, port)
	}
	host, err := hostOr(host)
	return net.JoinHostPort(host, port), err
}

// hostOr is host, or this machine's name when it is empty.
func hostOr(host string) (string, error) {
	if host != "" {
		return host, nil
	}
	name, err := os.Hostname()
	if err != nil {
		return "", fmt.Errorf("find this host's name: %w", err)
	}
	return name, nil
}

// network is the system as the transport sees it.
type network struct {
	system *System
}

// Deliver implements remote.Receiver.
func (n *network) Deliver(d *remote.Delivery) remote.Work {
	s := n.system
	e := envelope{kind: kindMessage, msg: d.Message, size: uint32(min(d.Size, 1<<31))}
	from, to := d.From, d.To
	if from.Name != "" {
		from.Name, e.ask = unmarkAsk(from.Name)
	}
	e.from = originOf(from, d)
	if name, ask := unmarkAsk(to.Name); ask != 0 {
		to.Name, e.ask, e.kind = name, ask, kindReply
	}
	if where, reason := s.locate(to); where != atHome {
		s.dead.note(from, to, typeName(d.Message), cmp.Or(reason, reasonBadAddress))
		return nil
	}
	c := s.put(to, e)
	switch {
	case c == nil:
		return nil
	case s.visits:
		return (*visit)(c)
	}
	s.runner.Run(c.loop)
	return nil
}

// originOf is made once for each sender that a link brings.
func originOf(from PID, d *remote.Delivery) *origin {
	o, ok := (*d.Memo).(*origin)
	if !ok {
		o = &origin{pid: from, principal: d.Principal}
		*d.Memo = o
	}
	return o
}

// DeadLetter implements remote.Receiver.
func (n *network) DeadLetter(from, to PID, typ protoreflect.FullName, reason error) {
	name, ask := unmarkAsk(from.Name)
	from.Name = name
	n.system.dead.note(from, to, string(typ), reason.Error())
	if ask != 0 {
		n.system.failAsk(from, ask, fmt.Errorf("%w: %w", ErrUndelivered, reason))
	}
}

// Rejected implements remote.Receiver.
func (n *network) Rejected(from, to PID, _ string, typ protoreflect.FullName, reason error) {
	n.system.unhandled.note(from, to, string(typ), reason.Error())
}

// Exited implements remote.Receiver.
func (n *network) Exited(watcher, watched PID, reason string) {
	if c := n.system.table.get(watcher.Name); c != nil {
		c.postExited(watched, 0, reason)
	}
}

// Watch implements remote.Receiver.
func (n *network) Watch(by, watched PID) {
	s := n.system
	where, reason := s.locate(watched)
	if where != atHome {
		s.transport.Ended(by, watched, cmp.Or(reason, reasonBadAddress))
		return
	}
	target := s.table.get(watched.Name)
	if target == nil {
		s.transport.Ended(by, watched, reasonNoActor)
		return
	}
	target.watchedBy(by, watched, watcher{})
}

// Unwatch implements remote.Receiver.
func (n *network) Unwatch(by, watched PID) {
	if target := n.system.table.get(watched.Name); target != nil {
		target.unwatchedBy(by, watched)
	}
}
