package state

import (
	"slices"
	"time"

	"troupe/frameworks/service/app"
)

// probe begins the checks of an instance that the framework performs, as far as
// there are any to perform now, and ends others.
func (m *Machine) probe(i *instance) {
	a := i.current()
	p := StartProbes{App: a}
	if i.running() && !i.Ending {
		p.Health = slices.ContainsFunc(a.Checks.Health, func(h app.HealthCheck) bool { return !h.OnAgent() })
		p.Readiness = !i.Ready && len(a.Checks.Readiness) > 0
	}
	if !p.Health && !p.Readiness {
		m.unprobe(i)
		return
	}
	was := i.probed
	same := was.App != nil && was.Health == p.Health && was.Readiness == p.Readiness && sameProbes(was.App, a)
	i.probed = p
	if same {
		return
	}
	p.Instance = i.show()
	m.out.reveal(p)
}

func (m *Machine) unprobe(i *instance) {
	if i.probed != (StartProbes{}) {
		i.probed = StartProbes{}
		m.out.reveal(StopProbes{i.Task})
	}
}

// reprobe goes on with the checks that count for each instance after another
// version has become that of the root. What others found does not count.
func (m *Machine) reprobe(s *service) {
	for _, i := range s.instances {
		if a := i.current(); i.judged != nil && !sameHealth(i.judged, a) {
			i.Health, i.judged = nil, nil
			i.count()
		}
		m.probe(i)
	}
}

func sameHealth(a, b *app.App) bool {
	return a == b || slices.EqualFunc(a.Checks.Health, b.Checks.Health, sameCheck)
}

// sameProbes tells whether the framework performs the same checks for both.
func sameProbes(a, b *app.App) bool {
	return sameHealth(a, b) && slices.EqualFunc(a.Checks.Readiness, b.Checks.Readiness, func(a, b app.Readiness) bool {
		return slices.Equal(a.Codes, b.Codes) && a.Name == b.Name && a.Protocol == b.Protocol && a.Path == b.Path && a.PortName == b.PortName &&
			a.Interval == b.Interval && a.Timeout == b.Timeout && a.Keep == b.Keep
	})
}

func sameCheck(a, b app.HealthCheck) bool {
	same := func(a, b *int) bool { return a == b || a != nil && b != nil && *a == *b }
	ports := same(a.Port, b.Port) && same(a.PortIndex, b.PortIndex)
	a.Port, a.PortIndex, b.Port, b.PortIndex = nil, nil, nil, nil
	return ports && a == b
}

// onProbed takes in what a check of the framework found. Failures do not count
// before the first success, as long as the grace lasts.
func (m *Machine) onProbed(in Probed) {
	i := m.tasks[in.Task]
	if i == nil || !i.running() || i.Ending || in.Check < 0 || in.Check >= len(i.checks()) {
		return
	}
	check := i.checks()[in.Check]
	if check.OnAgent() {
		return
	}
	if !in.Result.Healthy && i.health(in.Check).FirstSuccess.IsZero() && m.now.Sub(i.Started) < check.Grace {
		return
	}
	m.judge(i, in.Check, in.Result)
	if h := i.health(in.Check); check.MaxFailures > 0 && h.Failures >= check.MaxFailures {
		m.out.reveal(Event{Occasion: UnhealthyKilled, At: m.now, App: i.App, Version: i.Version, Instance: i.show(), Reason: h.Cause})
		i.ill = true
		m.end(i)
	}
}

// onAgentHealth takes in what the agent's checks found, which it tells as one.
func (m *Machine) onAgentHealth(i *instance, healthy bool) {
	for n, check := range i.checks() {
		if check.OnAgent() {
			m.judge(i, n, HealthResult{Healthy: healthy, Cause: i.Message})
		}
	}
}

// health is what a check has found so far.
func (i *instance) health(check int) Health {
	if check < len(i.Health) {
		return i.Health[check]
	}
	return Health{}
}

// judge keeps what a check found.
func (m *Machine) judge(i *instance, check int, r HealthResult) {
	if len(i.Health) != len(i.checks()) {
		i.Health = make([]Health, len(i.checks()))
	}
	i.judged = i.current()
	h := &i.Health[check]
	known, alive := *h != (Health{}), h.Alive()
	if r.Healthy {
		if h.FirstSuccess.IsZero() {
			h.FirstSuccess = m.now
		}
		h.LastSuccess, h.Failures = laterThan(h.LastFailure, m.now), 0
	} else {
		h.LastFailure, h.Cause = m.now, r.Cause
		h.Failures++
		m.out.reveal(Event{Occasion: HealthFailed, At: m.now, App: i.App, Version: i.Version, Instance: i.show(), Check: &i.checks()[check], Reason: r.Cause})
	}
	if known && alive == h.Alive() {
		i.of.stale(i)
		return
	}
	i.count()
	m.out.reveal(Event{Occasion: HealthChanged, At: m.now, App: i.App, Version: i.Version, Instance: i.show(), Alive: h.Alive()})
	m.advanced(i)
}

// laterThan is now, or just after a time that is not before it.
func laterThan(t, now time.Time) time.Time {
	if now.After(t) {
		return now
	}
	return t.Add(1)
}

// onReadiness takes in what a readiness check found.
func (m *Machine) onReadiness(in ReadinessSeen) {
	i := m.tasks[in.Task]
	if i == nil || i.Ready || !i.running() {
		return
	}
	s := i.of
	if s.readiness == nil {
		s.readiness = map[string]Readiness{}
	}
	s.readiness[in.Task+"/"+in.Check] = Readiness{in.Check, in.Task, in.Ready, in.Response}
	s.changed(nil)
	for _, r := range i.current().Checks.Readiness {
		if !s.readiness[in.Task+"/"+r.Name].Ready {
			return
		}
	}
	i.Ready = true
	m.dirty.instances[i.ID] = i
	m.probe(i)
	i.count()
	m.advanced(i)
}
