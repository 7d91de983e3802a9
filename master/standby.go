package master

import (
	"google.golang.org/protobuf/proto"

	"troupe/actors"
	"troupe/messages/cluster"
	"troupe/messages/mesos"
)

// Standby is the actor that has the master's name while this master does not
// lead: it answers every message with who does.
type Standby struct {
	// leader is nil while nobody is known to lead. It must not block.
	leader func() *mesos.MasterInfo
}

// NewStandby returns a standby that asks leader who leads.
func NewStandby(leader func() *mesos.MasterInfo) *Standby { return &Standby{leader} }

// Init answers whatever comes.
func (s *Standby) Init(c *actors.Context) {
	c.HandleAny(func(c *actors.Context, m proto.Message) {
		if _, answer := m.(*cluster.NotLeading); !answer && c.Sender().Name != "" {
			c.Reply(&cluster.NotLeading{Leader: s.leader()})
		}
	})
}
