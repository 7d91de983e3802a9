package session

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos"
	"troupe/messages/mesos/scheduler"
)

// Config is what a session starts from.
type Config struct {
	// Framework is what SUBSCRIBE carries. With an id, the session resumes that
	// framework. The session takes a copy.
	Framework *mesos.FrameworkInfo
	// SuppressedRoles are roles that shall not be offered anything until a
	// REVIVE names them.
	SuppressedRoles []string
	// Seed is the chance for every jitter: equal seeds give equal sessions.
	Seed uint64
}

type phase int

const (
	// detached: no master is known, or its link is gone and the wait before the
	// next attempt runs.
	detached phase = iota
	// subscribing: SUBSCRIBE is sent and repeated until SUBSCRIBED.
	subscribing
	// persisting: SUBSCRIBED has come, the framework id is not yet durable.
	persisting
	subscribed
	ended
)

// Session is the machine. It is not safe for concurrent use.
type Session struct {
	phase     phase
	framework *mesos.FrameworkInfo
	master    Peer
	// attempts counts SUBSCRIBEs since the last subscription.
	attempts int
	// tried: a first SUBSCRIBE has been sent, which waits for nothing.
	tried bool
	// resumed: the pending or present subscription named a framework id.
	resumed bool
	// changed: the author has changed what SUBSCRIBE said since it was sent.
	changed bool
	removal removal
	id      durability
	chance  chance
	pulse   pulse
	// held waits for Persisted.
	held []*scheduler.Event

	offers     map[string]*mesos.AgentID
	suppressed map[string]bool
	tasks      map[string]*task
	past       past
	// reconciles counts repetitions since the last subscription.
	reconciles int

	now time.Time
	out []Effect
}

// removal is how far the end of the framework is: once it is wanted the author
// has no more of it, asked counts how often the master was asked for it, and
// done is that the master says that the framework is no more.
type removal struct {
	wanted bool
	asked  int
	done   bool
}

// durability is how far the framework id is: stored is the one that is
// durable, storing waits for Persisted.
type durability struct {
	stored  string
	storing bool
}

// pulse is when the master was heard, and the interval that it promised; 0
// means none.
type pulse struct {
	interval time.Duration
	heardAt  time.Time
}

// New makes a session that waits for MasterDetected. It fails when the
// framework lacks a name or a user.
func New(c Config) (*Session, error) {
	if c.Framework.GetName() == "" {
		return nil, fmt.Errorf("new session: framework name is empty")
	}
	if c.Framework.GetUser() == "" {
		return nil, fmt.Errorf("new session: user of framework %q is empty", c.Framework.GetName())
	}
	s := &Session{
		framework:  proto.Clone(c.Framework).(*mesos.FrameworkInfo),
		id:         durability{stored: c.Framework.GetId().GetValue()},
		chance:     chance{state: c.Seed},
		offers:     map[string]*mesos.AgentID{},
		suppressed: map[string]bool{},
		tasks:      map[string]*task{},
		past:       newPast(),
	}
	for _, r := range c.SuppressedRoles {
		s.suppressed[r] = true
	}
	return s, nil
}

// Step takes one input in and returns what is to be done, in order. After
// Ended it returns nothing.
func (s *Session) Step(now time.Time, in Input) []Effect {
	if s.phase == ended {
		return nil
	}
	s.now, s.out = now, nil
	switch in := in.(type) {
	case MasterDetected:
		s.detect(in.Master)
	case Received:
		s.receive(in)
	case CallRefused:
		s.callRefused(in)
	case Removed:
		s.removed(in)
	case TimerFired:
		s.fire(in.Key)
	case PeerExited:
		s.exited(in.Peer)
	case Persisted:
		s.persisted(in.Err)
	case Submit:
		s.submit(in.Call)
	case SetRoles:
		s.setRoles(in.Roles)
	case Handled:
		s.handled(in.Status)
	case Watch:
		s.watch(in)
	case Leave:
		s.end(nil)
	}
	return s.out
}

// Subscribed tells whether calls reach the master now.
func (s *Session) Subscribed() bool { return s.phase == subscribed }

// FrameworkID is nil until the master has assigned one.
func (s *Session) FrameworkID() *mesos.FrameworkID { return s.framework.GetId() }

// Tasks counts the tasks that have not ended, as far as the session knows.
func (s *Session) Tasks() int { return len(s.tasks) }

