package core

import (
	"container/heap"
	"strconv"
	"time"
)

// wake is when an agent is looked at again because a filter lapses there.
type wake struct {
	at    time.Time
	index int // in the heap; -1 when none is set
}

func asleep() wake { return wake{index: -1} }

// wakes is a heap of agents by when they wake; each is in it at most once, so
// that filters cost no timers.
type wakes []*agent

// Len is part of heap.Interface, as are the four that follow.
func (w wakes) Len() int { return len(w) }

// Less orders by time.
func (w wakes) Less(i, j int) bool { return w[i].wake.at.Before(w[j].wake.at) }

// Swap exchanges two.
func (w wakes) Swap(i, j int) {
	w[i], w[j] = w[j], w[i]
	w[i].wake.index, w[j].wake.index = i, j
}

// Push appends an agent.
func (w *wakes) Push(x any) {
	g := x.(*agent)
	g.wake.index = len(*w)
	*w = append(*w, g)
}

// Pop removes the last.
func (w *wakes) Pop() any {
	last := len(*w) - 1
	g := (*w)[last]
	(*w)[last] = nil
	*w = (*w)[:last]
	g.wake.index = -1
	return g
}

func (w *wakes) remove(g *agent) {
	if g.wake.index >= 0 {
		heap.Remove(w, g.wake.index)
	}
}

// wakeAt makes sure that the agent is looked at no later than at.
func (a *Allocator) wakeAt(g *agent, at time.Time) {
	switch {
	case g.wake.index < 0:
		g.wake.at = at
		heap.Push(&a.wakes, g)
	case at.Before(g.wake.at):
		g.wake.at = at
		heap.Fix(&a.wakes, g.wake.index)
	}
}

// rouse marks the agents whose time has come.
func (a *Allocator) rouse() {
	for len(a.wakes) > 0 && !a.wakes[0].wake.at.After(a.now) {
		a.mark(heap.Pop(&a.wakes).(*agent))
	}
}

// longBefore is how much earlier than the first step instants begin: more than any
// clock is set back.
const longBefore = 100 * 365 * 24 * time.Hour

// instant is a time in eight bytes: nanoseconds since dawn, by the clock that
// nobody sets where there is one (see the package time). Filters thus last as long
// as they were asked for when the date is corrected meanwhile.
func (a *Allocator) instant(t time.Time) int64 { return int64(t.Sub(a.dawn)) }

// timeOf is the opposite of instant.
func (a *Allocator) timeOf(instant int64) time.Time { return a.dawn.Add(time.Duration(instant)) }

func formatFloat(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }
