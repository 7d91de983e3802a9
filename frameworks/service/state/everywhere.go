package state

import (
	"time"

	"troupe/frameworks/match"
	"troupe/frameworks/service/app"
)

// An app that is to be everywhere has as many instances as there are agents that
// its constraints allow. That is an edit of the root, and no deployment: one that
// waited for room on a new agent would keep everybody else from changing the app.

// followed is how late the instances follow the agents: many come at once.
const followed = time.Second

// follow has the apps that are to be everywhere looked at, soon.
func (m *Machine) follow() {
	if a := &m.appetite.follower; a.at.IsZero() {
		m.alarms.set(a, m.now.Add(followed))
	}
}

// keepUp brings the apps that are to be everywhere to where they are not.
func (m *Machine) keepUp() {
	var hosts []match.Host
	next := m.root()
	at := app.Next(m.now, max(m.last, m.root().Version))
	m.appetite.everywhere = 0
	for a := range m.root().All() {
		if !a.Everywhere() || a.Instances == 0 {
			continue
		}
		m.appetite.everywhere++
		if m.services[a.ID].deployer != nil {
			continue // its end has it looked at again
		}
		if hosts == nil {
			hosts = m.hosts()
		}
		if n := max(allowed(a, hosts), 1); n != a.Instances {
			other := a.Clone()
			other.Instances = n
			next = next.With(app.Stamp(a, other, at))
		}
	}
	if next != m.root() {
		m.last = at
		m.become(next)
	}
}

// hosts are those of the agents that are not lost.
func (m *Machine) hosts() []match.Host {
	list := []match.Host{}
	for _, id := range m.agentIDs() {
		if a := m.agents[id]; !a.lost {
			list = append(list, a.host)
		}
	}
	return list
}

// allowed is on how many hosts the first instance of an app might be.
func allowed(a *app.App, hosts []match.Host) int {
	var texts [][]string
	for _, c := range a.Placement.Constraints {
		texts = append(texts, c.Texts())
	}
	rules, err := match.Parse(texts)
	if err != nil {
		return a.Instances // it cannot be launched, and says so
	}
	n, spread := 0, rules.Spread(nil, hosts)
	for _, h := range hosts {
		if spread.Check(h) == nil {
			n++
		}
	}
	return n
}
