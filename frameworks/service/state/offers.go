package state

import (
	"slices"
	"time"

	"troupe/frameworks/match"
	"troupe/frameworks/service/app"
	"troupe/frameworks/service/placement"
	"troupe/messages/mesos"
)

// appetite is which offers are asked for.
type appetite struct {
	connected  bool
	suppressed bool
	more       bool // something waits that did not when offers were last asked for
	owed       int  // agents on which something is to be freed
	waiting    []*service
	turn       int // the place in waiting of who is looked at first next time
	round      int // of offers
	fleet      int // counts the changes of what agents there are
	asked      time.Time
	idle       time.Time // since when nothing waits
	alarm      alarm
	everywhere int // apps that are to be on all agents, which are heard of by offers
	follower   alarm
}

// linger is how long offers still come when nothing waits any more: in a rollout
// the next instance waits soon.
const linger = 10 * time.Second

// again is when offers are asked for once more, as long as something waits.
const again = 30 * time.Second

func (a *appetite) add(s *service) {
	if !s.listed {
		s.listed = true
		a.waiting = append(a.waiting, s)
	}
}

// hungry tells whether anything waits. Those that do not any more are dropped by
// the way, up to the first that does.
func (a *appetite) hungry(now time.Time) bool {
	for len(a.waiting) > 0 {
		s := a.waiting[0]
		if s.waits(now) {
			return true
		}
		s.listed = false
		a.waiting = a.waiting[1:]
	}
	return false
}

// trim drops those that wait no more.
func (a *appetite) trim(now time.Time) {
	a.waiting = slices.DeleteFunc(a.waiting, func(s *service) bool {
		if s.waits(now) {
			return false
		}
		s.listed = false
		return true
	})
}

// waits tells whether something of an app may be launched now.
func (s *service) waits(now time.Time) bool {
	return s.queue != nil && !s.fate.Until.After(now)
}

// ask asks for offers, or for no more.
func (m *Machine) ask() {
	a := &m.appetite
	if !a.connected {
		return
	}
	if a.owed == 0 && !a.hungry(m.now) {
		m.rest()
		return
	}
	a.idle = time.Time{}
	due := a.asked.Add(again)
	if a.suppressed || a.more {
		due = a.asked.Add(m.options.ReviveEvery)
	}
	if m.now.Before(due) {
		m.alarms.set(&a.alarm, due)
		return
	}
	m.out.reveal(Revive{})
	a.suppressed, a.more, a.asked = false, false, m.now
	m.alarms.set(&a.alarm, m.now.Add(again))
}

// rest asks for no more offers when for a while nothing has waited.
func (m *Machine) rest() {
	a := &m.appetite
	switch {
	case a.suppressed, a.everywhere > 0:
	case a.idle.IsZero():
		a.idle = m.now
		m.alarms.set(&a.alarm, m.now.Add(linger))
	case !m.now.Before(a.idle.Add(linger)):
		a.suppressed = true
		m.alarms.set(&a.alarm, time.Time{})
		m.out.reveal(Suppress{})
	default:
		m.alarms.set(&a.alarm, a.idle.Add(linger))
	}
}

// mostTries is how many apps are tried on one offer.
const mostTries = 500

func (m *Machine) onOffers(in Offers) {
	m.appetite.round++
	for _, o := range in.Offers { // so that GROUP_BY knows all of them before the first is used
		m.meet(o.GetAgentId().GetValue(), match.HostOf(o))
	}
	for _, o := range in.Offers {
		m.settle() // what the offer before it has changed
		m.onOffer(o)
	}
}

// onOffer launches what it can on an offer, and gives the rest back.
func (m *Machine) onOffer(o *mesos.Offer) {
	g, err := placement.Open(o)
	if err != nil { // what is malformed is of no use
		m.decline(o)
		return
	}
	m.repay(o.GetAgentId().GetValue(), len(g.Release(m.keeps)) > 0)
	a := &m.appetite
	a.trim(m.now)
	n := len(a.waiting)
	for at := range min(n, mostTries) {
		if g.Tasks() >= m.options.PerOffer {
			break
		}
		m.fill(g, a.waiting[(a.turn+at)%n])
	}
	if n > 0 {
		a.turn = (a.turn + 1) % n
	}
	if len(g.Operations()) == 0 {
		m.decline(o)
		return
	}
	m.out.reveal(Accept{o, g.Operations()})
}

// decline gives an offer back for long: what waits later asks for all of them.
func (m *Machine) decline(o *mesos.Offer) { m.out.atOnce(Decline{o, m.options.Declined}) }

// keeps tells whether what is reserved for an instance is still of use.
func (m *Machine) keeps(id string) bool {
	of, err := placement.AppOf(id)
	if err != nil {
		return true // not one of ours
	}
	s := m.services[of]
	return s != nil && slices.ContainsFunc(s.instances, func(i *instance) bool { return i.ID == id })
}

