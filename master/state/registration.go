package state

import (
	"google.golang.org/protobuf/proto"

	"troupe/master/registry"
	"troupe/master/state/reserve"
	"troupe/master/state/view"
	"troupe/messages/cluster"
	"troupe/messages/field"
	"troupe/messages/mesos"
	"troupe/messages/resources"
	"troupe/messages/validate"
)

// registerAgent admits an agent that has no id yet. What repeats itself while
// the admission is under way is ignored; an agent that missed the answer gets
// it again.
func (m *Machine) registerAgent(from Peer, msg *cluster.RegisterAgent) {
	if a := m.agents.byPeer[from]; a != nil {
		m.sendRegistered(a)
		return
	}
	if m.agents.admitting[from] {
		return
	}
	if m.refuseDown(from, msg.GetAgent()) {
		return
	}
	total, err := m.checkAgent(msg.GetAgent(), msg.GetTotalResources())
	if err == nil && msg.GetAgent().GetId().GetValue() != "" {
		err = field.Invalid("agent.id", msg.GetAgent().GetId().GetValue(), "must be absent when an agent registers for the first time")
	}
	if err != nil {
		m.refuseAgent(from, err, false)
		return
	}
	info := proto.CloneOf(msg.GetAgent())
	info.Id = &mesos.AgentID{Value: new(m.newAgentID())}
	m.agents.admitting[from] = true
	m.persist(registry.AdmitAgent{Agent: info, At: m.now}, func(conflict error) {
		delete(m.agents.admitting, from)
		if conflict != nil {
			m.refuseAgent(from, conflict, false)
			return
		}
		m.onAgentAdmitted(from, view.Agent{
			ID: AgentID(info.GetId().GetValue()), Info: info, Total: total, Version: msg.GetVersion(),
			Capabilities: capabilities(msg.GetCapabilities()), Registered: m.now,
		})
	})
}

func (m *Machine) onAgentAdmitted(from Peer, picture view.Agent) {
	if old := m.agents.byAddress[addressOf(from)]; old != nil && !old.leaving {
		m.removeAgent(old, view.Replaced)
	}
	a := m.addAgent(from, picture)
	m.publish(view.AgentAdded{Agent: a.view})
	m.note(Info, "An agent registered", Field{"agent", string(a.id())}, Field{"peer", string(from)},
		Field{"resources", a.view.Total.String()})
	m.addToAllocator(a)
	m.watchReservations(reserve.Standing(a.view.Total))
	m.sendRegistered(a)
	m.takeDown(a) // if that came while its admission was under way
}

func (m *Machine) sendRegistered(a *agent) {
	m.send(a.peer(), &cluster.AgentRegistered{
		AgentId: a.view.Info.GetId(), MasterId: &m.cfg.MasterID,
		TotalPingTimeout: new(m.cfg.TotalPingTimeout.Nanoseconds()), ClusterId: m.clusterID(),
	})
}

// clusterID is nil when there is none.
func (m *Machine) clusterID() *string {
	if m.cfg.ClusterID == "" {
		return nil
	}
	return &m.cfg.ClusterID
}

// refuseForeigner sends away an agent of another cluster: what it would report
// is nobody's here.
func (m *Machine) refuseForeigner(from Peer, msg *cluster.ReregisterAgent) bool {
	if m.cfg.ClusterID == "" || msg.GetClusterId() == "" || msg.GetClusterId() == m.cfg.ClusterID {
		return false
	}
	err := field.Invalid("cluster_id", msg.GetClusterId(), "is another cluster than this master's, %q", m.cfg.ClusterID)
	m.publish(view.Judged{Kind: view.Others})
	m.note(Warn, "Refused an agent: "+err.Error(), Field{"agent", msg.GetAgent().GetId().GetValue()}, Field{"peer", string(from)})
	m.send(from, &cluster.RegistrationRefused{Message: new(err.Error()), Foreign: new(true)})
	return true
}

func (m *Machine) refuseAgent(to Peer, why error, fatal bool) {
	m.publish(view.Judged{Kind: view.Others})
	m.note(Warn, "Refused an agent: "+why.Error(), Field{"peer", string(to)})
	m.send(to, &cluster.RegistrationRefused{Message: new(why.Error()), Fatal: &fatal})
}

// checkAgent returns what an agent has, or what is wrong with what it says. What
// operations have made of its resources is told apart, if they made anything.
func (m *Machine) checkAgent(info *mesos.AgentInfo, told []*mesos.Resource) (resources.Resources, error) {
	err := validate.AgentInfo(info)
	if err == nil {
		err = m.checkDomain(info.GetDomain())
	}
	if err != nil {
		return resources.Resources{}, field.In("agent", err)
	}
	total, err := resources.New(info.GetResources()...)
	if err != nil || len(told) == 0 {
		return total, field.In("agent.resources", err)
	}
	total, err = resources.New(told...)
	return total, field.In("total_resources", err)
}

// unregisterAgent takes out an agent that shuts down on request.
func (m *Machine) unregisterAgent(from Peer, msg *cluster.UnregisterAgent) {
	a := m.agents.byID[AgentID(msg.GetAgentId().GetValue())]
	if a == nil || m.agents.byPeer[from] != a {
		m.drop(view.Others, from, "no such agent is registered at this address",
			Field{"agent", msg.GetAgentId().GetValue()})
		return
	}
	if !a.leaving {
		m.removeAgent(a, view.Unregistered)
	}
}
