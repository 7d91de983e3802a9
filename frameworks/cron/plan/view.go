package plan

import (
	"math"
	"slices"
	"time"
)

// View is a job for the read side; it never changes.
type View struct {
	Job      *Job
	State    State
	Schedule string // as it stands: what is left, and from when on
	Children []string
	Runs     []Run // not ended, oldest first
}

// View is a job as it is now, which need not be durable yet; nil where there is
// none of that name. Publish has it once it is.
func (m *Machine) View(name string) *View {
	e := m.jobs[name]
	if e == nil {
		return nil
	}
	v := &View{Job: e.job, State: e.state, Children: slices.Clone(e.children)}
	if e.schedule != nil {
		v.Schedule = e.schedule.String()
	}
	for _, r := range e.runs {
		v.Runs = append(v.Runs, r.Run)
	}
	return v
}

// Percentile is how long so many of a hundred of the last successful runs took at
// most; false without any. The fraction is from 0 to 1; one half is the median.
func (v *View) Percentile(fraction float64) (time.Duration, bool) {
	sorted := slices.Sorted(slices.Values(v.State.Durations))
	if len(sorted) == 0 || !(fraction >= 0 && fraction <= 1) {
		return 0, false
	}
	return sorted[max(int(math.Ceil(fraction*float64(len(sorted))))-1, 0)], true
}

// Mean is how long the last successful runs took on average; false without any.
func (v *View) Mean() (time.Duration, bool) {
	if len(v.State.Durations) == 0 {
		return 0, false
	}
	var sum time.Duration
	for _, d := range v.State.Durations {
		sum += d / time.Duration(len(v.State.Durations))
	}
	return sum, true
}