// fill places instances of an app on an offer, until there is enough of them or no
// room.
func (m *Machine) fill(g *placement.Ground, s *service) {
	q := s.queue
	if q == nil {
		return
	}
	if q.before > 0 {
		for q.before > 0 && g.Tasks() < m.options.PerOffer && m.place(g, s, q.goal.before, 1) {
			q.before--
		}
	}
	for q.start > 0 && g.Tasks() < m.options.PerOffer && m.place(g, s, q.goal.start, 0) {
		q.start--
	}
}

// place launches one instance if there is room for it: one that waits on this
// agent, or a new one if there are fewer that wait than are wanted.
func (m *Machine) place(g *placement.Ground, s *service, of *app.App, which int) bool {
	r := s.prepared(of, which)
	if r.err != nil {
		return false
	}
	at := placement.Attempt{Now: m.now, Chance: m.dice.number()}
	var back *instance
	if of.Resident() {
		agent := g.Offer().GetAgentId().GetValue()
		at := slices.IndexFunc(s.instances, func(i *instance) bool { return i.waits() && i.Agent == agent })
		switch {
		case at >= 0:
			back = s.instances[at]
		case s.suspended() >= s.queue.start+s.queue.before:
			return false // the offer is none of those that are waited for
		}
	}
	if back != nil {
		at.ID, at.Task, at.Held = back.ID, back.taskID(), back.held
	} else {
		at.ID = m.dice.instance(s.id)
		at.Task = at.ID
	}
	if rules := r.is.Constraints(); len(rules) > 0 {
		at.Spread = m.spread(s, r)
	}
	placed, no := r.is.Place(g, at)
	s.sawOffer(m, g.Offer(), no)
	if no != nil {
		return false
	}
	s.recipes[1-which].spread = nil
	m.launch(s, of, back, at, placed, g.Offer())
	return true
}

// spread counts where the instances of an app are.
func (m *Machine) spread(s *service, r *recipe) *match.Spread {
	if r.spread == nil || r.fleet != m.appetite.fleet {
		var placed, fleet []match.Host
		for _, i := range s.instances {
			if !i.waits() && !i.Away {
				placed = append(placed, i.Host)
			}
		}
		for _, id := range m.agentIDs() {
			fleet = append(fleet, m.agents[id].host)
		}
		r.spread, r.fleet = r.is.Constraints().Spread(placed, fleet), m.appetite.fleet
	}
	return r.spread
}

// launch makes a placed instance known; what it was placed with follows when that
// is durable.
func (m *Machine) launch(s *service, of *app.App, back *instance, at placement.Attempt, p *placement.Placed, o *mesos.Offer) {
	i := back
	if i == nil {
		i = &instance{Instance: Instance{ID: at.ID, App: s.id}, of: s}
	} else {
		delete(m.tasks, i.key())
	}
	i.Task, i.spec, i.Version, i.Config = at.Task, of, of.Version, of.History.LastConfig
	i.State, i.Message = mesos.TaskState_TASK_STAGING, ""
	i.Staged, i.Started, i.Unreachable = m.now, time.Time{}, time.Time{}
	i.Ending, i.Away, i.ill, i.Health, i.Check = false, false, false, nil, nil
	i.Ready = s.turn != atWork || s.deployer == nil || len(i.current().Checks.Readiness) == 0
	i.held = p.Reservation
	i.Place = Place{Agent: o.GetAgentId().GetValue(), Host: p.Host, Role: o.GetAllocationInfo().GetRole(), Ports: p.Ports}
	if i.held != nil {
		for _, v := range i.held.Volumes {
			i.Volumes = append(i.Volumes, Volume(v))
		}
	}
	i.runs++
	if back == nil {
		m.join(i)
	} else {
		m.tasks[i.key()] = i
		m.dirty.instances[i.ID] = i
		i.count()
	}
	m.alarms.set(&i.ring, m.now.Add(m.options.LaunchTimeout))
	m.tell(i)
}

// sawOffer keeps what became of an offer, for those who ask why nothing runs.
func (s *service) sawOffer(m *Machine, o *mesos.Offer, no placement.Refusal) {
	q := s.queue
	if q.round != m.appetite.round {
		q.round, q.lastDeclined, q.lastProcessed = m.appetite.round, map[string]int{}, 0
	}
	q.processed++
	q.lastProcessed++
	if no == nil {
		q.lastUsed = m.now
		return
	}
	q.unused++
	q.lastUnused = m.now
	reasons := no.Reasons()
	q.declined[reasons[0]]++
	q.lastDeclined[reasons[0]]++
	if len(q.refusals) >= mostRefusals {
		q.refusals = q.refusals[1:]
	}
	q.refusals = append(q.refusals[:len(q.refusals):len(q.refusals)], Refusal{o, reasons, m.now})
	q.why = "an offer of " + o.GetHostname() + " is not used: " + no.String()
	s.stale(nil)
}

// mostRefusals are kept for each app that waits.
const mostRefusals = 5
