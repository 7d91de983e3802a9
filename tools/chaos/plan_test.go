package chaos

import (
	"reflect"
	"testing"
	"time"
)

func TestPlan(t *testing.T) {
	cast := []Role{Master, Master, Master, Agent, Agent, Agent, Scheduler, ZooKeeper}
	names := []string{"m1", "m2", "m3", "a1", "a2", "a3", "s", "z"}
	const length = 10 * time.Minute
	plan := Plan(7, length, cast, true)
	if !reflect.DeepEqual(plan, Plan(7, length, cast, true)) {
		t.Error("the same seed gives another plan")
	}
	if reflect.DeepEqual(plan, Plan(8, length, cast, true)) {
		t.Error("another seed gives the same plan")
	}
	struck := map[Kind]map[int]bool{}
	last := time.Duration(0)
	for _, f := range plan {
		if f.At < last || f.At >= length {
			t.Errorf("%s comes at %s, after %s", f.Describe(names), f.At, last)
		}
		if most := lasting[f.Kind]; f.Lasts > most+100*time.Millisecond || (f.Lasts == 0) != (most == 0) {
			t.Errorf("%s lasts %s", f.Describe(names), f.Lasts)
		}
		if f.Kind == Part && f.Part == f.Other {
			t.Errorf("%s: from itself", f.Describe(names))
		}
		last = f.At
		if struck[f.Kind] == nil {
			struck[f.Kind] = map[int]bool{}
		}
		struck[f.Kind][f.Part] = true
	}
	for kind, n := range map[Kind]int{Kill: 8, Stop: 8, KillHost: 3, StopHost: 3, KillLeader: 3, StopLeader: 3, Isolate: 8, Part: 6} {
		if len(struck[kind]) != n {
			t.Errorf("%s strikes %v, not %d members of the cast", kind, struck[kind], n)
		}
	}
}

// Without partitions the rest of the plan is the same, so that a seed means
// the same on every machine.
func TestPlanWithoutPartitions(t *testing.T) {
	cast := []Role{Master, Agent, Scheduler}
	var rest []Fault
	for _, f := range Plan(3, time.Minute, cast, true) {
		if f.Kind != Isolate && f.Kind != Part {
			rest = append(rest, f)
		}
	}
	if plan := Plan(3, time.Minute, cast, false); !reflect.DeepEqual(plan, rest) || len(plan) == 0 {
		t.Errorf("%v\n%v", plan, rest)
	}
}

func TestDescribe(t *testing.T) {
	f := Fault{At: 1500 * time.Millisecond, Kind: Part, Part: 1, Other: 0, Lasts: 2 * time.Second}
	if got := f.Describe([]string{"m1", "a1"}); got != "  1.500s part a1 and m1 for 2s" {
		t.Errorf("%q", got)
	}
}
