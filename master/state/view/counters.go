package view

import (
	"maps"
	"time"

	"troupe/messages/mesos"
	"troupe/messages/mesos/scheduler"
	"troupe/messages/tasks"
)

// Counters counts what happened since the start.
type Counters struct {
	AgentRegistrations, AgentReregistrations int64
	// By cause.
	AgentRemovals     [RemovalCauses]int64
	AgentsUnreachable int64
	// Of agents that this master awaited, and that never came.
	RecoveryRemovals int64
	// Removals of unreachable agents by how far they got.
	Removals [RemovalCanceled + 1]int64
	// From the start until no agent of the registry was awaited any more; 0
	// while some are.
	Recovery time.Duration
	// Messages by kind, those that were of use and those that were not.
	Valid, Invalid [Kinds]int64
	Calls          map[scheduler.Call_Type]int64
	// Messages by the principals of frameworks.
	Messages    map[string]Messages
	OffersMade  int64
	OffersEnded [Discarded + 1]int64
	// ACCEPTs that were refused because another framework was first.
	AcceptsOvertaken int64
	// Terminal states that tasks reached.
	Terminal map[mesos.TaskState]int64
	// Statuses by state, source and reason, for those that have a reason.
	Reasons map[StateReason]int64
	// Operations: those that ended since the start, the others at the moment.
	Operations map[OperationKind]int64
	// Live tasks by state, at the moment.
	Live map[mesos.TaskState]int64
	// Tasks on unreachable agents, at the moment.
	UnreachableTasks int64
}

// Messages are what frameworks have sent, and how much of it was taken: those
// beyond --rate_limits wait, or are dropped.
type Messages struct{ Received, Processed int64 }

// StateReason is what a task became, who said so, and why.
type StateReason struct {
	State  mesos.TaskState
	Source mesos.TaskStatus_Source
	Reason mesos.TaskStatus_Reason
}

func newCounters() Counters {
	return Counters{
		Calls:      make(map[scheduler.Call_Type]int64),
		Messages:   make(map[string]Messages),
		Terminal:   make(map[mesos.TaskState]int64),
		Reasons:    make(map[StateReason]int64),
		Operations: make(map[OperationKind]int64),
		Live:       make(map[mesos.TaskState]int64),
	}
}

func (c Counters) clone() Counters {
	c.Calls, c.Terminal = maps.Clone(c.Calls), maps.Clone(c.Terminal)
	c.Reasons, c.Live = maps.Clone(c.Reasons), maps.Clone(c.Live)
	c.Operations, c.Messages = maps.Clone(c.Operations), maps.Clone(c.Messages)
	return c
}

// messaged counts what was taken late only of those who are still there.
func (c *Counters) messaged(e Messaged) {
	if now, there := c.Messages[e.Principal]; there || e.Received > 0 {
		c.Messages[e.Principal] = Messages{now.Received + e.Received, now.Processed + e.Processed}
	}
}

func (c *Counters) count(e Event) {
	switch e := e.(type) {
	case Judged:
		if e.Valid {
			c.Valid[e.Kind]++
		} else {
			c.Invalid[e.Kind]++
		}
	case Called:
		c.Calls[scheduler.Call_Type(e.Type)]++
	case Messaged:
		c.messaged(e)
	case AgentAdded:
		c.agentAdded(e.Agent)
	case AgentRemoved:
		c.AgentRemovals[e.Cause]++
		if e.Unreachable {
			c.AgentsUnreachable++
		}
		if e.Recovered {
			c.RecoveryRemovals++
		}
	case RemovalMoved:
		c.Removals[e.Step]++
	case RecoveryEnded:
		c.Recovery = e.Took
	case OffersMade:
		c.OffersMade += int64(len(e.Offers))
	case OfferRemoved:
		c.OffersEnded[e.End]++
	case AcceptOvertaken:
		c.AcceptsOvertaken++
	case TaskAdded:
		c.Live[e.Task.State]++
	case TaskUpdated:
		c.taskUpdated(e)
	case TaskRemoved:
		c.Live[e.Task.State]--
		if e.Fate == Unreachable {
			c.UnreachableTasks++
		}
	case TaskForgotten:
		c.UnreachableTasks--
	case TaskRefused:
		c.Terminal[e.Status.GetState()]++
		c.reason(e.Status)
	default:
		c.countOperation(e)
	}
}

func (c *Counters) agentAdded(a *Agent) {
	switch {
	case a.Status == Recovered:
	case a.Reregistered.IsZero():
		c.AgentRegistrations++
	default:
		c.AgentReregistrations++
	}
}

// taskUpdated moves a task from the state it had to the one it has.
func (c *Counters) taskUpdated(e TaskUpdated) {
	if e.Before != e.Task.State {
		c.Live[e.Before]--
		c.Live[e.Task.State]++
		if tasks.Terminal(e.Task.State) {
			c.Terminal[e.Task.State]++
		}
	}
	if e.Status != nil {
		c.reason(e.Status)
	}
}

func (c *Counters) reason(s *mesos.TaskStatus) {
	if s.Reason != nil {
		c.Reasons[StateReason{s.GetState(), s.GetSource(), s.GetReason()}]++
	}
}
