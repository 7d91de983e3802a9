package view

import (
	"time"

	"troupe/messages/mesos"
)

// Event is one change of what is shown; the list below is closed.
type Event interface{ event() }

// AgentAdded tells of an agent that is new, or replaces its picture.
type AgentAdded struct{ Agent *Agent }

// AgentChanged replaces the picture of an agent.
type AgentChanged struct{ Agent *Agent }

// RemovalCause says why an agent is no longer held for registered.
type RemovalCause uint8

// The causes of a removal.
const (
	// Unhealthy: it did not answer, or did not come back in time.
	Unhealthy RemovalCause = iota
	// Unregistered: it left in order.
	Unregistered
	// Replaced: another registered at its address.
	Replaced
	// Ended: an operator marked it gone.
	Ended
	// TakenDown: an operator took its machine down.
	TakenDown
	// RemovalCauses is how many there are.
	RemovalCauses
)

// AgentRemoved takes an agent off, with whatever offers and executors it had.
type AgentRemoved struct {
	ID          AgentID
	Cause       RemovalCause
	Unreachable bool
	// It was awaited since this master leads, and never came.
	Recovered bool
	At        time.Time
}

// RemovalStep is how far the removal of an agent that became unreachable is.
type RemovalStep uint8

// The steps of removals.
const (
	// RemovalScheduled: noticed, it waits for its turn.
	RemovalScheduled RemovalStep = iota
	// RemovalCompleted: its turn came.
	RemovalCompleted
	// RemovalCanceled: the agent came back before.
	RemovalCanceled
)

// RemovalMoved counts a step of a removal.
type RemovalMoved struct{ Step RemovalStep }

// RecoveryEnded tells how long it took from the start until no agent of the
// registry was awaited any more.
type RecoveryEnded struct{ Took time.Duration }

// FrameworkAdded tells of a framework that is new.
type FrameworkAdded struct{ Framework *Framework }

// FrameworkChanged replaces the picture of a framework.
type FrameworkChanged struct{ Framework *Framework }

// FrameworkRemoved completes a framework. Its tasks were removed before.
type FrameworkRemoved struct{ Framework *Framework }

// TaskAdded tells of a task that was launched, or that an agent brought along.
type TaskAdded struct{ Task *Task }

// TaskUpdated replaces the picture of a task. Rank is its place among the
// framework's live tasks: a new task gets the last place, and when one is
// removed the last one gets its place. Status is what was new, nil when the
// agent only told of a newer state.
type TaskUpdated struct {
	Task *Task
	// The state that it had.
	Before mesos.TaskState
	Rank   int
	Status *mesos.TaskStatus
}

// TaskFate says where a task that is taken off went.
type TaskFate uint8

// The fates of tasks.
const (
	// Completed tasks join their framework's completed ones.
	Completed TaskFate = iota
	// Unreachable tasks join their framework's unreachable ones.
	Unreachable
)

// TaskRemoved takes a task off the live ones. Rank is as in TaskUpdated.
type TaskRemoved struct {
	Task *Task
	Rank int
	Fate TaskFate
}

// TaskForgotten takes a task off the unreachable ones: it came back.
type TaskForgotten struct {
	Framework FrameworkID
	Task      TaskID
}

// TaskRefused tells of a task that was never added: its launch was answered
// with a terminal status.
type TaskRefused struct {
	Framework FrameworkID
	Status    *mesos.TaskStatus
}

// ExecutorAdded tells of an executor, by its first task or by its agent.
type ExecutorAdded struct{ Executor *Executor }

// ExecutorRemoved takes an executor off.
type ExecutorRemoved struct {
	Framework FrameworkID
	Agent     AgentID
	ID        ExecutorID
}

// OffersMade tells of new offers.
type OffersMade struct{ Offers []*Offer }

// OfferEnd says how an offer ended.
type OfferEnd uint8

// The ends of offers.
const (
	Accepted OfferEnd = iota
	Declined
	Rescinded
	// Overtaken: rescinded, as another framework accepted first what both were
	// offered.
	Overtaken
	// Discarded: its framework went away, or accepted it wrongly.
	Discarded
)

// OfferRemoved ends an offer.
type OfferRemoved struct {
	Offer *Offer
	End   OfferEnd
}

// AcceptOvertaken counts an ACCEPT that was refused because another framework was
// first with what both were offered.
type AcceptOvertaken struct{ Framework FrameworkID }

// InverseOffersMade tells of new inverse offers.
type InverseOffersMade struct{ Offers []*InverseOffer }

// InverseOfferRemoved ends an inverse offer.
type InverseOfferRemoved struct {
	ID        OfferID
	Framework FrameworkID
}

// Called counts a call of a framework that was let through.
type Called struct {
	Framework FrameworkID
	Type      int32 // of mesos.v1.scheduler.Call
}

// Messaged counts messages of the frameworks of a principal.
type Messaged struct {
	Principal string
	Messages
}

// Told counts an event that was sent to a framework.
type Told struct {
	Framework FrameworkID
	Type      int32 // of mesos.v1.scheduler.Event
}

// Operated counts an operation of an ACCEPT, whether it is carried out or not.
type Operated struct {
	Framework FrameworkID
	Type      int32 // of mesos.v1.Offer.Operation
}

// Judged counts a message of one kind, by whether it was of use.
type Judged struct {
	Kind  Kind
	Valid bool
}

// Kind is a kind of message whose validity Mesos counts.
type Kind uint8

// The kinds.
const (
	StatusUpdates Kind = iota
	StatusUpdateAcks
	FrameworkMessages
	ExecutorMessages
	Registrations
	Reregistrations
	Unregistrations
	ExecutorExits
	OperationUpdates
	OperationAcks
	AgentUpdates
	// Messages of any other kind, which were dropped.
	Others
	Kinds // how many there are
)

func (AgentAdded) event()       {}
func (AgentChanged) event()     {}
func (AgentRemoved) event()     {}
func (RemovalMoved) event()     {}
func (RecoveryEnded) event()    {}
func (FrameworkAdded) event()   {}
func (FrameworkChanged) event() {}
func (FrameworkRemoved) event() {}
func (TaskAdded) event()        {}
func (TaskUpdated) event()      {}
func (TaskRemoved) event()      {}
func (TaskForgotten) event()    {}
func (TaskRefused) event()      {}
func (ExecutorAdded) event()    {}
func (ExecutorRemoved) event()  {}
func (OffersMade) event()       {}
func (OfferRemoved) event()     {}
func (AcceptOvertaken) event()  {}
func (Called) event()           {}
func (Messaged) event()         {}
func (Told) event()             {}
func (Operated) event()         {}
func (Judged) event()           {}
func (OperationAdded) event()   {}
func (OperationUpdated) event() {}
func (OperationRemoved) event() {}
func (OperationRefused) event() {}
