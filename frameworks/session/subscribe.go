package session

import (
	"fmt"
	"math"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos"
	"troupe/messages/mesos/scheduler"
)

const (
	timerSubscribe = "subscribe"
	timerHeartbeat = "heartbeat"

	// A SUBSCRIBE is repeated after a wait that starts here and doubles.
	subscribeWait    = time.Second
	subscribeWaitMax = 15 * time.Second
	// The first one to a new master waits for less than this. Schedulers are
	// few, so little spreads them enough.
	detectedWait = 500 * time.Millisecond
	// The master is given up after so many intervals without an event.
	missedHeartbeats = 5
)

func (s *Session) detect(master Peer) {
	if master == s.master {
		s.detectAgain()
		return
	}
	if s.master != "" {
		s.do(Unlink{Peer: s.master})
		s.detach("the leading master is now " + nameOrNone(master))
	}
	s.master = master
	switch {
	case master == "":
		s.do(CancelTimer{Key: timerSubscribe})
	case !s.tried:
		s.subscribe()
	default:
		// Everybody hears of a new master at once; spread what follows.
		s.attempts = 0
		s.do(SetTimer{Key: timerSubscribe, After: s.chance.below(detectedWait)})
	}
}

// detectAgain hears that the master leads anew, or still: no doubled wait counts
// any more.
func (s *Session) detectAgain() {
	if s.master != "" && (s.phase == detached || s.phase == subscribing) {
		s.attempts = 0
		s.do(SetTimer{Key: timerSubscribe, After: s.chance.below(detectedWait)})
	}
}

func nameOrNone(p Peer) string {
	if p == "" {
		return "unknown"
	}
	return string(p)
}

// subscribe sends SUBSCRIBE and arms its repetition.
func (s *Session) subscribe() {
	if s.master == "" || s.phase == subscribed || s.phase == persisting {
		return
	}
	s.attempts++
	s.tried, s.changed = true, false
	s.phase = subscribing
	s.resumed = s.framework.GetId().GetValue() != ""
	s.do(Link{Peer: s.master})
	s.call(&scheduler.Call{
		Type: scheduler.Call_SUBSCRIBE.Enum(),
		Subscribe: &scheduler.Call_Subscribe{
			FrameworkInfo:   proto.Clone(s.framework).(*mesos.FrameworkInfo),
			SuppressedRoles: s.suppressedRoles(),
		},
	})
	s.do(SetTimer{Key: timerSubscribe, After: s.subscribeBackoff()})
}

// subscribeBackoff is at least half of the doubled wait, so that an answer
// under way is not overtaken by the next attempt.
func (s *Session) subscribeBackoff() time.Duration {
	d := doubled(subscribeWait, subscribeWaitMax, s.attempts-1)
	return d/2 + s.chance.below(d/2)
}

func (s *Session) onSubscribed(m *scheduler.Event_Subscribed) {
	if s.phase != subscribing {
		s.note(Debug, "repeated SUBSCRIBED")
		return
	}
	id := m.GetFrameworkId()
	if id.GetValue() == "" {
		s.note(Warn, "SUBSCRIBED without framework_id; subscribing again")
		return
	}
	s.attempts = 0
	s.do(CancelTimer{Key: timerSubscribe})
	s.armHeartbeat(m.GetHeartbeatIntervalSeconds())
	s.held = []*scheduler.Event{{Type: scheduler.Event_SUBSCRIBED.Enum(), Subscribed: m}}
	if s.id.stored == id.GetValue() {
		s.connect()
		return
	}
	s.phase = persisting
	if s.id.storing && s.framework.GetId().GetValue() == id.GetValue() {
		return
	}
	s.id.storing = true
	s.framework.Id = id
	s.do(Persist{FrameworkID: id})
}

