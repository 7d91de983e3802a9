package state

import (
	"fmt"
	"time"

	"troupe/frameworks/match"
	"troupe/frameworks/service/app"
	"troupe/frameworks/service/rollout"
)

// settle does for every app that was touched what is to be done next.
func (m *Machine) settle() {
	for len(m.dirty.touched) > 0 {
		s := m.dirty.touched[0]
		m.dirty.touched = m.dirty.touched[1:]
		s.touched = false
		m.work(s)
	}
}

// goal is what an app is to be like now.
type goal struct {
	limits rollout.Limits
	tally  rollout.Tally
	action rollout.Kind // that is done with it; "" is none
	start  *app.App     // what Want.Start are of
	before *app.App     // what Want.StartOld are of
}

// goal says what the app is to be like: what it was before its turn in a
// deployment, then what the action on it says, and else as many instances as the
// root says, whichever they are.
func (s *service) goal() goal {
	all := rollout.Tally{Ending: s.tally.Ending}
	for c := range all.New {
		all.New[c] = s.tally.New[c] + s.tally.Old[c]
	}
	g := goal{tally: all, start: s.app, before: s.before()}
	held, holds := -1, false
	if s.deployer != nil {
		if s.turn == atWork {
			g.action = s.action
			held, holds = s.deployer.held(s)
		}
		if s.turn == later || holds && held < 0 {
			return g.stay(s)
		}
	}
	switch {
	case s.gone:
		g.limits = rollout.Limits{}
		if holds {
			g.limits.Instances, g.limits.Canaries = held, held // and none is started
		}
	case g.action == rollout.Restart:
		g.tally, g.limits = s.tally, rollout.LimitsOf(s.app)
		if holds {
			g.limits = g.limits.Held(held)
		}
	default:
		g.limits = rollout.LimitsOf(s.app)
		if holds {
			some := s.app.Clone()
			some.Instances = held
			g.limits = rollout.LimitsOf(some)
		}
	}
	return g
}

// stay is the goal of an app whose turn has not come: to be what it was.
func (g goal) stay(s *service) goal {
	g.action = ""
	if g.before == nil {
		g.limits = rollout.Limits{}
		return g
	}
	g.start, g.limits = g.before, rollout.LimitsOf(g.before)
	return g
}

// held is how far the action on an app goes for now: to so many instances of the
// new version. One that cannot have begun stays as it was, at -1.
func (d *deployment) held(s *service) (int, bool) {
	if d.Hold != nil {
		if n, begun := d.Hold[s.id]; begun {
			return n, true
		}
		return -1, true
	}
	if s.gone || s.action != rollout.Restart || !s.replaces() {
		return 0, false
	}
	return d.canaries(s.app)
}

// replaces tells whether the deployment of an app has another configuration than
// it had before, and not only to replace what an earlier one has left behind.
func (s *service) replaces() bool {
	before := s.before()
	return before != nil && before.History.LastConfig != s.app.History.LastConfig
}

// work does for an app what is to be done next.
func (m *Machine) work(s *service) {
	if m.services[s.id] != s {
		return
	}
	g := s.goal()
	w := g.limits.Next(g.tally)
	if w.StartOld > 0 && !s.replaces() {
		// What is replaced is of versions that are not known any more.
		w.Start += max(min(w.StartOld, g.limits.Instances-g.tally.There()-w.Start), 0)
		w.StartOld = 0
	}
	if s.gone && s.app.Resident() {
		m.freeAll(s)
	}
	if w.EndOld > 0 {
		m.endSome(s, w.EndOld, func(i *instance) bool { return i.old })
	}
	if w.EndNew > 0 {
		every := g.action != rollout.Restart
		m.endSome(s, w.EndNew, func(i *instance) bool { return every || !i.old })
	}
	if m.services[s.id] != s {
		return // nothing of it is left
	}
	m.want(s, g, w)
	if g.action == "" {
		return
	}
	m.dirty.waits(m)
	if m.isDone(s, g, w) {
		m.accomplish(s)
	}
}

// isDone tells whether an action on an app is: those that are cut off are not
// waited for when an app stops, nor one that is to have none.
func (m *Machine) isDone(s *service, g goal, w rollout.Want) bool {
	if d := s.deployer; d.Hold != nil {
		return false
	}
	if s.gone || s.app.Instances == 0 {
		return g.tally.There() == 0
	}
	return w.Done
}

// endSome ends n of an app's instances, those of a kind alone.
func (m *Machine) endSome(s *service, n int, of func(*instance) bool) {
	var from []rollout.Candidate
	var who []*instance
	for _, i := range s.instances {
		if !i.counted || i.ending || !of(i) {
			continue
		}
		class := i.class
		if i.old && s.turn != later {
			class -= rollout.Ready + 1 // before those of the version that is wanted
		}
		from = append(from, rollout.Candidate{Class: class, Age: i.age, Host: i.Host})
		who = append(who, i)
	}
	var rules match.Constraints
	if r := s.prepared(s.app, 0); r.is != nil {
		rules = r.is.Constraints()
	}
	for _, at := range rollout.Victims(rules, s.app.Kill.Selection == app.OldestFirst, from, n) {
		m.end(who[at])
	}
}

// freeAll forgets the instances of an app that is gone that are only there for
// their volumes. What was reserved for them is freed when it is offered.
func (m *Machine) freeAll(s *service) {
	for _, i := range append([]*instance(nil), s.instances...) {
		if i.waits() {
			m.forget(i)
		}
	}
}

// line is what of an app waits to be launched.
type line struct {
	start, before int // of goal.start and goal.before
	goal          goal
	since         time.Time
	processed     int
	unused        int
	lastUnused    time.Time
	lastUsed      time.Time
	declined      map[string]int
	round         int // of offers, that lastDeclined is of
	lastDeclined  map[string]int
	lastProcessed int
	refusals      []Refusal
	why           string
}

// want keeps how many instances of an app are to be launched.
func (m *Machine) want(s *service, g goal, w rollout.Want) {
	n := w.Start + w.StartOld
	if n == 0 {
		if s.queue != nil {
			s.queue = nil
			s.changed(nil)
		}
		return
	}
	if s.queue == nil {
		s.queue = &line{since: m.now, declined: map[string]int{}, lastDeclined: map[string]int{}}
	}
	q := s.queue
	if n > q.start+q.before || g.start != q.goal.start {
		m.appetite.more = true
	}
	if w.Start != q.start || w.StartOld != q.before {
		s.changed(nil)
	}
	q.start, q.before, q.goal = w.Start, w.StartOld, g
	if s.fate.Until.After(m.now) {
		m.alarms.set(&s.delayed, s.fate.Until)
		return
	}
	m.appetite.add(s)
}

// why says in words why instances of an app are not launched.
func (s *service) why() string {
	q := s.queue
	switch r := s.recipes[0]; {
	case s.fate.Until.After(s.m.now):
		return fmt.Sprintf("its instances end, so it is launched no earlier than %s", s.fate.Until.Format(time.RFC3339))
	case r.of == q.goal.start && r.err != nil:
		return "it cannot be launched: " + r.err.Error()
	case !s.m.appetite.connected:
		return "the master is out of reach"
	case q.why != "":
		return q.why
	case s.suspended() > 0:
		return "it waits for an offer of what is reserved for it"
	}
	return "it waits for offers"
}
