package slack

import (
	"maps"
	"slices"
	"time"

	"troupe/messages/resources"
	"troupe/slave/state/view"
)

// HistoryStep is the time between two samples of a History.
const HistoryStep = 10 * time.Second

const (
	// A day is kept as means of a minute each, an hour as samples.
	stepsPerMean = 6
	samplesKept  = int(time.Hour / HistoryStep)
	meansKept    = int(24 * time.Hour / (stepsPerMean * HistoryStep))
	// maxRoles bounds what is kept, 43 KB of each role: further ones are left out
	// while there are so many.
	maxRoles = 256
	megabyte = 1 << 20
)

// windows are what is told of.
var windows = []time.Duration{time.Minute, 10 * time.Minute, time.Hour, 24 * time.Hour}

// History knows what the containers of each role had and used, for a day. One
// that is new, or could not be measured, counts as using all it has.
type History struct {
	rates rates
	roles map[string]*series
}

// NewHistory has seen nothing.
func NewHistory() *History { return &History{roles: map[string]*series{}} }

// series is what is kept of a role.
type series struct {
	samples, means ring
	// Of the samples since the last mean, and how many there are.
	sum   use
	added int
	// Means since the role had something; it is forgotten after a day.
	empty int
	// day is the widest window, which changes with each mean.
	day view.Slack
}

// use is what a role had and used, in CPUs and bytes, as of one sample.
type use struct{ cpus, mem part }

type part struct{ allocated, used, slack float32 }

func (p *part) add(q part) {
	p.allocated, p.used, p.slack = p.allocated+q.allocated, p.used+q.used, p.slack+q.slack
}

func (p part) over(n float32) part { return part{p.allocated / n, p.used / n, p.slack / n} }

// ring keeps the newest of a list.
type ring struct {
	list []use
	next int // where the oldest is once it is full
}

func (r *ring) add(u use, limit int) {
	if len(r.list) < limit {
		r.list = append(r.list, u)
		return
	}
	r.list[r.next] = u
	r.next = (r.next + 1) % limit
}

// last are the newest n, or as many as there are, in any order.
func (r *ring) last(n int) []use {
	if n >= len(r.list) {
		return r.list
	}
	if r.next >= n {
		return r.list[r.next-n : r.next]
	}
	return slices.Concat(r.list[:r.next], r.list[len(r.list)-(n-r.next):])
}

// Add takes a sample, a HistoryStep after the one before, and says what is known
// by then, ordered by role and window. One that is not later is left out.
func (h *History) Add(s Sample) []view.Slack {
	if used := h.rates.next(s); used != nil {
		h.keep(usesOf(s, used))
	}
	var all []view.Slack
	for _, role := range slices.Sorted(maps.Keys(h.roles)) {
		all = append(all, h.roles[role].slack(role)...)
	}
	return all
}

// usesOf sums a sample up by role.
func usesOf(s Sample, rates []rate) map[string]use {
	uses := map[string]use{}
	for i, c := range s.Containers {
		cpus, mem := c.Allocated.Scalar(resources.CPUs), float32(c.Allocated.Scalar(resources.Mem).Float()*megabyte)
		ownMem := float32(own(c, resources.Mem).Float() * megabyte)
		u := uses[c.Role]
		used, memory := cpus, mem
		if rates[i].known {
			used, memory = rates[i].cpus, float32(c.Memory)
		}
		u.cpus.add(part{float32(cpus.Float()), float32(used.Float()), float32(rates[i].idle(c).Float())})
		slack := float32(0)
		if rates[i].known {
			slack = max(0, ownMem-memory)
		}
		u.mem.add(part{mem, memory, slack})
		uses[c.Role] = u
	}
	return uses
}

// keep adds to every role what it used, also nothing.
func (h *History) keep(uses map[string]use) {
	for _, role := range slices.Sorted(maps.Keys(uses)) {
		if h.roles[role] == nil && len(h.roles) < maxRoles {
			h.roles[role] = new(series)
		}
	}
	for role, s := range h.roles {
		if s.add(uses[role]); s.empty > meansKept {
			delete(h.roles, role)
		}
	}
}

func (s *series) add(u use) {
	s.samples.add(u, samplesKept)
	s.sum.cpus.add(u.cpus)
	s.sum.mem.add(u.mem)
	if s.added++; s.added < stepsPerMean {
		return
	}
	mean := use{s.sum.cpus.over(stepsPerMean), s.sum.mem.over(stepsPerMean)}
	s.means.add(mean, meansKept)
	s.sum, s.added = use{}, 0
	if s.empty++; mean != (use{}) {
		s.empty = 0
	}
	s.day = slackOf(s.means.list, windows[len(windows)-1], stepsPerMean*HistoryStep)
}

// slack is what is known of a role: of the first minute by samples alone.
func (s *series) slack(role string) []view.Slack {
	var all []view.Slack
	for _, w := range windows {
		all = append(all, slackOf(s.samples.last(int(min(w, time.Hour)/HistoryStep)), w, HistoryStep))
	}
	if s.day.Covers > 0 {
		all[len(all)-1] = s.day
	}
	for i := range all {
		all[i].Role = role
	}
	return all
}

func slackOf(list []use, window, step time.Duration) view.Slack {
	return view.Slack{
		Window: window, Covers: time.Duration(len(list)) * step,
		CPUs: leftOf(list, func(u use) part { return u.cpus }),
		Mem:  leftOf(list, func(u use) part { return u.mem }),
	}
}

// leftOf is of at least one.
func leftOf(list []use, of func(use) part) view.Left {
	used, slack := make([]float32, len(list)), make([]float32, len(list))
	var left view.Left
	n := float64(len(list))
	for i, u := range list {
		p := of(u)
		left.Allocated += float64(p.allocated) / n
		left.Used += float64(p.used) / n
		used[i], slack[i] = p.used, p.slack
	}
	slices.Sort(used)
	slices.Sort(slack)
	rare := len(list) / 20 // of 100 samples 5
	left.P95, left.Peak = float64(used[len(used)-1-rare]), float64(used[len(used)-1])
	left.Slack = float64(slack[rare])
	return left
}
