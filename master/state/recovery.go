package state

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"troupe/master/registry"
	"troupe/master/state/view"
	"troupe/messages/cluster"
	"troupe/messages/resources"
)

// minReturn is the least time that frameworks of the registry have to come
// back after a change of leaders, which ended every subscription.
const minReturn = time.Minute

// start begins to lead with what the registry held. Agents and frameworks of
// it have time to come back.
func (m *Machine) start(r registry.Registry) {
	m.registry = r
	m.began = m.now
	m.recoverSettings()
	for record := range r.Frameworks() {
		m.recoverFramework(record)
	}
	for record := range r.Agents() {
		m.recoverAgent(record)
	}
	m.agents.expected = len(m.agents.recovered)
	if m.agents.expected > 0 {
		m.emit(SetTimer{timerRecovery, m.cfg.AgentReregisterTimeout})
	}
	m.emit(SetTimer{timerPrune, m.cfg.RegistryPruneInterval})
	m.note(Info, "This master leads", Field{"master", m.cfg.MasterID}, Field{"agents", strconv.Itoa(len(m.agents.recovered))},
		Field{"frameworks", strconv.Itoa(len(m.frameworks.byID))})
	m.startAllocator()
	m.bootstrapWeights()
}

// recoverFramework adds a framework of the registry, whose failover timeout
// begins anew.
func (m *Machine) recoverFramework(record *cluster.FrameworkRecord) {
	if record.GetStatus() != cluster.FrameworkRecord_ADMITTED {
		return
	}
	info := record.GetFramework()
	f := m.addFramework(view.Framework{
		ID: FrameworkID(info.GetId().GetValue()), Info: info, Recovered: true, Roles: rolesOf(info),
		Registered: time.Unix(0, record.GetSince().GetNanoseconds()),
	})
	m.emit(SetTimer{timerFailover + "/" + string(f.id()), max(failoverTimeout(info), minReturn)})
}

func (m *Machine) recoverAgent(record *cluster.AgentRecord) {
	if record.GetStatus() != cluster.AgentRecord_ADMITTED {
		return
	}
	picture := recoveredAgent(record)
	m.agents.recovered[picture.ID] = picture.Info
	m.publish(view.AgentAdded{Agent: picture})
}

// recoveredAgent is the picture of an agent that only the registry knows. What
// the registry holds of its resources was checked when it was admitted.
func recoveredAgent(record *cluster.AgentRecord) *view.Agent {
	info := record.GetAgent()
	total, _ := resources.New(info.GetResources()...)
	picture := &view.Agent{ID: AgentID(info.GetId().GetValue()), Info: info, Total: total, Status: view.Recovered}
	wish(picture, record)
	return picture
}

// recoveryTimedOut gives up the agents of the registry that did not come back,
// as fast as their removal is allowed. When they are too many, this master
// gives up instead: it is likelier that it is cut off than that they are.
func (m *Machine) recoveryTimedOut() {
	missing := make([]AgentID, 0, len(m.agents.recovered))
	for id := range m.agents.recovered {
		if !m.agents.returning[id] {
			missing = append(missing, id)
		}
	}
	slices.Sort(missing)
	if share := float64(len(missing)) / float64(max(1, m.agents.expected)); share > m.cfg.RecoveryAgentRemovalLimit {
		m.halted = true
		m.emit(Halt{fmt.Errorf("%d of %d agents of the registry did not come back within %s, which is more than the recovery agent removal limit of %g%%",
			len(missing), m.agents.expected, m.cfg.AgentReregisterTimeout, m.cfg.RecoveryAgentRemovalLimit*100)})
		return
	}
	for _, id := range missing {
		m.scheduleRemoval(id, notBack)
	}
}

// forgetRecovered gives up an agent of the registry. What it ran is not known
// here.
func (m *Machine) forgetRecovered(id AgentID) {
	at := m.now
	m.agents.returning[id] = true // nobody else may persist for it meanwhile
	m.persist(registry.MarkUnreachable{AgentID: string(id), At: at}, func(conflict error) {
		delete(m.agents.returning, id)
		delete(m.agents.recovered, id)
		if conflict != nil {
			m.note(Warn, "The registry knows better: "+conflict.Error())
		}
		m.publish(view.AgentRemoved{ID: id, Cause: view.Unhealthy, Unreachable: true, Recovered: true, At: at})
		m.agentFailed(id)
		m.checkRecovered()
	})
}

// checkRecovered tells once when no agent of the registry is awaited any more.
func (m *Machine) checkRecovered() {
	if len(m.agents.recovered) > 0 || m.agents.expected == 0 || m.recovered {
		return
	}
	m.recovered = true
	took := m.now.Sub(m.began)
	m.publish(view.RecoveryEnded{Took: took})
	m.emit(CancelTimer{timerRecovery})
	m.note(Info, "Every agent of the registry is accounted for", Field{"agents", strconv.Itoa(m.agents.expected)}, Field{"after", took.String()})
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
