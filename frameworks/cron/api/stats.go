package api

import (
	"net/http"
	"slices"
	"time"

	"troupe/frameworks/cron/plan"
)

// fractions are the statistics that are percentiles.
var fractions = map[string]float64{
	"99thPercentile": 0.99, "98thPercentile": 0.98, "95thPercentile": 0.95, "75thPercentile": 0.75, "median": 0.5,
}

func statisticOf(v *plan.View, name string) (time.Duration, bool) {
	if name == "mean" {
		return v.Mean()
	}
	return v.Percentile(fractions[name])
}

// Time is how long runs of a job take.
type Time struct {
	Job  string  `json:"jobNameLabel"`
	Time float64 `json:"time"` // milliseconds
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// statistic is one figure of every job that has it.
func (s *Server) statistic(w http.ResponseWriter, r *http.Request) error {
	name := r.PathValue("statistic")
	if _, known := fractions[name]; !known && name != "mean" {
		return unknown("statistic", "there is no statistic "+clip(name))
	}
	all := []Time{}
	for _, v := range s.o.Board.Jobs() {
		if d, ok := statisticOf(v, name); ok {
			all = append(all, Time{v.Job.Name, milliseconds(d)})
		}
	}
	slices.SortStableFunc(all, func(a, b Time) int {
		switch {
		case a.Time > b.Time:
			return -1
		case a.Time < b.Time:
			return 1
		}
		return 0
	})
	writeJSON(w, http.StatusOK, all)
	return nil
}

// Stat is how long a job takes, in milliseconds, and its last runs.
type Stat struct {
	Histogram map[string]float64 `json:"histogram"` // by the names of statistics, and count
	Tasks     []TaskStat         `json:"taskStatHistory"`
}

// TaskStat is a run that has ended.
type TaskStat struct {
	Job      string  `json:"jobName"`
	Task     string  `json:"taskId"`
	Agent    string  `json:"slaveId"`
	Start    string  `json:"startTime"`
	End      string  `json:"endTime"`
	Duration float64 `json:"duration"` // milliseconds
	Status   string  `json:"status"`   // of the outcomes of runs, as in "succeeded"
	Elements *int64  `json:"numElementsProcessed,omitempty"`
}

func (s *Server) jobStat(w http.ResponseWriter, r *http.Request) error {
	v, err := s.view(r)
	if err != nil {
		return err
	}
	stat := Stat{Histogram: map[string]float64{"count": float64(len(v.State.Durations))}, Tasks: []TaskStat{}}
	for _, name := range []string{"99thPercentile", "98thPercentile", "95thPercentile", "75thPercentile", "median", "mean"} {
		if d, ok := statisticOf(v, name); ok {
			stat.Histogram[name] = milliseconds(d)
		}
	}
	for _, a := range slices.Backward(v.State.History) {
		if a.Task != "" {
			stat.Tasks = append(stat.Tasks, newTaskStat(v.Job, a))
		}
	}
	writeJSON(w, http.StatusOK, stat)
	return nil
}

func newTaskStat(j *plan.Job, a plan.Attempt) TaskStat {
	t := TaskStat{
		Job: j.Name, Task: a.Task, Agent: a.Agent, Start: timeText(a.Began), End: timeText(a.Ended),
		Duration: milliseconds(lasted(a)), Status: string(a.Outcome),
	}
	if j.Policy.DataProcessing {
		t.Elements = &a.Elements
	}
	return t
}

func lasted(a plan.Attempt) time.Duration {
	if a.Began.IsZero() {
		return 0
	}
	return max(a.Ended.Sub(a.Began), 0)
}
