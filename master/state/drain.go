package state

import (
	"slices"
	"time"

	"troupe/master/registry"
	"troupe/master/state/view"
	"troupe/messages/cluster"
	"troupe/messages/field"
	"troupe/messages/mesos"
	"troupe/messages/tasks"
)

// drainAgent begins to drain an agent. It need not be there: it is drained
// when it comes back.
func (m *Machine) drainAgent(in Received, id string, config *mesos.DrainConfig) {
	if grace := config.GetMaxGracePeriod(); grace.GetNanoseconds() < 0 {
		why := field.Invalid("drain.max_grace_period", time.Duration(grace.GetNanoseconds()).String(), "must not be negative")
		m.refuseRequest(in, badRequest, why.Error())
		return
	}
	// Of one that is away nobody knows what it can.
	a := m.agents.byID[AgentID(id)]
	if a != nil && !a.lost && !slices.Contains(a.view.Capabilities, mesos.AgentInfo_Capability_AGENT_DRAINING) {
		m.refuseRequest(in, badRequest, field.Invalid("agent_id", id, "is not capable of draining").Error())
		return
	}
	if err := m.checkNotScheduled(a); err != nil {
		m.refuseRequest(in, badRequest, err.Error())
		return
	}
	if config == nil {
		config = new(mesos.DrainConfig)
	}
	m.changeWish(in, AgentID(id), registry.DrainAgent{AgentID: id, Config: config, At: m.now})
}

// reactivateAgent ends that an agent is deactivated or drained.
func (m *Machine) reactivateAgent(in Received, id string) {
	if record := m.registry.Agent(id); record != nil && !record.GetDeactivated() {
		m.refuseRequest(in, badRequest, field.Invalid("agent_id", id, "is not deactivated").Error())
		return
	}
	m.changeWish(in, AgentID(id), registry.ReactivateAgent{AgentID: id})
}

// changeWish makes durable what an operator wants of an agent, and sees to it.
func (m *Machine) changeWish(in Received, id AgentID, op registry.Operation) {
	if err := m.refusal(op); err != nil {
		m.refuseRequest(in, badRequest, field.Invalid("agent_id", string(id), "%v", err).Error())
		return
	}
	m.persist(op, func(err error) {
		if err != nil { // it was different when it was asked for
			m.refuseRequest(in, conflict, field.Invalid("agent_id", string(id), "%v", err).Error())
			return
		}
		m.onWishChanged(id)
		m.acceptRequest(in)
	})
}

// refusal is why the registry, as it is now, forbids an operation.
func (m *Machine) refusal(op registry.Operation) error {
	_, _, err := registry.Apply(m.registry, op)
	return err
}

// onWishChanged does what an operator wants of an agent now.
func (m *Machine) onWishChanged(id AgentID) {
	record := m.registry.Agent(string(id))
	m.note(Info, "An operator changed what becomes of an agent", Field{"agent", string(id)},
		Field{"drain", record.GetDrain().GetState().String()})
	a := m.agents.byID[id]
	switch {
	case a != nil && !a.lost:
		m.changeAgent(a, func(v *view.Agent) { wish(v, record) })
		if a.view.Deactivated {
			m.rescindAgentOffers(a)
		}
		if !a.leaving {
			m.updateInAllocator(a)
		}
		m.seeToDrain(a)
	case m.agents.recovered[id] != nil:
		m.publish(view.AgentChanged{Agent: recoveredAgent(record)})
	}
}

// wish puts what an operator wants of an agent into its picture.
func wish(v *view.Agent, record *cluster.AgentRecord) {
	v.Deactivated, v.Drain, v.DrainSince = record.GetDeactivated(), record.GetDrain(), time.Time{}
	if record.GetDrainSince() != nil {
		v.DrainSince = time.Unix(0, record.GetDrainSince().GetNanoseconds())
	}
}

func (a *agent) draining() bool { return a.view.Drain.GetState() == mesos.DrainState_DRAINING }

// seeToDrain tells an agent that it is to be drained, and looks whether it
// already is.
func (m *Machine) seeToDrain(a *agent) {
	if !a.draining() || !a.connected() {
		return
	}
	if len(a.tasks) > 0 {
		m.send(a.peer(), &cluster.DrainAgent{Config: a.view.Drain.GetConfig()})
	}
	m.checkDrained(a)
}

