package notify

import (
	"fmt"
	"strings"
	"time"

	"troupe/frameworks/cron/plan"
)

// message is a notification in words.
type message struct {
	occasion      plan.Occasion
	subject, text string
	job           *plan.Job
	attempt       plan.Attempt
	at            time.Time
}

func newMessage(cluster string, n plan.Notify) message {
	m := message{occasion: n.Occasion, job: n.Job, attempt: n.Attempt, at: time.Now()}
	m.subject = fmt.Sprintf("%s: %s", n.Occasion, n.Job.Name)
	if cluster != "" {
		m.subject = "[" + cluster + "] " + m.subject
	}
	m.text = text(n)
	return m
}

// text says what happened, a fact a line.
func text(n plan.Notify) string {
	var all []string
	say := func(format string, a ...any) { all = append(all, fmt.Sprintf(format, a...)) }
	switch n.Occasion {
	case plan.JobRemoved:
		say("The job %q was removed.", n.Job.Name)
	case plan.JobDisabled:
		say("The job %q is disabled: its last run is done, or too many failed one after the other.", n.Job.Name)
	case plan.RetriesExhausted:
		say("A run of the job %q has failed, and is not tried again.", n.Job.Name)
	case plan.AttemptFailed:
		say("An attempt of the job %q has failed; it is tried again.", n.Job.Name)
	case plan.RunSucceeded:
		say("A run of the job %q has succeeded.", n.Job.Name)
	}
	if d := n.Job.About.Description; d != "" {
		say("%s", d)
	}
	a := n.Attempt
	if a.Task != "" {
		say("Task: %s", a.Task)
		say("Due: %s", a.Due.Format(time.RFC3339))
		if !a.Began.IsZero() {
			say("Ran: %s to %s", a.Began.Format(time.RFC3339), a.Ended.Format(time.RFC3339))
		}
		if a.Agent != "" {
			say("Agent: %s", a.Agent)
		}
		if a.Outcome == plan.Failed && a.Exit >= 0 {
			say("Exit code: %d", a.Exit)
		}
		if a.Message != "" {
			say("Message: %s", a.Message)
		}
	}
	if c := n.Job.Command.Text; c != "" {
		say("Command: %s", c)
	}
	return strings.Join(all, "\n") + "\n"
}
