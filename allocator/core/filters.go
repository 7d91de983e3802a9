package core

import (
	"cmp"
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
	client  uint64 // the number of the leaf that refused
	expires int64  // an instant
	refused *bundle
}

// filters are those of an agent, by client. A client whose filters are all to
// be forgotten gets another number, and what it leaves behind is swept when
// the list has grown to twice what was left of it then.
type filters struct {
	list []filter
	swep int // how long the list was after the last sweep
}

// of returns the bounds of the client's filters.
func (s *filters) of(client uint64) (from, to int) {
	from, _ = slices.BinarySearchFunc(s.list, client, func(f filter, c uint64) int { return cmp.Compare(f.client, c) })
	for to = from; to < len(s.list) && s.list[to].client == client; to++ {
	}
	return from, to
}

// refuse installs the filter of a refusal. Others may want what this client
// does not, so the agent is looked at soon; but when there is no filter, the
// same client may refuse the same again, so that look waits longer each time.
func (a *Allocator) refuse(g *agent, l *leaf, refused *bundle, seconds float64) {
	life := a.refusal(seconds, l)
	if life == 0 {
		g.resting = true
		a.wakeAt(g, a.now.Add(g.refused.next(g.unused.all, a.options.Interval)))
		return
	}
	a.mark(g)
	if !l.node.Active() {
		return
	}
	a.addFilter(g, filter{l.number, a.instant(a.now.Add(max(life, a.options.Interval))), refused})
}

func (a *Allocator) addFilter(g *agent, fresh filter) {
	s := &g.filters
	if len(s.list) > 2*s.swep+maxFilters {
		a.sweepFilters(s)
	}
	now := a.instant(a.now)
	from, to := s.of(fresh.client)
	kept := slices.DeleteFunc(slices.Clone(s.list[from:to]), func(old filter) bool {
		return old.expires <= fresh.expires && fresh.refused.contains(old.refused) || old.expires <= now
	})
	if len(kept) == maxFilters {
		kept = slices.Delete(kept, 0, 1)
	}
	s.list = slices.Replace(s.list, from, to, append(kept, fresh)...)
}

// sweepFilters takes out those that lapsed, and those of clients that are gone
// or want them no more.
func (a *Allocator) sweepFilters(s *filters) {
	now := a.instant(a.now)
	s.list = slices.DeleteFunc(s.list, func(f filter) bool {
		return f.expires <= now || a.clients[f.client] == nil
	})
	s.swep = len(s.list)
}

// unfilter forgets all filters of a client.
func (a *Allocator) unfilter(l *leaf) {
	delete(a.clients, l.number)
	a.numbers++
	l.number = a.numbers
	a.clients[l.number] = l
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

// filtered returns until which instant a refusal of the client keeps all of offer
// from it; 0 when none does.
func (a *Allocator) filtered(g *agent, l *leaf, offer *bundle) int64 {
	from, to := g.filters.of(l.number)
	if from == to {
		return 0
	}
	now := a.instant(a.now)
	for _, f := range g.filters.list[from:to] {
		if f.expires > now && f.refused.contains(offer) {
			return f.expires
		}
	}
	return 0
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
