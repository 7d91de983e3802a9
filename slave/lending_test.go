package slave

import (
	"errors"
	"testing"
	"time"

	"troupe/messages/resources"
	"troupe/slave/state"
)

type fakeMeter struct {
	t    *testing.T
	load error
}

func (m fakeMeter) Measure(held []state.Held) []Used {
	if len(held) != 4 || held[3].Container != "D" {
		m.t.Errorf("%v are measured", held)
	}
	return []Used{{Known: true, CPU: time.Second, Memory: 4096}, {}, {}, {}}
}

func (m fakeMeter) Load() ([3]float64, error) { return [3]float64{1, 2, 3}, m.load }

func TestSample(t *testing.T) {
	held := []state.Held{
		{Container: "A", Sandbox: "/a", Host: 7, Allocated: resources.MustParse("cpus:1")},
		{Container: "B", Sandbox: "/b", Host: 7},
		{Container: "C", Sandbox: "/c"},
		{Container: "D"},
	}
	s, err := sampleOf(fakeMeter{t, nil}, held)
	if err != nil || s.Load != [3]float64{1, 2, 3} || len(s.Containers) != 4 {
		t.Fatalf("%+v, %v", s, err)
	}
	for i, c := range s.Containers {
		if c.ID != string(held[i].Container) || c.Measured != (i == 0) || !c.Allocated.Equal(held[i].Allocated) {
			t.Errorf("container %d is %+v", i, c)
		}
	}
	if s.Containers[0].CPU != time.Second {
		t.Errorf("A used %v", s.Containers[0].CPU)
	}
	if s, err = sampleOf(fakeMeter{t, errors.New("no /proc")}, held); err == nil || s.Load[1] >= 0 || len(s.Containers) != 4 {
		t.Errorf("without the load: %+v, %v", s, err)
	}
}
