package state

import (
	"fmt"

	"troupe/master/state/view"
	"troupe/messages/resources"
)

// Check returns an error that names the first law that the machine breaks, nil
// when it keeps all of them. It is for tests and simulations: it looks at
// everything.
//
//   - Law 1: on every agent, what is used is what its tasks and executors hold,
//     what is offered is what its offers hold, and of what its total is by all
//     operations that it has carried out or is to, what is not used has room for
//     all that is offered and all that is held back for operations. What is
//     shared may be used and offered several times, while it is there. With
//     overlapping offers there is room for what is offered to one alone, and beside
//     it for all that one framework is offered, for each of them. What is lent of
//     a reservation counts as its underlying.
//   - Every table agrees with every other about who belongs to whom.
func (m *Machine) Check() error {
	for _, a := range m.agents.ordered() {
		if err := a.check(m.overlaps()); err != nil {
			return fmt.Errorf("agent %s: %w", a.id(), err)
		}
		if a.connected() && m.agents.byPeer[a.peer()] != a {
			return fmt.Errorf("agent %s: connected, but not found at %s", a.id(), a.peer())
		}
		if !m.mayOffer(a) && len(a.offers) > 0 {
			return fmt.Errorf("agent %s: not to be offered, but %d offers of it are out", a.id(), len(a.offers))
		}
	}
	offers, taskCount := 0, 0
	for _, f := range m.frameworks.ordered() {
		if err := f.check(); err != nil {
			return fmt.Errorf("framework %s: %w", f.id(), err)
		}
		if f.connected() && m.frameworks.byPeer[f.peer()] != f {
			return fmt.Errorf("framework %s: connected, but not found at %s", f.id(), f.peer())
		}
		if !f.active() && len(f.offers) > 0 {
			return fmt.Errorf("framework %s: not active, but has %d offers", f.id(), len(f.offers))
		}
		if m.completed(f.id()) {
			return fmt.Errorf("framework %s: both live and completed", f.id())
		}
		offers += len(f.offers)
		taskCount += len(f.tasks)
	}
	if err := m.checkInverse(); err != nil {
		return err
	}
	if err := m.checkSurvey(); err != nil {
		return err
	}
	if offers != len(m.offers.byID) {
		return fmt.Errorf("%d offers belong to frameworks, %d are known", offers, len(m.offers.byID))
	}
	for _, a := range m.agents.byID {
		taskCount -= len(a.tasks)
	}
	if taskCount != 0 {
		return fmt.Errorf("frameworks have %d tasks more than agents", taskCount)
	}
	return m.checkOperations()
}

// Consumed returns what counts for the quota of a role, which is at the top of
// the tree, and is taken or on offer: what is reserved for it or below it, and
// what its frameworks hold or are offered of the rest, but for what is lent. It
// is for tests and simulations.
func (m *Machine) Consumed(role string) view.Quantities {
	firm := func(r resources.Resources) resources.Resources {
		return r.Filter(func(e resources.Entry) bool { return !e.Revocable() })
	}
	ledger := view.NewLedger(role)
	for _, a := range m.agents.ordered() {
		ledger.Own(firm(a.view.Total))
		for _, t := range a.tasks {
			if !t.freed {
				ledger.Hold(t.view.Role, firm(t.view.Resources))
			}
		}
		for _, e := range a.orderedExecutors() {
			ledger.Hold(e.view.Role, firm(e.view.Resources))
		}
		for _, o := range a.offers {
			ledger.Hold(o.view.Role, firm(o.view.Resources))
		}
	}
	return ledger.Of(role).Consumed()
}

// checkInverse holds inverse offers against where they may be: on an agent that
// is active and in the schedule, for a framework that is active, one for each
// pair of the two.
func (m *Machine) checkInverse() error {
	type pair struct {
		agent     *agent
		framework *framework
	}
	seen := make(map[pair]bool)
	for id, o := range m.inverse.byID {
		at := pair{o.agent, o.framework}
		switch {
		case seen[at]:
			return fmt.Errorf("inverse offer %s: agent %s and framework %s have another", id, o.agent.id(), o.framework.id())
		case m.agents.byID[o.agent.id()] != o.agent || o.agent.view.Maintenance == nil || !o.agent.view.Active():
			return fmt.Errorf("inverse offer %s: agent %s is not in maintenance and active", id, o.agent.id())
		case m.frameworks.byID[o.framework.id()] != o.framework || !o.framework.active():
			return fmt.Errorf("inverse offer %s: framework %s is not active", id, o.framework.id())
		case o.agent.pleas == nil || o.agent.pleas.quiet[o.framework]:
			return fmt.Errorf("inverse offer %s: framework %s is not to be asked", id, o.framework.id())
		}
		seen[at] = true
	}
	for _, a := range m.agents.byID {
		if a.pleas == nil {
			continue
		}
		for _, o := range a.pleas.offers {
			if m.inverse.byID[o.id] != o {
				return fmt.Errorf("agent %s: inverse offer %s is not known", a.id(), o.id)
			}
		}
		for f := range a.pleas.quiet {
			if !f.quietAt[a] {
				return fmt.Errorf("agent %s: framework %s does not know that it answered", a.id(), f.id())
			}
		}
	}
	return nil
}

