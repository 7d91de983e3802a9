package state

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"troupe/frameworks/service/app"
	"troupe/frameworks/service/rollout"
	"troupe/frameworks/service/wire"
)

// loading is what records say, before it is put together.
type loading struct {
	m         *Machine
	base      map[app.Path]app.Version
	groups    map[app.Path]*groupRecord
	roots     map[app.Version]*rootRecord
	instances map[string]*instanceRecord
}

// load makes of records what was before.
func (m *Machine) load(records []Change) error {
	l := loading{
		m: m, base: map[app.Path]app.Version{}, groups: map[app.Path]*groupRecord{},
		roots: map[app.Version]*rootRecord{}, instances: map[string]*instanceRecord{},
	}
	for _, c := range records {
		if err := l.read(c); err != nil {
			return fmt.Errorf("record %s: %w", c.Key, err)
		}
	}
	if err := l.putTogether(); err != nil {
		return err
	}
	m.goOn()
	return nil
}

func (l *loading) read(c Change) error {
	kind, name, _ := strings.Cut(c.Key, "/")
	switch kind + "/" {
	case agentKey:
		var r agentRecord
		if err := json.Unmarshal(c.Value, &r); err != nil {
			return err
		}
		a, err := r.agent()
		l.m.agents[name] = a
		l.m.setOwed(name, r.Owed)
		return err
	case appKey:
		return l.readApp(name, c.Value)
	case atKey:
		var v app.Version
		err := json.Unmarshal(c.Value, &v)
		l.base[app.Path(name)] = v
		return err
	case deploymentKey:
		d := &deployment{}
		l.m.deployments = append(l.m.deployments, d)
		return json.Unmarshal(c.Value, d)
	case fateKey:
		return json.Unmarshal(c.Value, &l.m.service(app.Path(name)).fate)
	case groupKey:
		l.groups[app.Path(name)] = &groupRecord{}
		return json.Unmarshal(c.Value, l.groups[app.Path(name)])
	case instanceKey:
		l.instances[name] = &instanceRecord{}
		return json.Unmarshal(c.Value, l.instances[name])
	case rootKey:
		v, err := strconv.ParseInt(name, 10, 64)
		if err != nil {
			return err
		}
		l.roots[app.Version(v)] = &rootRecord{}
		return json.Unmarshal(c.Value, l.roots[app.Version(v)])
	}
	return errors.New("nobody knows records of this kind")
}

func (l *loading) readApp(name string, value []byte) error {
	id, v, err := cutVersion(name)
	if err != nil {
		return err
	}
	a, err := wire.ReadStored(value)
	switch {
	case err != nil:
		return err
	case a.ID != id || a.Version != v:
		return fmt.Errorf("is app %s of version %s", a.ID, a.Version)
	}
	s := l.m.service(id)
	s.versions = append(s.versions, a)
	s.app = a
	return nil
}

func (l *loading) putTogether() error {
	for _, s := range l.m.all() {
		slices.SortFunc(s.versions, func(a, b *app.App) int { return int(a.Version - b.Version) })
		if len(s.versions) == 0 {
			return fmt.Errorf("record %s%s: there is no such app", fateKey, s.id)
		}
		s.app = s.versions[len(s.versions)-1]
	}
	if err := l.makeRoots(); err != nil {
		return err
	}
	for a := range l.m.root().All() {
		s := l.m.services[a.ID]
		s.app, s.gone = a, false
	}
	if err := l.makeDeployments(); err != nil {
		return err
	}
	l.m.follow()
	return l.makeInstances()
}

// makeRoots builds the oldest root, and from it those after it.
func (l *loading) makeRoots() error {
	root, err := l.changed(app.NewRoot(), &rootRecord{l.base, l.groups})
	if err != nil {
		return err
	}
	l.m.roots = []*app.Group{root}
	for _, v := range slices.Sorted(maps.Keys(l.roots)) {
		if root, err = l.changed(root, l.roots[v]); err != nil {
			return fmt.Errorf("record %s: %w", rootVersionKey(v), err)
		}
		l.m.roots = append(l.m.roots, root)
	}
	l.m.last = root.Version
	return nil
}

// changed is a root after a change.
func (l *loading) changed(root *app.Group, r *rootRecord) (*app.Group, error) {
	for _, id := range slices.Sorted(maps.Keys(r.Apps)) {
		if !clean(id) || id == app.Root {
			return nil, fmt.Errorf("%q is no path of an app", id)
		}
		v := r.Apps[id]
		if v == 0 {
			root = root.Without(id, root.Version)
			continue
		}
		a := l.m.service(id).version(v)
		if a == nil {
			return nil, fmt.Errorf("app %s has no version %s", id, v)
		}
		root = root.With(a)
	}
	for _, id := range slices.Sorted(maps.Keys(r.Groups)) { // groups come before those in them
		if !clean(id) {
			return nil, fmt.Errorf("%q is no path", id)
		}
		g := r.Groups[id]
		if g == nil {
			root = root.WithoutGroup(id, root.Version)
			continue
		}
		is := app.Group{ID: id}
		if was := root.Group(id); was != nil {
			is = *was
		}
		is.Version, is.Dependencies, is.EnforceRole = g.Version, g.Dependencies, g.EnforceRole
		root = root.Put(&is)
	}
	return root, nil
}

