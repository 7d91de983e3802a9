package state

import (
	"errors"
	"fmt"
	"time"

	"troupe/frameworks/service/app"
	"troupe/frameworks/service/placement"
)

// Options are what the operator decided. Zero values are the defaults; the role of
// apps that name none is "*".
type Options struct {
	Rules     app.Rules
	Placement placement.Settings
	FirstPort int // of service ports; 10000
	LastPort  int // 20000
	// Salt is chance, new for each life of the framework: ids of instances and
	// deployments are made of it.
	Salt          [16]byte
	Versions      int           // of each app, and of the root, that are kept; 50
	LaunchTimeout time.Duration // until a task runs, or else it is ended; 5 min
	Declined      time.Duration // what is of no use is not offered again for so long; 2 min
	ReviveEvery   time.Duration // at most so often is asked for offers; 1 s
	PerOffer      int           // instances that are launched on one offer at most; 5
	Deployments   int           // at a time, at most; 100
}

func (o *Options) complete() {
	orElse(&o.Placement.Role, "*")
	orElse(&o.Rules.Role, o.Placement.Role)
	orElse(&o.FirstPort, 10000)
	orElse(&o.LastPort, 20000)
	orElse(&o.Versions, 50)
	orElse(&o.LaunchTimeout, 5*time.Minute)
	orElse(&o.Declined, 2*time.Minute)
	orElse(&o.ReviveEvery, time.Second)
	orElse(&o.PerOffer, 5)
	orElse(&o.Deployments, 100)
}

func orElse[T comparable](v *T, otherwise T) {
	var zero T
	if *v == zero {
		*v = otherwise
	}
}

// Machine is made by New and moved by Step alone.
type Machine struct {
	options     Options
	dice        dice
	roots       []*app.Group // oldest first, the last is the root
	services    map[app.Path]*service
	tasks       map[string]*instance // by task, and by id those without one
	agents      map[string]*agent
	deployments []*deployment // oldest first
	appetite    appetite

	now    time.Time // of this step
	last   app.Version
	alarms alarms
	timer  time.Time // that was last asked for
	dirty  dirty
	out    outbox
	failed bool
}

// New makes a machine without apps. Before it is told what was Loaded it does
// nothing.
func New(o Options) *Machine {
	o.complete()
	m := &Machine{
		options: o, dice: newDice(o.Salt), roots: []*app.Group{app.NewRoot()},
		services: map[app.Path]*service{}, tasks: map[string]*instance{}, agents: map[string]*agent{},
		dirty: newDirty(),
	}
	m.appetite.alarm.ring = m.ask
	m.appetite.follower.ring = m.keepUp
	m.dirty.alarm.ring = m.dirty.freshen
	return m
}

// Step takes in one input. Loaded comes first, once.
func (m *Machine) Step(now time.Time, in Input) []Effect {
	if m.failed {
		return nil
	}
	m.now = now.UTC().Round(0)
	if err := m.take(in); err != nil {
		m.failed = true
		return []Effect{Fail{err}}
	}
	m.alarms.ring(m.now)
	m.settle()
	m.ask()
	if err := m.flush(); err != nil {
		m.failed = true
		return []Effect{Fail{err}}
	}
	return m.out.empty()
}

func (m *Machine) take(in Input) error {
	switch in := in.(type) {
	case Loaded:
		return m.load(in.Records)
	case Persisted:
		return m.onPersisted(in)
	case TimerFired:
		m.timer = time.Time{}
	case Connected:
		m.appetite.connected = true
	case Disconnected:
		m.appetite.connected = false
	case Offers:
		m.onOffers(in)
	case Rescinded: // what was launched on it is told to be dropped
	case Status:
		m.onStatus(in.Status)
	case Lost:
		m.onLost(in.Agent)
	case Probed:
		m.onProbed(in)
	case ReadinessSeen:
		m.onReadiness(in)
	default:
		m.serve(in)
	}
	return nil
}

// serve answers a request. Nothing of it has happened where Err is set.
func (m *Machine) serve(in Input) {
	switch in := in.(type) {
	case Update:
		m.update(in)
	case Restart:
		m.restart(in)
	case Cancel:
		m.cancel(in)
	case Pause:
		m.steer(in.Request, in.Deployment, func(d *deployment) { d.pause(m) })
	case Resume:
		m.steer(in.Request, in.Deployment, func(d *deployment) { d.Hold = nil })
	case Promote:
		m.steer(in.Request, in.Deployment, func(d *deployment) { d.Promoted = true })
	case KillTasks:
		m.killTasks(in)
	case ResetDelay:
		m.resetDelay(in)
	}
}

// outbox holds effects until they may be performed.
type outbox struct {
	now     []Effect
	after   []Effect // when what is dirty now is durable
	answers []Effect // after those: who is answered finds what was done published
	held    []Effect // when what is being written is
	writing bool
	number  uint64 // of the last Persist
}

// atOnce has effects that reveal nothing follow now.
func (o *outbox) atOnce(effects ...Effect) { o.now = append(o.now, effects...) }

// reveal has effects follow once everything so far is durable.
func (o *outbox) reveal(effects ...Effect) { o.after = append(o.after, effects...) }

func (o *outbox) empty() []Effect {
	all := o.now
	o.now = nil
	return all
}

func (m *Machine) onPersisted(in Persisted) error {
	switch {
	case in.Err != nil:
		return fmt.Errorf("persist %d: %w", in.Number, in.Err)
	case !m.out.writing || in.Number != m.out.number:
		return errors.New("persist: answered out of order")
	}
	m.out.now = append(m.out.now, m.out.held...)
	m.out.held, m.out.writing = nil, false
	return nil
}

// flush is the end of a step. What changes while something is written is written
// afterwards, together.
func (m *Machine) flush() error {
	if !m.out.writing {
		m.publish()
		m.out.after = append(m.out.after, m.out.answers...)
		m.out.answers = nil
		changes, err := m.records()
		if err != nil {
			return err
		}
		if len(changes) == 0 {
			m.out.atOnce(m.out.after...)
		} else {
			m.out.number++
			m.out.atOnce(Persist{m.out.number, changes})
			m.out.held, m.out.writing = m.out.after, true
		}
		m.out.after = nil
	}
	if len(m.alarms.heap) > 0 && !m.alarms.heap[0].at.Equal(m.timer) {
		m.timer = m.alarms.heap[0].at
		m.out.atOnce(SetTimer{m.timer})
	}
	return nil
}
