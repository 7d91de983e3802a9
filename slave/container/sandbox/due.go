package sandbox

import (
	"cmp"
	"slices"
	"time"
)

// Policy says how long sandboxes that are no longer needed are kept.
type Policy struct {
	// Delay is how long on an empty disk; 1 week.
	Delay time.Duration
	// Headroom is the share of the disk that shall stay free, 0 to 1; 0.1.
	Headroom float64
}

// MaxAge is how old a retired sandbox may become while the share used, 0 to
// 1, of the disk is taken: the fuller the disk, the younger they are
// collected. It is Mesos's rule.
func (p Policy) MaxAge(used float64) time.Duration {
	return time.Duration(float64(p.Delay) * min(1, max(0, 1-p.Headroom-used)))
}

// retired is a folder that waits to be collected.
type retired struct {
	path  string
	since time.Time
	// Of one within another sandbox, whose owner may write there: that, and the path
	// in it. Empty else.
	around, inner string
}

// due takes out of waiting what is older than maxAge at the time now, oldest
// first.
func due(waiting []retired, now time.Time, maxAge time.Duration) (collect, keep []retired) {
	for _, r := range waiting {
		if now.Sub(r.since) >= maxAge {
			collect = append(collect, r)
		} else {
			keep = append(keep, r)
		}
	}
	slices.SortStableFunc(collect, func(x, y retired) int {
		return cmp.Or(x.since.Compare(y.since), cmp.Compare(x.path, y.path))
	})
	return collect, keep
}