func (s *Session) persisted(err error) {
	id := s.framework.GetId().GetValue()
	if err != nil {
		s.end(fmt.Errorf("store framework id %q: %w", id, err))
		return
	}
	s.id.storing, s.id.stored = false, id
	if s.phase == persisting {
		s.connect()
	}
}

// connect opens the subscription to the author: first the news itself, then
// what came while the framework id was being stored.
func (s *Session) connect() {
	held := s.held
	s.held = nil
	s.phase = subscribed
	m := held[0].GetSubscribed()
	s.do(Connected{FrameworkID: m.GetFrameworkId(), Master: m.GetMasterInfo(), Resumed: s.resumed})
	if s.removal.wanted {
		s.tearDown()
		return
	}
	s.catchUp()
	s.repeatKills()
	s.startReconciling()
	for _, e := range held[1:] {
		s.subscribedEvent(e)
	}
}

// catchUp tells the master what changed after SUBSCRIBE was sent.
func (s *Session) catchUp() {
	if !s.changed {
		return
	}
	s.changed = false
	s.call(&scheduler.Call{
		Type: scheduler.Call_UPDATE_FRAMEWORK.Enum(),
		UpdateFramework: &scheduler.Call_UpdateFramework{
			FrameworkInfo:   proto.Clone(s.framework).(*mesos.FrameworkInfo),
			SuppressedRoles: s.suppressedRoles(),
		},
	})
}

func (s *Session) armHeartbeat(seconds float64) {
	s.pulse.interval = 0
	if seconds > 0 && seconds < math.MaxInt32 {
		s.pulse.interval = time.Duration(seconds * float64(time.Second))
		s.do(SetTimer{Key: timerHeartbeat, After: s.pulse.interval * missedHeartbeats})
	}
}

// watchHeartbeat runs at the earliest moment at which silence could have been
// too long; events between only move heardAt.
func (s *Session) watchHeartbeat() {
	if s.pulse.interval == 0 || s.phase != subscribed && s.phase != persisting {
		return
	}
	limit := s.pulse.interval * missedHeartbeats
	if silent := s.now.Sub(s.pulse.heardAt); silent < limit {
		s.do(SetTimer{Key: timerHeartbeat, After: limit - silent})
		return
	}
	s.do(Unlink{Peer: s.master})
	s.lost(fmt.Sprintf("no event from %s for %s", s.master, limit))
}

func (s *Session) exited(p Peer) {
	if samePeer(p, s.master) {
		s.lost("link to " + string(s.master) + " is gone")
	}
}

// lost prepares the next attempt at the same master.
func (s *Session) lost(reason string) {
	s.detach(reason)
	wait := doubled(subscribeWait, subscribeWaitMax, s.attempts)
	s.do(SetTimer{Key: timerSubscribe, After: s.chance.below(wait)})
}

// detach forgets what belongs to a subscription.
func (s *Session) detach(reason string) {
	was := s.phase
	s.phase = detached
	s.held = nil
	clear(s.offers)
	if was == subscribed || was == persisting {
		for _, k := range []string{timerHeartbeat, timerReconcile, timerReconcileAll} {
			s.do(CancelTimer{Key: k})
		}
	}
	if s.removal.wanted {
		s.do(CancelTimer{Key: timerTeardown})
	}
	if was == subscribed {
		s.do(Disconnected{Reason: reason})
	}
}

// suppressedRoles is what SUBSCRIBE says of roles, in order.
func (s *Session) suppressedRoles() []string {
	var roles []string
	for _, r := range s.roles() {
		if s.suppressed[r] {
			roles = append(roles, r)
		}
	}
	return roles
}

// roles lists the framework's roles as it declares them.
func (s *Session) roles() []string {
	for _, c := range s.framework.GetCapabilities() {
		if c.GetType() == mesos.FrameworkInfo_Capability_MULTI_ROLE {
			return slices.Sorted(slices.Values(s.framework.GetRoles()))
		}
	}
	return []string{s.framework.GetRole()}
}
