package state

import (
	"time"

	"troupe/frameworks/match"
	"troupe/frameworks/service/app"
	"troupe/frameworks/service/rollout"
	"troupe/messages/mesos"
)

// AppView is an app for the read side, with all that has become of it. Like
// everything it holds it never changes.
type AppView struct {
	App *app.App // as the root has it
	// Gone: the root has it no more, App is what it was; its instances are ending.
	Gone        bool
	Versions    []*app.App  // that are kept, oldest first; the last one need not be App
	Instances   []*Instance // in the order of their creation
	Counts      Counts
	Deployments []string // that are changing it
	Readiness   []Readiness
	Failure     *Failure // the last one
	Queue       *Queue   // nil: nothing waits to be launched
}

// Counts are of an app's tasks. Healthy and Unhealthy are 0 without health
// checks; a task that runs and was not checked yet is neither.
type Counts struct{ Staged, Running, Healthy, Unhealthy int }

// Instance of an app. One with persistent volumes has one task after the other;
// every other has one.
type Instance struct {
	ID       string // FLAT.UUID, as its first task is called
	App      app.Path
	Version  app.Version // of the app that its task was launched from
	Config   app.Version // that app's History.LastConfig
	Outdated bool        // it is to be replaced: Config is not that of the app as it is

	Task    string // "" of one that waits for its reserved resources
	State   mesos.TaskState
	Message string // of the last status
	Staged  time.Time
	Started time.Time // when it began to run; zero if it has not
	Place
	// Ending: somebody has asked for its end. Away: it is cut off for so long that
	// it does not count any more.
	Ending, Away bool
	Unreachable  time.Time // since when it is cut off; zero if it is not
	Health       []Health  // of each of the app's health checks, in their order; nil before the first result
	Check        *mesos.CheckStatusInfo
	Ready        bool // all its readiness checks have succeeded, or nobody asks
}

// Place is where an instance is, and what it has there.
type Place struct {
	Agent string
	Host  match.Host // where its agent is
	Role  string     // of its resources
	// Ports on the host, in the order of the app's ports or mappings; 0 for a
	// mapping without one.
	Ports     []int
	Addresses []Address
	Volumes   []Volume // that are reserved for it there; none without persistent ones
}

// Address that a task is reached at.
type Address struct {
	IP       string
	Protocol mesos.NetworkInfo_Protocol
}

// Health is what a health check has found so far. Zero times are never.
type Health struct {
	FirstSuccess, LastSuccess, LastFailure time.Time
	Cause                                  string // of the last failure
	Failures                               int    // one after the other
}

// Alive tells whether it last succeeded after it last failed.
func (h Health) Alive() bool { return h.LastSuccess.After(h.LastFailure) }

// Volume is a persistent volume of an instance.
type Volume struct {
	Path string // in the container
	ID   string // of the persistence
}

// Readiness is the last answer to a readiness check.
type Readiness struct {
	Name, Task string
	Ready      bool
	Response   *Response // nil unless it is kept
}

// Failure is how a task ended that should not have.
type Failure struct {
	Task    string
	Agent   string
	Host    string
	State   mesos.TaskState
	Message string
	At      time.Time
	Version app.Version
}

// Queue is what of an app waits to be launched.
type Queue struct {
	App   *app.App // the version that is launched
	Count int
	Since time.Time
	Until time.Time // before which it is not launched, since it failed; zero if it may be
	// Offers since then.
	Processed, Unused    int
	LastUnused, LastUsed time.Time
	// Declined has the reasons, in the words of package wire, with the number of
	// offers that each struck: of all since then, and of those that last came together.
	Declined, LastDeclined map[string]int
	LastProcessed          int // offers that LastDeclined is of
	Refusals               []Refusal
	Why                    string // in words, for people
}

// Refusal is an offer that was not used.
type Refusal struct {
	Offer   *mesos.Offer
	Reasons []string
	At      time.Time
}

// DeploymentView is a deployment that is not done.
type DeploymentView struct {
	ID      string
	Version app.Version // of the root that it leads to
	Plan    *rollout.Plan
	Step    int          // into Plan.Steps, the current one
	Actions []ActionView // of the current step
	Began   time.Time
	Paused  bool
}

// ActionView is an action of the current step.
type ActionView struct {
	rollout.Action
	Done bool
	// Waits says what for, for people: "3 of 10 instances are not healthy yet".
	Waits     string
	Readiness []Readiness
}
