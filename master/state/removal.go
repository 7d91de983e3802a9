package state

import (
	"slices"
	"time"

	"troupe/master/state/view"
)

// Rate is how many agents may become unreachable in a time, one after the
// other; the zero Rate sets no limit.
type Rate struct {
	Count int // at least 1
	Per   time.Duration
}

// interval is the time from one removal to the next.
func (r Rate) interval() time.Duration {
	if r.Count <= 0 || r.Per <= 0 {
		return 0
	}
	return r.Per / time.Duration(r.Count)
}

// reason is why an agent is to become unreachable; 0 is none.
type reason uint8

const (
	silent  reason = iota + 1 // its observer gave it up
	notBack                   // it did not come back in time
)

var reasons = [...]string{
	silent:  "did not answer its pings",
	notBack: "did not come back in time",
}

// turn is the place of an agent in the queue of removals.
type turn struct {
	id     AgentID
	number uint64
}

// due is an agent that is to become unreachable.
type due struct {
	why    reason
	number uint64 // of its turn
}

// removals are the agents whose removal was noticed and waits for its turn.
type removals struct {
	waiting map[AgentID]due
	// In the order in which they were noticed, with turns that are no longer
	// anybody's: those were cancelled.
	queue []turn
	last  uint64
	// When the next may be removed.
	next time.Time
}

func (r *removals) add(id AgentID, why reason) {
	if len(r.queue) > 2*len(r.waiting)+64 {
		r.queue = slices.DeleteFunc(r.queue, func(t turn) bool { return !r.valid(t) })
	}
	r.last++
	r.waiting[id] = due{why, r.last}
	r.queue = append(r.queue, turn{id, r.last})
}

func (r *removals) valid(t turn) bool { return r.waiting[t.id].number == t.number }

// scheduleRemoval makes an agent unreachable as soon as the rate allows.
func (m *Machine) scheduleRemoval(id AgentID, why reason) {
	r := &m.removals
	if was, waits := r.waiting[id]; waits {
		was.why = max(was.why, why) // not to come back outweighs silence
		r.waiting[id] = was
		return
	}
	m.publish(view.RemovalMoved{Step: view.RemovalScheduled})
	r.add(id, why)
	if m.cfg.AgentRemovalRate.interval() == 0 || len(r.waiting) == 1 && !m.now.Before(r.next) {
		m.removeNext()
		return
	}
	if len(r.waiting) == 1 {
		m.emit(SetTimer{timerRemoval, r.next.Sub(m.now)})
	}
}

// removeNext removes the agent that waits longest.
func (m *Machine) removeNext() {
	r := &m.removals
	interval := m.cfg.AgentRemovalRate.interval()
	for len(r.queue) > 0 && (interval == 0 || !m.now.Before(r.next)) {
		t := r.queue[0]
		r.queue = r.queue[1:]
		if !r.valid(t) {
			continue
		}
		why := r.waiting[t.id].why
		delete(r.waiting, t.id)
		r.next = m.now.Add(interval)
		m.publish(view.RemovalMoved{Step: view.RemovalCompleted})
		m.removeUnreachable(t.id, why)
		break
	}
	if len(r.waiting) > 0 && interval > 0 {
		m.emit(SetTimer{timerRemoval, r.next.Sub(m.now)})
	}
}

// removeUnreachable makes an agent unreachable, if it still is what it was.
func (m *Machine) removeUnreachable(id AgentID, why reason) {
	if a := m.agents.byID[id]; a != nil {
		m.markUnreachable(a, reasons[why])
	} else if m.agents.recovered[id] != nil && !m.agents.returning[id] {
		m.forgetRecovered(id)
	}
}

// cancelRemoval takes back the removal of an agent that waits for its turn.
func (m *Machine) cancelRemoval(id AgentID) {
	r := &m.removals
	if _, waits := r.waiting[id]; !waits {
		return
	}
	delete(r.waiting, id)
	m.publish(view.RemovalMoved{Step: view.RemovalCanceled})
	if len(r.waiting) == 0 {
		r.queue = nil
		m.emit(CancelTimer{timerRemoval})
	}
}

// agentAnswered is the observer's word that an agent which was silent is not.
func (m *Machine) agentAnswered(id AgentID) {
	if m.removals.waiting[id].why == silent {
		m.cancelRemoval(id)
	}
}
