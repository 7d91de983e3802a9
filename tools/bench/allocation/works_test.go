package allocation

import (
	"slices"
	"strings"
	"testing"

	"troupe/messages/resources"
)

// What Mesos took is compared with a figure of a work that there is.
func TestMeasuredWorksExist(t *testing.T) {
	grid := Grid()
	for name, took := range measured {
		at := slices.IndexFunc(grid, func(w Work) bool { return w.Name == name })
		if at < 0 {
			t.Errorf("no work %s", name)
		} else if strings.Contains(name, "agents=1000/frameworks=1") && !strings.Contains(name, "frameworks=1000") {
			figures, err := grid[at].Run()
			if err != nil || len(figures) < len(took.ms) {
				t.Errorf("%s has %d figures (%v), Mesos %d", name, len(figures), err, len(took.ms))
			}
		}
	}
}

func TestOffersAreMadeAndDeclined(t *testing.T) {
	r := partly(Size{Agents: 20, Frameworks: 3}, 1024)
	for range 3 {
		r.allocate()
		given := r.take()
		if len(given) != 20 {
			t.Fatalf("%d offers, want 20", len(given))
		}
		if got, err := resources.New(given[0].Resources...); err != nil || got.Scalar("cpus") != 8000 {
			t.Errorf("offered %s (%v), want 8 cpus", got, err)
		}
		r.giveBack(given, ever)
	}
	r.allocate()
	if given := r.take(); len(given) != 0 {
		t.Errorf("%d offers although all were declined", len(given))
	}
}

func TestTasksAreLaunched(t *testing.T) {
	for _, suppress := range []bool{false, true} {
		l, err := MultiFrameworkAllocations(suppress, func(rounds int) bool { return rounds < 500 })
		if err != nil || l.Of != 19_500 || l.Tasks < 50*20 || suppress && l.Tasks != l.Of {
			t.Errorf("suppressing: %v; %+v, %v", suppress, l, err)
		}
	}
}

func TestFragmented(t *testing.T) {
	if got := resources.MustParse(fragmented(16)).Ranges("ports"); len(got) != 16 || got.Count() != 15+971 {
		t.Errorf("got %s", got)
	}
}
