package cron_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"troupe/actors/actortest"
	"troupe/frameworks/cron/plan"
	"troupe/frameworks/frameworktest"
	"troupe/messages/mesos"
)

// diary is what really happened to the tasks, whatever the framework was told.
type diary struct {
	began map[string]int // by due time, attempt and job
	ended map[string]int // successes, by job, and by due time and job
}

// identity is what a task stands for: launched again under another id, it is the
// same.
func identity(task string) (due, attempt, job string) {
	parts := strings.SplitN(task, ":", 5)
	return parts[1], parts[2], parts[3]
}

// TestWhoeverDies: jobs run for a while in which the framework, the master and an
// agent die and come back at any moment, and the disk is slow. Each due time has one run, no attempt
// begins twice, and dependents run no more often than their parents succeed.
func TestWhoeverDies(t *testing.T) {
	for seed := range uint64(8) {
		t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) {
			chance := rand.New(rand.NewPCG(seed, 1))
			seen := &diary{began: map[string]int{}, ended: map[string]int{}}
			inTown(t, nil, func(t *testing.T, w *town) {
				script := seen.script(rand.New(rand.NewPCG(seed, 3)))
				w.master.Script(script)
				disk := rand.New(rand.NewPCG(seed, 2))
				w.lag = func() time.Duration { return time.Duration(disk.IntN(2_000)) * time.Millisecond }
				w.crash()
				start := time.Now().Truncate(time.Second).Add(10 * time.Second)
				periods := map[string]time.Duration{"often": 7 * time.Second, "seldom": 30 * time.Second}
				for name, period := range periods {
					w.put(plan.Job{
						Name: name, CPUs: 0.01, Policy: plan.Policy{Overlap: plan.Allow, Retries: 3, RetryDelay: 2 * time.Second},
						Trigger: plan.Trigger{Schedule: fmt.Sprintf("R/%s/PT%dS", start.Format(time.RFC3339), int(period.Seconds()))},
					})
				}
				w.put(plan.Job{Name: "both", CPUs: 0.01, Trigger: plan.Trigger{Parents: []string{"often", "seldom"}}})
				for range 40 {
					w.mishap(t, chance, script)
					actortest.Pass(time.Duration(chance.IntN(20_000)) * time.Millisecond)
				}
				end := time.Now()
				actortest.Pass(2 * time.Minute)
				seen.check(t, periods, start, end)
			})
		})
	}
}

// mishap is something that goes wrong.
func (w *town) mishap(t *testing.T, chance *rand.Rand, script func(*mesos.TaskInfo) []frameworktest.Step) {
	switch chance.IntN(6) {
	case 0, 1:
		w.crash()
	case 2:
		w.moveMaster()
		w.master.Script(script)
	case 3:
		w.network.Crash(w.address()) // and the master does not know
		w.moveMaster()
		w.master.Script(script)
		w.crash()
	case 4:
		w.master.LoseAgent(t, "S1")
		actortest.Pass(time.Duration(chance.IntN(60)) * time.Second)
		w.master.ReturnAgent(t, "S1")
	}
}

// script writes down what happens on the agent.
func (d *diary) script(chance *rand.Rand) func(*mesos.TaskInfo) []frameworktest.Step {
	return func(info *mesos.TaskInfo) []frameworktest.Step {
		due, attempt, job := identity(info.GetTaskId().GetValue())
		d.began[due+" "+attempt+" "+job]++
		end := finished
		if chance.IntN(5) == 0 && job != "both" {
			end = failed
		} else {
			d.ended[job]++
			d.ended[due+" "+job]++
		}
		return frameworktest.Ends(time.Duration(chance.IntN(5_000))*time.Millisecond, end)(info)
	}
}

func (d *diary) check(t *testing.T, periods map[string]time.Duration, start, end time.Time) {
	t.Helper()
	both := 0
	for what, n := range d.began {
		if n != 1 {
			t.Errorf("%s began %d times", what, n)
		}
		if strings.HasSuffix(what, " both") {
			both++
		}
	}
	for what, n := range d.ended {
		if strings.Contains(what, " ") && n != 1 {
			t.Errorf("%s succeeded %d times", what, n)
		}
	}
	for job, period := range periods {
		for due := start; due.Before(end); due = due.Add(period) {
			if d.began[fmt.Sprintf("%d 0 %s", due.UnixMilli(), job)] == 0 {
				t.Errorf("%s did not run at %s", job, due)
			}
		}
		if both > d.ended[job] {
			t.Errorf("both ran %d times, %s succeeded %d times", both, job, d.ended[job])
		}
	}
	if both == 0 {
		t.Error("both never ran")
	}
}
