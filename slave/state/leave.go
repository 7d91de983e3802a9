package state

import (
	"fmt"
	"strconv"
	"time"

	"troupe/messages/cluster"
)

// leaving is how the agent ends; the zero value while it does not.
type leaving struct {
	reason string
	// Whether it is for good: an agent that starts here again is another.
	forget    bool
	forgotten bool
	// The master knows, or need not.
	told bool
	// What was left when it was looked last, and for how long nothing has ended
	// since.
	left int
	idle time.Duration
	// What has not ended by itself was killed.
	forced bool
}

func (l *leaving) on() bool { return l.reason != "" }

// leave ends everything that runs here, and then the agent. The master learns
// it first, and tells the frameworks.
func (m *Machine) leave(reason string, forget bool) {
	if m.leaving.on() {
		return
	}
	m.leaving.reason, m.leaving.forget = reason, forget
	m.note(Info, "Shutting down", Field{"reason", reason})
	if m.master.peer != "" {
		m.unregister()
	}
	if !m.unregistering() {
		m.leaving.told = true
		m.emit(CancelTimer{timerRegistration})
	}
	m.emit(CancelTimer{timerPing})
	for _, f := range sorted(m.frameworks) {
		m.shutdownFramework(f.id())
	}
	for _, h := range sorted(m.hosts) {
		m.dismissGuests(h)
		m.stopIdle(h)
	}
	m.leaving.left = m.left()
	m.emit(SetTimer{timerLeaving, m.leavingTick()})
}

// leavingTick is how often an agent that leaves looks what is left.
func (m *Machine) leavingTick() time.Duration { return min(10*time.Second, m.cfg.HostPatience) }

// left is how much has yet to end. While the agent leaves it never grows.
func (m *Machine) left() int {
	n := len(m.containers) + len(m.hosts)
	for _, h := range m.hosts {
		n += len(h.guests)
	}
	return n
}

// leavingGoesOn waits for as long as something ends: a busy machine may take minutes
// for a thousand containers. What then is left is killed, and the agent itself ends
// when even that does not help.
func (m *Machine) leavingGoesOn() {
	l, left := &m.leaving, m.left()
	if left < l.left {
		l.left, l.idle = left, 0
		m.note(Info, "Still shutting down", m.leftover()...)
	} else {
		l.idle += m.leavingTick()
	}
	patience := m.cfg.HostPatience
	switch {
	case l.idle == 0:
	case !l.forced && l.idle >= m.cfg.ShutdownGrace+patience:
		l.forced, l.idle = true, 0
		if left > 0 {
			m.note(Warn, "What does not end by itself is killed", m.leftover()...)
		}
		m.leaveNow()
	case l.forced && l.idle >= sweepPatience*patience, l.forced && left == 0 && l.idle >= patience:
		m.exit(l.reason, m.stuck())
		return
	case l.forced:
		m.leaveNow() // who was killed and is still there is killed again
	}
	m.emit(SetTimer{timerLeaving, m.leavingTick()})
}

// sweepPatience is for how many times the patience with a host one is waited for
// that was killed, with what is removed after it: that goes on for as long as it
// gets anywhere.
const sweepPatience = 10

// leftover says what is left, for people.
func (m *Machine) leftover() []Field {
	guests := 0
	for _, h := range m.hosts {
		guests += len(h.guests)
	}
	return []Field{{"containers", strconv.Itoa(len(m.containers) + guests)}, {"hosts", strconv.Itoa(len(m.hosts))}}
}

// stuck is why an agent ends before all that it holds has.
func (m *Machine) stuck() error {
	if m.journal.stalled != "" && m.left() == 0 {
		return fmt.Errorf("shut down (%s): all has ended, but the journal has no room to say so: %s", m.leaving.reason, m.journal.stalled)
	}
	return fmt.Errorf("shut down (%s): not all has ended, though killed: %v", m.leaving.reason, m.leftover())
}

// unregistering tells that an agent that leaves has yet to say so: one that
// cleans up after another process must register for that.
func (m *Machine) unregistering() bool {
	return m.cfg.Cleanup && m.leaving.on() && !m.leaving.told && m.id() != nil
}

func (m *Machine) unregister() {
	m.leaving.told = true
	m.send(m.master.peer, &cluster.UnregisterAgent{AgentId: m.id()})
}

// leaveNow waits no longer.
func (m *Machine) leaveNow() {
	if m.unregistering() {
		m.note(Warn, "No master was told that this agent ends; it will be held for unreachable", Field{"agent", m.ID()})
		m.leaving.told = true
	}
	for _, h := range sorted(m.hosts) {
		switch {
		case h.end != nil:
		case h.id == unclaimed:
			m.lose(h, m.leaving.reason)
		default:
			m.emit(KillHost{h.id, h.pid})
		}
	}
}

func (m *Machine) exitWhenEmpty() {
	if !m.leaving.on() || len(m.containers) > 0 || len(m.hosts) > 0 || len(m.journal.waiting) > 0 || m.exited || !m.leaving.told {
		return
	}
	if m.leaving.forget && !m.leaving.forgotten && m.id() != nil {
		m.leaving.forgotten = true
		m.checkpoint(nil, agentForgottenRecord())
		return
	}
	m.exit(m.leaving.reason, nil)
}

func agentForgottenRecord() *cluster.JournalRecord {
	return &cluster.JournalRecord{Record: &cluster.JournalRecord_AgentForgotten{AgentForgotten: &cluster.AgentForgotten{}}}
}
