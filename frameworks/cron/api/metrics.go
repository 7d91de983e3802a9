package api

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"troupe/frameworks/cron/plan"
)

type gauge struct {
	Value float64 `json:"value"`
}

type counter struct {
	Count int64 `json:"count"`
}

// Metrics are in the form of Dropwizard's, as clients of Chronos read them.
type Metrics struct {
	Version    string                        `json:"version"`
	Gauges     map[string]gauge              `json:"gauges"`
	Counters   map[string]counter            `json:"counters"`
	Histograms map[string]map[string]float64 `json:"histograms"` // milliseconds
	Meters     map[string]any                `json:"meters"`
	Timers     map[string]any                `json:"timers"`
}

// tally is what all jobs together come to.
type tally struct {
	jobs, disabled, overdue int
	runs                    map[plan.Phase]int
	successes, errors       int64
}

func newTally(views []*plan.View, now time.Time) tally {
	t := tally{jobs: len(views), runs: map[plan.Phase]int{}}
	for _, v := range views {
		if v.Job.Policy.Disabled {
			t.disabled++
		}
		if d := v.State.Due; !d.IsZero() && d.Before(now) {
			t.overdue++
		}
		for _, r := range v.Runs {
			t.runs[r.Phase]++
		}
		t.successes += v.State.Successes
		t.errors += v.State.Errors
	}
	return t
}

var phases = []plan.Phase{plan.Waiting, plan.Launched, plan.Running, plan.Delayed, plan.Awaited}

func (s *Server) metrics(w http.ResponseWriter, r *http.Request) error {
	views := s.o.Board.Jobs()
	t := newTally(views, s.o.Now())
	if accepts(r, "text/plain", "openmetrics") {
		write(w, http.StatusOK, "text/plain; version=0.0.4; charset=utf-8", []byte(t.prometheus()))
		return nil
	}
	m := Metrics{
		Version:    "3.0.0", // of the form
		Gauges:     map[string]gauge{"jobs": {float64(t.jobs)}, "jobs.disabled": {float64(t.disabled)}, "jobs.overdue": {float64(t.overdue)}},
		Counters:   map[string]counter{"jobs.run.success": {t.successes}, "jobs.run.failure": {t.errors}},
		Histograms: map[string]map[string]float64{}, Meters: map[string]any{}, Timers: map[string]any{},
	}
	for _, p := range phases {
		m.Gauges["runs."+string(p)] = gauge{float64(t.runs[p])}
	}
	for _, v := range views {
		name := v.Job.Name
		m.Counters["jobs.run.success."+name] = counter{v.State.Successes}
		m.Counters["jobs.run.failure."+name] = counter{v.State.Errors}
		if h := histogram(v); len(h) > 1 {
			m.Histograms["jobs.run.time."+name] = h
		}
	}
	writeJSON(w, http.StatusOK, m)
	return nil
}

func histogram(v *plan.View) map[string]float64 {
	h := map[string]float64{"count": float64(len(v.State.Durations))}
	for name, of := range map[string]string{
		"p99": "99thPercentile", "p98": "98thPercentile", "p95": "95thPercentile", "p75": "75thPercentile", "p50": "median", "mean": "mean",
	} {
		if d, ok := statisticOf(v, of); ok {
			h[name] = milliseconds(d)
		}
	}
	return h
}

// prometheus has no series per job, of which there may be many.
func (t tally) prometheus() string {
	var b strings.Builder
	one := func(name, kind, help, labels string, value int64) {
		if !strings.Contains(b.String(), "# TYPE "+name+" ") {
			fmt.Fprintf(&b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind)
		}
		fmt.Fprintf(&b, "%s%s %d\n", name, labels, value)
	}
	one("troupe_cron_jobs", "gauge", "Jobs there are.", "", int64(t.jobs))
	one("troupe_cron_jobs_disabled", "gauge", "Jobs that are disabled.", "", int64(t.disabled))
	one("troupe_cron_jobs_overdue", "gauge", "Jobs whose due time has passed without a run.", "", int64(t.overdue))
	for _, p := range phases {
		one("troupe_cron_runs", "gauge", "Runs that have not ended, by phase.", fmt.Sprintf("{phase=%q}", p), int64(t.runs[p]))
	}
	one("troupe_cron_runs_succeeded_total", "counter", "Runs of these jobs that succeeded.", "", t.successes)
	one("troupe_cron_runs_failed_total", "counter", "Runs of these jobs that failed with all retries.", "", t.errors)
	return b.String()
}
