package main

import (
	"context"
	"fmt"
	"time"

	"troupe/tools/bench/allocation"
)

// enough is for how long short works are done again and again; mostRuns, how
// often at most.
const (
	enough   = 2 * time.Second
	mostRuns = 20
)

// allocate runs the works that Mesos's allocator was measured at. The least of
// several runs counts, as it did there; of short ones there are more, since
// caches matter to them most.
func allocate(ctx context.Context, l load) ([]figure, error) {
	var list []figure
	for i, w := range allocation.Compared() {
		if i%l.scale != 0 {
			continue
		}
		var best []allocation.Figure
		began := time.Now()
		for runs := 0; runs < max(1, 3/l.scale) || runs < mostRuns/l.scale && time.Since(began) < enough; runs++ {
			if err := ctx.Err(); err != nil {
				return list, err
			}
			figures, err := w.Run()
			if err != nil {
				return list, fmt.Errorf("%s: %w", w.Name, err)
			}
			best = quickest(best, figures)
		}
		for _, f := range best {
			ours, theirs := f.Took.Seconds()*1000, f.Mesos.Seconds()*1000
			list = append(list, figure{
				what:  fmt.Sprintf("%s, %s: %s ms, Mesos %s ms", w.Name, f.What, number(ours), number(theirs)),
				value: theirs / max(ours, 1e-6), unit: "times", target: target{atLeast: f.Times},
			})
		}
	}
	return list, nil
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