func (s *Session) receive(in Received) {
	if !samePeer(in.From, s.master) {
		s.note(Warn, "message from somebody who is not the master", "from", string(in.From),
			"type", string(in.Message.ProtoReflect().Descriptor().FullName()))
		return
	}
	switch m := in.Message.(type) {
	case *scheduler.Event:
		s.pulse.heardAt = s.now
		s.event(m)
	case *scheduler.APIResult:
		s.refusedByMaster(m)
	default:
		s.note(Warn, "message of a type that schedulers do not receive",
			"type", string(m.ProtoReflect().Descriptor().FullName()))
	}
}

func (s *Session) event(e *scheduler.Event) {
	switch {
	case e.GetType() == scheduler.Event_ERROR:
		s.errorEvent(&MasterError{Message: e.GetError().GetMessage()})
	case e.GetType() == scheduler.Event_SUBSCRIBED:
		s.onSubscribed(e.GetSubscribed())
	case s.phase == persisting:
		s.held = append(s.held, e)
	case s.phase == subscribed:
		s.subscribedEvent(e)
	default:
		s.note(Debug, "event outside a subscription", "type", e.GetType().String())
	}
}

// errorEvent is the master's last word: what a teardown waits for, or the end of
// a framework that wants to go on.
func (s *Session) errorEvent(said *MasterError) {
	if s.removal.wanted && errors.Is(said, ErrRemoved) {
		s.removal.done = true
		s.end(nil)
		return
	}
	s.end(said)
}

// removed is what a teardown waits for.
func (s *Session) removed(in Removed) {
	if s.removal.wanted && samePeer(in.From, s.master) {
		s.removal.done = true
		s.end(nil)
	}
}

func (s *Session) subscribedEvent(e *scheduler.Event) {
	if s.removal.wanted {
		return
	}
	switch e.GetType() {
	case scheduler.Event_HEARTBEAT:
	case scheduler.Event_OFFERS:
		s.onOffers(e)
	case scheduler.Event_RESCIND:
		s.onRescind(e)
	case scheduler.Event_UPDATE:
		s.onUpdate(e)
	case scheduler.Event_INVERSE_OFFERS, scheduler.Event_RESCIND_INVERSE_OFFER,
		scheduler.Event_UPDATE_OPERATION_STATUS, scheduler.Event_MESSAGE, scheduler.Event_FAILURE:
		s.do(Deliver{Event: e})
	default:
		s.note(Warn, "event of unknown type", "type", e.GetType().String())
	}
}

func (s *Session) fire(key string) {
	kind, subject, _ := strings.Cut(key, "/")
	switch kind {
	case timerSubscribe:
		s.subscribe()
	case timerHeartbeat:
		s.watchHeartbeat()
	case timerReconcile:
		s.reconcileOutstanding()
	case timerReconcileAll:
		s.reconcileAll()
	case timerTeardown:
		s.tearDown()
	case timerKill:
		s.repeatKill(subject)
	}
}

func (s *Session) do(e Effect) { s.out = append(s.out, e) }

func (s *Session) note(l Level, text string, fields ...string) {
	s.do(Note{Level: l, Text: text, Fields: fields})
}

// call sends a call to the master with the framework id filled in. The call
// is the session's own.
func (s *Session) call(c *scheduler.Call) {
	c.FrameworkId = s.framework.GetId()
	s.do(Send{To: s.master, Call: c})
}

// end unlinks, and is silent ever after.
func (s *Session) end(err error) {
	if s.master != "" {
		s.do(Unlink{Peer: s.master})
	}
	for _, k := range []string{timerSubscribe, timerHeartbeat, timerReconcile, timerReconcileAll} {
		s.do(CancelTimer{Key: k})
	}
	if s.removal.wanted {
		s.do(CancelTimer{Key: timerTeardown})
	}
	for _, id := range s.taskIDs() {
		if s.tasks[id].kill != nil {
			s.do(CancelTimer{Key: killKey(id)})
		}
	}
	s.do(Ended{Err: err, TornDown: s.removal.done})
	s.phase = ended
}

// samePeer compares addresses; an incarnation counts only when both name one.
func samePeer(a, b Peer) bool {
	aa, ai, _ := strings.Cut(string(a), "#")
	ba, bi, _ := strings.Cut(string(b), "#")
	return aa == ba && aa != "" && (ai == "" || bi == "" || ai == bi)
}
