package state

import (
	"time"

	"troupe/frameworks/service/app"
	"troupe/frameworks/service/rollout"
	"troupe/messages/mesos"
)

// Effect is what a machine asks of its shell. Effects are performed strictly in
// the order they are returned. Those that reveal a change come after the
// Persisted of it.
type Effect interface{ effect() }

// Change is a record to write, or to remove where Value is nil.
type Change struct {
	Key   string
	Value []byte
}

// Persist asks to make all changes durable, all or none; answered by Persisted.
// There is never more than one that is not answered.
type Persist struct {
	Number  uint64
	Changes []Change
}

// Answer answers a request, after all that publishes what was done. Err is app.Problems, a *LockedError, a
// *NotFoundError, a *RefusedError, one that wraps app.ErrPortsExhausted, or what
// Edit returned; then nothing has happened.
type Answer struct {
	Request    uint64
	Err        error
	Deployment string      // that carries the change out; it may be done already
	Version    app.Version // of the root after the change
	// Plan of the change. With DryRun it is all there is.
	Plan *rollout.Plan
	// Instances that KillTasks found.
	Instances []*Instance
}

// Accept uses an offer.
type Accept struct {
	Offer      *mesos.Offer
	Operations []*mesos.Offer_Operation
}

// Decline gives an offer back, not to have its like again for a while.
type Decline struct {
	Offer *mesos.Offer
	For   time.Duration
}

// Suppress asks for no more offers.
type Suppress struct{}

// Revive asks for offers, also for what was declined.
type Revive struct{}

// KillTask asks for the end of a task, until there is a Status of it. A nil Grace
// is the agent's default.
type KillTask struct {
	Task, Agent string
	Grace       *time.Duration
}

// Watch names a task that may exist, after a failover: the shell finds out, and
// tells by Status.
type Watch struct{ Task, Agent string }

// Acknowledge tells that a Status is durable.
type Acknowledge struct{ Status *mesos.TaskStatus }

// StartProbes asks for the checks of an instance that the framework performs, and
// ends those that were performed before. App is the one whose checks count, which
// may be a later version than the instance's.
type StartProbes struct {
	App      *app.App
	Instance *Instance
	// Health: those of App.Checks.Health that are not OnAgent; Readiness: those of
	// App.Checks.Readiness, until ready.
	Health, Readiness bool
}

// StopProbes ends all checks of a task.
type StopProbes struct{ Task string }

// SetTimer asks for TimerFired at a time; it replaces the one before.
type SetTimer struct{ At time.Time }

// PublishRoot tells the read side of the root.
type PublishRoot struct {
	Root *app.Group
	// History are the last roots, oldest first; the last one is Root.
	History []*app.Group
}

// PublishApp tells the read side of an app; nil is one that is no more.
type PublishApp struct {
	ID   app.Path
	View *AppView
}

// PublishDeployments tells the read side of all that are not done, oldest first.
type PublishDeployments struct{ Deployments []*DeploymentView }

// Occasion is what an Event tells of.
type Occasion string

// Occasions, with the fields of Event that each has beside At.
const (
	GroupChanged        Occasion = "group changed"        // Version
	DeploymentBegan     Occasion = "deployment began"     // Deployment
	DeploymentSucceeded Occasion = "deployment succeeded" // Deployment
	DeploymentFailed    Occasion = "deployment failed"    // Deployment, Reason
	StepBegan           Occasion = "step began"           // Deployment
	StepSucceeded       Occasion = "step succeeded"       // Deployment
	StepFailed          Occasion = "step failed"          // Deployment, Reason
	StatusSeen          Occasion = "status seen"          // Instance, Status
	InstanceChanged     Occasion = "instance changed"     // Instance
	HealthChanged       Occasion = "health changed"       // Instance, Alive
	HealthFailed        Occasion = "health check failed"  // Instance, Check
	UnhealthyKilled     Occasion = "unhealthy killed"     // Instance, Reason
	AppTerminated       Occasion = "app terminated"       // App: its last instance has ended
	UnknownTerminated   Occasion = "unknown terminated"   // Status: of a task that nobody knows
)

// Event is for the event bus.
type Event struct {
	Occasion   Occasion
	At         time.Time
	App        app.Path // of all but GroupChanged and those of deployments
	Version    app.Version
	Deployment *DeploymentView
	Instance   *Instance
	Status     *mesos.TaskStatus
	Check      *app.HealthCheck
	Alive      bool
	Reason     string
}

// Fail is the last effect: what was decided cannot be kept, or what was kept
// cannot be read.
type Fail struct{ Err error }

func (Persist) effect()            {}
func (Answer) effect()             {}
func (Accept) effect()             {}
func (Decline) effect()            {}
func (Suppress) effect()           {}
func (Revive) effect()             {}
func (KillTask) effect()           {}
func (Watch) effect()              {}
func (Acknowledge) effect()        {}
func (StartProbes) effect()        {}
func (StopProbes) effect()         {}
func (SetTimer) effect()           {}
func (PublishRoot) effect()        {}
func (PublishApp) effect()         {}
func (PublishDeployments) effect() {}
func (Event) effect()              {}
func (Fail) effect()               {}
