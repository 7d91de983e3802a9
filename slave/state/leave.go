package state

import "troupe/messages/cluster"

// leaving is how the agent ends; the zero value while it does not.
type leaving struct {
	reason string
	// Whether it is for good: an agent that starts here again is another.
	forget    bool
	forgotten bool
	// The master knows, or need not.
	told bool
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
	m.emit(SetTimer{timerLeaving, m.cfg.ShutdownGrace + m.cfg.HostPatience})
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
