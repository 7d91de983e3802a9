package plan

import (
	"slices"
	"time"

	"troupe/frameworks/cron/schedule"
)

// onDue answers for all due times of a job up to now by one run, of the last.
func (m *Machine) onDue(now time.Time, e *entry) {
	due := e.state.Due
	if latest, ok := e.schedule.Previous(now.Add(1)); ok && latest.After(due) {
		due = latest
	}
	e.schedule = e.schedule.Advance(now)
	m.await(e, now)
	if eps := e.job.Policy.Epsilon; eps > 0 && now.Sub(due) > eps {
		m.remember(e, Attempt{Due: due, Ended: now, Outcome: Missed, Message: "later than epsilon"})
		m.retire(e)
		return
	}
	m.begin(now, e, due)
}

// await sets the next due time after a time, if there is any for the job.
func (m *Machine) await(e *entry, after time.Time) {
	e.state.Due = time.Time{}
	if e.schedule != nil && !e.job.Policy.Disabled {
		if due, ok := e.schedule.Next(after); ok {
			e.state.Due = due
		}
	}
	e.state.Schedule, e.state.Passed = "", 0
	switch s := e.schedule.(type) {
	case schedule.Interval:
		e.state.Schedule, e.state.Passed = s.Kept()
	case schedule.Line:
		e.state.Schedule = s.String()
	}
	m.alarms.set(&e.alarm, e.state.Due)
	m.dirty.state(e.job.Name)
}

// begin runs a job as its overlap allows.
func (m *Machine) begin(now time.Time, e *entry, due time.Time) {
	overlap := e.job.Policy.Overlap
	if len(e.runs) == 0 || overlap == Allow {
		m.launch(m.newRun(e, due))
		return
	}
	waiting := slices.ContainsFunc(e.runs, func(r *active) bool { return r.Phase == Waiting })
	if overlap != KillExisting || waiting {
		m.remember(e, Attempt{Due: due, Ended: now, Outcome: Skipped, Message: "a run before it had not ended"})
		return
	}
	r := m.newRun(e, due)
	r.Phase = Waiting
	m.dirty.run(r.Number)
	for _, other := range slices.Clone(e.runs) {
		if other != r {
			m.kill(now, other)
		}
	}
}

// newRun makes a run, which has to be launched or to wait.
func (m *Machine) newRun(e *entry, due time.Time) *active {
	m.number++
	r := &active{Run: Run{Job: e.job.Name, Number: m.number, Due: due}}
	r.alarm.run = r
	e.runs = append(e.runs, r)
	m.runs[r.Number] = r
	m.dirty.run(r.Number)
	m.dirty.publish(e.job.Name)
	return r
}

// launch hands an attempt to the cluster, once that is durable.
func (m *Machine) launch(r *active) {
	r.Phase, r.Began, r.Wake = Launched, time.Time{}, time.Time{}
	r.Launches++
	m.tasks[r.Task()] = r
	m.dirty.run(r.Number)
	m.dirty.publish(r.Job)
	m.reveal(Launch{r.Run, m.jobs[r.Job].job})
}

// join runs a dependent job if all of its parents have succeeded since it last
// ran. One that is running, and may not overlap, runs when that has ended: a
// success of parents is not lost.
func (m *Machine) join(now time.Time, e *entry) {
	if len(e.state.Joined) == 0 || slices.Contains(e.state.Joined, 0) || e.job.Policy.Disabled {
		return
	}
	if len(e.runs) > 0 && (e.job.Policy.Overlap == "" || e.job.Policy.Overlap == Skip) {
		return
	}
	e.state.Joined = make([]int, len(e.state.Joined))
	m.dirty.state(e.job.Name)
	m.begin(now, e, now)
}

// passOn tells the children of a job that it succeeded.
func (m *Machine) passOn(now time.Time, e *entry) {
	for _, name := range e.children {
		child := m.jobs[name]
		if child.job.Policy.Disabled {
			continue
		}
		at, _ := slices.BinarySearch(child.job.Trigger.Parents, e.job.Name)
		joined := slices.Clone(child.state.Joined)
		joined[at]++
		child.state.Joined = joined
		m.dirty.state(name)
		m.join(now, child)
	}
}

// retire disables a job that has no run left to do.
func (m *Machine) retire(e *entry) {
	i, ok := e.schedule.(schedule.Interval)
	if !ok || i.Left() != 0 || len(e.runs) > 0 || e.job.Policy.Disabled {
		return
	}
	m.disable(e)
}

func (m *Machine) disable(e *entry) {
	job := *e.job
	job.Policy.Disabled = true
	e.job = &job
	e.state.Due = time.Time{}
	m.alarms.set(&e.alarm, e.state.Due)
	m.dirty.job(job.Name)
	m.reveal(Notify{Occasion: JobDisabled, Job: e.job})
}
