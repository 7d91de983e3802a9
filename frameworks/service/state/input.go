package state

import (
	"troupe/frameworks/service/app"
	"troupe/messages/mesos"
)

// Input is what can happen to a machine.
type Input interface{ input() }

// Loaded is the first input: all records, as they were persisted, ordered by key.
type Loaded struct{ Records []Change }

// Persisted answers a Persist, in order. With Err nothing more may be done: the
// machine Fails.
type Persisted struct {
	Number uint64
	Err    error
}

// TimerFired answers SetTimer.
type TimerFired struct{}

// Connected tells that the master is there. Before it, and after Disconnected,
// nothing is offered.
type Connected struct{}

// Disconnected tells that the master is out of reach: all offers are void.
type Disconnected struct{}

// Offers are answered by an Accept or Decline each, soon. The machine does not
// change them.
type Offers struct{ Offers []*mesos.Offer }

// Rescinded tells that an offer is void.
type Rescinded struct{ Offer string }

// Status is news of a task; acknowledged by an effect, once durable.
type Status struct{ Status *mesos.TaskStatus }

// Lost tells that an agent is gone. What becomes of its tasks is told by Status.
type Lost struct{ Agent string }

// HealthResult is what a health check found.
type HealthResult struct {
	Healthy bool
	Cause   string // of a failure, for people
}

// Probed tells of a health check that the framework performs, once for each time.
type Probed struct {
	Task   string
	Check  int // into Checks.Health of the app that StartProbes had
	Result HealthResult
}

// Response is what an instance answered to a readiness check.
type Response struct {
	Status      int
	ContentType string
	Body        string
}

// ReadinessSeen tells of a readiness check, once for each time. Response is nil
// unless the check keeps it, or without any.
type ReadinessSeen struct {
	Task     string
	Check    string // its name
	Ready    bool
	Response *Response
}

// Update changes apps and groups: everything that people ask for is one. Edit is
// called once with the root as it is and the version that the next one has, and
// must be pure; what it returns is stamped, gets service ports, is checked and
// planned. Apps and groups that are the very same (pointer) are not looked at. An
// error of Edit is the answer. DryRun answers the plan alone.
type Update struct {
	Request       uint64
	Force, DryRun bool
	Edit          func(root *app.Group, at app.Version) (*app.Group, error)
}

// Restart replaces all instances of apps, although nothing changed.
type Restart struct {
	Request uint64
	Apps    []app.Path
	Force   bool
}

// Cancel ends a deployment: without Force by another one that takes back what it
// changed; with Force it just ends.
type Cancel struct {
	Request    uint64
	Deployment string
	Force      bool
}

// Pause has a deployment stay as it is; what fails meanwhile is replaced by its
// like.
type Pause struct {
	Request    uint64
	Deployment string
}

// Resume ends a Pause.
type Resume struct {
	Request    uint64
	Deployment string
}

// Promote has a deployment that waits after its canaries go on.
type Promote struct {
	Request    uint64
	Deployment string
}

// KillTasks ends tasks; those that are not known are passed over, and the answer
// has the instances of the others. With Scale their apps have so many instances
// fewer, by a deployment; else others are started for them. With Wipe what was
// reserved for them is freed, too.
type KillTasks struct {
	Request            uint64
	Tasks              []string
	Scale, Wipe, Force bool
}

// ResetDelay has an app be launched again at once, though it failed.
type ResetDelay struct {
	Request uint64
	App     app.Path
}

func (Loaded) input()        {}
func (Persisted) input()     {}
func (TimerFired) input()    {}
func (Connected) input()     {}
func (Disconnected) input()  {}
func (Offers) input()        {}
func (Rescinded) input()     {}
func (Status) input()        {}
func (Lost) input()          {}
func (Probed) input()        {}
func (ReadinessSeen) input() {}
func (Update) input()        {}
func (Restart) input()       {}
func (Cancel) input()        {}
func (Pause) input()         {}
func (Resume) input()        {}
func (Promote) input()       {}
func (KillTasks) input()     {}
func (ResetDelay) input()    {}
