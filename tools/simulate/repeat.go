package simulate

import (
	"google.golang.org/protobuf/proto"

	"troupe/messages/cluster"
	"troupe/messages/mesos/scheduler"
)

// repeatable tells whether the sender of a message may repeat it at any time,
// by the table in package messages: then it may also come twice here.
func repeatable(m proto.Message) bool {
	switch m := m.(type) {
	case *cluster.RegisterAgent, *cluster.ReregisterAgent, *cluster.StatusUpdate, *cluster.StatusUpdateAck,
		*cluster.KillTask, *cluster.Ping, *cluster.Pong, *cluster.HostReady, *cluster.DestroyContainer,
		*cluster.ContainerEnded, *cluster.ContainerEndedAck:
		return true
	case *scheduler.Call:
		switch m.GetType() {
		case scheduler.Call_SUBSCRIBE, scheduler.Call_KILL, scheduler.Call_ACKNOWLEDGE, scheduler.Call_RECONCILE:
			return true
		}
	}
	return false
}
