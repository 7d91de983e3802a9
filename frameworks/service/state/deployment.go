package state

import (
	"slices"
	"strconv"
	"time"

	"troupe/frameworks/service/app"
	"troupe/frameworks/service/rollout"
)

// Labels of apps that say how a deployment goes on with them. What is not of their
// form says nothing.
const (
	// LabelCanary with a number has a deployment replace so many instances, and go
	// on when it is promoted.
	LabelCanary = "TROUPE_CANARY"
	// LabelRollback with a duration such as "10m" has a deployment be taken back
	// when for so long no instance of the app has become ready that should have.
	LabelRollback = "TROUPE_ROLLBACK_AFTER"
)

// deployment is one that is not done. What is exported is its record.
type deployment struct {
	ID       string
	Version  app.Version
	Began    time.Time
	Steps    []rollout.Step `json:",omitempty"`
	Step     int            // the current one
	Promoted bool           `json:",omitempty"`
	Back     bool           `json:",omitempty"` // it takes another one back
	// Hold is how many instances each app had of the new version when the
	// deployment was paused, by app; nil: it is not.
	Hold   map[app.Path]int `json:",omitempty"`
	Apps   []appChange      `json:",omitempty"`
	Groups []groupChange    `json:",omitempty"`

	plan     *rollout.Plan
	from     map[app.Path]*app.App // what apps were before
	left     int                   // actions of the current step that are not done
	deadline alarm
}

// appChange is what a deployment makes of an app; 0 is none.
type appChange struct {
	ID       app.Path
	Old, New app.Version
}

// groupChange is what a deployment makes of a group; nil is none.
type groupChange struct {
	ID       app.Path
	Old, New *groupRecord
}

// begin begins a deployment, whose target is the root already.
func (m *Machine) begin(id string, at app.Version, plan *rollout.Plan, back bool) {
	d := &deployment{ID: id, Version: at, Began: m.now, Steps: plan.Steps, Back: back, plan: plan, from: map[app.Path]*app.App{}}
	for _, x := range rollout.Differences(plan.Original, plan.Target) {
		c := appChange{ID: x.ID}
		if x.Old != nil {
			c.Old, d.from[x.ID] = x.Old.Version, x.Old
		}
		if x.New != nil {
			c.New = x.New.Version
		}
		d.Apps = append(d.Apps, c)
	}
	for _, x := range rollout.GroupDifferences(plan.Original, plan.Target) {
		d.Groups = append(d.Groups, groupChange{x.ID, recordGroup(x.Old), recordGroup(x.New)})
	}
	m.deployments = append(m.deployments, d)
	m.adopt(d)
	m.out.reveal(Event{Occasion: DeploymentBegan, At: m.now, Deployment: m.showDeployment(d)})
	m.enter(d)
}

// adopt makes a deployment the one that changes its apps.
func (m *Machine) adopt(d *deployment) {
	d.deadline.ring = func() { m.onDeadline(d) }
	for _, id := range d.plan.Affected {
		s := m.service(id)
		s.deployer, s.turn = d, later
		s.touch()
		s.changed(nil)
	}
	m.changed(d)
}

func (m *Machine) changed(d *deployment) { m.dirty.deployments[d.ID] = d }

// enter begins the current step, or ends the deployment after the last one.
func (m *Machine) enter(d *deployment) {
	if d.Step >= len(d.Steps) {
		m.finish(d)
		return
	}
	m.changed(d)
	m.out.reveal(Event{Occasion: StepBegan, At: m.now, Deployment: m.showDeployment(d)})
	d.left = 0
	for _, a := range d.Steps[d.Step] {
		m.act(d, a)
	}
	m.progress(d)
	if d.left == 0 { // nothing but what is done at once
		m.leave(d)
	}
}

// act begins an action.
func (m *Machine) act(d *deployment, a rollout.Action) {
	s := m.services[a.App]
	if a.Kind == rollout.Start {
		return
	}
	d.left++
	s.turn, s.action = atWork, a.Kind
	s.touch()
	for _, i := range s.instances {
		if a.Kind != rollout.Stop {
			m.probe(i)
		}
		i.count()
	}
}

// accomplish ends the action on an app.
func (m *Machine) accomplish(s *service) {
	d := s.deployer
	s.turn = over
	d.left--
	m.relax(s)
	if d.left == 0 {
		m.leave(d)
	}
}

// leave ends the current step.
func (m *Machine) leave(d *deployment) {
	m.out.reveal(Event{Occasion: StepSucceeded, At: m.now, Deployment: m.showDeployment(d)})
	d.Step++
	m.enter(d)
}

// relax is after an action: nobody asks any more whether instances are ready.
func (m *Machine) relax(s *service) {
	for _, i := range s.instances {
		if !i.Ready {
			i.Ready = true
			m.dirty.instances[i.ID] = i
		}
		m.probe(i)
		i.count()
	}
	if s.readiness != nil {
		s.readiness = nil
		s.changed(nil)
	}
	s.touch()
}

