package state

import (
	"fmt"
	"testing"
	"time"

	"troupe/master/state/view"
)

func TestInterval(t *testing.T) {
	for _, c := range []struct {
		rate Rate
		want time.Duration
	}{
		{Rate{}, 0},
		{Rate{Count: 1}, 0},
		{Rate{Per: time.Hour}, 0},
		{Rate{Count: -1, Per: time.Hour}, 0},
		{Rate{Count: 1, Per: 10 * time.Minute}, 10 * time.Minute},
		{Rate{Count: 4, Per: time.Minute}, 15 * time.Second},
	} {
		if got := c.rate.interval(); got != c.want {
			t.Errorf("%+v: %s, want %s", c.rate, got, c.want)
		}
	}
}

// TestAgentsThatFlickerTakeNoRoom lets an agent fall silent and answer for ever
// while others wait for their turn.
func TestAgentsThatFlickerTakeNoRoom(t *testing.T) {
	m, _ := benchCluster(t, 10)
	m.cfg.AgentRemovalRate = Rate{Count: 1, Per: time.Hour}
	steps := make(map[view.RemovalStep]int)
	do := func(in Input) {
		for _, e := range step(m, in) {
			if p, ok := e.(Publish); ok {
				if moved, ok := p.Event.(view.RemovalMoved); ok {
					steps[moved.Step]++
				}
			}
		}
	}
	for i := range 10 {
		do(AgentSilent{AgentID(fmt.Sprintf("m-S%d", i))})
	}
	for range 10_000 {
		do(AgentAnswered{"m-S5"})
		do(AgentSilent{"m-S5"})
	}
	if n := len(m.removals.queue); n > 200 {
		t.Errorf("%d places are taken by %d agents", n, len(m.removals.waiting))
	}
	if steps[view.RemovalScheduled] != 10_010 || steps[view.RemovalCanceled] != 10_000 || steps[view.RemovalCompleted] != 1 {
		t.Errorf("the steps are %v", steps)
	}
	if len(m.removals.waiting) != 9 || len(m.agents.byID) != 9 {
		t.Errorf("%d agents wait, %d are left", len(m.removals.waiting), len(m.agents.byID))
	}
}
