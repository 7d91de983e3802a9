package master

import (
	"fmt"

	"google.golang.org/protobuf/proto"

	"troupe/actors"
	"troupe/messages/cluster"
)

// ReplicaName is the name of the actor Replica.
const ReplicaName = "replica"

// replicaMailbox bounds what other masters can make wait: Raft has few requests
// under way, and repeats them.
var replicaMailbox = actors.Limits{MailboxMessages: 16 << 10, MailboxBytes: 64 << 20}

// Replica is the actor by which masters that keep the registry among themselves
// reach each other: it carries messages between a device, which decides what to
// say, and the replicas of the other masters.
type Replica struct {
	sys     *actors.System
	receive func(from string, m proto.Message) // nil until Deliver
}

// NewReplica spawns the actor. Until Deliver says where to, what arrives is
// dropped: whoever sent it repeats it.
func NewReplica(sys *actors.System) (*Replica, error) {
	r := &Replica{sys: sys}
	if _, err := sys.Spawn(ReplicaName, r, actors.WithMailbox(replicaMailbox)); err != nil {
		return nil, fmt.Errorf("replica: %w", err)
	}
	return r, nil
}

// Init installs what the device understands.
func (r *Replica) Init(c *actors.Context) {
	actors.Handle(c, func(c *actors.Context, m *cluster.ReplicaRequest) { r.received(c, m) })
	actors.Handle(c, func(c *actors.Context, m *cluster.ReplicaReply) { r.received(c, m) })
	actors.Handle(c, func(c *actors.Context, m *cluster.IdentifyReplica) { r.received(c, m) })
	actors.Handle(c, func(c *actors.Context, m *cluster.ReplicaIdentity) { r.received(c, m) })
}

func (r *Replica) received(c *actors.Context, m proto.Message) {
	if r.receive != nil && c.Sender().Name == ReplicaName {
		r.receive(c.Sender().Address, m)
	}
}

// Deliver gives all messages from now on to receive, which must not block.
func (r *Replica) Deliver(receive func(from string, m proto.Message)) {
	r.sys.Do(r.sys.PID(ReplicaName), func(*actors.Context) { r.receive = receive })
}

// Send sends m to the replica of the master at address, host:port. It does not
// block, and may be called from any goroutine; m may be lost.
func (r *Replica) Send(address string, m proto.Message) {
	r.sys.Do(r.sys.PID(ReplicaName), func(c *actors.Context) {
		c.Send(actors.PID{Name: ReplicaName, Address: address}, m)
	})
}
