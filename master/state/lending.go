package state

import (
	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/messages/operations"
	"troupe/messages/resources"
)

// What is lent of a reservation keeps it, and is revocable. It is taken from its
// underlying, which is what an agent's total has: so used and offered count the
// underlying, while tasks, executors and offers hold what was lent.

// recallLoans ends what a framework holds, in a role on an agent, of what was
// lent to it: offers first, then what uses it.
func (m *Machine) recallLoans(f *framework, a *agent, role string, lent resources.Resources) {
	for _, o := range f.orderedOffers() {
		if o.agent == a && o.view.Role == role && touches(lent, o.view.Resources) {
			lent = lent.Without(o.view.Resources)
			m.rescind(o)
		}
	}
	m.endBorrowers(f, a, role, lent)
}

// endBorrowers ends custom executors, and then the newest tasks, that use what was
// lent.
// It returns what is not on its way back by that.
func (m *Machine) endBorrowers(f *framework, a *agent, role string, lent resources.Resources) resources.Resources {
	for _, e := range f.orderedExecutors() {
		if e.agent == a && e.view.Role == role && !e.builtIn() && touches(lent, e.view.Resources) {
			lent = lent.Without(e.view.Resources)
			m.preemptExecutor(e)
		}
	}
	crews := f.crewsAt(a, role)
	for _, c := range crews {
		if c.ending() {
			lent = lent.Without(c.holds)
		}
	}
	for _, c := range crews {
		if !c.ending() && touches(lent, c.holds) {
			lent = lent.Without(c.holds)
			m.preemptCrew(c)
		}
	}
	return lent
}

// touches tells whether some of what is borrowed in r is of what was lent.
func touches(lent, r resources.Resources) bool {
	for e := range r.Borrowed().All() {
		for l := range lent.All() {
			if l.Same(e) {
				return true
			}
		}
	}
	return false
}

// preemptExecutor ends an executor that holds something lent, with its tasks.
// The agent gives it time; see its executor_shutdown_grace_period.
func (m *Machine) preemptExecutor(e *executor) {
	if !e.agent.connected() {
		return // the allocator asks again
	}
	for _, t := range e.agent.tasks {
		if t.executor == e && !t.killed {
			t.killed, t.preempted = true, true
		}
	}
	m.note(Info, "An executor is preempted", Field{"framework", string(e.framework.id())}, Field{"executor", string(e.view.ID)}, Field{"agent", string(e.agent.id())})
	m.send(e.agent.peer(), &cluster.ShutdownExecutor{FrameworkId: e.framework.view.Info.GetId(), ExecutorId: e.view.Info.GetExecutorId()})
}

// underlying is what all of the list is taken from.
func underlying(list []resources.Resources) resources.Resources {
	return resources.Resources{}.Add(list...).Underlying()
}

// callInFor calls in what is lent on an agent and keeps op from being carried
// out; false when something else does, too.
func (m *Machine) callInFor(a *agent, op *mesos.Offer_Operation) bool {
	free := a.free()
	for _, o := range a.offers {
		free = free.Add(o.view.Resources.Underlying())
	}
	all := free
	for _, t := range a.tasks {
		if !t.freed {
			all = all.Add(t.view.Resources.Borrowed().Underlying())
		}
	}
	for _, e := range a.orderedExecutors() {
		all = all.Add(e.view.Resources.Borrowed().Underlying())
	}
	if _, err := operations.Apply(op, all); err != nil {
		return false
	}
	needs, err := operations.Consumed(op)
	if err != nil {
		return false
	}
	lent := needs.Without(free).Lent()
	if lent.IsEmpty() {
		return false
	}
	for _, u := range a.usedByRole(nil, m.isShared) {
		lent = m.endBorrowers(m.frameworks.byID[FrameworkID(u.GetFrameworkId().GetValue())], a, u.GetRole(), lent)
	}
	return true
}
