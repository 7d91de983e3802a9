package frameworktest

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"troupe/actors"
	"troupe/frameworks"
)

var _ frameworks.Detector = (*Election)(nil)

func TestElection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := NewElection()
		m := &Master{PID: actors.PID{Name: "master", Address: "m:1"}}
		time.AfterFunc(time.Minute, func() { e.Lead(m) })
		began := time.Now()
		first, err := e.Leader(t.Context(), nil)
		if err != nil || first.GetPid() != "master@m:1" || time.Since(began) != time.Minute {
			t.Fatalf("%v, %v after %s", first, err, time.Since(began))
		}
		e.Lead(m)
		second, err := e.Leader(t.Context(), first)
		if err != nil || second.GetId() == first.GetId() {
			t.Errorf("a second term is not told: %v, %v", second, err)
		}
		e.Nobody()
		if none, err := e.Leader(t.Context(), second); none != nil || err != nil {
			t.Errorf("%v, %v", none, err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := e.Leader(ctx, nil); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v", err)
		}
		lost := errors.New("lost")
		e.Fail(lost)
		if _, err := e.Leader(t.Context(), nil); !errors.Is(err, lost) {
			t.Errorf("error %v", err)
		}
		e.Doubt("m:1", "")
		if d := e.Doubts(); len(d) != 1 || d[0].Leader != "m:1" {
			t.Errorf("doubts %v", d)
		}
	})
}

// A successor knows what agents know: their tasks, and what is free on them.
func TestSuccessorKnowsTheTasks(t *testing.T) {
	sys, err := actors.New(actors.Options{})
	if err != nil {
		t.Fatal(err)
	}
	next, err := actors.New(actors.Options{})
	if err != nil {
		t.Fatal(err)
	}
	m := New(t, sys, nil)
	m.Agent(t, "S1", "cpus:2")
	m.cluster.tasks["T"] = &Task{agent: m.cluster.agents["S1"]}
	was := m.cluster
	s := m.Successor(t, next).cluster
	if s.tasks["T"].agent != s.agents["S1"] || s.agents["S1"] == was.agents["S1"] || !s.agents["S1"].free.Equal(was.agents["S1"].free) {
		t.Errorf("%+v", s.tasks["T"])
	}
	for _, sys := range []*actors.System{sys, next} {
		if err := sys.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
}
