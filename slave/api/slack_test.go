package api

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"troupe/slave/state/view"
)

func TestSlack(t *testing.T) {
	v, s := shown(t)
	if got := get(t, s, "/slack"); !reflect.DeepEqual(got, map[string]any{"roles": []any{}}) {
		t.Errorf("at first it is %v", got)
	}
	left := view.Left{Allocated: 4 << 20, Used: 2 << 20, P95: 3 << 20, Peak: 3.5 * (1 << 20), Slack: 1 << 20}
	of := func(role string, window time.Duration) view.Slack {
		return view.Slack{Role: role, Window: window, Covers: 50 * time.Second, CPUs: view.Left{Allocated: 2, Used: 0.5, P95: 1, Peak: 1.5, Slack: 0.75}, Mem: left}
	}
	v.Publish(view.SlackChanged{Slack: []view.Slack{of("a", time.Minute), of("a", time.Hour), of("b", 24*time.Hour)}})
	whole := get(t, s, "/slack")
	for path, want := range map[string]any{
		"roles 0 role": "a", "roles 0 windows 0 window": "1m", "roles 0 windows 1 window": "1h", "roles 0 windows 1 covers_secs": 50.0,
		"roles 0 windows 0 cpus mean_allocated": 2.0, "roles 0 windows 0 cpus mean_used": 0.5, "roles 0 windows 0 cpus p95_used": 1.0,
		"roles 0 windows 0 cpus peak_used": 1.5, "roles 0 windows 0 cpus slack": 0.75, "roles 1 role": "b",
		"roles 1 windows 0 mem mean_allocated": 4.0, "roles 1 windows 0 mem peak_used": 3.5, "roles 1 windows 0 mem slack": 1.0,
	} {
		if got := at(t, whole, path); got != want {
			t.Errorf("%s is %v, want %v", path, got, want)
		}
	}
	one := get(t, s, "/slave(1)/slack?role=b")
	if at(t, one, "roles 0 role") != "b" || len(at(t, one, "roles").([]any)) != 1 {
		t.Errorf("of one role it is %v", one)
	}
	lines := scrape(t, NewCollector(v, nil))
	for _, want := range []string{
		`troupe_agent_role_slack{resource="cpus",role="a",window="1m"} 0.75`, `troupe_agent_role_slack{resource="mem",role="b",window="1d"} ` + fmt.Sprintf("%.6e", float64(1<<20)),
		`troupe_agent_role_p95_used{resource="cpus",role="a",window="1h"} 1`, `troupe_agent_tasks_limited_total{resource="memory"} 0`,
	} {
		if !lines[want] {
			t.Errorf("no line %s", want)
		}
	}
}
