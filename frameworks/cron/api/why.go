package api

import (
	"fmt"
	"net/http"
	"strings"

	"troupe/frameworks/cron/plan"
)

// Why is why a job does not run now, or what it waits for.
type Why struct {
	Name  string `json:"name"`
	State string `json:"state"`
	// Reasons are in words, of its runs first, and one at least.
	Reasons []string `json:"reasons"`
	// Dependents are the jobs that wait for this one.
	Dependents []string `json:"dependents"`
}

func (s *Server) why(w http.ResponseWriter, r *http.Request) error {
	v, err := s.view(r)
	if err != nil {
		return err
	}
	answer := Why{Name: v.Job.Name, State: stateOf(v), Dependents: append([]string{}, v.Children...)}
	for _, run := range v.Runs {
		answer.Reasons = append(answer.Reasons, s.ofRun(v, run)...)
	}
	answer.Reasons = append(answer.Reasons, s.ofTrigger(v)...)
	writeJSON(w, http.StatusOK, answer)
	return nil
}

func (s *Server) ofRun(v *plan.View, run plan.Run) []string {
	which := "the run of " + timeText(run.Due)
	if run.Killing {
		return []string{which + " is being killed"}
	}
	switch run.Phase {
	case plan.Waiting:
		return []string{which + " waits for the run before it to end, which is being killed"}
	case plan.Delayed:
		return []string{fmt.Sprintf("%s waits for attempt %d of %d, at %s", which, run.Attempt+1, v.Job.Policy.Retries+1, timeText(run.Wake))}
	case plan.Running:
		return []string{fmt.Sprintf("%s runs since %s", which, timeText(run.Began))}
	case plan.Awaited:
		return []string{fmt.Sprintf("%s has done its command, and waits for PUT task/%s", which, run.Task())}
	}
	var all []string
	for _, reason := range s.waiting(run) {
		all = append(all, which+" has no place yet: "+reason)
	}
	if len(all) == 0 {
		all = append(all, fmt.Sprintf("%s waits for an offer of %g CPUs, %g MiB of memory and %g MiB of disk%s",
			which, v.Job.CPUs, v.Job.Mem, v.Job.Disk, constrained(v.Job)))
	}
	return all
}

func constrained(j *plan.Job) string {
	if len(j.Constraints) == 0 {
		return ""
	}
	var all []string
	for _, c := range j.Constraints {
		all = append(all, strings.Join(c[:], " "))
	}
	return " where " + strings.Join(all, " and ")
}

// ofTrigger is what a job waits for to begin a run.
func (s *Server) ofTrigger(v *plan.View) []string {
	switch {
	case v.Job.Policy.Disabled:
		return []string{"it is disabled: nothing of it is due"}
	case len(v.Job.Trigger.Parents) > 0:
		return s.ofParents(v)
	case v.State.Due.IsZero():
		return []string{"no repetition of its schedule is left"}
	}
	if !v.State.Due.After(s.o.Now()) {
		return []string{"it is due now"}
	}
	return []string{"it is due next at " + timeText(v.State.Due)}
}

func (s *Server) ofParents(v *plan.View) []string {
	var all []string
	for i, name := range v.Job.Trigger.Parents {
		if joined(v, i) > 0 {
			continue
		}
		reason := "it waits for " + name + " to succeed"
		switch p := s.o.Board.Job(name); {
		case p == nil:
		case p.Job.Policy.Disabled:
			reason += ", which is disabled"
		default:
			reason += ", which is " + stateOf(p)
			if statusOf(p) == "failure" {
				reason += " and failed last"
			}
		}
		all = append(all, reason)
	}
	if len(all) == 0 {
		return []string{"all of its parents have succeeded: it runs when its last run has ended"}
	}
	return all
}
