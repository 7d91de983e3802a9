package plan

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"troupe/frameworks/cron/schedule"
)

var names = regexp.MustCompile(`^[\w .-]{1,200}$`)

const (
	maxRetries  = 1_000_000
	maxDuration = 10 * 365 * 24 * time.Hour // of epsilon, delays and limits
)

// Check is all that is wrong with a job by itself, wherever it is put: what is
// wrong with its parents, if anything, depends on the other jobs.
func Check(j *Job, now time.Time) []Problem {
	_, found := check(j, now, schedule.Zone)
	return found
}

// problems are all that is wrong with a job by itself and with its place among
// the others; its schedule is returned when it has one.
func (m *Machine) problems(now time.Time, j *Job) (schedule.Schedule, *Error) {
	s, found := check(j, now, m.zone)
	for _, p := range j.Trigger.Parents {
		if m.jobs[p] == nil && p != j.Name {
			found = append(found, Problem{"parents", fmt.Sprintf("no job is called %.200s", p)})
		}
	}
	if cycle := m.cycle(j); cycle != nil {
		found = append(found, Problem{"parents", "a cycle: " + strings.Join(cycle, " → ")})
	}
	if len(found) > 0 {
		return nil, &Error{BadInput, found}
	}
	return s, nil
}

// checking collects what is wrong.
type checking struct{ found []Problem }

func (c *checking) wrong(bad bool, path, format string, a ...any) {
	if bad {
		c.found = append(c.found, Problem{path, fmt.Sprintf(format, a...)})
	}
}

func check(j *Job, now time.Time, zoneOf func(string) (*time.Location, error)) (schedule.Schedule, []Problem) {
	c := &checking{}
	named := names.MatchString(j.Name) && strings.Trim(j.Name, ". ") != ""
	c.wrong(!named, "name", "one to 200 letters, digits, blanks, dots, dashes and underlines are a name")
	c.amounts(j)
	c.constraints(j.Constraints)
	p := j.Policy
	c.wrong(p.Retries < 0 || p.Retries > maxRetries, "retries", "%d is not from 0 to %d", p.Retries, maxRetries)
	c.wrong(!slices.Contains([]Overlap{"", Skip, Allow, KillExisting}, p.Overlap), "overlap", "%.100q is not skip, allow or kill-existing", p.Overlap)
	s := c.trigger(j.Trigger, now, zoneOf)
	return s, c.found
}

func (c *checking) amounts(j *Job) {
	for _, r := range []struct {
		path   string
		amount float64
	}{{"cpus", j.CPUs}, {"mem", j.Mem}, {"disk", j.Disk}} {
		sensible := r.amount >= 0 && r.amount <= 1e12 // which no NaN is
		c.wrong(!sensible, r.path, "an amount from 0 to 1e12 is expected")
	}
	for _, d := range []struct {
		path   string
		length time.Duration
	}{{"retryDelay", j.Policy.RetryDelay}, {"epsilon", j.Policy.Epsilon}, {"maxCompletionTime", j.MaxCompletion}} {
		c.wrong(d.length < 0 || d.length > maxDuration, d.path, "%v is not from nothing to ten years", d.length)
	}
}

// constraints checks each, and that some host may suit all that ask for a value.
func (c *checking) constraints(all [][3]string) {
	must := map[string]string{}
	for i, one := range all {
		path := fmt.Sprintf("constraints[%d]", i)
		attribute, operator, value := one[0], one[1], one[2]
		c.wrong(attribute == "", path+"[0]", "the name of an attribute is expected")
		c.wrong(!slices.Contains([]string{"EQUALS", "LIKE", "UNLIKE"}, operator), path+"[1]", "%.100q is not EQUALS, LIKE or UNLIKE", operator)
		_, err := regexp.Compile(value)
		c.wrong(operator != "EQUALS" && err != nil, path+"[2]", "%.200q is not a regular expression", value)
		if operator == "EQUALS" {
			other, known := must[attribute]
			c.wrong(known && other != value, path, "impossible: %.100s cannot equal %.100q and %.100q", attribute, other, value)
			must[attribute] = value
		}
	}
	for i, one := range all {
		value, known := must[one[0]]
		pattern, err := regexp.Compile("^(?:" + one[2] + ")$")
		if !known || err != nil || one[1] == "EQUALS" {
			continue
		}
		like := one[1] == "LIKE"
		c.wrong(pattern.MatchString(value) != like, fmt.Sprintf("constraints[%d]", i),
			"impossible: %.100s equals %.100q, and is to be %s %.100q", one[0], value, one[1], one[2])
	}
}

func (c *checking) trigger(t Trigger, now time.Time, zoneOf func(string) (*time.Location, error)) schedule.Schedule {
	zone, err := zoneOf(t.Zone)
	if err != nil {
		c.wrong(true, "scheduleTimeZone", "%v", err)
	}
	scheduled, dependent := t.Schedule != "", len(t.Parents) > 0
	c.wrong(scheduled == dependent, "schedule", "a job has either a schedule or parents")
	if !scheduled || dependent {
		return nil
	}
	s, err := schedule.Parse(t.Schedule, zone, now)
	if err != nil {
		c.wrong(true, "schedule", "%v", err)
		return nil
	}
	c.wrong(neverDue(s), "schedule", "%.200q is never due", t.Schedule)
	return s
}

// neverDue tells whether a schedule has no due time at all, beside one without
// repetitions left, which is what is shown of a job that has done them all.
func neverDue(s schedule.Schedule) bool {
	after := time.Time{}
	if i, ok := s.(schedule.Interval); ok {
		if i.Left() == 0 {
			return false
		}
		after = i.Start().Add(-1)
	}
	_, due := s.Next(after)
	return !due
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
