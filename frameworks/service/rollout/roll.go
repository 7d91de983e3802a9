package rollout

import (
	"math"

	"troupe/frameworks/service/app"
)

// Class is what an instance that nobody is ending is good for.
type Class int

// Classes, those that are ended first before the others.
const (
	// Cut off, but not for so long that it does not count.
	Cut Class = iota
	// Failing: not running yet, or ill.
	Failing
	// Unsure: it runs, and nobody knows yet whether it is well.
	Unsure
	// Ready: it is well, and says that it is ready.
	Ready
	classes
)

// Count is how many instances there are of each class.
type Count [classes]int

// Total is how many there are.
func (g Count) Total() int { return g[Cut] + g[Failing] + g[Unsure] + g[Ready] }

// Tally counts the instances of an app. Those that do not count any more, since
// they have been cut off for too long, are in none of them.
type Tally struct {
	New, Old Count // of the version that is wanted, and of others
	Ending   int   // somebody has asked for their end, and they are there yet
}

// There is how many there are that may take up resources.
func (t Tally) There() int { return t.New.Total() + t.Old.Total() + t.Ending }

// Limits are how many instances of an app there may be at any moment.
type Limits struct {
	Instances int // that there are to be
	Least     int // that must be ready, as far as it depends on what is ended
	Most      int // that may be there
	Canaries  int // of the new version; Instances unless it goes no further yet
}

// LimitsOf are those that an app asks for. Where it allows neither fewer nor more
// than its instances, there may be one more; one with persistent volumes, which
// another cannot use meanwhile, or on every agent has one less.
func LimitsOf(a *app.App) Limits {
	n := a.Instances
	l := Limits{
		Instances: n, Canaries: n,
		Least: int(math.Ceil(float64(n) * a.Upgrade.MinimumHealth)),
		Most:  int(math.Floor(float64(n) * (1 + a.Upgrade.MaximumOver))),
	}
	if a.Everywhere() {
		l.Most = n // where one is there is no room for another
	}
	if l.Least >= l.Most {
		if a.Resident() || a.Everywhere() {
			l.Least = max(l.Most-1, 0)
		} else {
			l.Most = l.Least + 1
		}
	}
	return l
}

// Held are the limits of a rollout that goes no further than so many instances of
// the new version.
func (l Limits) Held(at int) Limits {
	l.Canaries = min(max(at, 0), l.Instances)
	return l
}

// Want is what to do next with the instances of an app.
type Want struct {
	Start    int // of the new version
	StartOld int // of the version before, in place of what ended during a hold
	EndNew   int
	EndOld   int // those that fail first, then those one is not sure of
	Done     bool
}

// Next tells what to do next. It depends on nothing but how many instances there
// are, so that it does not matter what was done before, or by whom.
//
// Of the old version those that fail are ended at once. Of the others as many as
// there are ready ones to spare; while too few are ready, those that one is not
// sure of stay, since after a failover that is all of them.
func (l Limits) Next(t Tally) Want {
	var w Want
	old, fresh := t.Old.Total(), t.New.Total()
	w.EndNew = max(fresh-l.Instances, 0)
	w.EndOld = t.Old[Cut] + t.Old[Failing]
	if spare := t.Old[Ready] + t.New[Ready] - w.readyOf(t.New) - l.Least; spare >= 0 {
		w.EndOld += t.Old[Unsure] + min(t.Old[Ready], spare)
	}
	keep := l.Instances - l.Canaries
	w.EndOld = min(w.EndOld, max(old-keep, 0))
	room := max(l.Most-t.There(), 0)
	w.StartOld = min(max(keep-old, 0), room)
	w.Start = min(max(l.Canaries-fresh, 0), room-w.StartOld)
	w.Done = l.Canaries == l.Instances && t.New[Ready] == l.Instances && t.There() == l.Instances
	return w
}

// readyOf is how many ready ones EndNew ends: none as long as there are others.
func (w Want) readyOf(g Count) int { return max(w.EndNew-(g.Total()-g[Ready]), 0) }
