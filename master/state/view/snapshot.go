package view

import (
	"bytes"
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
	// Under way, or ended without everybody knowing.
	Operations []*Operation
	// How many agents this master marked unreachable and has not seen since.
	Unreachable int
	Counters    Counters
	// What all tasks and executors hold.
	Used Amounts
	Settings
}

// FrameworkState is a framework with all that belongs to it.
type FrameworkState struct {
	*Framework
	Activity         *Activity
	Tasks            []*Task
	UnreachableTasks []*Task // oldest first
	CompletedTasks   []*Task // oldest first
	Offers           []*Offer
	InverseOffers    []*InverseOffer
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

// SortedOperations lists the operations by agent, framework and uuid.
func (s *Snapshot) SortedOperations() []*Operation {
	sorted := slices.Clone(s.Operations)
	slices.SortFunc(sorted, func(a, b *Operation) int {
		return cmp.Or(cmp.Compare(a.Agent, b.Agent), cmp.Compare(a.Framework, b.Framework), bytes.Compare(a.UUID[:], b.UUID[:]))
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
// it. It looks at every task, and calls rest now and then.
func (s *Snapshot) UsageByAgent(rest func()) map[AgentID]Usage {
	all := make(map[AgentID]*parts, len(s.Agents))
	for _, f := range s.Frameworks {
		f.eachHold(rest, func(agent AgentID, _ string, used, offered resources.Resources) {
			partsOf(all, agent).add(used, offered)
		})
	}
	return sums(all, rest)
}

// agentRole is one role on one agent.
type agentRole struct {
	agent AgentID
	role  string
}

// UsageByRole is UsageByAgent apart for every role, in order of roles.
func (s *Snapshot) UsageByRole(rest func()) map[AgentID][]RoleUsage {
	parts := make(map[agentRole]*parts, len(s.Agents))
	for _, f := range s.Frameworks {
		f.eachHold(rest, func(agent AgentID, role string, used, offered resources.Resources) {
			partsOf(parts, agentRole{agent, role}).add(used, offered)
		})
	}
	all := make(map[AgentID][]RoleUsage, len(s.Agents))
	n := 0
	for of, p := range parts {
		if n++; n%stretch == 0 {
			rest()
		}
		all[of.agent] = append(all[of.agent], RoleUsage{Role: of.role, Usage: p.sum()})
	}
	for _, list := range all {
		slices.SortFunc(list, func(a, b RoleUsage) int { return cmp.Compare(a.Role, b.Role) })
	}
	return all
}

// Usage sums up what a framework holds and is offered, and calls rest now and
// then.
func (f FrameworkState) Usage(rest func()) Usage {
	var p parts
	f.eachHold(rest, func(_ AgentID, _ string, used, offered resources.Resources) { p.add(used, offered) })
	return p.sum()
}

// UsageByRole sums up what a framework holds and is offered in each role.
func (f FrameworkState) UsageByRole(rest func()) map[string]Usage {
	all := make(map[string]*parts)
	f.eachHold(rest, func(_ AgentID, role string, used, offered resources.Resources) {
		partsOf(all, role).add(used, offered)
	})
	return sums(all, rest)
}

// parts are what a usage is the sum of: adding them up at once is much less work
// than one after the other.
type parts struct{ used, offered []resources.Resources }

func partsOf[K comparable](all map[K]*parts, key K) *parts {
	p := all[key]
	if p == nil {
		p = new(parts)
		all[key] = p
	}
	return p
}

func (p *parts) add(used, offered resources.Resources) {
	if !used.IsEmpty() {
		p.used = append(p.used, used)
	}
	if !offered.IsEmpty() {
		p.offered = append(p.offered, offered)
	}
}

func (p *parts) sum() Usage {
	var none resources.Resources
	return Usage{none.Add(p.used...), none.Add(p.offered...)}
}

// stretch is how many sums or holds there are between two rests.
const stretch = 1024

func sums[K comparable](all map[K]*parts, rest func()) map[K]Usage {
	sums := make(map[K]Usage, len(all))
	for key, p := range all {
		if len(sums)%stretch == stretch-1 {
			rest()
		}
		sums[key] = p.sum()
	}
	return sums
}

// eachHold calls hold for everything that f holds or is offered, where it is
// and in which role.
func (f FrameworkState) eachHold(rest func(), hold func(agent AgentID, role string, used, offered resources.Resources)) {
	var none resources.Resources
	for i, t := range f.Tasks {
		if i%stretch == stretch-1 {
			rest()
		}
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