// checkDrained ends the draining of an agent on which nothing runs and whose
// last terminal update is acknowledged.
func (m *Machine) checkDrained(a *agent) {
	if !a.draining() || a.drained || a.leaving || !a.connected() || len(a.tasks) > 0 {
		return
	}
	if a.view.Drain.GetConfig().GetMarkGone() {
		m.endAgent(a.id(), func() {})
		return
	}
	a.drained = true
	m.persist(registry.MarkDrained{AgentID: string(a.id())}, func(err error) {
		a.drained = false
		if err != nil {
			m.note(Warn, "The registry knows better: "+err.Error())
		}
		if m.agents.byID[a.id()] == a && !a.lost {
			m.changeAgent(a, func(v *view.Agent) { wish(v, m.registry.Agent(string(a.id()))) })
			m.note(Info, "An agent is drained", Field{"agent", string(a.id())})
		}
	})
}

// markGone ends an agent that an operator knows to be gone for good.
func (m *Machine) markGone(in Received, id AgentID) {
	record := m.registry.Agent(string(id))
	a := m.agents.byID[id]
	switch {
	case record == nil:
		m.refuseRequest(in, notFound, field.Invalid("agent_id", string(id), "no such agent is known").Error())
	case record.GetStatus() == cluster.AgentRecord_GONE:
		m.acceptRequest(in)
	case m.agents.returning[id] || a != nil && a.leaving:
		m.refuseRequest(in, unavailable, field.Invalid("agent_id", string(id), "it is just changing its state: ask again").Error())
	default:
		m.endAgent(id, func() { m.acceptRequest(in) })
	}
}

// endAgent first makes it durable that an agent is gone for good, wherever it
// is now. Nothing else about it is under way.
func (m *Machine) endAgent(id AgentID, then func()) {
	a := m.agents.byID[id]
	if a != nil {
		a.leaving = true
		m.rescindAgentOffers(a)
	} else {
		m.agents.returning[id] = true
	}
	m.cancelRemoval(id)
	at := m.now
	m.persist(registry.MarkGone{AgentID: string(id), At: at}, func(err error) {
		delete(m.agents.returning, id)
		if err != nil {
			m.note(Warn, "The registry knows better: "+err.Error())
		}
		m.onAgentGone(id, a, at)
		then()
	})
}

func (m *Machine) onAgentGone(id AgentID, a *agent, at time.Time) {
	removed := view.AgentRemoved{ID: id, Cause: view.Ended, At: at}
	m.note(Info, "An agent is gone for good", Field{"agent", string(id)})
	switch {
	case a != nil:
		if a.connected() {
			m.send(a.peer(), &cluster.ShutdownAgent{Message: new("agent " + string(id) + " was marked gone")})
		}
		m.onAgentLost(a, removed)
	case m.agents.recovered[id] != nil:
		delete(m.agents.recovered, id)
		m.publish(removed)
		m.agentFailed(id)
		m.checkRecovered()
	default:
		m.loseUnreachable(id, mesos.TaskState_TASK_GONE_BY_OPERATOR, mesos.TaskStatus_REASON_AGENT_REMOVED_BY_OPERATOR,
			"Agent "+string(id)+" removed: "+causes[view.Ended])
	}
}

// loseUnreachable ends the tasks that were on an unreachable agent: it is gone
// now, or is back without them. Frameworks that do not know about partitions
// have been told that they are lost.
func (m *Machine) loseUnreachable(id AgentID, state mesos.TaskState, reason mesos.TaskStatus_Reason, message string) {
	for _, f := range m.frameworks.unreachableAt(id) {
		for _, t := range slices.Clone(f.unreachable) {
			if t.Agent != id {
				continue
			}
			f.takeBack(t.ID)
			m.publish(view.TaskForgotten{Framework: f.id(), Task: t.ID})
			if f.can.partitionAware && !tasks.Terminal(t.State) {
				m.forward(f, m.masterStatus(t, state, reason, message))
			}
		}
	}
}

// unreachableAt lists the frameworks with tasks that became unreachable with
// an agent.
func (t *frameworkTable) unreachableAt(id AgentID) []*framework {
	var some []*framework
	for _, f := range t.byID {
		if f.unreachableAt[id] > 0 {
			some = append(some, f)
		}
	}
	slices.SortFunc(some, func(a, b *framework) int { return a.seq - b.seq })
	return some
}
