package registry

import (
	"cmp"
	"slices"
	"time"

	"troupe/messages/cluster"
)

// Prune forgets unreachable and gone agents and completed frameworks: those
// older than Before, and the oldest of each of the three beyond Keep.
type Prune struct {
	Before time.Time
	// Per status; negative is taken for 0.
	Keep int
}

// past is a record that may be forgotten, and since when it is so.
type past struct {
	key   string
	since int64
}

func (o Prune) changes(r Registry) ([]Change, error) {
	var unreachable, gone, completed []past
	for rec := range r.Agents() {
		p := past{AgentKey(rec.GetAgent().GetId().GetValue()), rec.GetSince().GetNanoseconds()}
		switch rec.GetStatus() {
		case cluster.AgentRecord_UNREACHABLE:
			unreachable = append(unreachable, p)
		case cluster.AgentRecord_GONE:
			gone = append(gone, p)
		}
	}
	for rec := range r.Frameworks() {
		if rec.GetStatus() == cluster.FrameworkRecord_COMPLETED {
			completed = append(completed, past{FrameworkKey(rec.GetFrameworkId().GetValue()), rec.GetSince().GetNanoseconds()})
		}
	}
	changes := o.prune(unreachable)
	changes = append(changes, o.prune(gone)...)
	return append(changes, o.prune(completed)...), nil
}

func (o Prune) prune(list []past) []Change {
	slices.SortStableFunc(list, func(a, b past) int { return cmp.Compare(a.since, b.since) })
	surplus := len(list) - max(o.Keep, 0)
	var changes []Change
	for i, p := range list {
		if i < surplus || p.since < o.Before.UnixNano() {
			changes = append(changes, Change{Key: p.key})
		}
	}
	return changes
}
