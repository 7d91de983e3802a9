package state

import (
	"troupe/messages/cluster"
	"troupe/slave/state/view"
)

// journalStalled: what is not durable is neither revealed nor acknowledged, so
// that nothing but the waiting is to be done here. What runs goes on. The
// master is asked to offer nothing more.
func (m *Machine) journalStalled(err error) {
	if err == nil {
		m.note(Info, "There is room for the journal again")
		m.journal.stalled = ""
	} else {
		m.count(view.JournalStalls)
		m.note(Warn, "The journal has no room on its disk: nothing new is launched or acknowledged until it has", Field{"error", err.Error()})
		m.journal.stalled = err.Error()
		if m.master.composing && m.master.detected != "" && m.master.peer == "" && m.registering() {
			m.send(m.master.detected, m.reregistration())
		}
	}
	m.tellHindered()
}

// tellHindered says what is so. After a registration only what keeps tasks
// away is news.
func (m *Machine) tellHindered() {
	if m.master.peer == "" || m.id() == nil {
		return
	}
	msg := &cluster.AgentHindered{AgentId: m.id()}
	if m.journal.stalled != "" {
		msg.Reason = &m.journal.stalled
	}
	m.send(m.master.peer, msg)
}
