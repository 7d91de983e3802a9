package state

import (
	"fmt"

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

// reregisterAgent takes back an agent that has an id: after a break of its
// link, a restart of either side, or a time in which it was unreachable.
func (m *Machine) reregisterAgent(from Peer, msg *cluster.ReregisterAgent) {
	id := AgentID(msg.GetAgent().GetId().GetValue())
	a := m.agents.byID[id]
	if _, under := m.agents.repeated[id]; under {
		m.agents.repeated[id] = func() { m.reregisterAgent(from, msg) }
		return
	}
	if m.agents.returning[id] || a != nil && a.leaving {
		m.refuseAgent(from, field.Invalid("agent.id", string(id), "is just being given up: ask again"), false)
		return
	}
	if m.refuseForeigner(from, msg) {
		return
	}
	total, err := m.checkAgent(msg.GetAgent(), msg.GetTotalResources())
	if err == nil && id == "" {
		err = field.Missing("agent.id")
	}
	if err != nil {
		m.refuseAgent(from, err, false)
		return
	}
	if record := m.registry.Agent(string(id)); record.GetStatus() == cluster.AgentRecord_GONE {
		m.note(Warn, "An agent that is gone tried to return", Field{"agent", string(id)}, Field{"peer", string(from)})
		m.send(from, &cluster.ShutdownAgent{Message: new("agent " + string(id) + " was marked gone")})
		return
	}
	if m.refuseDown(from, msg.GetAgent()) {
		return
	}
	if err, fatal := movedAgent(a, from, msg.GetAgent()); err != nil {
		m.refuseAgent(from, err, fatal)
		return
	}
	op := registry.MarkReachable{Agent: msg.GetAgent(), At: m.now}
	if !m.changes(op) {
		// The message must not age while nothing becomes durable: it would undo
		// the updates that its agent sends meanwhile.
		m.onAgentReturned(from, total, msg)
		return
	}
	m.agents.returning[id], m.agents.repeated[id] = true, nil
	m.persist(op, func(conflict error) {
		again := m.agents.repeated[id]
		delete(m.agents.returning, id)
		delete(m.agents.repeated, id)
		if conflict != nil {
			m.refuseAgent(from, conflict, true)
			return
		}
		m.onAgentReturned(from, total, msg)
		if again != nil {
			again() // what ended since is not in the first message
		}
	})
}

// movedAgent tells whether an agent that is known comes back as another. It
// may keep trying when the other may be itself before its link broke.
func movedAgent(a *agent, from Peer, info *mesos.AgentInfo) (err error, fatal bool) {
	switch {
	case a == nil:
		return nil, false
	case a.view.Info.GetHostname() != info.GetHostname():
		return field.Invalid("agent.hostname", info.GetHostname(), "was %q when agent %s registered",
			a.view.Info.GetHostname(), a.id()), true
	case a.connected() && addressOf(a.peer()) != addressOf(from):
		return field.Invalid("agent.id", string(a.id()), "is connected from %s", a.peer()), false
	}
	return nil, false
}

func (m *Machine) onAgentReturned(from Peer, total resources.Resources, msg *cluster.ReregisterAgent) {
	id := AgentID(msg.GetAgent().GetId().GetValue())
	picture := view.Agent{
		ID: id, Info: msg.GetAgent(), Total: total, Version: msg.GetVersion(),
		Capabilities: capabilities(msg.GetCapabilities()), Registered: m.now, Reregistered: m.now,
	}
	a := m.agents.byID[id]
	stayed := a != nil && a.connected() && a.peer() == from
	if a == nil {
		if old := m.agents.byAddress[addressOf(from)]; old != nil && !old.leaving {
			m.removeAgent(old, view.Replaced)
		}
		delete(m.agents.recovered, id)
		a = m.addAgent(from, picture)
		m.publish(view.AgentAdded{Agent: a.view})
	} else {
		m.rescindAgentOffers(a)
		picture.Registered = a.view.Registered
		m.connectAgent(a, from, picture)
		m.publish(view.AgentChanged{Agent: a.view})
	}
	missing := m.reconcileAgent(a, msg, stayed)
	lacking, over := m.learnOperations(a, msg.GetOperations(), stayed)
	m.loseUnreachable(id, mesos.TaskState_TASK_GONE, mesos.TaskStatus_REASON_RECONCILIATION, unknownToAgent)
	m.addToAllocator(a)
	m.watchReservations(reserve.Standing(a.view.Total))
	m.note(Info, "An agent came back", Field{"agent", string(id)}, Field{"peer", string(from)})
	m.send(from, &cluster.AgentReregistered{
		AgentId: a.view.Info.GetId(), MasterId: &m.cfg.MasterID,
		TotalPingTimeout: new(m.cfg.TotalPingTimeout.Nanoseconds()), MissingTasks: missing, ClusterId: m.clusterID(),
		MissingOperations: lacking,
	})
	for _, o := range over {
		m.tellOperation(o)
	}
	for _, kill := range a.kills {
		m.send(from, kill)
	}
	a.kills = nil
	m.updateFrameworksAt(a, msg.GetFrameworks())
	m.seeToDrain(a)
	m.takeDown(a) // if that came while its return was under way
	m.checkRecovered()
}

// updateFrameworksAt tells an agent what changed of the frameworks it named,
// and which of them are over. It heeds that only once it is registered.
func (m *Machine) updateFrameworksAt(a *agent, named []*mesos.FrameworkInfo) {
	for _, info := range named {
		id := FrameworkID(info.GetId().GetValue())
		if m.completed(id) {
			m.send(a.peer(), &cluster.ShutdownFramework{FrameworkId: info.GetId()})
			continue
		}
		f := m.frameworks.byID[id]
		if f == nil {
			continue
		}
		delete(f.outdated, a.id())
		switch {
		case proto.Equal(f.view.Info, info):
		case f.connected():
			m.send(a.peer(), &cluster.UpdateFramework{Framework: f.view.Info})
		default:
			f.misknown(a) // who subscribes may say what it is
		}
	}
}

// misknown notes that an agent holds the framework for something else.
func (f *framework) misknown(a *agent) {
	if f.outdated == nil {
		f.outdated = make(map[AgentID]bool)
	}
	f.outdated[a.id()] = true
}

// reconcileAgent learns what runs on an agent, and returns what it should run
// and does not name. What the master sent after the agent wrote its message
// is among those; the agent got it before the answer, and knows it by then.
func (m *Machine) reconcileAgent(a *agent, msg *cluster.ReregisterAgent, stayed bool) []*cluster.AgentReregistered_MissingTask {
	m.learnFrameworks(a, msg.GetFrameworks())
	m.learnExecutors(a, msg.GetExecutors())
	named := make(map[*task]bool, len(msg.GetTasks()))
	var needs []resources.Resources
	for _, reported := range msg.GetTasks() {
		if t := m.learnTask(a, reported, stayed, &needs); t != nil {
			named[t] = true
		}
	}
	a.hold(&needs)
	var missing []*cluster.AgentReregistered_MissingTask
	for _, t := range append([]*task(nil), a.tasks...) {
		switch {
		case named[t]:
		case t.terminal():
			m.removeTask(t, view.Completed) // acknowledged at the agent
		default:
			missing = append(missing, &cluster.AgentReregistered_MissingTask{
				FrameworkId: t.framework.view.Info.GetId(), TaskId: t.protoID(),
			})
		}
	}
	return missing
}

func (m *Machine) learnFrameworks(a *agent, infos []*mesos.FrameworkInfo) {
	for _, info := range infos {
		id := FrameworkID(info.GetId().GetValue())
		switch {
		case m.completed(id): // its agent will hear of that
		case m.frameworks.byID[id] == nil:
			if err := validate.FrameworkInfo(info); err != nil || id == "" {
				m.note(Warn, fmt.Sprintf("An agent named a framework that cannot be: id %q: %v", id, err), Field{"agent", string(a.id())})
				continue
			}
			m.learnFramework(id, info)
		}
	}
}