// clean tells whether id is a path as ParsePath makes them.
func clean(id app.Path) bool {
	p, err := app.ParsePath(string(id), app.Root)
	return err == nil && p == id
}

// makeDeployments has each be what it was, from the root as it is.
func (l *loading) makeDeployments() error {
	for _, d := range l.m.deployments {
		if err := l.makeDeployment(d); err != nil {
			return fmt.Errorf("record %s%s: %w", deploymentKey, d.ID, err)
		}
	}
	slices.SortStableFunc(l.m.deployments, func(a, b *deployment) int { return int(a.Version - b.Version) })
	return nil
}

func (l *loading) makeDeployment(d *deployment) error {
	if err := l.checkDeployment(d); err != nil {
		return err
	}
	target := l.m.root()
	original := target
	d.from = map[app.Path]*app.App{}
	for _, c := range d.Groups {
		if c.Old == nil {
			continue
		}
		g := app.Group{ID: c.ID}
		if was := original.Group(c.ID); was != nil {
			g = *was
		}
		g.Version, g.Dependencies, g.EnforceRole = c.Old.Version, c.Old.Dependencies, c.Old.EnforceRole
		original = original.Put(&g)
	}
	plan := &rollout.Plan{Target: target, Steps: d.Steps}
	for _, c := range d.Apps {
		plan.Affected = append(plan.Affected, c.ID)
		if c.Old == 0 {
			original = original.Without(c.ID, original.Version)
			continue
		}
		old := l.m.service(c.ID).version(c.Old)
		if old == nil {
			return fmt.Errorf("app %s has no version %s", c.ID, c.Old)
		}
		d.from[c.ID] = old
		original = original.With(old)
	}
	for _, c := range slices.Backward(d.Groups) {
		if g := original.Group(c.ID); c.Old == nil && g != nil && len(g.Apps)+len(g.Groups) == 0 {
			original = original.WithoutGroup(c.ID, original.Version)
		}
	}
	plan.Original, d.plan = original, plan
	return nil
}

// checkDeployment tells whether a deployment is about apps that there are.
func (l *loading) checkDeployment(d *deployment) error {
	if d.Step < 0 || d.Step > len(d.Steps) {
		return fmt.Errorf("step %d of %d", d.Step, len(d.Steps))
	}
	for _, c := range d.Groups {
		if !clean(c.ID) {
			return fmt.Errorf("%q is no path", c.ID)
		}
	}
	affected := map[app.Path]bool{}
	for _, c := range d.Apps {
		if s := l.m.services[c.ID]; s == nil || s.app == nil {
			return fmt.Errorf("there is no app %q", c.ID)
		}
		affected[c.ID] = true
	}
	for _, step := range d.Steps {
		for _, a := range step {
			if !affected[a.App] {
				return fmt.Errorf("app %q is in a step, and not affected", a.App)
			}
		}
	}
	return nil
}

func (l *loading) makeInstances() error {
	for _, id := range slices.SortedFunc(maps.Keys(l.instances), func(a, b string) int {
		x, y := l.instances[a], l.instances[b]
		return cmp.Or(cmp.Compare(x.Age, y.Age), strings.Compare(a, b))
	}) {
		r := l.instances[id]
		i := r.instance(id)
		i.of = l.m.service(r.App)
		if i.spec = i.of.version(r.Version); i.spec == nil {
			return fmt.Errorf("record %s%s: app %s has no version %s", instanceKey, id, r.App, r.Version)
		}
		i.Config = i.spec.History.LastConfig
		if l.m.agents[i.Agent] == nil {
			l.m.agents[i.Agent] = &agent{}
		}
		i.Host = l.m.agents[i.Agent].host
		l.m.join(i)
	}
	return nil
}

// goOn takes up what was going on: every task that may be there is watched, those
// that were to end are to end, and deployments go on where they were.
func (m *Machine) goOn() {
	for _, d := range m.deployments {
		m.adopt(d)
		for n, step := range d.Steps {
			for _, a := range step {
				s := m.services[a.App]
				switch {
				case n > d.Step || a.Kind == rollout.Start:
				case n < d.Step:
					s.turn = over
				default: // what was done in this step is found to be so
					s.turn, s.action = atWork, a.Kind
					d.left++
				}
			}
		}
	}
	clear(m.dirty.instances) // all of it was read
	clear(m.dirty.deployments)
	clear(m.dirty.agents)
	for id, a := range m.agents {
		m.keepAgent(id, a)
	}
	for _, s := range m.all() {
		for _, i := range slices.Clone(s.instances) {
			m.goOnWith(i)
		}
		m.alarms.set(&s.delayed, s.fate.Until)
		s.changed(nil)
		s.touch()
		m.bury(s)
	}
	for _, d := range m.deployments {
		m.progress(d)
	}
	m.dirty.root, m.dirty.allDeployments = true, true
}

func (m *Machine) goOnWith(i *instance) {
	if i.waits() {
		return
	}
	m.out.reveal(Watch{i.Task, i.Agent})
	switch {
	case i.Ending:
		m.out.reveal(KillTask{i.Task, i.Agent, i.current().Kill.Grace})
	case !i.Unreachable.IsZero():
		m.onInstanceAlarm(i)
	case i.Started.IsZero():
		m.alarms.set(&i.ring, laterTime(i.Staged.Add(m.options.LaunchTimeout), m.now.Add(time.Second)))
	default:
		m.probe(i)
	}
	i.count()
}

func laterTime(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
