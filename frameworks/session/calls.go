package session

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos"
	"troupe/messages/mesos/scheduler"
)

// ErrNotSubscribed is why a call is refused while the master is out of reach.
var ErrNotSubscribed = errors.New("not subscribed to a master")

// Refusals carry HTTP's status codes, in HTTP's classes.
const (
	clientError = 400
	serverError = 500
)

// submit takes a call of the author's. Intentions that outlive a connection
// (kills, suppression, an updated framework, teardown) are kept; the rest is refused
// while there is none.
func (s *Session) submit(c *scheduler.Call) {
	if err := validate(c); err != nil {
		s.do(Refused{Call: c, Err: err})
		return
	}
	if s.removal.wanted {
		return // nothing else matters
	}
	switch c.GetType() {
	case scheduler.Call_KILL:
		s.killTask(c.GetKill())
	case scheduler.Call_SUPPRESS:
		s.setSuppressed(c, c.GetSuppress().GetRoles(), true)
	case scheduler.Call_REVIVE:
		s.setSuppressed(c, c.GetRevive().GetRoles(), false)
	case scheduler.Call_UPDATE_FRAMEWORK:
		s.updateFramework(c)
	case scheduler.Call_ACCEPT:
		s.accept(c)
	case scheduler.Call_DECLINE:
		s.decline(c)
	case scheduler.Call_TEARDOWN:
		s.beginTeardown()
	default:
		s.forward(c)
	}
}

const (
	timerTeardown = "teardown"

	// A TEARDOWN is repeated after a wait that starts here and doubles.
	teardownWait    = time.Second
	teardownWaitMax = 15 * time.Second
)

// beginTeardown ends what the session does for the author, but for its end.
func (s *Session) beginTeardown() {
	if s.removal.wanted {
		return
	}
	s.removal.wanted = true
	if s.phase == subscribed {
		s.do(CancelTimer{Key: timerReconcile})
		s.do(CancelTimer{Key: timerReconcileAll})
	}
	for _, id := range s.taskIDs() {
		s.forget(s.tasks[id])
	}
	s.tearDown()
}

// tearDown asks the master to remove the framework, now and with every
// subscription, until it says that it has: the word may be lost, or the master
// with it.
func (s *Session) tearDown() {
	if s.phase == subscribed {
		s.call(&scheduler.Call{Type: scheduler.Call_TEARDOWN.Enum()})
		s.do(SetTimer{Key: timerTeardown, After: doubled(teardownWait, teardownWaitMax, s.removal.asked)})
		s.removal.asked++
	}
}

func validate(c *scheduler.Call) error {
	switch t := c.GetType(); {
	case t == scheduler.Call_UNKNOWN:
		return fmt.Errorf("call: type is %d, which is no call", int32(t))
	case t == scheduler.Call_SUBSCRIBE || t == scheduler.Call_ACKNOWLEDGE:
		return fmt.Errorf("call: type %s is the session's own", t)
	case t == scheduler.Call_KILL && c.GetKill().GetTaskId().GetValue() == "":
		return errors.New("call KILL: kill.task_id is empty")
	case t == scheduler.Call_ACCEPT && len(c.GetAccept().GetOfferIds()) == 0:
		return errors.New("call ACCEPT: accept.offer_ids is empty")
	case t == scheduler.Call_UPDATE_FRAMEWORK && c.GetUpdateFramework().GetFrameworkInfo() == nil:
		return errors.New("call UPDATE_FRAMEWORK: update_framework.framework_info is absent")
	}
	// No carrier can send a message that lacks a required field.
	if err := proto.CheckInitialized(c); err != nil {
		return fmt.Errorf("call %s: %w", c.GetType(), err)
	}
	return nil
}

// forward sends a call as it is, or refuses it while there is no master.
func (s *Session) forward(c *scheduler.Call) {
	if s.phase != subscribed {
		s.do(Refused{Call: c, Err: fmt.Errorf("call %s: %w", c.GetType(), ErrNotSubscribed)})
		return
	}
	s.call(proto.Clone(c).(*scheduler.Call))
}

