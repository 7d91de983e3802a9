package state

import (
	"cmp"
	"slices"

	"google.golang.org/protobuf/proto"

	"troupe/master/state/view"
	"troupe/messages/cluster"
	"troupe/messages/field"
	"troupe/messages/mesos"
	"troupe/messages/resources"
	"troupe/messages/tasks"
)

// preempt ends tasks whose resources the allocator needs for another role's
// guarantee, or that were lent and are wanted back: the newest first, with those
// that end with them, and those that hold none of it not at all. Who must give is
// the allocator's to say.
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
	missing, spare := sumsOf(want), make(sums)
	for name, amount := range msg.GetAtMost() {
		if spare[name], err = resources.MilliOf(amount.GetValue()); err != nil {
			m.drop(view.Others, from, field.In("at_most."+name, err).Error())
			return
		}
	}
	if lent := want.Borrowed(); !lent.IsEmpty() {
		m.recallLoans(f, a, msg.GetRole(), lent)
	}
	m.rescindFor(f, a, msg.GetRole(), missing, spare)
	crews := f.crewsAt(a, msg.GetRole())
	for _, c := range crews {
		if c.ending() {
			missing.subtract(c.holds)
			spare.subtract(c.holds)
		}
	}
	for _, c := range crews {
		if c.ending() || !missing.has(c.holds) || !spare.allows(c.holds) {
			continue
		}
		missing.subtract(c.holds)
		spare.subtract(c.holds)
		m.preemptCrew(c)
	}
}

func (m *Machine) preemptCrew(c *crew) {
	for _, t := range c.tasks {
		t.preempted = true
		m.note(Info, "A task is preempted", Field{"framework", string(t.framework.id())}, Field{"task", string(t.view.ID)}, Field{"agent", string(t.agent.id())})
		m.killTask(t, nil)
	}
}

// crew is tasks that end together: one task, or all of an executor of groups,
// which ends with them.
type crew struct {
	tasks []*task
	holds resources.Resources
}

func (c *crew) ending() bool {
	return slices.ContainsFunc(c.tasks, func(t *task) bool { return t.killed })
}

// crewsAt lists a framework's crews in a role on an agent, the newest first.
func (f *framework) crewsAt(a *agent, role string) []*crew {
	var crews []*crew
	grouped := make(map[ExecutorID]*crew)
	for _, t := range f.orderedAt(a, role) {
		c := grouped[t.view.Executor]
		if c == nil {
			c = &crew{}
			crews = append(crews, c)
			if e := a.executors[executorKey{f, t.view.Executor}]; e != nil && e.builtIn() {
				c.holds = e.view.Resources
				grouped[t.view.Executor] = c
			}
		}
		c.tasks = append(c.tasks, t)
		c.holds = c.holds.Add(t.view.Resources)
	}
	return crews
}

// rescindFor takes back what is only on offer of it: nobody misses that.
func (m *Machine) rescindFor(f *framework, a *agent, role string, missing, spare sums) {
	for _, o := range f.orderedOffers() {
		if o.agent == a && o.view.Role == role && missing.has(o.view.Resources) && spare.allows(o.view.Resources) {
			missing.subtract(o.view.Resources)
			spare.subtract(o.view.Resources)
			m.rescind(o)
		}
	}
}

// orderedAt lists a framework's tasks in a role on an agent that hold something,
// the newest first.
func (f *framework) orderedAt(a *agent, role string) []*task {
	var all []*task
	for _, t := range a.tasks {
		if t.framework == f && t.view.Role == role && !t.freed {
			all = append(all, t)
		}
	}
	slices.SortFunc(all, func(a, b *task) int { return cmp.Compare(b.born, a.born) })
	return all
}

// sums are scalars by name, of what is open: neither reserved nor revocable.
type sums map[string]resources.Milli

func sumsOf(r resources.Resources) sums {
	all := make(sums)
	for e := range r.All() {
		if e.Kind() == mesos.Value_SCALAR && e.Role() == anyRole && !e.Revocable() {
			all[e.Name()] += e.Amount()
		}
	}
	return all
}

// subtract takes away what r has of what is named, down to nothing.
func (m sums) subtract(r resources.Resources) {
	for name, n := range sumsOf(r) {
		if have, named := m[name]; named {
			m[name] = max(0, have-n)
		}
	}
}

// allows tells whether r has no more than m of anything that m names.
func (m sums) allows(r resources.Resources) bool {
	for name, n := range sumsOf(r) {
		if have, named := m[name]; named && n > have {
			return false
		}
	}
	return true
}

// has tells whether r has some of it.
func (m sums) has(r resources.Resources) bool {
	for name, n := range sumsOf(r) {
		if n > 0 && m[name] > 0 {
			return true
		}
	}
	return false
}

// preemption is a status of t as its framework gets it: the end of a task that
// was preempted says so.
func (t *task) preemption(status *mesos.TaskStatus) *mesos.TaskStatus {
	if !t.preempted || !tasks.Terminal(status.GetState()) || status.GetState() == mesos.TaskState_TASK_FINISHED {
		return status
	}
	status = proto.CloneOf(status)
	status.Reason = mesos.TaskStatus_REASON_CONTAINER_PREEMPTED.Enum()
	return status
}
