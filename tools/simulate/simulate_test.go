package simulate

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// report fails the test for every run that broke a law.
func report(t *testing.T, o Options) Report {
	t.Helper()
	r, err := Simulate(o)
	if err != nil {
		t.Fatal(err)
	}
	for _, run := range r.Runs {
		if run.Failure != "" {
			t.Errorf("%s", run)
		}
	}
	return r
}

// most is how many of n seeds, or agents, a test takes: all, but a fifth where
// the race detector makes each several times slower, and has little to find, as a
// simulated world is one goroutine. tools/test runs these tests both ways.
func most(n int) int {
	if raceDetector {
		return max(1, n/5)
	}
	return n
}

func TestHundredSeedsKeepTheLaws(t *testing.T) {
	t.Parallel()
	r := report(t, Options{Seeds: most(100)})
	ends := make(map[string]int)
	for _, run := range r.Runs {
		for state, n := range run.Ends {
			ends[state] += n
		}
	}
	for _, state := range []string{"TASK_FINISHED", "TASK_FAILED", "TASK_KILLED", "TASK_GONE", "TASK_DROPPED"} {
		if ends[state] == 0 {
			t.Errorf("no task of any run came to %s: %v", state, ends)
		}
	}
}

// Small clusters, so that whatever happens happens to all that there is.
func TestFiveHundredSeedsKeepTheLaws(t *testing.T) {
	t.Parallel()
	r := report(t, Options{Seed: 10_000, Seeds: most(500), Agents: 4, Tasks: 15, FaultEvery: 6 * time.Second})
	for _, run := range r.Runs {
		if run.Lasted < 5*time.Minute {
			t.Errorf("seed %d lasted for %s only", run.Seed, run.Lasted)
		}
	}
}

func TestStormsKeepTheLaws(t *testing.T) {
	report(t, Options{Seed: 1000, Seeds: most(8), Tasks: 200, FaultEvery: time.Second})
}

func TestWithoutFaultsEveryTaskGoesAsPlanned(t *testing.T) {
	r := report(t, Options{Seeds: 3, FaultEvery: -1})
	for _, run := range r.Runs {
		for state, n := range run.Ends {
			if state != "TASK_FINISHED" && state != "TASK_FAILED" && state != "TASK_KILLED" {
				t.Errorf("%d tasks came to %s", n, state)
			}
		}
	}
}

func TestFiftyThousandAgents(t *testing.T) {
	t.Parallel()
	r := report(t, Options{
		Masters: 1, Agents: most(50_000), Frameworks: 1, Tasks: 500, Duration: 5 * time.Second, FaultEvery: -1, Trace: -1,
	})
	total := 0
	for _, n := range r.Runs[0].Ends {
		total += n
	}
	if total != 500 {
		t.Errorf("%d of 500 tasks ended: %v", total, r.Runs[0].Ends)
	}
}

func TestSameSeedSameTrace(t *testing.T) {
	run := func(seed uint64) Run {
		return report(t, Options{Seed: seed, FaultEvery: 2 * time.Second, contents: true}).Runs[0]
	}
	a, b, other := run(42), run(42), run(43)
	if a.Hash != b.Hash || a.Steps != b.Steps || a.Lasted != b.Lasted {
		t.Errorf("the same seed gave %v and %v", a, b)
	}
	if a.Hash == other.Hash {
		t.Error("two seeds gave one trace")
	}
}

func scenario(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "scenario.txt")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestScenario(t *testing.T) {
	path := scenario(t, `
# One of each kind of fault.
agents 4
frameworks 1
tasks 30
duration 2m
fault-every none
resources cpus:2;mem:1024;disk:100
at 5s break agent0 master
at 10s cut agent1 40s
at 15s crash agent2
at 20s crash master
at 30s host agent3
at 40s power agent0
at 50s crash scheduler0
at 60s allocator
at 70s cut scheduler0 20s
at 80s cut master 10s
`)
	r := report(t, Options{Scenario: path})
	total := 0
	for _, n := range r.Runs[0].Ends {
		total += n
	}
	if total != 30 {
		t.Errorf("%d tasks ended, want 30: %v", total, r.Runs[0].Ends)
	}
}

func TestBadScenarios(t *testing.T) {
	for text, names := range map[string]string{
		"agents":                       "NAME VALUE",
		"agents many":                  "many",
		"weather 3":                    "weather",
		"duration 3 parsecs":           "NAME VALUE",
		"duration 3":                   "duration",
		"at 5s":                        "at TIME FAULT",
		"at noon crash agent0":         "noon",
		"resources cpus:x":             "cpus",
		"agents -1":                    "agents",
		"frameworks 1\nat 1s explode":  "explode",
		"at 1s crash agent77":          "agent77",
		"at 1s cut agent0 soon":        "soon",
		"at 1s break agent0 universe9": "universe9",
	} {
		r, err := Simulate(Options{Scenario: scenario(t, text), Tasks: 1, FaultEvery: -1})
		failure := ""
		if err != nil {
			failure = err.Error()
		} else {
			failure = r.Runs[0].Failure
		}
		if !strings.Contains(failure, names) {
			t.Errorf("%q: %q does not name %q", text, failure, names)
		}
	}
	if _, err := Simulate(Options{Scenario: filepath.Join(t.TempDir(), "none")}); err == nil {
		t.Error("a scenario that is not there was read")
	}
}

func FuzzScenario(f *testing.F) {
	for _, seed := range []string{"agents 3", "at 1s cut agent0 3s", "duration 1h", "resources cpus:1", "fault-every none", "at"} {
		f.Add(seed)
	}
	f.Fuzz(func(_ *testing.T, line string) {
		if words := strings.Fields(line); len(words) > 0 {
			// Any outcome is right that is not a panic.
			_ = new(Options).setting(words)
		}
	})
}
