package cron_test

import (
	"fmt"
	"testing"
	"time"

	"troupe/actors/actortest"
	"troupe/frameworks/frameworktest"
)

// Who has many agents and jobs that come one by one spends little on declining:
// offers are asked for the less often the more of them there are.
func TestOffersAreAskedForInBunches(t *testing.T) {
	for agents, most := range map[int]int{1: 40, 400: 15} {
		t.Run(fmt.Sprint("agents=", agents), func(t *testing.T) {
			inTown(t, nil, func(t *testing.T, w *town) {
				for i := range agents - 1 {
					w.master.Agent(t, fmt.Sprint("more-", i), "cpus:4;mem:4096")
				}
				for i := range 100 {
					j := every(fmt.Sprint("j", i), "PT1H")
					j.CPUs = 0.1 + float64(i)/1000 // each its own kind
					w.put(j)
					actortest.Pass(2 * time.Millisecond)
				}
				actortest.Pass(10 * time.Second)
				w.master.Await(t, "all have run", func(tasks map[string]*frameworktest.Task) bool { return len(tasks) == 100 })
				if asked := w.figure("offers_asked_total"); asked > float64(most) || asked == 0 {
					t.Errorf("offers were asked for %v times", asked)
				}
				if queued, connected := w.figure("tasks_queued"), w.figure("connected"); queued != 0 || connected != 1 {
					t.Errorf("%v tasks queued, connected %v", queued, connected)
				}
			})
		})
	}
}
