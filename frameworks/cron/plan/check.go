package plan

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"troupe/frameworks/cron/schedule"
)

var names = regexp.MustCompile(`^[\w .-]{1,200}$`)

// problems are all that is wrong with a job by itself and with its place among
// the others; its schedule is returned when it has one.
func (m *Machine) problems(now time.Time, j *Job) (schedule.Schedule, *Error) {
	e := &Error{Kind: BadInput}
	wrong := func(bad bool, path, text string) {
		if bad {
			e.Problems = append(e.Problems, Problem{path, text})
		}
	}
	wrong(!names.MatchString(j.Name), "name", "one to 200 letters, digits, blanks, dots, dashes and underlines are a name")
	for _, r := range []struct {
		path   string
		amount float64
	}{{"cpus", j.CPUs}, {"mem", j.Mem}, {"disk", j.Disk}} {
		sensible := r.amount >= 0 && r.amount <= 1e12 // which no NaN is
		wrong(!sensible, r.path, "an amount from 0 to 1e12 is expected")
	}
	for _, c := range j.Constraints {
		wrong(!slices.Contains([]string{"EQUALS", "LIKE", "UNLIKE"}, c[1]), "constraints", "EQUALS, LIKE or UNLIKE is expected")
		_, err := regexp.Compile(c[2])
		wrong(c[1] != "EQUALS" && err != nil, "constraints", "not a regular expression")
	}
	wrong(j.Policy.Retries < 0, "retries", "less than none")
	wrong(j.Policy.RetryDelay < 0 || j.Policy.Epsilon < 0 || j.MaxCompletion < 0, "policy", "a duration of less than nothing")
	wrong(!slices.Contains([]Overlap{"", Skip, Allow, KillExisting}, j.Policy.Overlap), "overlap", "skip, allow or kill-existing is expected")
	zone, err := m.zone(j.Trigger.Zone)
	if err != nil {
		wrong(true, "scheduleTimeZone", err.Error())
	}
	var s schedule.Schedule
	switch scheduled, dependent := j.Trigger.Schedule != "", len(j.Trigger.Parents) > 0; {
	case scheduled == dependent:
		wrong(true, "schedule", "a job has either a schedule or parents")
	case scheduled:
		if s, err = schedule.Parse(j.Trigger.Schedule, zone, now); err != nil {
			wrong(true, "schedule", err.Error())
		}
	default:
		for _, p := range j.Trigger.Parents {
			wrong(m.jobs[p] == nil && p != j.Name, "parents", "no job is called "+p)
		}
		if cycle := m.cycle(j); cycle != nil {
			wrong(true, "parents", "a cycle: "+strings.Join(cycle, " → "))
		}
	}
	if len(e.Problems) > 0 {
		return nil, e
	}
	return s, nil
}

// cycle is a way from the job over its parents back to itself, or nil.
func (m *Machine) cycle(j *Job) []string {
	from := map[string]string{} // who was reached from whom
	queue := []string{j.Name}
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		parents := j.Trigger.Parents
		if at != j.Name {
			known := m.jobs[at]
			if known == nil {
				continue
			}
			parents = known.job.Trigger.Parents
		}
		for _, p := range parents {
			if p == j.Name {
				way := []string{j.Name}
				for ; at != j.Name; at = from[at] {
					way = append(way, at)
				}
				way = append(way, j.Name)
				return way
			}
			if _, seen := from[p]; !seen {
				from[p] = at
				queue = append(queue, p)
			}
		}
	}
	return nil
}

// zone is a zone of the tz database, one value for all jobs that are in it.
func (m *Machine) zone(name string) (*time.Location, error) {
	if z, known := m.zones[name]; known {
		return z, nil
	}
	z, err := schedule.Zone(name)
	if err != nil {
		return nil, err
	}
	m.zones[name] = z
	return z, nil
}
