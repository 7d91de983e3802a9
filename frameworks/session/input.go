package session

import (
	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos"
	"troupe/messages/mesos/scheduler"
)

// Peer is an actor's printed address, "name@host:port" with an optional
// "#incarnation". The empty Peer is nobody.
type Peer string

// Input is what can happen to a session.
type Input interface{ input() }

// MasterDetected tells where the leading master is. An empty Master says that
// there is none now; the session then waits for the next detection.
type MasterDetected struct{ Master Peer }

// Received is a message as it came. Only scheduler events and refusals of the
// detected master count; anything else is noted and dropped.
type Received struct {
	From      Peer
	Principal string
	Message   proto.Message
}

// CallRefused is the detected master's answer to a call, where the carrier knows to
// which: Status is one of HTTP, 400 or more.
type CallRefused struct {
	From   Peer
	Call   *scheduler.Call
	Status int
	Said   string
}

// Removed is the detected master's answer to a TEARDOWN that was carried out, where
// the carrier has answers.
type Removed struct{ From Peer }

// TimerFired answers a SetTimer.
type TimerFired struct{ Key string }

// PeerExited answers a Link: the connection to the peer, or the peer, is gone.
type PeerExited struct{ Peer Peer }

// Persisted answers a Persist. With Err the framework id is not durable, and
// the session ends.
type Persisted struct{ Err error }

// Submit is a call of the author's. The session fills in the framework id.
// SUBSCRIBE and ACKNOWLEDGE are the session's own and refused here. The call
// must not be changed afterwards.
type Submit struct{ Call *scheduler.Call }

// Handled tells that the author has taken in an update and that whatever must
// survive a crash is durable: the session acknowledges it, if it has a uuid,
// and after a terminal one tells the author no other end. Status is the one
// that was delivered.
type Handled struct{ Status *mesos.TaskStatus }

// Watch names a task that the author knows from an earlier life, so that it
// is reconciled. AgentID may be nil when unknown.
type Watch struct {
	TaskID  *mesos.TaskID
	AgentID *mesos.AgentID
}

// SetRoles changes the roles that resources are offered for. Those that were
// suppressed and stay are still. There must be one at least.
type SetRoles struct{ Roles []string }

// Leave ends the session without a teardown: the master keeps the framework
// and its tasks for the failover timeout.
type Leave struct{}

func (MasterDetected) input() {}
func (Received) input()       {}
func (CallRefused) input()    {}
func (Removed) input()        {}
func (TimerFired) input()     {}
func (PeerExited) input()     {}
func (Persisted) input()      {}
func (SetRoles) input()       {}
func (Submit) input()         {}
func (Handled) input()        {}
func (Watch) input()          {}
func (Leave) input()          {}
