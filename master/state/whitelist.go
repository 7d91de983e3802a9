package state

import (
	"maps"
	"strconv"
	"strings"
)

// Hosts are names of hosts, in lower case.
type Hosts map[string]bool

// mayOffer tells whether anything of an agent may be offered.
func (m *Machine) mayOffer(a *agent) bool { return a.view.Active() && m.listed(a) }

// listed tells whether an agent's host is among those that are offered.
func (m *Machine) listed(a *agent) bool {
	return m.cfg.Whitelist == nil || m.cfg.Whitelist[strings.ToLower(a.view.Info.GetHostname())]
}

// hostsListed offers agents of these hosts alone. What is offered of others is
// taken back; what runs there goes on.
func (m *Machine) hostsListed(hosts Hosts) {
	if m.cfg.Whitelist != nil && maps.Equal(m.cfg.Whitelist, hosts) {
		return
	}
	agents := m.agents.ordered()
	before := make([]bool, len(agents))
	for i, a := range agents {
		before[i] = m.listed(a)
	}
	m.cfg.Whitelist = hosts
	left := 0
	for i, a := range agents {
		now := m.listed(a)
		if !now {
			left++
		}
		if now == before[i] {
			continue
		}
		if !now {
			m.rescindAgentOffers(a)
		}
		if !a.leaving {
			m.updateInAllocator(a)
		}
	}
	m.note(Info, "Agents are offered by another whitelist", Field{"hosts", strconv.Itoa(len(hosts))},
		Field{"agents_left_out", strconv.Itoa(left)})
}
