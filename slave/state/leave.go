package state

import "troupe/messages/cluster"

// leave ends everything that runs here, and then the agent. The master learns
// it first, and tells the frameworks.
func (m *Machine) leave(reason string) {
	if m.leaving != "" {
		return
	}
	m.leaving = reason
	m.note(Info, "Shutting down", Field{"reason", reason})
	if m.master.peer != "" {
		m.send(m.master.peer, &cluster.UnregisterAgent{AgentId: m.id()})
	}
	m.emit(CancelTimer{timerRegistration})
	m.emit(CancelTimer{timerPing})
	for _, f := range sorted(m.frameworks) {
		m.shutdownFramework(f.id())
	}
	for _, h := range sorted(m.hosts) {
		m.stopIdle(h)
	}
	m.emit(SetTimer{timerLeaving, m.cfg.ShutdownGrace + m.cfg.HostPatience})
}

// leaveNow waits no longer.
func (m *Machine) leaveNow() {
	for _, h := range sorted(m.hosts) {
		switch {
		case h.end != nil:
		case h.id == unclaimed:
			m.lose(h, m.leaving)
		default:
			m.emit(KillHost{h.id, h.pid})
		}
	}
}

func (m *Machine) exitWhenEmpty() {
	if m.leaving != "" && len(m.containers) == 0 && len(m.hosts) == 0 && len(m.journal.waiting) == 0 && !m.exited {
		m.exit(m.leaving, nil)
	}
}
