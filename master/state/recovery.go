package state

import (
	"slices"
	"strconv"

	"troupe/master/registry"
	"troupe/master/state/view"
	"troupe/messages/cluster"
	"troupe/messages/resources"
)

// start begins to lead with what the registry held. Agents of it have time to
// come back.
func (m *Machine) start(r registry.Registry) {
	m.registry = r
	for record := range r.Agents() {
		if record.GetStatus() != cluster.AgentRecord_ADMITTED {
			continue
		}
		info := record.GetAgent()
		id := AgentID(info.GetId().GetValue())
		m.agents.recovered[id] = info
		total, err := resources.New(info.GetResources()...)
		if err != nil {
			m.note(Warn, "The registry holds an agent that cannot be: "+err.Error(), Field{"agent", string(id)})
		}
		m.publish(view.AgentAdded{Agent: &view.Agent{ID: id, Info: info, Total: total, Status: view.Recovered}})
	}
	if len(m.agents.recovered) > 0 {
		m.emit(SetTimer{timerRecovery, m.cfg.AgentReregisterTimeout})
	}
	m.emit(SetTimer{timerPrune, m.cfg.RegistryPruneInterval})
	m.note(Info, "This master leads", Field{"master", m.cfg.MasterID}, Field{"agents", strconv.Itoa(len(m.agents.recovered))})
	m.startAllocator()
}

// recoveryTimedOut gives up the agents of the registry that did not come back.
// What they ran is not known here.
func (m *Machine) recoveryTimedOut() {
	ids := make([]AgentID, 0, len(m.agents.recovered))
	for id := range m.agents.recovered {
		if !m.agents.returning[id] {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	at := m.now
	for _, id := range ids {
		m.agents.returning[id] = true // nobody else may persist for it meanwhile
		m.persist(registry.MarkUnreachable{AgentID: string(id), At: at}, func(conflict error) {
			delete(m.agents.returning, id)
			delete(m.agents.recovered, id)
			if conflict != nil {
				m.note(Warn, "The registry knows better: "+conflict.Error())
			}
			m.publish(view.AgentRemoved{ID: id, Cause: view.Unhealthy, Unreachable: true, At: at})
			m.agentFailed(id)
		})
	}
}

// pruneRegistry forgets agents that have been unreachable or gone for long.
func (m *Machine) pruneRegistry() {
	m.emit(SetTimer{timerPrune, m.cfg.RegistryPruneInterval})
	op := registry.Prune{Before: m.now.Add(-m.cfg.RegistryMaxAgentAge), Keep: m.cfg.RegistryMaxAgentCount}
	if !m.changes(op) {
		return
	}
	m.persist(op, func(error) {})
}