// setSuppressed remembers the intention; a subscription to come carries it.
func (s *Session) setSuppressed(c *scheduler.Call, roles []string, on bool) {
	if len(roles) == 0 {
		roles = s.roles()
	}
	for _, r := range roles {
		if on {
			s.suppressed[r] = true
		} else {
			delete(s.suppressed, r)
		}
	}
	s.changed = true
	if s.phase == subscribed {
		s.changed = false
		s.forward(c)
	}
}

// updateFramework replaces what SUBSCRIBE carries. The id stays.
func (s *Session) updateFramework(c *scheduler.Call) {
	u := proto.Clone(c).(*scheduler.Call)
	u.GetUpdateFramework().FrameworkInfo.Id = s.framework.GetId()
	s.framework = proto.Clone(u.GetUpdateFramework().GetFrameworkInfo()).(*mesos.FrameworkInfo)
	clear(s.suppressed)
	for _, r := range u.GetUpdateFramework().GetSuppressedRoles() {
		s.suppressed[r] = true
	}
	s.changed = true
	if s.phase == subscribed {
		s.changed = false
		s.call(u)
	}
}

// setRoles updates the framework if that changes which roles it has.
func (s *Session) setRoles(roles []string) {
	roles = slices.Compact(slices.Sorted(slices.Values(roles)))
	if s.removal.wanted || len(roles) == 0 || slices.Equal(roles, s.roles()) {
		return
	}
	info := proto.Clone(s.framework).(*mesos.FrameworkInfo)
	info.Role, info.Roles = nil, roles
	multi := mesos.FrameworkInfo_Capability_MULTI_ROLE
	if !slices.ContainsFunc(info.Capabilities, func(c *mesos.FrameworkInfo_Capability) bool { return c.GetType() == multi }) {
		info.Capabilities = append(info.Capabilities, &mesos.FrameworkInfo_Capability{Type: multi.Enum()})
	}
	suppressed := slices.DeleteFunc(s.suppressedRoles(), func(r string) bool { return !slices.Contains(roles, r) })
	s.updateFramework(&scheduler.Call{
		Type:            scheduler.Call_UPDATE_FRAMEWORK.Enum(),
		UpdateFramework: &scheduler.Call_UpdateFramework{FrameworkInfo: info, SuppressedRoles: suppressed},
	})
}

// refusedByMaster is a refusal that does not say of what: while a subscription is
// under way, of that.
func (s *Session) refusedByMaster(r *scheduler.APIResult) {
	if r.GetStatusCode() < clientError {
		return
	}
	err := refusal("a call", int(r.GetStatusCode()), r.GetError())
	if s.phase != subscribing {
		s.do(Refused{Err: err})
		return
	}
	s.subscriptionRefused(int(r.GetStatusCode()), err)
}

// callRefused tells the author of a call that came to nothing.
func (s *Session) callRefused(in CallRefused) {
	err := refusal(in.Call.GetType().String(), in.Status, in.Said)
	switch {
	case !samePeer(in.From, s.master):
		s.note(Debug, "a refusal by a master of before", "error", err.Error())
	case in.Call.GetType() != scheduler.Call_SUBSCRIBE:
		s.do(Refused{Call: in.Call, Err: err})
	case s.phase == subscribing:
		s.subscriptionRefused(in.Status, err)
	}
}

func refusal(what string, status int, said string) error {
	return fmt.Errorf("master refused %s with status %d: %s", what, status, said)
}

// subscriptionRefused for good ends the session; one that is refused for now is
// tried again by its timer.
func (s *Session) subscriptionRefused(status int, err error) {
	if status < serverError {
		s.end(err)
		return
	}
	s.note(Info, "master is not ready", "error", err.Error())
}
