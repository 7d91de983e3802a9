package state

import (
	"maps"
	"slices"
	"strconv"

	"troupe/frameworks/service/rollout"
	"troupe/messages/mesos"
)

// publish tells the read side what has changed, once that is durable.
func (m *Machine) publish() {
	d := &m.dirty
	if d.root {
		d.root = false
		m.out.reveal(PublishRoot{m.root(), m.roots[:len(m.roots):len(m.roots)]})
	}
	for _, id := range slices.Sorted(maps.Keys(d.views)) {
		s := d.views[id]
		delete(d.shy, id)
		there := m.services[id] == s && (!s.gone || len(s.instances) > 0)
		switch {
		case there:
			d.shown[id] = true
			m.out.reveal(PublishApp{id, m.show(s)})
		case d.shown[id]:
			delete(d.shown, id)
			m.out.reveal(PublishApp{ID: id})
		}
	}
	empty(&d.views)
	if len(d.deployments) > 0 || d.allDeployments {
		d.allDeployments = false
		all := make([]*DeploymentView, 0, len(m.deployments))
		for _, x := range m.deployments {
			all = append(all, m.showDeployment(x))
		}
		m.out.reveal(PublishDeployments{all})
	}
}

// show is an app for the read side.
func (m *Machine) show(s *service) *AppView {
	v := &AppView{
		App: s.app, Gone: s.gone, Versions: slices.Clone(s.versions), Failure: s.fate.Failure,
		Instances: make([]*Instance, 0, len(s.instances)), Readiness: s.showReadiness(),
	}
	checked := len(s.app.Checks.Health) > 0
	for _, i := range s.instances {
		v.Instances = append(v.Instances, i.show())
		v.Counts.add(i, checked)
	}
	if s.deployer != nil {
		v.Deployments = []string{s.deployer.ID}
	}
	if q := s.queue; q != nil {
		v.Queue = m.showQueue(s, q)
	}
	return v
}

func (c *Counts) add(i *instance, checked bool) {
	switch {
	case i.waits() || !i.Unreachable.IsZero():
		return
	case i.State != mesos.TaskState_TASK_RUNNING:
		if i.State != mesos.TaskState_TASK_KILLING {
			c.Staged++
		}
		return
	}
	c.Running++
	if !checked || i.Health == nil {
		return
	}
	known := false
	for _, h := range i.Health {
		if h == (Health{}) {
			continue
		}
		if known = true; !h.Alive() {
			c.Unhealthy++
			return
		}
	}
	if known {
		c.Healthy++
	}
}

func (s *service) showReadiness() []Readiness {
	var all []Readiness
	for _, key := range slices.Sorted(maps.Keys(s.readiness)) {
		all = append(all, s.readiness[key])
	}
	return all
}

func (m *Machine) showQueue(s *service, q *line) *Queue {
	v := &Queue{
		App: q.goal.start, Count: q.start + q.before, Since: q.since,
		Processed: q.processed, Unused: q.unused, LastUnused: q.lastUnused, LastUsed: q.lastUsed,
		Declined: maps.Clone(q.declined), LastDeclined: maps.Clone(q.lastDeclined), LastProcessed: q.lastProcessed,
		Refusals: q.refusals[:len(q.refusals):len(q.refusals)], Why: s.why(),
	}
	if s.fate.Until.After(m.now) {
		v.Until = s.fate.Until
	}
	return v
}

// showDeployment is a deployment for the read side.
func (m *Machine) showDeployment(d *deployment) *DeploymentView {
	v := &DeploymentView{
		ID: d.ID, Version: d.Version, Plan: d.plan, Step: min(d.Step, len(d.Steps)), Began: d.Began, Paused: d.Hold != nil,
	}
	for _, a := range d.actions() {
		shown := ActionView{Action: a, Done: true}
		if s := m.services[a.App]; s != nil && s.deployer == d && s.turn == atWork {
			shown.Done, shown.Waits, shown.Readiness = false, m.waits(s), s.showReadiness()
		}
		v.Actions = append(v.Actions, shown)
	}
	return v
}

// waits says what the action on an app waits for.
func (m *Machine) waits(s *service) string {
	g := s.goal()
	t := g.tally
	fresh := t.New.Total()
	switch d := s.deployer; {
	case d.Hold != nil:
		return "it is paused"
	case s.gone:
		return text(t.There(), "instance", "is still there", "are still there")
	case s.atCanaries():
		n, _ := d.canaries(s.app)
		return text(n, "canary", "is ready and waits to be promoted", "are ready and wait to be promoted")
	case fresh < g.limits.Canaries && s.queue != nil:
		return text(g.limits.Canaries-fresh, "instance", "is to be launched", "are to be launched") + "; " + s.why()
	case t.New[rollout.Ready] < g.limits.Instances:
		return text(g.limits.Instances-t.New[rollout.Ready], "instance", "is not ready yet", "are not ready yet")
	}
	return text(t.Old.Total()+t.Ending, "instance", "is ending", "are ending")
}

// text counts: "3 instances are not ready yet".
func text(n int, noun, is, are string) string {
	if n == 1 {
		return "1 " + noun + " " + is
	}
	if noun == "canary" {
		noun = "canarie"
	}
	return strconv.Itoa(n) + " " + noun + "s " + are
}

// agentIDs are those of all agents, in order.
func (m *Machine) agentIDs() []string { return slices.Sorted(maps.Keys(m.agents)) }
