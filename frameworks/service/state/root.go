package state

import (
	"slices"

	"troupe/frameworks/service/app"
	"troupe/frameworks/service/rollout"
)

// root is the one that is wanted.
func (m *Machine) root() *app.Group { return m.roots[len(m.roots)-1] }

// become makes a root the one that is wanted, and keeps those before it for a
// while.
func (m *Machine) become(next *app.Group) {
	old := m.root()
	if next == old {
		return
	}
	m.roots = append(slices.Clone(m.roots), next)
	m.dirty.roots = append(m.dirty.roots, next)
	for _, d := range rollout.Differences(old, next) {
		if s := m.service(d.ID); d.New == nil {
			s.leave()
		} else {
			s.become(d.New)
		}
	}
	if excess := len(m.roots) - m.options.Versions; excess > 0 {
		m.forgetRoots(excess)
	}
	for _, d := range rollout.Differences(old, next) {
		if d.New != nil {
			m.services[d.ID].trim()
		}
	}
	m.out.reveal(Event{Occasion: GroupChanged, At: m.now, Version: next.Version})
	m.dirty.root = true
	m.follow()
}

// forgetRoots drops the oldest roots. The one that is the oldest then is kept as
// a whole; so each costs what it changed.
func (m *Machine) forgetRoots(n int) {
	for range n {
		gone, base := m.roots[0], m.roots[1]
		m.roots = m.roots[1:]
		m.dirty.rebase(gone, base)
		for _, d := range rollout.Differences(gone, base) {
			if s := m.services[d.ID]; s != nil && d.New == nil {
				m.bury(s)
			}
		}
	}
}

// stamper makes of a root that somebody edited one with its stamps and service
// ports. What is the same is the very same.
type stamper struct {
	at          app.Version
	first, last int
	root        *app.Group
	ports       *app.ServicePorts
}

func (t *stamper) group(old, next *app.Group) (*app.Group, error) {
	if old == next {
		return next, nil
	}
	if old == nil {
		old = &app.Group{ID: next.ID, Version: -1}
	}
	made := *next
	made.Apps = make([]*app.App, 0, len(next.Apps))
	made.Groups = make([]*app.Group, 0, len(next.Groups))
	for _, a := range next.Apps {
		stamped, err := t.app(old.App(a.ID), a)
		if err != nil {
			return nil, err
		}
		made.Apps = append(made.Apps, stamped)
	}
	for _, g := range next.Groups {
		stamped, err := t.group(old.Group(g.ID), g)
		if err != nil {
			return nil, err
		}
		made.Groups = append(made.Groups, stamped)
	}
	if old.Version >= 0 && slices.Equal(old.Apps, made.Apps) && slices.Equal(old.Groups, made.Groups) && old.Alike(&made) {
		return old, nil
	}
	made.Version = t.at
	return &made, nil
}

func (t *stamper) app(old, next *app.App) (*app.App, error) {
	if old == next {
		return next, nil
	}
	if role := t.root.RoleFor(next.ID, ""); next.Role == "" && role != "" {
		next = next.Clone()
		next.Role = role
	}
	if old != nil && old.Everywhere() && next.Everywhere() && old.Instances > 0 && next.Instances > 0 {
		next = next.Clone()
		next.Instances = old.Instances // they follow the agents, whatever somebody says who does not know them
	}
	if slices.Contains(next.ServicePorts(), 0) {
		if t.ports == nil {
			t.ports = app.NewServicePorts(t.first, t.last, t.root)
		}
		assigned, err := t.ports.Assign(next, old)
		if err != nil {
			return nil, err
		}
		next = assigned
	}
	if old != nil && app.Compare(old, next) == app.Same {
		return old, nil
	}
	return app.Stamp(old, next, t.at), nil
}
