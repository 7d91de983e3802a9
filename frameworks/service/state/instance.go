package state

import (
	"fmt"
	"slices"
	"time"

	"troupe/frameworks/match"
	"troupe/frameworks/service/app"
	"troupe/frameworks/service/placement"
	"troupe/frameworks/service/rollout"
	"troupe/messages/mesos"
)

// instance is one with what only the machine knows of it.
type instance struct {
	Instance
	of    *service
	spec  *app.App // that its task was launched from
	held  *placement.Reservation
	runs  int // tasks it has had, of one that has one after the other
	wiped bool
	lived bool // a task of it has run: it may have data
	ill   bool // ending because it was
	age   int  // smaller is older
	ring  alarm

	counted bool // in its service's tally, as:
	ending  bool
	old     bool
	class   rollout.Class
	judged  *app.App    // whose checks Health is of; nil: there is none
	probed  StartProbes // without its instance; zero: nothing is
	snap    *Instance   // as it was last shown; nil if it has changed
}

// waits tells whether it is only there for its volumes.
func (i *instance) waits() bool { return i.Task == "" }

// key is what it is found by.
func (i *instance) key() string {
	if i.waits() {
		return i.ID
	}
	return i.Task
}

// taskID is the id of the next task: the first one is called like the instance.
func (i *instance) taskID() string {
	if i.runs == 0 {
		return i.ID
	}
	return fmt.Sprintf("%s-%d", i.ID, i.runs+1)
}

// running tells whether its task is known to run; one that is cut off may.
func (i *instance) running() bool {
	return i.State == mesos.TaskState_TASK_RUNNING && i.Unreachable.IsZero()
}

// classify says what it is good for.
func (i *instance) classify() rollout.Class {
	switch {
	case !i.Unreachable.IsZero():
		return rollout.Cut
	case !i.running():
		return rollout.Failing
	}
	if n := len(i.checks()); n > 0 {
		known := 0
		for _, h := range i.Health {
			switch {
			case h == (Health{}):
			case !h.Alive():
				return rollout.Failing
			default:
				known++
			}
		}
		if known < n {
			return rollout.Unsure
		}
	}
	if !i.Ready && !i.outdated() && len(i.of.app.Checks.Readiness) > 0 {
		return rollout.Unsure
	}
	return rollout.Ready
}

func (i *instance) outdated() bool {
	return i.of.gone || i.Config != i.of.app.History.LastConfig
}

// current is the app whose checks and policies count for it: the one of now, as
// long as that has the same configuration.
func (i *instance) current() *app.App {
	if i.outdated() {
		return i.spec
	}
	return i.of.app
}

func (i *instance) checks() []app.HealthCheck { return i.current().Checks.Health }

// crowded is how many instances make an app's view so large that what becomes of
// each of them is not shown at once, but soon.
const crowded = 500

// count brings the tally of its service up to date with what it is now. It is
// called after every change of an instance.
func (i *instance) count() {
	i.uncount()
	s := i.of
	s.touch()
	if len(s.instances) < crowded {
		s.changed(i)
	} else {
		s.stale(i)
	}
	if i.waits() || i.Away {
		return
	}
	if i.Ending {
		// One that is cut off cannot be ended, and nobody waits for it; but for
		// apps of which there are never two.
		if !i.Unreachable.IsZero() && !i.spec.Single() {
			return
		}
		i.counted, i.ending = true, true
		s.tally.Ending++
		return
	}
	i.counted, i.ending = true, false
	i.old, i.class = i.outdated(), i.classify()
	if i.old {
		s.tally.Old[i.class]++
	} else {
		s.tally.New[i.class]++
	}
}

func (i *instance) uncount() {
	if !i.counted {
		return
	}
	i.counted = false
	switch {
	case i.ending:
		i.of.tally.Ending--
	case i.old:
		i.of.tally.Old[i.class]--
	default:
		i.of.tally.New[i.class]--
	}
}

// show is the instance for the read side.
func (i *instance) show() *Instance {
	if i.snap == nil {
		shown := i.Instance
		shown.Outdated = i.outdated()
		shown.Health = slices.Clone(i.Health)
		i.snap = &shown
	}
	return i.snap
}

// agent is one that was offered or has instances.
type agent struct {
	host      match.Host
	instances int       // that are there
	owed      time.Time // since when something may be reserved there for nobody; zero: it is not
	stored    bool      // there is a record of it
	lost      bool      // until it is offered again
}

