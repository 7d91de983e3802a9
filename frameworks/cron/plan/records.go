package plan

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"troupe/frameworks/cron/schedule"
)

// What is kept:
//
//	job/NAME   Job, as it was put
//	state/NAME State, written when the job is due and when a run of it ends
//	run/NUMBER Run, from before its launch until its end
//	last       the number of the last run, so that none is used twice
const (
	jobKey   = "job/"
	stateKey = "state/"
	runKey   = "run/"
	lastKey  = "last"
)

// changes are what a step has touched.
type changes struct {
	jobs, states, views map[string]bool
	runs                map[uint64]bool
}

func newChanges() changes {
	return changes{map[string]bool{}, map[string]bool{}, map[string]bool{}, map[uint64]bool{}}
}

func (c *changes) job(name string)     { c.jobs[name] = true; c.views[name] = true }
func (c *changes) state(name string)   { c.states[name] = true; c.views[name] = true }
func (c *changes) publish(n string)    { c.views[n] = true }
func (c *changes) run(number uint64)   { c.runs[number] = true }
func (c *changes) empty() bool         { return len(c.jobs)+len(c.states)+len(c.runs) == 0 }
func (c *changes) published() []string { return slices.Sorted(maps.Keys(c.views)) }

// take gives the records as they are now and begins anew.
func (c *changes) take(m *Machine) ([]Change, error) {
	var all []Change
	put := func(key string, value any, there bool) error {
		if !there {
			all = append(all, Change{Key: key})
			return nil
		}
		text, err := json.Marshal(value)
		if err != nil {
			return fmt.Errorf("record %s: %w", key, err)
		}
		all = append(all, Change{key, text})
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(c.jobs)) {
		e, there := m.jobs[name]
		if !there {
			e = &entry{}
		}
		if err := put(jobKey+name, e.job, there); err != nil {
			return nil, err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.states)) {
		e, there := m.jobs[name]
		if !there {
			e = &entry{}
		}
		if err := put(stateKey+name, &e.state, there); err != nil {
			return nil, err
		}
	}
	for _, number := range slices.Sorted(maps.Keys(c.runs)) {
		r, there := m.runs[number]
		if !there {
			r = &active{}
		}
		if err := put(runKey+strconv.FormatUint(number, 16), &r.Run, there); err != nil {
			return nil, err
		}
	}
	if len(c.runs) > 0 {
		if err := put(lastKey, m.number, true); err != nil {
			return nil, err
		}
	}
	*c = newChanges()
	return all, nil
}

// load takes in all records of an earlier life, in any order.
func (m *Machine) load(now time.Time, records []Change) error {
	for _, rec := range records {
		if err := m.read(rec); err != nil {
			return fmt.Errorf("record %s: %w", rec.Key, err)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(m.jobs)) {
		if err := m.revive(now, m.jobs[name]); err != nil {
			return fmt.Errorf("job %s: %w", name, err)
		}
	}
	for _, number := range slices.Sorted(maps.Keys(m.runs)) {
		m.resume(m.runs[number])
	}
	return nil
}

func (m *Machine) read(rec Change) error {
	if name, ok := strings.CutPrefix(rec.Key, jobKey); ok {
		return json.Unmarshal(rec.Value, &m.entry(name).job)
	}
	if name, ok := strings.CutPrefix(rec.Key, stateKey); ok {
		return json.Unmarshal(rec.Value, &m.entry(name).state)
	}
	switch {
	case rec.Key == lastKey:
		var last uint64
		err := json.Unmarshal(rec.Value, &last)
		m.number = max(m.number, last)
		return err
	case strings.HasPrefix(rec.Key, runKey):
		r := &active{}
		r.alarm.run = r
		err := json.Unmarshal(rec.Value, &r.Run)
		m.runs[r.Number] = r
		m.number = max(m.number, r.Number)
		return err
	}
	return fmt.Errorf("of no known kind")
}

func (m *Machine) entry(name string) *entry {
	if e := m.jobs[name]; e != nil {
		return e
	}
	e := &entry{}
	e.alarm.job = e
	m.jobs[name] = e
	return e
}

// revive makes of a job's records what put makes of a job.
func (m *Machine) revive(now time.Time, e *entry) error {
	if e.job == nil {
		return fmt.Errorf("only its state is kept")
	}
	t := e.job.Trigger
	if len(e.state.Joined) != len(t.Parents) {
		return fmt.Errorf("%d counts of %d parents", len(e.state.Joined), len(t.Parents))
	}
	for _, p := range t.Parents {
		if m.jobs[p] == nil {
			return fmt.Errorf("its parent %s is not kept", p)
		}
		m.link(p, e.job.Name)
	}
	zone, err := m.zone(t.Zone)
	if err != nil {
		return err
	}
	if t.Schedule != "" {
		if e.schedule, err = schedule.Parse(e.state.Schedule, zone, now); err != nil {
			return err
		}
		if _, ok := e.schedule.(schedule.Interval); ok {
			if e.schedule, err = schedule.Restore(e.state.Schedule, zone, e.state.Passed); err != nil {
				return err
			}
		}
	}
	m.alarms.set(&e.alarm, e.state.Due)
	m.dirty.publish(e.job.Name)
	return nil
}

// resume takes up a run where it was. Whether the cluster has its task is found
// out; it is not launched again before.
func (m *Machine) resume(r *active) {
	if e := m.jobs[r.Job]; e != nil && !r.Removed {
		at, _ := slices.BinarySearchFunc(e.runs, r, func(a, b *active) int { return cmp.Compare(a.Number, b.Number) })
		e.runs = slices.Insert(e.runs, at, r)
		if r.Phase == Delayed {
			m.alarms.set(&r.alarm, r.Wake)
		}
		m.limit(r)
	}
	if !r.placed() {
		return
	}
	m.tasks[r.Task()] = r
	// At once: news of it must find it known, whatever else has to be written first.
	m.out = append(m.out, Watch{r.Task()})
	if r.Killing {
		m.reveal(Kill{r.Task()})
	}
}

// numberIn is the number of the run that a task's id names.
func numberIn(task string) (uint64, bool) {
	last := task[strings.LastIndexByte(task, ':')+1:]
	text, _, _ := strings.Cut(last, "-")
	n, err := strconv.ParseUint(text, 10, 64)
	return n, err == nil
}
