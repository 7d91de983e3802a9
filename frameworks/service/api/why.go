package api

import (
	"fmt"
	"slices"
	"time"

	"troupe/frameworks/service/state"
	"troupe/messages/mesos"
)

// why is what keeps an app from being as it is to be, most important first.
func why(v *state.AppView, all []*state.DeploymentView, now time.Time) Why {
	w := Why{
		App: v.App.ID, Instances: v.App.Instances, Running: v.Counts.Running, Staged: v.Counts.Staged, Reasons: []string{},
	}
	if q := v.Queue; q != nil && q.Count > 0 {
		w.Waiting = q.Count
		w.add(q.Why != "", "%s", q.Why)
		w.add(q.Why == "" && now.Before(q.Until), "%s not launched before %s, since the last one failed",
			counted(q.Count, "instance is", "instances are"), stamp(q.Until))
		w.add(q.Why == "" && !now.Before(q.Until), "%s for an offer that fits", counted(q.Count, "instance waits", "instances wait"))
	}
	for _, d := range all {
		w.deployment(v, d)
	}
	w.instances(v)
	if f := v.Failure; f != nil && v.Counts.Running < v.App.Instances {
		w.add(true, "the last task that failed was %s on %s: %s %s", f.Task, f.Host, f.State, f.Message)
	}
	return w
}

func (w *Why) add(holds bool, format string, a ...any) {
	if holds {
		w.Reasons = append(w.Reasons, fmt.Sprintf(format, a...))
	}
}

// deployment tells what one that changes the app waits for.
func (w *Why) deployment(v *state.AppView, d *state.DeploymentView) {
	if !slices.Contains(d.Plan.Affected, v.App.ID) {
		return
	}
	w.add(d.Paused, "deployment %s is paused", d.ID)
	at := false
	for _, a := range d.Actions {
		if a.App == v.App.ID {
			at = true
			w.add(!a.Done && a.Waits != "", "deployment %s: %s", d.ID, a.Waits)
		}
	}
	for _, a := range d.Actions {
		w.add(!at && !a.Done, "deployment %s is at %s first, which it does before", d.ID, a.App)
	}
}

// instances tells what is the matter with those that there are.
func (w *Why) instances(v *state.AppView) {
	var staged, ill, away, ending int
	for _, i := range v.Instances {
		alive, known := well(i)
		switch {
		case i.Task == "":
		case i.Ending:
			ending++
		case i.Away || i.State == mesos.TaskState_TASK_UNREACHABLE:
			away++
		case i.State == mesos.TaskState_TASK_STAGING || i.State == mesos.TaskState_TASK_STARTING:
			staged++
		case known && !alive:
			ill++
		}
	}
	w.add(staged > 0, "%s launched and not running yet", counted(staged, "instance is", "instances are"))
	w.add(ill > 0, "%s by a health check", counted(ill, "instance is found ill", "instances are found ill"))
	w.add(away > 0, "%s on agents that are cut off", counted(away, "instance is", "instances are"))
	w.add(ending > 0, "%s being ended", counted(ending, "instance is", "instances are"))
}

func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
