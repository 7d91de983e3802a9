package core

import (
	"math"
	"slices"
	"time"

	"troupe/messages/resources"
)

const (
	defaultRefusal = 5 * time.Second
	longestRefusal = 365 * 24 * time.Hour
	// maxFilters bounds what one client can have kept for it on one agent.
	maxFilters = 16
)

// filter keeps what was refused, or less of it, from being offered again.
type filter struct {
	refused resources.Resources
	expires time.Time
}

// refuse installs the filter of a refusal. Others may want what this client
// does not, so the agent is looked at soon; but when there is no filter, the
// same client may refuse the same again, so that look waits longer each time.
func (a *Allocator) refuse(g *agent, l *leaf, refused resources.Resources, seconds float64) {
	life := a.refusal(seconds, l)
	if life == 0 {
		a.wakeAt(g, a.now.Add(g.refused.next(g.free, a.options.Interval)))
		return
	}
	a.mark(g)
	if !l.node.Active() {
		return
	}
	// One value for what is the same keeps filters small.
	if refused.Equal(g.free) {
		refused = g.free
	}
	if l.filters == nil {
		l.filters = make(map[*agent][]filter)
	}
	fresh := filter{refused, a.now.Add(max(life, a.options.Interval))}
	kept := slices.DeleteFunc(l.filters[g], func(old filter) bool {
		return !old.expires.After(fresh.expires) && fresh.refused.Contains(old.refused) || !old.expires.After(a.now)
	})
	if len(kept) == maxFilters {
		kept = slices.Delete(kept, 0, 1)
	}
	l.filters[g] = append(kept, fresh)
}

// refusal reads refuse_seconds as Mesos does.
func (a *Allocator) refusal(seconds float64, l *leaf) time.Duration {
	switch {
	case math.IsNaN(seconds) || seconds < 0:
		a.note(Warn, "refuse_seconds is invalid, the default is used", Field{"framework", string(l.framework.id)},
			Field{"role", l.role}, Field{"refuse_seconds", formatFloat(seconds)})
		return defaultRefusal
	case seconds > longestRefusal.Seconds():
		return longestRefusal
	}
	return time.Duration(seconds * float64(time.Second))
}

// filtered tells whether the client refused all of offer, or more, lately.
func (a *Allocator) filtered(g *agent, l *leaf, offer resources.Resources) bool {
	list, ok := l.filters[g]
	if !ok {
		return false
	}
	valid := slices.DeleteFunc(list, func(f filter) bool { return !f.expires.After(a.now) })
	if len(valid) == 0 {
		delete(l.filters, g)
		return false
	}
	l.filters[g] = valid
	for _, f := range valid {
		if f.refused.Contains(offer) {
			a.wakeAt(g, f.expires)
			return true
		}
	}
	return false
}

func (a *Allocator) clearFiltersOf(g *agent) {
	for _, f := range a.frameworks {
		for _, l := range f.leaves {
			delete(l.filters, g)
		}
	}
}

// backoff spaces the looks at an agent whose resources are refused without a
// filter, again and again while nothing else changes there.
type backoff struct {
	left  resources.Resources // that was free after the last refusal
	times uint8
}

func (b *backoff) next(free resources.Resources, longest time.Duration) time.Duration {
	if !free.Equal(b.left) {
		b.left, b.times = free, 0
	}
	pause := min(settling<<b.times, longest)
	if pause < longest {
		b.times++
	}
	return pause
}
