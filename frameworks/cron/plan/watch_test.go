package plan

import (
	"testing"
	"time"
)

// After a failover tasks are named in the very first step, before anything is
// written: news of them must not find them unknown.
func TestTasksAreWatchedAtOnce(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	m := New(Options{})
	m.Step(now, Loaded{})
	var records []Change
	keep := func(effects []Effect) {
		for len(effects) > 0 {
			e := effects[0]
			effects = effects[1:]
			if p, ok := e.(Persist); ok {
				records = append(records, p.Changes...)
				effects = append(effects, m.Step(now, Persisted{Number: p.Number})...)
			}
		}
	}
	keep(m.Step(now, Put{1, Job{Name: "a", Trigger: Trigger{Schedule: "R/2026-03-01T12:00:00Z/PT1M"}, Policy: Policy{Overlap: Allow}}}))
	last := map[string]Change{}
	for _, r := range records {
		last[r.Key] = r
	}
	records = nil
	for _, r := range last {
		records = append(records, r)
	}
	effects := New(Options{}).Step(now.Add(time.Hour), Loaded{records}) // and more is due by now
	watched, written := -1, -1
	for i, e := range effects {
		switch e.(type) {
		case Watch:
			watched = i
		case Persist:
			written = i
		}
	}
	if watched < 0 || written < watched {
		t.Errorf("effects: %T", effects)
	}
}
