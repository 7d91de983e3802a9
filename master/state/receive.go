package state

import (
	"google.golang.org/protobuf/proto"

	"troupe/master/state/view"
	"troupe/messages/cluster"
	"troupe/messages/mesos/scheduler"
)

// receive hands a message to what deals with it.
func (m *Machine) receive(in Received) {
	switch msg := in.Message.(type) {
	case *scheduler.Call:
		m.heed(in, msg)
	case *cluster.StatusUpdate:
		m.statusUpdate(in.From, msg)
	case *cluster.Allocations:
		m.allocations(in.From, msg)
	case *cluster.RegisterAgent:
		m.publish(view.Judged{Kind: view.Registrations, Valid: true})
		m.registerAgent(in.From, msg)
	case *cluster.ReregisterAgent:
		m.publish(view.Judged{Kind: view.Reregistrations, Valid: true})
		m.reregisterAgent(in.From, msg)
	case *cluster.UnregisterAgent:
		m.publish(view.Judged{Kind: view.Unregistrations, Valid: true})
		m.unregisterAgent(in.From, msg)
	case *cluster.OperationUpdate:
		m.operationUpdate(in.From, msg)
	case *cluster.UpdateAgentResources:
		m.updateAgentResources(in.From, msg)
	case *cluster.Preempt:
		m.preempt(in.From, msg)
	case *cluster.AgentHindered:
		m.agentHindered(in.From, msg)
	case *cluster.ExecutorExited:
		m.publish(view.Judged{Kind: view.ExecutorExits, Valid: true})
		m.executorExited(in.From, msg)
	case *cluster.ExecutorMessage:
		m.executorMessage(in.From, msg)
	case *cluster.KillTaskRequest:
		m.operatorKill(in, msg)
	case *cluster.AgentRequest:
		m.agentRequest(in, msg)
	case *cluster.OperationRequest:
		m.operationRequest(in, msg)
	case *cluster.QuotaRequest:
		m.quotaRequest(in, msg)
	case *cluster.WeightsRequest:
		m.weightsRequest(in, msg)
	case *cluster.ReservationRequest:
		m.reservationRequest(in, msg)
	case *cluster.MaintenanceRequest:
		m.maintenanceRequest(in, msg)
	case *cluster.TeardownRequest:
		m.operatorTeardown(in, msg.GetFrameworkId().GetValue())
	default:
		m.drop(view.Others, in.From, "no master takes this type",
			Field{"type", string(in.Message.ProtoReflect().Descriptor().FullName())})
	}
}

// IsRequest tells whether the machine answers a message by exactly one Answer,
// unless it halts before: a request of an operator, and a scheduler's call that
// was asked, not just sent.
func IsRequest(message proto.Message, asked bool) bool {
	switch message.(type) {
	case *cluster.KillTaskRequest, *cluster.TeardownRequest, *cluster.AgentRequest, *cluster.OperationRequest,
		*cluster.QuotaRequest, *cluster.WeightsRequest, *cluster.MaintenanceRequest, *cluster.ReservationRequest:
		return true
	case *scheduler.Call:
		return asked
	}
	return false
}

// peerExited sorts out whose link broke.
func (m *Machine) peerExited(p Peer) {
	if a := m.agents.byPeer[p]; a != nil {
		m.agentDisconnected(a)
	}
	if f := m.frameworks.byPeer[p]; f != nil {
		m.frameworkDisconnected(f)
	}
	if p == m.cfg.Allocator {
		m.allocatorLost()
	}
}
