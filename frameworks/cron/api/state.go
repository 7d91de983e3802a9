package api

import (
	"fmt"

	"troupe/frameworks/cron/plan"
)

// Summary is a job in one line.
type Summary struct {
	Name     string   `json:"name"`
	Status   string   `json:"status"` // of the last run that ended: success, failure, or fresh
	State    string   `json:"state"`  // now: idle, queued, or how many runs, as in "2 running"
	Schedule string   `json:"schedule"`
	Parents  []string `json:"parents"`
	Disabled bool     `json:"disabled"`
	// Next is when it is due; empty when nothing of it is.
	Next string            `json:"next"`
	Tags map[string]string `json:"tags,omitempty"`
}

func newSummary(v *plan.View) Summary {
	s := Summary{
		Name: v.Job.Name, Status: statusOf(v), State: stateOf(v), Schedule: v.Schedule,
		Parents: v.Job.Trigger.Parents, Disabled: v.Job.Policy.Disabled,
		Next: timeText(v.State.Due), Tags: v.Job.About.Tags,
	}
	if s.Parents == nil {
		s.Parents = []string{}
	}
	return s
}

// statusOf is how a job's last run came out.
func statusOf(v *plan.View) string {
	switch s := v.State; {
	case s.LastError.IsZero() && s.LastSuccess.IsZero():
		return "fresh"
	case s.LastError.After(s.LastSuccess):
		return "failure"
	}
	return "success"
}

// stateOf is what a job does now.
func stateOf(v *plan.View) string {
	running := 0
	for _, r := range v.Runs {
		if r.Phase == plan.Running || r.Phase == plan.Awaited {
			running++
		}
	}
	switch {
	case running > 0:
		return fmt.Sprintf("%d running", running)
	case len(v.Runs) > 0:
		return "queued"
	}
	return "idle"
}