// meet keeps what is known of the agent of an offer.
func (m *Machine) meet(id string, h match.Host) *agent {
	a := m.agents[id]
	if a == nil {
		a = &agent{}
		m.agents[id] = a
	}
	if a.lost || !sameHost(a.host, h) {
		a.lost = false
		a.host = h
		m.appetite.fleet++
		m.follow()
		if a.stored {
			m.dirty.agents[id] = true
		}
	}
	return a
}

func sameHost(a, b match.Host) bool {
	return a.Hostname == b.Hostname && a.Region == b.Region && a.Zone == b.Zone &&
		slices.EqualFunc(a.Attributes, b.Attributes, func(a, b *mesos.Attribute) bool { return a == b || a.String() == b.String() })
}

// stays counts an instance on its agent, or no more.
func (m *Machine) stays(i *instance, by int) {
	if a := m.agents[i.Agent]; a != nil {
		a.instances += by
		m.keepAgent(i.Agent, a)
	}
}

// keepAgent has an agent be kept as long as something of it is needed.
func (m *Machine) keepAgent(id string, a *agent) {
	if needed := a.instances > 0 || !a.owed.IsZero(); needed != a.stored {
		a.stored = needed
		m.dirty.agents[id] = true
	}
}

// owe has what is reserved on an agent for an instance that is no more be freed,
// as soon as it is offered.
func (m *Machine) owe(id string) { m.setOwed(id, m.now) }

// repay is after an offer of an agent: when nothing has been found to be freed for
// a while, there is nothing.
func (m *Machine) repay(id string, found bool) {
	a := m.agents[id]
	switch {
	case a.owed.IsZero() && !found:
	case found:
		m.setOwed(id, m.now)
	case m.now.Sub(a.owed) >= settled:
		m.setOwed(id, time.Time{})
	}
}

// settled is how long an offer may be on its way.
const settled = 15 * time.Second

func (m *Machine) setOwed(id string, at time.Time) {
	a := m.agents[id]
	if a == nil {
		return
	}
	if was := a.owed; was.IsZero() != at.IsZero() {
		m.dirty.agents[id] = true
		if m.appetite.owed--; was.IsZero() {
			m.appetite.owed += 2
		}
	}
	a.owed = at
	m.keepAgent(id, a)
}

// onLost forgets an agent that is gone, and asks what became of its tasks.
func (m *Machine) onLost(id string) {
	a := m.agents[id]
	if a == nil {
		return
	}
	m.setOwed(id, time.Time{})
	a.lost = true
	m.follow()
	if a.instances == 0 {
		delete(m.agents, id)
		m.appetite.fleet++
		return
	}
	for _, s := range m.all() {
		for _, i := range s.instances {
			if i.Agent == id && !i.waits() {
				m.out.reveal(Watch{i.Task, id})
			}
		}
	}
}

// join makes an instance known. It is durable before what is revealed after it.
func (m *Machine) join(i *instance) {
	s := i.of
	if i.age == 0 {
		i.age = s.ages + 1
	}
	s.ages = max(s.ages, i.age)
	s.instances = append(s.instances, i)
	m.tasks[i.key()] = i
	m.stays(i, 1)
	m.dirty.instances[i.ID] = i
	i.ring.ring = func() { m.onInstanceAlarm(i) }
	i.count()
}

// forget takes an instance out for good.
func (m *Machine) forget(i *instance) {
	s := i.of
	i.uncount()
	m.alarms.set(&i.ring, time.Time{})
	delete(m.tasks, i.key())
	s.instances = slices.DeleteFunc(s.instances, func(other *instance) bool { return other == i })
	if i.held != nil {
		m.owe(i.Agent)
	}
	m.stays(i, -1)
	m.dirty.instances[i.ID] = nil
	s.moved()
	s.touch()
	s.changed(nil)
	if s.gone && len(s.instances) == 0 {
		m.out.reveal(Event{Occasion: AppTerminated, At: m.now, App: s.id})
		m.bury(s)
	}
}

// end asks for the end of a task. It is durable before the cluster hears of it, so
// that another life ends no other one in its place.
func (m *Machine) end(i *instance) {
	if i.Ending || i.waits() {
		return
	}
	i.Ending = true
	m.dirty.instances[i.ID] = i
	m.out.reveal(KillTask{i.Task, i.Agent, i.current().Kill.Grace})
	m.unprobe(i)
	i.count()
}