// finish is the end of a deployment that came to its end.
func (m *Machine) finish(d *deployment) {
	m.drop(d)
	m.out.reveal(Event{Occasion: DeploymentSucceeded, At: m.now, Deployment: m.showDeployment(d)})
}

// close ends a deployment before its end.
func (m *Machine) close(d *deployment, reason string) {
	shown := m.showDeployment(d)
	m.drop(d)
	if d.Step < len(d.Steps) {
		m.out.reveal(Event{Occasion: StepFailed, At: m.now, Deployment: shown, Reason: reason})
	}
	m.out.reveal(Event{Occasion: DeploymentFailed, At: m.now, Deployment: shown, Reason: reason})
}

// drop lets go of the apps of a deployment.
func (m *Machine) drop(d *deployment) {
	m.alarms.set(&d.deadline, time.Time{})
	m.deployments = slices.DeleteFunc(m.deployments, func(other *deployment) bool { return other == d })
	m.dirty.deployments[d.ID] = nil
	for _, id := range d.plan.Affected {
		s := m.services[id]
		s.deployer = nil
		m.relax(s)
		s.changed(nil)
		s.trim()
		m.bury(s)
	}
	m.follow()
}

func (m *Machine) deployment(id string) *deployment {
	i := slices.IndexFunc(m.deployments, func(d *deployment) bool { return d.ID == id })
	if i < 0 {
		return nil
	}
	return m.deployments[i]
}

func (m *Machine) cancel(in Cancel) {
	d := m.deployment(in.Deployment)
	a := Answer{Request: in.Request, Version: m.root().Version, Deployment: in.Deployment}
	switch {
	case d == nil:
		m.answer(a, &NotFoundError{"deployment", in.Deployment})
	case in.Force:
		m.close(d, "ended by request")
		m.answer(a, nil)
	default:
		a.Version = m.next()
		m.answer(a, m.revert(&a, d, ""))
	}
}

// revert takes back what a deployment changed, by another one. The reason is what
// people are told of it.
func (m *Machine) revert(a *Answer, d *deployment, reason string) error {
	next := d.plan.Revert(m.root(), a.Version)
	if wrong := next.Structure(m.options.Rules); len(wrong) > 0 {
		return wrong
	}
	if err := m.deploy(a, next, terms{force: true, back: true, reason: reason}); err != nil {
		return err
	}
	if m.deployment(d.ID) != nil { // there was nothing to take back
		m.close(d, reason)
	}
	return nil
}

// steer changes how a deployment goes on.
func (m *Machine) steer(request uint64, id string, how func(d *deployment)) {
	d := m.deployment(id)
	if d == nil {
		m.answer(Answer{Request: request}, &NotFoundError{"deployment", id})
		return
	}
	m.answer(Answer{Request: request, Deployment: id, Version: d.Version}, nil)
	how(d)
	m.changed(d)
	m.progress(d)
	for _, id := range d.plan.Affected {
		m.services[id].touch()
	}
}

func (d *deployment) actions() rollout.Step {
	if d.Step >= len(d.Steps) {
		return nil
	}
	return d.Steps[d.Step]
}

// pause remembers how far each app is.
func (d *deployment) pause(m *Machine) {
	if d.Hold != nil {
		return
	}
	d.Hold = map[app.Path]int{}
	for _, a := range d.actions() {
		s := m.services[a.App]
		d.Hold[a.App] = s.tally.New.Total()
		if a.Kind != rollout.Restart {
			d.Hold[a.App] += s.tally.Old.Total()
		}
	}
}

// canaries are how many instances of an app are replaced before the deployment is
// promoted; false: it is not so.
func (d *deployment) canaries(a *app.App) (int, bool) {
	n, err := strconv.Atoi(a.Labels[LabelCanary])
	return n, err == nil && n > 0 && n < a.Instances && !d.Promoted
}

// patience is for how long there may be no progress with an app; 0 is for ever.
func patience(a *app.App) time.Duration {
	after, err := time.ParseDuration(a.Labels[LabelRollback])
	if err != nil || after <= 0 {
		return 0
	}
	return after
}

// progress sets the time at which a deployment is taken back that gets no further.
func (m *Machine) progress(d *deployment) {
	least := time.Duration(0)
	for _, a := range d.actions() {
		s := m.services[a.App]
		if s.gone || s.turn != atWork || d.Hold != nil || d.Back {
			continue
		}
		if p := patience(s.app); p > 0 && (least == 0 || p < least) && !s.atCanaries() {
			least = p
		}
	}
	if least == 0 {
		m.alarms.set(&d.deadline, time.Time{})
		return
	}
	m.alarms.set(&d.deadline, m.now.Add(least))
}

// atCanaries tells whether all that an app waits for is to be promoted.
func (s *service) atCanaries() bool {
	n, held := s.deployer.canaries(s.app)
	return held && s.action == rollout.Restart && s.replaces() && s.tally.New[rollout.Ready] >= n
}

func (m *Machine) onDeadline(d *deployment) {
	a := Answer{Version: m.next()}
	if err := m.revert(&a, d, "got no further for too long, and is taken back"); err != nil {
		m.close(d, "got no further for too long, and cannot be taken back: "+err.Error())
	}
}
