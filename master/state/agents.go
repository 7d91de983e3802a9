package state

import (
	"slices"
	"strconv"
	"strings"

	"troupe/master/state/view"
	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/messages/resources"
)

// agent is one that is registered: from its admission until it is
// unreachable, gone or removed.
type agent struct {
	seq int // order of admission by this master
	// The picture last published.
	view *view.Agent
	// What tasks and executors hold, and what is offered. With what is held
	// back and what is free they make up view.Total (law 1).
	used, offered resources.Resources
	recountOffers bool // offered is out of date; see onOffer
	held          []holding
	// What the agent has for certain, without what it lends; and what it lends.
	// With what operations are to make of it that is view.Total.
	confirmed, lent resources.Resources
	operations      []*operation // in the order of their seq
	tasks           []*task      // each knows its place
	executors       map[executorKey]*executor
	offers          []*offer
	// The view.Total that the survey for standing reservations counts.
	surveyed resources.Resources
	// Of the last AddAgent: what the allocator decided before it is void.
	version uint64
	// About the maintenance of its machine; nil while there is nothing.
	pleas *pleas
	// Kills that the agent was not told of, because it was not connected.
	kills []*cluster.KillTask
	// A registry operation that ends it is under way.
	leaving bool
	// That operation is durable: the allocator has forgotten it.
	lost bool
	// That it is drained is on its way into the registry.
	drained bool
}

type executorKey struct {
	framework *framework
	id        ExecutorID
}

func (a *agent) id() AgentID     { return a.view.ID }
func (a *agent) peer() Peer      { return Peer(a.view.Peer) }
func (a *agent) connected() bool { return a.view.Status == view.Connected }

func (a *agent) has(c mesos.AgentInfo_Capability_Type) bool {
	return slices.Contains(a.view.Capabilities, c)
}

// agentTable finds agents.
type agentTable struct {
	byID      map[AgentID]*agent
	byPeer    map[Peer]*agent   // connected ones
	byAddress map[string]*agent // without incarnation
	// From the registry, not heard of since this master leads.
	recovered map[AgentID]*mesos.AgentInfo
	// How many these were at the start.
	expected int
	// Whose admission is under way.
	admitting map[Peer]bool
	// Whose return is under way.
	returning map[AgentID]bool
	// Of those that registered again, and whose return is becoming durable: what
	// to do about the newest repetition, nil if there is none.
	repeated map[AgentID]func()
	next     int
	seq      int
}

func newAgentTable() agentTable {
	return agentTable{
		byID:      make(map[AgentID]*agent),
		byPeer:    make(map[Peer]*agent),
		byAddress: make(map[string]*agent),
		recovered: make(map[AgentID]*mesos.AgentInfo),
		admitting: make(map[Peer]bool),
		returning: make(map[AgentID]bool),
		repeated:  make(map[AgentID]func()),
	}
}

// newAgentID returns the next id that no agent brought along.
func (m *Machine) newAgentID() string {
	for {
		id := m.cfg.MasterID + "-S" + strconv.Itoa(m.agents.next)
		m.agents.next++
		if m.registry.Agent(id) == nil && !m.agents.returning[AgentID(id)] {
			return id
		}
	}
}

// ordered lists the agents as they were admitted.
func (t *agentTable) ordered() []*agent {
	all := make([]*agent, 0, len(t.byID))
	for _, a := range t.byID {
		all = append(all, a)
	}
	slices.SortFunc(all, func(a, b *agent) int { return a.seq - b.seq })
	return all
}

// addressOf is a peer's name and address without its incarnation; empty for
// one that nobody can dial, since many share that address.
func addressOf(p Peer) string {
	address, _, _ := strings.Cut(string(p), "#")
	if strings.HasSuffix(address, ":0") {
		return ""
	}
	return address
}

// addAgent makes an agent part of the cluster and connects it.
func (m *Machine) addAgent(p Peer, picture view.Agent) *agent {
	a := &agent{
		seq:       m.agents.seq,
		view:      &picture,
		executors: make(map[executorKey]*executor),
	}
	m.agents.seq++
	m.agents.byID[picture.ID] = a
	m.connectAgent(a, p, picture)
	return a
}

