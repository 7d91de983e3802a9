package probe

import (
	"container/heap"
	"context"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"time"
)

// Options of a prober.
type Options struct {
	// AtOnce bounds how many checks are under way at any time; 1000. What is due
	// while there are as many waits for its turn.
	AtOnce int
}

// Prober performs checks until they are stopped. Its methods may be called from
// any goroutine.
type Prober struct {
	atOnce int
	dialer *net.Dialer
	client *http.Client
	wake   chan struct{}
	ctx    context.Context // of all checks
	cancel context.CancelFunc
	done   sync.WaitGroup

	mu      sync.Mutex
	due     queue
	running int
	tasks   map[string][]*item
	figures Figures
}

// Figures are what a prober has to do.
type Figures struct {
	// Checks that are to be performed, and those of them that are under way.
	Checks, Running int
	// Passed, Failed and Ignored checks so far.
	Passed, Failed, Ignored uint64
	// Late is by how much the last check began too late.
	Late time.Duration
}

// item is one check of one task.
type item struct {
	check   Check
	due     time.Time
	repeats bool // the first time is over
	at      int  // in the queue; -1: under way, or stopped
	stopped bool
	cancel  context.CancelFunc // of the check under way
}

// New makes a prober; Close ends it.
func New(o Options) *Prober {
	if o.AtOnce == 0 {
		o.AtOnce = 1000
	}
	ctx, cancel := context.WithCancel(context.Background())
	p := &Prober{
		atOnce: o.AtOnce, dialer: new(net.Dialer), wake: make(chan struct{}, 1),
		ctx: ctx, cancel: cancel, tasks: map[string][]*item{},
	}
	p.client = newClient(p.dialer)
	p.done.Go(p.run)
	return p
}

// Close stops all checks and waits for those that are under way.
func (p *Prober) Close() {
	p.cancel()
	p.done.Wait()
	p.client.CloseIdleConnections()
}

// Start begins to perform the checks of a task, in place of those it had. Each is
// performed at once, and then at its interval; what begins together spreads out
// after the first time.
func (p *Prober) Start(task string, checks []Check) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stop(task)
	now := time.Now()
	for _, c := range checks {
		i := &item{check: c, due: now}
		p.tasks[task] = append(p.tasks[task], i)
		heap.Push(&p.due, i)
	}
	p.rouse()
}

// Stop ends the checks of a task. Nothing more is reported of them.
func (p *Prober) Stop(task string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stop(task)
}

// stop needs the lock.
func (p *Prober) stop(task string) {
	for _, i := range p.tasks[task] {
		i.stopped = true
		if i.at >= 0 {
			heap.Remove(&p.due, i.at)
		}
		if i.cancel != nil {
			i.cancel()
		}
	}
	delete(p.tasks, task)
}

// Figures are safe to ask for at any time.
func (p *Prober) Figures() Figures {
	p.mu.Lock()
	defer p.mu.Unlock()
	f := p.figures
	f.Running = p.running
	f.Checks = len(p.due) + p.running
	return f
}

func (p *Prober) rouse() {
	select {
	case p.wake <- struct{}{}:
	default: // it will look anyway
	}
}

// run begins what is due.
func (p *Prober) run() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-p.ctx.Done():
			return
		case <-timer.C:
		case <-p.wake:
		}
		if wait, again := p.begin(); again {
			timer.Reset(wait)
		} else {
			timer.Stop()
		}
	}
}

// begin starts what is due, as far as there is room, and says after how long to
// look again. Otherwise it will be woken.
func (p *Prober) begin() (wait time.Duration, again bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.due) > 0 && p.running < p.atOnce {
		i := p.due[0]
		if wait := time.Until(i.due); wait > 0 {
			return wait, true
		}
		heap.Pop(&p.due)
		p.figures.Late = time.Since(i.due)
		ctx, cancel := context.WithTimeout(p.ctx, i.check.Timeout)
		i.cancel = cancel
		p.running++
		p.done.Go(func() { p.perform(ctx, i) })
	}
	return 0, false
}

func (p *Prober) perform(ctx context.Context, i *item) {
	r, counts := p.ask(ctx, &i.check)
	if p.finish(i, r, counts) {
		i.check.Report(r)
	}
}

// finish puts a check back into the queue, and tells whether its result is to be
// reported.
func (p *Prober) finish(i *item, r Result, counts bool) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	i.cancel()
	i.cancel = nil
	p.running--
	p.rouse()
	if i.stopped || p.ctx.Err() != nil {
		return false
	}
	switch {
	case !counts:
		p.figures.Ignored++
	case r.Passed:
		p.figures.Passed++
	default:
		p.figures.Failed++
	}
	if r.Passed && i.check.Once {
		i.stopped = true
		return true
	}
	i.due = i.next(time.Now())
	heap.Push(&p.due, i)
	return counts
}

// next is an interval after the check was due, but never in the past. The second
// time comes earlier by chance, so that checks that began together, as after a
// failover, do not stay together.
func (i *item) next(now time.Time) time.Time {
	interval := i.check.Interval
	if !i.repeats {
		i.repeats = true
		interval -= time.Duration(rand.Float64() * float64(interval) / 2)
	}
	if at := i.due.Add(interval); at.After(now) {
		return at
	}
	return now.Add(interval / 2)
}

// queue is a heap of items by when they are due.
type queue []*item

func (q queue) Len() int           { return len(q) }
func (q queue) Less(i, j int) bool { return q[i].due.Before(q[j].due) }
func (q queue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].at, q[j].at = i, j
}

func (q *queue) Push(x any) {
	i := x.(*item)
	i.at = len(*q)
	*q = append(*q, i)
}

func (q *queue) Pop() any {
	last := len(*q) - 1
	i := (*q)[last]
	(*q)[last] = nil
	*q = (*q)[:last]
	i.at = -1
	return i
}
