package gang

import (
	"time"

	"troupe/frameworks/work"
	"troupe/messages/mesos"
)

// Input is what can happen to gangs.
type Input interface{ input() }

// Add brings a gang. One that is not valid is reported, as final, and
// forgotten.
type Add struct{ Gang *Gang }

// Close says that no more gangs come.
type Close struct{}

// Offers are resources to hold, use, or leave to others with Unused.
type Offers struct{ Offers []*mesos.Offer }

// Rescinded voids an offer that may be held.
type Rescinded struct{ Offer string }

// Disconnected voids all offers.
type Disconnected struct{}

// Updated is news of an attempt of a member.
type Updated struct{ Status *mesos.TaskStatus }

// Kill ends for good the gang of that id, or the one that has that member.
type Kill struct{ ID string }

// KillAll ends all gangs for good.
type KillAll struct{}

// AgentGone tells that an agent is lost: there is nothing to spread over there.
type AgentGone struct{ Agent string }

// TimerFired answers SetTimer.
type TimerFired struct{ Key string }

func (Add) input()          {}
func (Close) input()        {}
func (Offers) input()       {}
func (Rescinded) input()    {}
func (Disconnected) input() {}
func (Updated) input()      {}
func (Kill) input()         {}
func (KillAll) input()      {}
func (AgentGone) input()    {}
func (TimerFired) input()   {}

// Effect is what gangs ask of their shell, in order.
type Effect interface{ effect() }

// Launch uses an offer. The launches of one gang follow each other in one
// step.
type Launch struct {
	Offer *mesos.Offer
	Tasks []*mesos.TaskInfo
}

// Decline gives offers back that were held. They come again after Refuse, or a
// Revive.
type Decline struct {
	Offers []*mesos.OfferID
	Refuse time.Duration
}

// Unused leaves offers to others: to be used or declined at once.
type Unused struct{ Offers []*mesos.Offer }

// Suppress tells that gangs need no offers now, Revive that they do.
type (
	Suppress struct{}
	Revive   struct{}
)

// KillAttempt ends an attempt of a member, within the task's grace.
type KillAttempt struct{ ID string }

// SetTimer asks for TimerFired.
type SetTimer struct {
	Key   string
	After time.Duration
}

// Report tells of a member. The gang is done when all its members' reports
// were final.
type Report struct{ Report work.Progress }

func (Launch) effect()      {}
func (Decline) effect()     {}
func (Unused) effect()      {}
func (Suppress) effect()    {}
func (Revive) effect()      {}
func (KillAttempt) effect() {}
func (SetTimer) effect()    {}
func (Report) effect()      {}
