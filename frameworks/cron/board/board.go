// Package board holds the jobs of the cron framework as they were last published,
// for those who read: its REST API and its page. The shell of the framework writes
// it; reading never waits for the plan.
package board

import (
	"maps"
	"slices"
	"strings"
	"sync"

	"troupe/frameworks/cron/plan"
)

// Board is safe for use from any goroutine. The zero Board has no jobs.
type Board struct {
	mu       sync.Mutex
	jobs     map[string]*plan.View
	sorted   []*plan.View // by name; nil after a change
	watchers map[*watcher]struct{}
}

type watcher struct {
	changed func(name string, before, now *plan.View)
}

// Publish performs the plan's effect of that name. Calls must be in the order of
// the effects.
func (b *Board) Publish(p plan.Publish) {
	b.mu.Lock()
	defer b.mu.Unlock()
	before := b.jobs[p.Name]
	switch {
	case p.View != nil && b.jobs == nil:
		b.jobs = map[string]*plan.View{p.Name: p.View}
	case p.View != nil:
		b.jobs[p.Name] = p.View
	default:
		delete(b.jobs, p.Name)
	}
	b.sorted = nil
	for w := range b.watchers {
		w.changed(p.Name, before, p.View)
	}
}

// Job is a job by its name, nil where there is none. It never changes.
func (b *Board) Job(name string) *plan.View {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.jobs[name]
}

// Jobs are all jobs, sorted by name. Nobody may change the list.
func (b *Board) Jobs() []*plan.View {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.sorted == nil && len(b.jobs) > 0 {
		b.sorted = slices.SortedFunc(maps.Values(b.jobs), func(x, y *plan.View) int { return strings.Compare(x.Job.Name, y.Job.Name) })
	}
	return b.sorted
}

// Watch has every change from now on told to changed, in order: the job before,
// nil for a new one, and the job now, nil for one that is removed. It must not
// wait, nor call the board. After stop has returned it is not called any more.
func (b *Board) Watch(changed func(name string, before, now *plan.View)) (stop func()) {
	w := &watcher{changed}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.watchers == nil {
		b.watchers = map[*watcher]struct{}{}
	}
	b.watchers[w] = struct{}{}
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.watchers, w)
	}
}
