package state

import (
	"maps"
	"slices"
	"time"

	"troupe/frameworks/match"
	"troupe/frameworks/service/app"
	"troupe/frameworks/service/placement"
	"troupe/frameworks/service/rollout"
)

// service is an app with what has become of it.
type service struct {
	id        app.Path
	app       *app.App // as the root has it; what it was, if gone
	gone      bool
	versions  []*app.App  // that are kept, oldest first
	instances []*instance // oldest first
	ages      int
	tally     rollout.Tally
	recipes   [2]recipe    // of app, and of what it was before its turn in a deployment
	deployer  *deployment  // that changes it; nil: none
	turn      turn         // of the deployer's action on it
	action    rollout.Kind // that is at work
	fate      fate
	delayed   alarm
	queue     *line // of what waits to be launched; nil: nothing does
	readiness map[string]Readiness
	m         *Machine
	touched   bool
	listed    bool // among those that wait for offers
}

// turn says how far the action of a deployment on an app is.
type turn int

const (
	later turn = iota // it is not its turn yet: it stays what it was
	atWork
	over
)

// recipe is an app made ready to be placed, or why it cannot be.
type recipe struct {
	of     *app.App
	is     *placement.Recipe
	err    error
	spread *match.Spread // where instances are; nil: not counted yet
	fleet  int           // the agents that spread was made with
}

// service finds an app, and makes it known.
func (m *Machine) service(id app.Path) *service {
	s := m.services[id]
	if s == nil {
		s = &service{id: id, m: m, gone: true}
		s.delayed.ring = s.touch
		m.services[id] = s
	}
	return s
}

// all are the services, in order.
func (m *Machine) all() []*service {
	list := make([]*service, 0, len(m.services))
	for _, id := range slices.Sorted(maps.Keys(m.services)) {
		list = append(list, m.services[id])
	}
	return list
}

// version finds one that is kept.
func (s *service) version(v app.Version) *app.App {
	for _, a := range slices.Backward(s.versions) {
		if a.Version == v {
			return a
		}
	}
	return nil
}

// touch has the machine see what is to be done for the app, in this step.
func (s *service) touch() {
	if !s.touched {
		s.touched = true
		s.m.dirty.touched = append(s.m.dirty.touched, s)
	}
}

// changed has the read side told, of an instance that is another too.
func (s *service) changed(i *instance) {
	if i != nil {
		i.snap = nil
	}
	s.m.dirty.view(s)
}

// soon is how late something is shown that changes often.
const soon = 200 * time.Millisecond

// stale is for what changes often: it is shown soon.
func (s *service) stale(i *instance) {
	if i != nil {
		i.snap = nil
	}
	if s.m.dirty.later(s) {
		s.m.alarms.set(&s.m.dirty.alarm, s.m.now.Add(soon))
	}
}

// become makes another version the one of the root.
func (s *service) become(a *app.App) {
	old, was := s.app, s.gone
	s.app, s.gone = a, false
	if s.version(a.Version) == nil {
		s.versions = append(s.versions, a)
		s.m.dirty.versions = append(s.m.dirty.versions, a)
	}
	s.changed(nil)
	s.touch()
	if was || old.History.LastConfig != a.History.LastConfig {
		s.fate.Wait, s.fate.Until = 0, time.Time{}
		s.m.alarms.set(&s.delayed, time.Time{})
		s.m.dirty.fates[s.id] = s
	}
	s.recount()
	s.m.reprobe(s)
}

// leave is the app going out of the root.
func (s *service) leave() {
	s.gone = true
	s.recount()
	s.m.reprobe(s)
	s.changed(nil)
	s.touch()
}

func (s *service) recount() {
	for _, i := range s.instances {
		i.count()
	}
}

// before is what the app is until its turn in a deployment comes; nil for a new
// one.
func (s *service) before() *app.App {
	if s.deployer == nil {
		return nil
	}
	return s.deployer.from[s.id]
}

// suspended are instances that wait for their reserved resources.
func (s *service) suspended() int {
	n := 0
	if s.app.Resident() {
		for _, i := range s.instances {
			if i.waits() {
				n++
			}
		}
	}
	return n
}

// prepared is an app of the service made ready to be placed.
func (s *service) prepared(a *app.App, which int) *recipe {
	r := &s.recipes[which]
	if r.of != a {
		*r = recipe{of: a}
		r.is, r.err = placement.Prepare(a, s.m.options.Placement)
	}
	return r
}

// moved is when instances are elsewhere than they were, or fewer.
func (s *service) moved() {
	for n := range s.recipes {
		s.recipes[n].spread = nil
	}
}

// trim drops versions that nobody needs any more.
func (s *service) trim() {
	excess := len(s.versions) - s.m.options.Versions
	if excess <= 0 {
		return
	}
	s.versions = slices.DeleteFunc(s.versions, func(a *app.App) bool {
		if excess <= 0 || s.needs(a) {
			return false
		}
		excess--
		s.m.dirty.dropped = append(s.m.dirty.dropped, a)
		return true
	})
}

// needs tells whether a root, an instance or a deployment is of a version.
func (s *service) needs(a *app.App) bool {
	if a == s.app && !s.gone || s.deployer != nil && s.deployer.from[s.id] == a {
		return true
	}
	return slices.ContainsFunc(s.instances, func(i *instance) bool { return i.spec == a }) ||
		slices.ContainsFunc(s.m.roots, func(r *app.Group) bool { return r.App(s.id) == a })
}

// bury forgets an app that is in no root any more, of which nothing is left.
func (m *Machine) bury(s *service) {
	if !s.gone || len(s.instances) > 0 || s.deployer != nil ||
		slices.ContainsFunc(m.roots, func(r *app.Group) bool { return r.App(s.id) != nil }) {
		return
	}
	m.dirty.dropped = append(m.dirty.dropped, s.versions...)
	s.versions = nil
	if s.fate != (fate{}) {
		s.fate = fate{}
		m.dirty.fates[s.id] = s
	}
	m.alarms.set(&s.delayed, time.Time{})
	delete(m.services, s.id)
}