func (a *agent) check(overlaps bool) error {
	var used, offered resources.Resources
	for i, t := range a.tasks {
		if int(t.place) != i || t.agent != a {
			return fmt.Errorf("task %s is at place %d and thinks %d", t.view.ID, i, t.place)
		}
		if t.freed != t.terminal() {
			return fmt.Errorf("task %s: terminal is %v and freed %v", t.view.ID, t.terminal(), t.freed)
		}
		if !t.freed {
			used = used.Add(t.view.Resources.Underlying())
		}
	}
	for _, e := range a.executors {
		used = used.Add(e.view.Resources.Underlying())
		if !e.framework.executors[e] {
			return fmt.Errorf("executor %s is unknown to its framework", e.view.ID)
		}
	}
	for _, o := range a.offers {
		offered = offered.Add(o.view.Resources.Underlying())
	}
	switch {
	case !used.Equal(a.used):
		return fmt.Errorf("used is %s, tasks and executors hold %s", a.used, used)
	case !offered.Equal(a.onOffer()):
		return fmt.Errorf("offered is %s, offers hold %s", a.onOffer(), offered)
	}
	return a.checkShares(overlaps)
}

// checkShares checks that all that is spoken for of an agent is there.
func (a *agent) checkShares(overlaps bool) error {
	if total := a.expected(); !total.Equal(a.view.Total) {
		return fmt.Errorf("the total is %s, and by its operations %s", a.view.Total, total)
	}
	rest := less(a.view.Total, a.used)
	for _, h := range a.held {
		if !rest.Contains(h.what) {
			return fmt.Errorf("%s is held back, and left of the total %s is %s", h.what, a.view.Total, rest)
		}
		if !a.awaits(h.until) {
			return fmt.Errorf("%s is held back for what is over", h.what)
		}
		rest = rest.Without(h.what)
	}
	left := make(map[*framework]resources.Resources)
	for _, o := range a.offers {
		if overlaps && !o.alone {
			continue // in room that others are offered too
		}
		after, ok := use(rest, o.view.Resources.Underlying())
		if !ok {
			return fmt.Errorf("%s is offered, and left of the total %s is %s", o.view.Resources, a.view.Total, rest)
		}
		rest = after
	}
	for _, o := range a.offers {
		if !overlaps || o.alone {
			continue
		}
		have, known := left[o.framework]
		if !known {
			have = rest
		}
		after, ok := use(have, o.view.Resources.Underlying())
		if !ok {
			return fmt.Errorf("%s is offered to %s, and left of the total %s is %s", o.view.Resources, o.framework.id(), a.view.Total, have)
		}
		left[o.framework] = after
	}
	return nil
}

// checkOperations checks that operations are found by all their names.
func (m *Machine) checkOperations() error {
	count := 0
	for _, a := range m.agents.ordered() {
		last := uint64(0)
		for _, o := range a.operations {
			f := o.view.Framework
			switch {
			case o.agent != a || o.seq <= last:
				return fmt.Errorf("operation %x of agent %s is out of order, or another's", o.view.UUID, a.id())
			case f != "" && !m.operations.of[f][o]:
				return fmt.Errorf("operation %x is unknown to its framework %s", o.view.UUID, f)
			}
			last = o.seq
			if f != "" {
				count++
			}
		}
	}
	for _, of := range m.operations.of {
		count -= len(of)
	}
	if count != 0 {
		return fmt.Errorf("agents have %d operations more than frameworks", count)
	}
	return nil
}

func (f *framework) check() error {
	if len(f.order) != len(f.tasks) {
		return fmt.Errorf("%d tasks in order, %d by id", len(f.order), len(f.tasks))
	}
	for i, t := range f.order {
		if int(t.rank) != i || f.tasks[t.view.ID] != t || t.framework != f {
			return fmt.Errorf("task %s is at rank %d and thinks %d", t.view.ID, i, t.rank)
		}
		if f.unreachableByID[t.view.ID] != nil {
			return fmt.Errorf("task %s is both live and unreachable", t.view.ID)
		}
	}
	for id, o := range f.offers {
		if o.framework != f || o.view.ID != id {
			return fmt.Errorf("offer %s belongs to another", id)
		}
	}
	return nil
}
