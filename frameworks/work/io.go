package work

import (
	"errors"
	"fmt"
	"time"

	"troupe/messages/mesos"
	"troupe/messages/tasks"
)

// Input is what can happen to the work.
type Input interface{ input() }

// Add brings a task. One that is not valid is reported and final at once.
type Add struct{ Task *Task }

// Resume brings a task of an earlier life, of whose attempts so many have ended, as
// far as that life was told. The next one may run: it is asked for, and launched if
// nobody knows of it. Where it runs does not count for constraints.
type Resume struct {
	Task  *Task
	Ended int
}

// Close says that no more tasks come: AllDone follows when none is left.
type Close struct{}

// Offers are resources to use or decline.
type Offers struct{ Offers []*mesos.Offer }

// Updated is news of an attempt.
type Updated struct{ Status *mesos.TaskStatus }

// Kill ends a task for good, whatever attempt it is at.
type Kill struct{ ID string }

// KillAll ends all tasks for good.
type KillAll struct{}

// ExecutorGone tells that an executor that tasks share has ended.
type ExecutorGone struct{ Agent, Executor string }

// AgentGone tells that an agent is lost: there is nothing to spread over there.
type AgentGone struct{ Agent string }

// TimerFired answers SetTimer.
type TimerFired struct{ Key string }

func (Add) input()          {}
func (Resume) input()       {}
func (Close) input()        {}
func (Offers) input()       {}
func (Updated) input()      {}
func (Kill) input()         {}
func (KillAll) input()      {}
func (ExecutorGone) input() {}
func (AgentGone) input()    {}
func (TimerFired) input()   {}

// Effect is what the work asks of its shell, in order.
type Effect interface{ effect() }

// Launch uses an offer.
type Launch struct {
	Offer *mesos.Offer
	Tasks []*mesos.TaskInfo
}

// Decline gives offers back. They come again after Refuse, or a Revive.
type Decline struct {
	Offers []*mesos.OfferID
	Refuse time.Duration
}

// Suppress asks for no more offers, Revive for offers again.
type (
	Suppress struct{}
	Revive   struct{}
)

// KillAttempt ends an attempt, within the task's grace.
type KillAttempt struct{ ID string }

// Watch asks for news of an attempt of an earlier life.
type Watch struct{ ID string }

// SetTimer asks for TimerFired.
type SetTimer struct {
	Key   string
	After time.Duration
}

// Report tells of a task. It precedes the acknowledgement of what it tells.
type Report struct{ Report Progress }

// AllDone is the last effect, after Close.
type AllDone struct{}

func (Launch) effect()      {}
func (Decline) effect()     {}
func (Suppress) effect()    {}
func (Revive) effect()      {}
func (KillAttempt) effect() {}
func (Watch) effect()       {}
func (SetTimer) effect()    {}
func (Report) effect()      {}
func (AllDone) effect()     {}

// Progress is news of a task.
type Progress struct {
	Task *Task
	// Attempt counts from 1; 0 when nothing was launched.
	Attempt int
	// TaskID is that of the attempt.
	TaskID string
	// Place is where it was launched.
	Place Place
	State mesos.TaskState
	// Status is nil when the news is not an update.
	Status *mesos.TaskStatus
	// Final: no attempt follows. A final state is TASK_FINISHED, or the task has
	// failed for good.
	Final bool
	// RetryIn is the wait before the next attempt, after a failure that is not
	// final.
	RetryIn time.Duration
	// Err is why a task was never launched.
	Err error
}

// Failure is why an attempt failed, or why there was none; nil when it has
// finished or not ended. Its text names the task, the state and what the
// cluster said.
func (p Progress) Failure() error {
	switch {
	case p.Err != nil:
		return p.Err
	case tasks.Live(p.State) || p.State == mesos.TaskState_TASK_FINISHED:
		return nil
	}
	text := fmt.Sprintf("task %q, attempt %d: %s", p.Task.ID, p.Attempt, p.State)
	if m := p.Status.GetMessage(); m != "" {
		text += ": " + m
	}
	return errors.New(text)
}
