package plan

import (
	"slices"
	"time"

	"troupe/frameworks/cron/schedule"
)

// serve answers a request. Nothing of it has happened where Err is set.
func (m *Machine) serve(now time.Time, in Input) {
	switch in := in.(type) {
	case Put:
		m.answer(in.Request, m.put(now, in.Job))
	case Delete:
		m.answer(in.Request, m.remove(in))
	case RunNow:
		m.answer(in.Request, m.of(in.Name, func(e *entry) {
			r := m.newRun(e, now)
			r.Manual, r.Arguments = true, in.Arguments
			m.launch(r)
		}))
	case KillRuns:
		m.answer(in.Request, m.of(in.Name, func(e *entry) {
			for _, r := range slices.Backward(slices.Clone(e.runs)) { // what waits goes first
				m.kill(now, r)
			}
		}))
	case MarkSuccess:
		m.answer(in.Request, m.of(in.Name, func(e *entry) {
			e.state.ErrorsSinceSuccess = 0
			m.dirty.state(in.Name)
			m.passOn(now, e)
		}))
	case Finish:
		m.answer(in.Request, m.finish(now, in))
	case Progress:
		m.answer(in.Request, m.progress(in))
	}
}

func (m *Machine) answer(request uint64, e *Error) {
	var err error
	if e != nil {
		err = e
	}
	m.reveal(Answer{request, err})
}

func (m *Machine) of(name string, do func(*entry)) *Error {
	e := m.jobs[name]
	if e == nil {
		return unknownJob(name)
	}
	do(e)
	return nil
}

func (m *Machine) put(now time.Time, job Job) *Error {
	parents := slices.Clone(job.Trigger.Parents)
	slices.Sort(parents)
	job.Trigger.Parents = slices.Compact(parents)
	s, problem := m.problems(now, &job)
	if problem != nil {
		return problem
	}
	e := m.jobs[job.Name]
	if e == nil {
		e = &entry{}
		e.alarm.job = e
		m.jobs[job.Name] = e
	}
	old := e.job
	e.job = &job
	m.relink(e, old)
	m.dirty.job(job.Name)
	m.dirty.state(job.Name)
	for _, r := range e.runs {
		m.limit(r)
	}
	if old != nil && s != nil && e.schedule != nil && old.Trigger.Zone == job.Trigger.Zone &&
		(job.Trigger.Schedule == old.Trigger.Schedule || s.String() == e.schedule.String()) {
		// A client that gives back what it was shown changes nothing. What was due
		// while a job was disabled is not wanted any more.
		if old.Policy.Disabled || job.Policy.Disabled {
			m.await(e, now)
		}
		return nil
	}
	e.schedule = s
	if i, ok := s.(schedule.Interval); ok {
		m.await(e, i.Start().Add(-1))
	} else {
		m.await(e, now)
	}
	return nil
}

// relink has the parents of a job know it, and keeps what it has joined so far.
func (m *Machine) relink(e *entry, old *Job) {
	name := e.job.Name
	joined := make([]int, len(e.job.Trigger.Parents))
	if old != nil {
		for i, p := range old.Trigger.Parents {
			if at, still := slices.BinarySearch(e.job.Trigger.Parents, p); still {
				joined[at] = e.state.Joined[i]
			}
			m.unlink(p, name)
		}
	}
	e.state.Joined = joined
	for _, p := range e.job.Trigger.Parents {
		m.link(p, name)
	}
}

func (m *Machine) link(parent, child string) {
	p := m.jobs[parent]
	if at, known := slices.BinarySearch(p.children, child); !known {
		p.children = slices.Insert(p.children, at, child)
		m.dirty.publish(parent)
	}
}

func (m *Machine) unlink(parent, child string) {
	if p := m.jobs[parent]; p != nil {
		p.children = slices.DeleteFunc(p.children, func(c string) bool { return c == child })
		m.dirty.publish(parent)
	}
}

// remove takes a job out, and with Cascade all that depend on it.
func (m *Machine) remove(in Delete) *Error {
	e := m.jobs[in.Name]
	switch {
	case e == nil:
		return unknownJob(in.Name)
	case len(e.children) > 0 && !in.Cascade:
		return fault(Conflict, "name", "%s has dependents: %.500q", in.Name, e.children)
	}
	queue := []string{in.Name}
	for len(queue) > 0 {
		e := m.jobs[queue[0]]
		queue = queue[1:]
		if e != nil {
			queue = append(queue, e.children...)
			m.removeOne(e)
		}
	}
	return nil
}

func (m *Machine) removeOne(e *entry) {
	for _, r := range e.runs {
		if !r.placed() {
			m.drop(r)
			continue
		}
		r.Removed, r.Killing = true, true
		m.alarms.set(&r.alarm, time.Time{})
		m.dirty.run(r.Number)
		m.reveal(Kill{r.Task()})
	}
	for _, p := range e.job.Trigger.Parents {
		m.unlink(p, e.job.Name)
	}
	m.alarms.set(&e.alarm, time.Time{})
	delete(m.jobs, e.job.Name)
	m.dirty.job(e.job.Name)
	m.dirty.state(e.job.Name)
	m.reveal(Notify{Occasion: JobRemoved, Job: e.job})
}

// byTask finds a run by the id of its last task, which the cluster need not have
// any more.
func (m *Machine) byTask(task string) *active {
	if r := m.tasks[task]; r != nil {
		return r
	}
	number, ok := numberIn(task)
	if r := m.runs[number]; ok && r != nil && r.Task() == task {
		return r
	}
	return nil
}

func (m *Machine) finish(now time.Time, in Finish) *Error {
	r := m.byTask(in.Task)
	switch {
	case r == nil || r.Removed:
		return fault(Unknown, "task", "no run has the task %.200q", in.Task)
	case r.Phase != Awaited:
		return fault(Conflict, "task", "%s is %s; only a run of an async job whose command has ended is finished", in.Task, r.Phase)
	}
	outcome := Succeeded
	if in.Exit != 0 {
		outcome = Failed
	}
	m.alarms.set(&r.alarm, time.Time{})
	m.conclude(now, r, r.attempt(now, outcome, TaskEnded{Exit: in.Exit, Message: "finished by request"}))
	return nil
}

func (m *Machine) progress(in Progress) *Error {
	r := m.byTask(in.Task)
	switch {
	case r == nil || r.Removed:
		return fault(Unknown, "task", "no run has the task %.200q", in.Task)
	case in.Elements < 0 || r.Elements+in.Elements < 0:
		return fault(BadInput, "numAdditionalElementsProcessed", "%d is less than none, or more than can be counted", in.Elements)
	}
	r.Elements += in.Elements
	m.dirty.run(r.Number)
	m.dirty.publish(r.Job)
	return nil
}
