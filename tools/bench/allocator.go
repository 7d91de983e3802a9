package main

import (
	"context"
	"fmt"
	"time"

	"troupe/tools/bench/allocation"
)

const (
	enough   = 2 * time.Second  // short works are done again for so long,
	mostRuns = 20               // but no more often than this;
	fewRuns  = 3                // others at least so often,
	tooLong  = 20 * time.Second // unless they are this long
)

// allocate runs the works that Mesos's allocator has, or was measured at, and
// those that have bounds of their own.
func allocate(ctx context.Context, l load) ([]figure, error) {
	var list []figure
	for i, w := range allocation.Compared() {
		if i%l.scale != 0 {
			continue
		}
		best, err := quickestOf(ctx, w, l)
		if err != nil {
			return list, fmt.Errorf("%s: %w", w.Name, err)
		}
		for _, f := range best {
			list = append(list, besideMesos(w.Name, f))
		}
	}
	for _, w := range allocation.Bounds(l.scale) {
		if err := ctx.Err(); err != nil {
			return list, err
		}
		for _, b := range w.Run() {
			list = append(list, figure{what: w.Name + ", " + b.What, value: b.Value, unit: b.Unit, target: target{atMost: b.AtMost}})
		}
	}
	return list, nil
}

// quickestOf does a work several times; the least of each figure counts, as it
// did at Mesos. Caches matter most to short works, which are done more often.
func quickestOf(ctx context.Context, w allocation.Work, l load) (best []allocation.Figure, err error) {
	began := time.Now()
	for runs := 0; ; runs++ {
		took := time.Since(began)
		again := runs == 0 || runs < fewRuns/l.scale && took < tooLong || runs < mostRuns/l.scale && took < enough
		if !again || ctx.Err() != nil {
			return best, ctx.Err()
		}
		figures, err := w.Run()
		if err != nil {
			return nil, err
		}
		best = quickest(best, figures)
	}
}

// besideMesos is a figure with Mesos's, and how many times as fast this is; or
// without, where that is not known.
func besideMesos(work string, f allocation.Figure) figure {
	ours, theirs := f.Took.Seconds()*1000, f.Mesos.Seconds()*1000
	if theirs == 0 {
		return figure{what: fmt.Sprintf("%s, %s", work, f.What), value: ours, unit: "ms"}
	}
	return figure{
		what:  fmt.Sprintf("%s, %s: %s ms, Mesos %s ms", work, f.What, number(ours), number(theirs)),
		value: theirs / max(ours, 1e-6), unit: "times", target: target{atLeast: f.Times},
	}
}

// quickest returns the less of each figure.
func quickest(a, b []allocation.Figure) []allocation.Figure {
	for i := range a {
		if a[i].Took < b[i].Took {
			b[i] = a[i]
		}
	}
	return b
}