// connectAgent gives an agent a new picture, which is connected at p.
func (m *Machine) connectAgent(a *agent, p Peer, picture view.Agent) {
	if old := a.peer(); old != "" && old != p && m.agents.byPeer[old] == a {
		delete(m.agents.byPeer, old)
		m.emit(Unlink{old})
	}
	if other := m.agents.byPeer[p]; other != nil && other != a {
		m.rescindAgentOffers(other) // it is another agent now
		m.changeAgent(other, func(v *view.Agent) { v.Status = view.Disconnected })
	}
	picture.Status = view.Connected
	picture.Peer = string(p)
	wish(&picture, m.registry.Agent(string(picture.ID)))
	picture.Maintenance = m.maintenanceOf(p, picture.Info, a.view.Maintenance)
	if picture.Maintenance != a.view.Maintenance {
		m.forgetPleas(a)
	}
	a.view = &picture
	a.confirmed, a.lent = picture.Total, resources.Resources{}
	m.stir(a)
	m.survey(a)
	m.agents.byPeer[p] = a
	if address := addressOf(p); address != "" {
		m.agents.byAddress[address] = a
	}
	m.emit(CancelTimer{timerReturn + "/" + string(a.id())})
	m.cancelRemoval(a.id())
	m.emit(Link{p})
	m.emit(Observe{Agent: a.id(), Peer: p, Connected: true})
}

// changeAgent publishes a picture that differs.
func (m *Machine) changeAgent(a *agent, change func(*view.Agent)) {
	next := *a.view
	change(&next)
	a.view = &next
	m.publish(view.AgentChanged{Agent: a.view})
	m.stir(a)
	m.survey(a)
}

// agentDisconnected gives an agent whose link broke time to come back. Its
// tasks stay as they are, whether or not their frameworks checkpoint: what it
// lost meanwhile it says when it is back. The pings go on, to whoever has its
// address by then.
func (m *Machine) agentDisconnected(a *agent) {
	delete(m.agents.byPeer, a.peer())
	m.changeAgent(a, func(v *view.Agent) { v.Status = view.Disconnected })
	m.note(Warn, "An agent disconnected", Field{"agent", string(a.id())}, Field{"peer", a.view.Peer})
	m.rescindAgentOffers(a)
	if a.leaving {
		return
	}
	m.updateInAllocator(a)
	address := a.peer()
	if known := addressOf(address); known != "" {
		address = Peer(known)
	}
	m.emit(Observe{Agent: a.id(), Peer: address, Connected: false})
	m.emit(SetTimer{timerReturn + "/" + string(a.id()), m.cfg.AgentReregisterTimeout})
}

// forgetAgent takes an agent off the tables. Its tasks and offers are gone
// already.
func (m *Machine) forgetAgent(a *agent) {
	if m.agents.byPeer[a.peer()] == a {
		delete(m.agents.byPeer, a.peer())
		m.emit(Unlink{a.peer()})
	}
	if address := addressOf(a.peer()); m.agents.byAddress[address] == a {
		delete(m.agents.byAddress, address)
	}
	delete(m.agents.byID, a.id())
	m.standing.survey.Remove(a.surveyed)
	m.forgetPleas(a)
	m.cancelRemoval(a.id())
	m.emit(CancelTimer{timerReturn + "/" + string(a.id())})
	m.emit(Unobserve{a.id()})
}

func capabilities(list []*mesos.AgentInfo_Capability) []mesos.AgentInfo_Capability_Type {
	types := make([]mesos.AgentInfo_Capability_Type, 0, len(list))
	for _, c := range list {
		types = append(types, c.GetType())
	}
	return types
}

func capabilityProtos(types []mesos.AgentInfo_Capability_Type) []*mesos.AgentInfo_Capability {
	list := make([]*mesos.AgentInfo_Capability, 0, len(types))
	for _, t := range types {
		list = append(list, &mesos.AgentInfo_Capability{Type: t.Enum()})
	}
	return list
}
