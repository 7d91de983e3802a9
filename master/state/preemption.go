package state

import (
	"troupe/master/state/view"
	"troupe/messages/cluster"
	"troupe/messages/field"
	"troupe/messages/mesos"
	"troupe/messages/resources"
)

// preempt ends tasks whose resources the allocator needs for another role's
// guarantee: the newest first, and those that hold none of it not at all. Who
// must give is the allocator's to say.
func (m *Machine) preempt(from Peer, msg *cluster.Preempt) {
	a := m.agents.byID[AgentID(msg.GetAgentId().GetValue())]
	f := m.frameworks.byID[FrameworkID(msg.GetFrameworkId().GetValue())]
	switch {
	case from != m.cfg.Allocator:
		m.drop(view.Others, from, "only the allocator preempts")
		return
	case msg.GetEpoch() != m.allocator.epoch, a == nil, f == nil, msg.AgentVersion != nil && msg.GetAgentVersion() != a.version:
		return // decided before it heard what is true now
	}
	want, err := resources.New(msg.GetResources()...)
	if err != nil {
		m.drop(view.Others, from, field.In("resources", err).Error())
		return
	}
	missing := amountsOf(want)
	for _, t := range f.orderedAt(a, msg.GetRole()) {
		if t.killed {
			missing.subtract(t.view.Resources)
		}
	}
	for _, t := range f.orderedAt(a, msg.GetRole()) {
		if t.killed || !missing.has(t.view.Resources) {
			continue
		}
		missing.subtract(t.view.Resources)
		t.preempted = true
		m.note(Info, "A task is preempted", Field{"framework", string(f.id())}, Field{"task", string(t.view.ID)}, Field{"agent", string(a.id())})
		m.killTask(t, nil)
	}
}

// orderedAt lists a framework's tasks in a role on an agent that hold something,
// the newest first. What the order of f's list is does not say who is new; a
// task's number does.
func (f *framework) orderedAt(a *agent, role string) []*task {
	var all []*task
	for _, t := range a.tasks {
		if t.framework == f && t.view.Role == role && !t.freed {
			all = append(all, t)
		}
	}
	return newestFirst(all)
}

// amounts are scalars by name.
type amounts map[string]resources.Milli

func amountsOf(r resources.Resources) amounts {
	all := make(amounts)
	for e := range r.All() {
		if e.Kind() == mesos.Value_SCALAR {
			all[e.Name()] += e.Amount()
		}
	}
	return all
}

// subtract takes away what r has, down to nothing.
func (m amounts) subtract(r resources.Resources) {
	for name, n := range amountsOf(r) {
		m[name] = max(0, m[name]-n)
	}
}

// has tells whether r has some of it.
func (m amounts) has(r resources.Resources) bool {
	for name, n := range amountsOf(r) {
		if n > 0 && m[name] > 0 {
			return true
		}
	}
	return false
}
