package view

import (
	"cmp"
	"slices"

	"troupe/messages/resources"
	"troupe/messages/tasks"
)

// Snapshot is the state at one moment. It never changes and may be read by
// many at once. Its lists are in no order; see the Sort methods.
type Snapshot struct {
	// How many events made it.
	Version uint64
	// How many of them changed more than figures: Counters and Activity.
	Revision uint64
	Agents   []*Agent
	// As they came to be known.
	Frameworks []FrameworkState
	// Oldest first.
	Completed []FrameworkState
	// How many agents this master marked unreachable and has not seen since.
	Unreachable int
	Counters    Counters
	// What all tasks and executors hold.
	Used Amounts
}

// FrameworkState is a framework with all that belongs to it.
type FrameworkState struct {
	*Framework
	Activity         *Activity
	Tasks            []*Task
	UnreachableTasks []*Task // oldest first
	CompletedTasks   []*Task // oldest first
	Offers           []*Offer
	Executors        []*Executor
}

// SortedAgents lists the agents by registration, then by id.
func (s *Snapshot) SortedAgents() []*Agent {
	sorted := slices.Clone(s.Agents)
	slices.SortFunc(sorted, func(a, b *Agent) int {
		return cmp.Or(a.Registered.Compare(b.Registered), cmp.Compare(a.ID, b.ID))
	})
	return sorted
}

// Usage is what somebody holds and is offered.
type Usage struct {
	Used, Offered resources.Resources
}

// RoleUsage is what is held and offered in one role.
type RoleUsage struct {
	Role string
	Usage
}

// Total sums up usage over roles.
func Total(list []RoleUsage) Usage {
	var sum Usage
	for _, u := range list {
		sum = sum.plus(u.Used, u.Offered)
	}
	return sum
}

func (u Usage) plus(used, offered resources.Resources) Usage {
	return Usage{u.Used.Add(used), u.Offered.Add(offered)}
}

// UsageByAgent sums up what is held and offered on every agent that has any of
// it. It looks at every task.
func (s *Snapshot) UsageByAgent() map[AgentID]Usage {
	all := make(map[AgentID]Usage, len(s.Agents))
	for _, f := range s.Frameworks {
		f.eachHold(func(agent AgentID, _ string, used, offered resources.Resources) {
			all[agent] = all[agent].plus(used, offered)
		})
	}
	return all
}

// UsageByRole is UsageByAgent apart for every role, in order of roles.
func (s *Snapshot) UsageByRole() map[AgentID][]RoleUsage {
	all := make(map[AgentID][]RoleUsage, len(s.Agents))
	for _, f := range s.Frameworks {
		f.eachHold(func(agent AgentID, role string, used, offered resources.Resources) {
			list := all[agent]
			i, found := slices.BinarySearchFunc(list, role, func(u RoleUsage, role string) int { return cmp.Compare(u.Role, role) })
			if !found {
				list = slices.Insert(list, i, RoleUsage{Role: role})
				all[agent] = list
			}
			list[i].Usage = list[i].plus(used, offered)
		})
	}
	return all
}

// Usage sums up what a framework holds and is offered.
func (f FrameworkState) Usage() Usage {
	var u Usage
	f.eachHold(func(_ AgentID, _ string, used, offered resources.Resources) {
		u = u.plus(used, offered)
	})
	return u
}

// UsageByRole sums up what a framework holds and is offered in each role.
func (f FrameworkState) UsageByRole() map[string]Usage {
	all := make(map[string]Usage)
	f.eachHold(func(_ AgentID, role string, used, offered resources.Resources) {
		all[role] = all[role].plus(used, offered)
	})
	return all
}

// eachHold calls hold for everything that f holds or is offered, where it is
// and in which role.
func (f FrameworkState) eachHold(hold func(agent AgentID, role string, used, offered resources.Resources)) {
	var none resources.Resources
	for _, t := range f.Tasks {
		if !tasks.Terminal(t.State) {
			hold(t.Agent, t.Role, t.Resources, none)
		}
	}
	for _, e := range f.Executors {
		hold(e.Agent, e.Role, e.Resources, none)
	}
	for _, o := range f.Offers {
		hold(o.Agent, o.Role, none, o.Resources)
	}
}
