package allocator

import (
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"troupe/actors"
	"troupe/allocator/core"
	"troupe/messages/timings"
)

const (
	// rolesPause is the least between two looks at all roles and filters, and
	// rolesCost how many times as long as such a look takes: of the allocator's
	// time they get a hundredth.
	rolesPause = 10 * time.Millisecond
	rolesCost  = 100
	// lapsePause is how long a count of filters stays when nothing but their
	// lapse changes it.
	lapsePause = time.Second
)

// figures are what is measured of an allocator, read from any goroutine but
// for what its actor keeps.
type figures struct {
	runs, latency *timings.Window
	told          atomic.Pointer[told]
	earliest      time.Time     // when the roles are looked at next; the actor's
	changed       bool          // something has, since the last look; the actor's
	look          *actors.Timer // for the next look, if there is one to come; the actor's
}

// told is what a look at the core found; nobody changes it.
type told struct {
	roles    []core.RoleFigures
	quotas   []core.QuotaFigures
	headroom []core.HeadroomFigures
}

func newFigures() figures {
	return figures{runs: timings.New(time.Hour), latency: timings.New(time.Hour)}
}

// Metrics puts the allocator's figures by the keys that Mesos gives them. It
// may be called from any goroutine.
func (a *Allocator) Metrics(put func(key string, value float64)) {
	now := time.Now()
	put("allocator/mesos/allocation_runs", float64(a.Stats().Passes))
	a.figures.runs.Put(now, "allocator/mesos/allocation_run_ms", put)
	a.figures.latency.Put(now, "allocator/mesos/allocation_run_latency_ms", put)
	told := a.figures.told.Load()
	if told == nil {
		return // nothing has come yet
	}
	for _, r := range told.roles {
		put("allocator/mesos/offer_filters/roles/"+r.Role+"/active", float64(r.Filters))
		put("allocator/mesos/roles/"+r.Role+"/shares/dominant", r.Share)
	}
	putQuotas(told.quotas, put)
	for _, r := range told.headroom {
		put("allocator/quota/headroom/"+r.Resource, r.Headroom)
		put("allocator/quota/required/"+r.Resource, r.Required)
	}
}

// putQuotas puts what roles consume, beside their quotas, and what all of them do:
// Mesos counts that as the consumption of a role without a name.
func putQuotas(quotas []core.QuotaFigures, put func(key string, value float64)) {
	const roles, resources = "allocator/mesos/quota/roles/", "/resources/"
	all := make(map[string]float64)
	for _, q := range quotas {
		of := roles + q.Role + resources + q.Resource
		put(of+"/consumed", q.Consumed)
		all[q.Resource] += q.Consumed
		if !q.Set {
			continue
		}
		put(of+"/guarantee", q.Guarantee)
		if q.Limit >= 0 {
			put(of+"/limit", q.Limit)
		}
		put(of+"/offered_or_allocated", q.OfferedOrAllocated)
	}
	for _, resource := range slices.Sorted(maps.Keys(all)) {
		put(roles+resources+resource+"/consumed", all[resource])
	}
}

// timed does what a timer was set for at the time asked, and measures it if it
// was a pass: the wait for it, settling included, and the pass with its sends.
func (a *Allocator) timed(asked time.Time, do func()) {
	passes, began := a.core.Stats().Passes, time.Now()
	do()
	if a.core.Stats().Passes > passes {
		now := time.Now()
		a.figures.latency.Add(now, began.Sub(asked))
		a.figures.runs.Add(now, now.Sub(began))
	}
}

// rolesChanged sees to it that what changed of the roles is told soon.
func (a *Allocator) rolesChanged(c *actors.Context) {
	f := &a.figures
	if f.changed {
		return
	}
	f.changed = true
	if f.look != nil {
		f.look.Stop() // which waited for filters to lapse
	}
	f.look = c.After(max(rolesPause, time.Until(f.earliest)), func() { a.lookAtRoles(c) })
}

func (a *Allocator) lookAtRoles(c *actors.Context) {
	f, began := &a.figures, time.Now()
	roles := a.core.Roles(began)
	f.told.Store(&told{roles, a.core.Quotas(), a.core.Headroom()})
	pause := rolesCost * time.Since(began)
	f.earliest = began.Add(pause)
	f.changed, f.look = false, nil
	if slices.ContainsFunc(roles, func(r core.RoleFigures) bool { return r.Filters > 0 }) {
		f.look = c.After(max(pause, lapsePause), func() { a.lookAtRoles(c) })
	}
}
