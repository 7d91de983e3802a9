package plan

import (
	"errors"
	"fmt"
	"time"

	"troupe/frameworks/cron/schedule"
)

// Options are what all jobs share. Zero values are the defaults.
type Options struct {
	RetryDelay   time.Duration // of jobs that name none; 60 s
	DisableAfter int           // runs that failed one after the other disable their job; 0 never
	History      int           // attempts kept per job; 10
	Batch        int           // what one step begins at most, so that a storm is answered in between; 256
}

// Machine is a plan. It is made by New and moved by Step alone.
type Machine struct {
	options Options
	jobs    map[string]*entry
	tasks   map[string]*active // by the id of the task that the cluster may have
	runs    map[uint64]*active
	zones   map[string]*time.Location
	alarms  alarms
	timer   time.Time // that was last asked for
	number  uint64    // of the last run

	dirty   changes
	out     []Effect // of this step, at once
	after   []Effect // of this step, when its changes are durable
	held    []batch  // of earlier steps, oldest first
	persist uint64   // number of the last Persist
	failed  bool
}

// entry is a job with what has become of it.
type entry struct {
	job      *Job
	state    State
	schedule schedule.Schedule // nil of dependent jobs
	children []string          // sorted
	runs     []*active         // not ended, oldest first
	alarm    alarm
}

// active is a run that has not ended.
type active struct {
	Run
	alarm alarm
}

type batch struct {
	number  uint64
	effects []Effect
}

// New makes a plan without jobs.
func New(o Options) *Machine {
	o.RetryDelay = orElse(o.RetryDelay, time.Minute)
	o.History = orElse(o.History, 10)
	o.Batch = orElse(o.Batch, 256)
	return &Machine{
		options: o, jobs: map[string]*entry{}, tasks: map[string]*active{}, runs: map[uint64]*active{},
		zones: map[string]*time.Location{}, dirty: newChanges(),
	}
}

func orElse[T comparable](v, otherwise T) T {
	var zero T
	if v == zero {
		return otherwise
	}
	return v
}

// Step takes in one input. Loaded comes first, once.
func (m *Machine) Step(now time.Time, in Input) []Effect {
	if m.failed {
		return nil
	}
	now = now.UTC().Round(0)
	switch in := in.(type) {
	case Loaded:
		if err := m.load(now, in.Records); err != nil {
			return m.fail(err)
		}
	case Persisted:
		if err := m.onPersisted(in); err != nil {
			return m.fail(err)
		}
	case TimerFired:
		m.timer = time.Time{}
	case TaskStarted:
		m.onStarted(now, in.Task)
	case TaskEnded:
		m.onEnded(now, in)
	default:
		m.serve(now, in)
	}
	m.ring(now)
	return m.flush()
}

func (m *Machine) fail(err error) []Effect {
	m.failed = true
	return []Effect{Fail{err}}
}

func (m *Machine) onPersisted(in Persisted) error {
	switch {
	case in.Err != nil:
		return fmt.Errorf("persist %d: %w", in.Number, in.Err)
	case len(m.held) == 0 || m.held[0].number != in.Number:
		return errors.New("persist: answered out of order")
	}
	m.out = append(m.out, m.held[0].effects...)
	m.held[0] = batch{}
	m.held = m.held[1:] // there may be many
	return nil
}

// reveal has effects follow once everything so far is durable.
func (m *Machine) reveal(effects ...Effect) { m.after = append(m.after, effects...) }

// flush is the end of a step.
func (m *Machine) flush() []Effect {
	// Publish comes before what else is revealed: who has an answer, and reads, sees
	// what was answered.
	revealed := m.after
	m.after = nil
	for _, name := range m.dirty.published() {
		m.reveal(Publish{name, m.View(name)})
	}
	m.reveal(revealed...)
	switch {
	case !m.dirty.empty():
		changes, err := m.dirty.take(m)
		if err != nil {
			return m.fail(err)
		}
		m.persist++
		m.out = append(m.out, Persist{m.persist, changes})
		m.held = append(m.held, batch{m.persist, m.after})
	case len(m.held) > 0:
		last := &m.held[len(m.held)-1]
		last.effects = append(last.effects, m.after...)
	default:
		m.out = append(m.out, m.after...)
	}
	if len(m.alarms) > 0 && !m.alarms[0].at.Equal(m.timer) {
		m.timer = m.alarms[0].at
		m.out = append(m.out, SetTimer{m.timer})
	}
	out := m.out
	m.out, m.after = nil, nil
	return out
}

// ring does what is due, a batch of it.
func (m *Machine) ring(now time.Time) {
	for n := 0; len(m.alarms) > 0 && n < m.options.Batch; n++ {
		a := m.alarms[0]
		if a.at.After(now) {
			return
		}
		m.alarms.set(a, time.Time{})
		if a.run != nil {
			m.onAlarm(now, a.run)
		} else {
			m.onDue(now, a.job)
		}
	}
}
