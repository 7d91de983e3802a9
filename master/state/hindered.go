package state

import (
	"troupe/master/state/view"
	"troupe/messages/cluster"
)

// maxHindrance bounds what is remembered of an agent's reason, in bytes.
const maxHindrance = 1024

// agentHindered offers nothing of an agent that says it can take nothing, until
// it says otherwise or registers again.
func (m *Machine) agentHindered(from Peer, msg *cluster.AgentHindered) {
	a := m.agents.byPeer[from]
	if a == nil || msg.GetAgentId().GetValue() != string(a.id()) {
		m.drop(view.Others, from, "no such agent is registered at this address",
			Field{"agent", msg.GetAgentId().GetValue()})
		return
	}
	reason := msg.GetReason()
	if len(reason) > maxHindrance {
		reason = reason[:maxHindrance]
	}
	if a.leaving || a.view.Hindered == reason {
		return
	}
	m.changeAgent(a, func(v *view.Agent) { v.Hindered = reason })
	if reason == "" {
		m.note(Info, "An agent takes tasks again", Field{"agent", string(a.id())})
	} else {
		m.note(Warn, "An agent takes no tasks for now", Field{"agent", string(a.id())}, Field{"reason", reason})
		m.rescindAgentOffers(a)
	}
	m.updateInAllocator(a)
}
