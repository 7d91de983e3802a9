package state

import (
	"errors"
	"fmt"
	"slices"

	"troupe/frameworks/service/app"
	"troupe/frameworks/service/rollout"
)

func (m *Machine) update(in Update) {
	at := m.next()
	a := Answer{Request: in.Request, Version: at}
	next, err := m.edited(in, at)
	if err == nil {
		err = m.deploy(&a, next, terms{force: in.Force, dry: in.DryRun})
	}
	m.answer(a, err)
}

// next is the version of a change that comes now.
func (m *Machine) next() app.Version {
	m.last = app.Next(m.now, max(m.last, m.root().Version))
	return m.last
}

// edited is the root that an update wants.
func (m *Machine) edited(in Update, at app.Version) (*app.Group, error) {
	next, err := in.Edit(m.root(), at)
	if err != nil {
		return nil, err
	}
	if next == nil || next.ID != app.Root {
		return nil, errors.New("update: what Edit returned is no root")
	}
	t := stamper{at: at, first: m.options.FirstPort, last: m.options.LastPort, root: next}
	if next, err = t.group(m.root(), next); err != nil {
		return nil, err
	}
	if next == m.root() {
		return next, nil
	}
	return next, next.Structure(m.options.Rules).Err()
}

// answer answers a request, once what it did is durable and published.
func (m *Machine) answer(a Answer, err error) {
	if err != nil {
		a = Answer{Request: a.Request, Err: err}
	}
	m.out.answers = append(m.out.answers, a)
}

// terms are how a deployment is begun.
type terms struct {
	force, dry bool
	back       bool   // it takes another one back
	reason     string // of the end of those in the way; "" is this one
}

// deploy begins to make next of the root, unless that is only asked for. The error
// is that others are in the way; then nothing has happened.
func (m *Machine) deploy(a *Answer, next *app.Group, t terms) error {
	plan, err := rollout.New(m.root(), next, m.leftBehind)
	if err != nil {
		return err
	}
	var locked []*deployment
	for _, d := range m.deployments {
		if slices.ContainsFunc(plan.Affected, d.plan.Touches) {
			locked = append(locked, d)
		}
	}
	if len(locked) > 0 && !t.force {
		e := &LockedError{}
		for _, d := range locked {
			e.Deployments = append(e.Deployments, d.ID)
		}
		return e
	}
	a.Plan = plan
	if t.dry {
		return nil
	}
	if len(m.deployments)-len(locked) >= m.options.Deployments {
		return &RefusedError{fmt.Sprintf("%d deployments are running, no more can begin", len(m.deployments))}
	}
	a.Deployment = m.dice.deployment()
	orElse(&t.reason, "ended by deployment "+a.Deployment)
	for _, d := range locked {
		m.close(d, t.reason)
	}
	m.become(next)
	m.begin(a.Deployment, a.Version, plan, t.back)
	return nil
}

// leftBehind tells whether a deployment that was ended has left instances of
// earlier versions.
func (m *Machine) leftBehind(id app.Path) bool {
	s := m.services[id]
	return s != nil && !s.gone && s.tally.Old.Total() > 0
}

func (m *Machine) restart(in Restart) {
	a := Answer{Request: in.Request, Version: m.next()}
	next := m.root()
	for _, id := range in.Apps {
		old := m.root().App(id)
		if old == nil {
			m.answer(a, &NotFoundError{"app", string(id)})
			return
		}
		next = next.With(app.Restarted(old, a.Version))
	}
	m.answer(a, m.deploy(&a, next, terms{force: in.Force}))
}

// killTasks ends tasks. With Scale that is a deployment, and those that are named
// are the ones that go.
func (m *Machine) killTasks(in KillTasks) {
	a := Answer{Request: in.Request, Version: m.root().Version}
	var found []*instance
	fewer := map[app.Path]int{}
	for _, id := range in.Tasks {
		i := m.tasks[id]
		if i == nil || slices.Contains(found, i) {
			continue
		}
		found = append(found, i)
		a.Instances = append(a.Instances, i.show())
		if !i.Ending && !i.Away && !i.waits() && !i.of.gone {
			fewer[i.of.id]++
		}
	}
	if in.Scale && len(fewer) > 0 {
		a.Version = m.next()
		if err := m.deploy(&a, m.scaledDown(fewer, a.Version), terms{force: in.Force}); err != nil {
			m.answer(a, err)
			return
		}
	}
	for _, i := range found {
		m.killOne(i, in.Wipe)
	}
	m.answer(a, nil)
}

func (m *Machine) scaledDown(fewer map[app.Path]int, at app.Version) *app.Group {
	next := m.root()
	for _, s := range m.all() {
		if n := fewer[s.id]; n > 0 {
			less := s.app.Clone()
			less.Instances = max(less.Instances-n, 0)
			next = next.With(app.Stamp(s.app, less, at))
		}
	}
	return next
}

// killOne ends what somebody has named; with wipe what is reserved for it is freed
// afterwards.
func (m *Machine) killOne(i *instance, wipe bool) {
	if wipe && i.held != nil {
		i.wiped = true
		m.dirty.instances[i.ID] = i
	}
	if i.waits() {
		if i.wiped {
			m.forget(i)
		}
		return
	}
	m.end(i)
}

func (m *Machine) resetDelay(in ResetDelay) {
	s := m.services[in.App]
	if s == nil || s.gone {
		m.answer(Answer{Request: in.Request}, &NotFoundError{"app", string(in.App)})
		return
	}
	s.undelay()
	m.answer(Answer{Request: in.Request, Version: m.root().Version}, nil)
}
