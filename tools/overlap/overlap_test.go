package main

import (
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"troupe/allocator/core"
)

func short(overlap int, m mix, l load) setting {
	return setting{seed: 7, span: 40 * time.Second, overlap: overlap, mix: m, load: l}
}

func play(t *testing.T, s setting) *world {
	t.Helper()
	w, err := newWorld(s)
	if err == nil {
		err = w.run()
	}
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// Every load and mix keeps the laws, whatever the overlap, and gives the same
// again with the same seed; without overlap nobody is ever too late.
func TestWorldsKeepTheLaws(t *testing.T) {
	for _, l := range loads() {
		for _, m := range mixes() {
			for _, overlap := range []int{1, 2, core.OverlapAll} {
				s := short(overlap, m, l)
				w := play(t, s)
				if r := w.row(); overlap == 1 && (r.rescinded != 0 || r.conflicts != 0 || r.wasted != 0) {
					t.Errorf("%s, %s: without overlap %+v", l.name, m.name, r)
				} else if r.tasks == 0 {
					t.Errorf("%s, %s, overlap %s: no task is launched", l.name, m.name, degree(overlap))
				}
			}
		}
	}
	s := short(2, mixes()[2], loads()[1])
	var one, two strings.Builder
	print(&one, s.load, s.mix, []row{play(t, s).row()})
	print(&two, s.load, s.mix, []row{play(t, s).row()})
	if one.String() != two.String() {
		t.Errorf("the same seed gave\n%s\nand\n%s", &one, &two)
	}
}

// What the study concludes: overlap spares the quick the wait for the slow; when
// there is always work, it starves the slow, unless they have a guarantee.
func TestConclusions(t *testing.T) {
	m := mixes()[1]
	half := func(w *world, think time.Duration) time.Duration {
		_, of := w.classes()
		var waits []time.Duration
		for _, c := range of[think] {
			waits = append(waits, c.waits...)
		}
		return quantile(waits, 0.95)
	}
	alone, two := play(t, short(1, m, loads()[0])), play(t, short(2, m, loads()[0]))
	if half(two, quick) >= half(alone, quick) {
		t.Errorf("the quick wait %s with overlap, %s without", half(two, quick), half(alone, quick))
	}
	launched := func(w *world) int {
		_, of := w.classes()
		return of[lame][0].running
	}
	for _, l := range loads()[1:] {
		if n := launched(play(t, short(core.OverlapAll, m, l))); (n > 0) != l.guaranteed {
			t.Errorf("%s: the slow one launches %d tasks", l.name, n)
		}
	}
}

func TestArguments(t *testing.T) {
	if err := run([]string{"-span", "soon"}, io.Discard); err == nil {
		t.Error("a span that is none is taken")
	}
	if !slices.Contains(degrees(), core.OverlapAll) || degree(core.OverlapAll) != "all" {
		t.Error("all is not among the degrees")
	}
}
