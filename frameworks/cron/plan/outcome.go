package plan

import (
	"slices"
	"strings"
	"time"
)

func (m *Machine) onStarted(now time.Time, task string) {
	r := m.tasks[task]
	if r == nil || r.Phase != Launched {
		return
	}
	r.Phase, r.Began = Running, now
	m.dirty.run(r.Number)
	if r.Removed {
		return
	}
	m.dirty.publish(r.Job)
	m.limit(r)
}

// limit has a run that has begun end when its job says so.
func (m *Machine) limit(r *active) {
	if r.Phase != Running && r.Phase != Awaited {
		return
	}
	at := time.Time{}
	if limit := m.jobs[r.Job].job.MaxCompletion; limit > 0 && !r.Killing {
		at = r.Began.Add(limit)
	}
	m.alarms.set(&r.alarm, at)
}

// onAlarm: a delayed run is launched again; a running one took too long.
func (m *Machine) onAlarm(now time.Time, r *active) {
	switch {
	case r.Removed:
	case r.Phase == Delayed:
		m.launch(r)
	case r.Phase == Running && !r.Killing:
		r.Overdue = true
		m.kill(now, r)
	case r.Phase == Awaited:
		r.Overdue = true
		m.conclude(now, r, r.attempt(now, Failed, TaskEnded{Message: "longer than its limit"}))
	}
}

// kill ends a run: at once where the cluster has no task of it.
func (m *Machine) kill(now time.Time, r *active) {
	if r.Killing {
		return
	}
	r.Killing = true
	m.dirty.run(r.Number)
	m.dirty.publish(r.Job)
	if r.placed() {
		m.reveal(Kill{r.Task()})
		return
	}
	m.conclude(now, r, r.attempt(now, Killed, TaskEnded{Message: "killed while " + string(r.Phase)}))
}

func (r *active) attempt(now time.Time, o Outcome, in TaskEnded) Attempt {
	a := Attempt{Due: r.Due, Began: r.Began, Ended: now, Outcome: o, Exit: in.Exit, Agent: in.Agent, Message: in.Message, Elements: r.Elements}
	if r.Launches > 0 {
		a.Task = r.Task()
	}
	if len(a.Message) > 200 {
		a.Message = strings.ToValidUTF8(a.Message[:200], "")
	}
	return a
}

func (m *Machine) onEnded(now time.Time, in TaskEnded) {
	m.reveal(Acknowledge{in.Task})
	r := m.tasks[in.Task]
	if r == nil {
		return // repeated, or of a run that is no more
	}
	delete(m.tasks, in.Task)
	m.alarms.set(&r.alarm, time.Time{})
	m.dirty.run(r.Number)
	outcome := in.Outcome
	switch {
	case r.Killing && !r.Overdue && outcome != Succeeded:
		outcome = Killed
	case r.Overdue && outcome != Succeeded:
		outcome, in.Message = Failed, "longer than its limit; "+in.Message
	case outcome == Dropped && r.Phase == Running:
		outcome, in.Message = Failed, "lost; "+in.Message
	}
	switch {
	case r.Removed:
		m.drop(r)
	case outcome == Dropped:
		m.delay(r, now.Add(time.Duration(min(r.Launches, 60))*time.Second))
	case outcome == Succeeded && m.jobs[r.Job].job.Policy.Async && !r.Killing:
		r.Phase = Awaited
		if r.Began.IsZero() {
			r.Began = now
		}
		m.limit(r)
		m.dirty.publish(r.Job)
	default:
		m.conclude(now, r, r.attempt(now, outcome, in))
	}
}

func (m *Machine) delay(r *active, until time.Time) {
	r.Phase, r.Wake, r.Killing, r.Overdue = Delayed, until, false, false
	m.alarms.set(&r.alarm, until)
	m.dirty.run(r.Number)
	m.dirty.publish(r.Job)
}

// conclude is the end of an attempt: of the run, unless it is tried again.
func (m *Machine) conclude(now time.Time, r *active, a Attempt) {
	e := m.jobs[r.Job]
	m.remember(e, a)
	p := e.job.Policy
	if a.Outcome == Failed && r.Attempt < p.Retries && !p.Disabled {
		m.reveal(Notify{AttemptFailed, e.job, a})
		r.Attempt++
		m.delay(r, now.Add(orElse(p.RetryDelay, m.options.RetryDelay)))
		return
	}
	m.drop(r)
	e.runs = slices.DeleteFunc(e.runs, func(other *active) bool { return other == r })
	switch a.Outcome {
	case Succeeded:
		m.succeed(now, e, a)
	case Failed:
		m.exhaust(now, e, a)
	}
	if len(e.runs) == 1 && e.runs[0].Phase == Waiting {
		m.launch(e.runs[0])
	}
	m.join(now, e)
	if a.Outcome == Succeeded || p.SoftError {
		m.retire(e)
	}
}

const durations = 50 // kept of each job

func (m *Machine) succeed(now time.Time, e *entry, a Attempt) {
	e.state.Successes++
	e.state.ErrorsSinceSuccess = 0
	e.state.LastSuccess = now
	if !a.Began.IsZero() {
		e.state.Durations = bounded(e.state.Durations, a.Ended.Sub(a.Began), durations)
	}
	m.reveal(Notify{RunSucceeded, e.job, a})
	m.passOn(now, e)
}

func (m *Machine) exhaust(now time.Time, e *entry, a Attempt) {
	e.state.Errors++
	e.state.ErrorsSinceSuccess++
	e.state.LastError = now
	m.reveal(Notify{RetriesExhausted, e.job, a})
	if e.job.Policy.SoftError {
		m.passOn(now, e)
	}
	if n := m.options.DisableAfter; n > 0 && e.state.ErrorsSinceSuccess >= int64(n) && !e.job.Policy.Disabled {
		m.disable(e)
	}
}

// drop forgets a run.
func (m *Machine) drop(r *active) {
	m.alarms.set(&r.alarm, time.Time{})
	delete(m.tasks, r.Task())
	delete(m.runs, r.Number)
	m.dirty.run(r.Number)
}

func (m *Machine) remember(e *entry, a Attempt) {
	e.state.History = bounded(e.state.History, a, m.options.History)
	m.dirty.state(e.job.Name)
}

// bounded appends to a copy, since views hold the slice as it was.
func bounded[T any](all []T, last T, most int) []T {
	if len(all) >= most {
		all = all[len(all)-most+1:]
	}
	grown := make([]T, 0, len(all)+1)
	return append(append(grown, all...), last)
}
