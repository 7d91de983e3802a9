package frameworks

import (
	"troupe/messages/mesos"
	"troupe/messages/mesos/scheduler"
)

// Scheduler is what a framework does. Its methods are called one at a time and
// must not block: slow work goes through Driver.Go. Embed Base to leave out
// what does not matter.
type Scheduler interface {
	// Connected: calls reach the master now. resumed is false for the first
	// subscription of a new framework. master may be nil.
	Connected(d *Driver, id string, master *mesos.MasterInfo, resumed bool)
	// Disconnected: the master is out of reach. All offers are void; tasks run
	// on. Nothing needs to be done.
	Disconnected(d *Driver, reason string)
	// Offers are to be used with Launch or Accept, or given back with Decline,
	// soon: others wait for them.
	Offers(d *Driver, offers []*mesos.Offer)
	// Rescinded: an offer is void.
	Rescinded(d *Driver, offer string)
	// Update is news of a task. Return true when nothing is lost should this
	// process die now; otherwise call Driver.Acknowledge later.
	Update(d *Driver, st *mesos.TaskStatus) bool
	// Message is data from an executor.
	Message(d *Driver, m *scheduler.Event_Message)
	// Failure: an executor has ended, or an agent is lost.
	Failure(d *Driver, f *scheduler.Event_Failure)
	// Refused: a call came to nothing. It is nil when the master does not say
	// which one.
	Refused(d *Driver, call *scheduler.Call, err error)
	// Other is an event that has no method of its own.
	Other(d *Driver, e *scheduler.Event)
}

// Base is a Scheduler that declines every offer and acknowledges every update.
type Base struct{}

// Connected does nothing.
func (Base) Connected(*Driver, string, *mesos.MasterInfo, bool) {}

// Disconnected does nothing.
func (Base) Disconnected(*Driver, string) {}

// Offers declines.
func (Base) Offers(d *Driver, offers []*mesos.Offer) { d.Decline(offers, 0) }

// Rescinded does nothing.
func (Base) Rescinded(*Driver, string) {}

// Update acknowledges.
func (Base) Update(*Driver, *mesos.TaskStatus) bool { return true }

// Message does nothing.
func (Base) Message(*Driver, *scheduler.Event_Message) {}

// Failure does nothing.
func (Base) Failure(*Driver, *scheduler.Event_Failure) {}

// Refused logs a warning.
func (Base) Refused(d *Driver, _ *scheduler.Call, err error) { d.Log().Warn(err.Error()) }

// Other does nothing.
func (Base) Other(*Driver, *scheduler.Event) {}
