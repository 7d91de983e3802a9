package haproxy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"troupe/frameworks/service/app"
	"troupe/frameworks/service/discovery/endpoints"
	"troupe/frameworks/service/placement"
)

// quietAgain is after how long the connections of a task are counted again.
const quietAgain = 20 * time.Millisecond

// Quiet waits until nothing is on its way to a task that is draining, so that it can
// be ended without anybody noticing; for a task that is not served it does not wait.
// A connection in mode tcp is on its way for as long as it lasts. It gives up with
// ctx, whose error it returns.
func (k *Keeper) Quiet(ctx context.Context, task string) error {
	if k.options.Reload != "" {
		return nil // nobody can tell
	}
	tick := time.NewTicker(quietAgain)
	defer tick.Stop()
	for {
		if quiet, err := k.quiet(ctx, task); quiet || ctx.Err() != nil {
			return errors.Join(err, ctx.Err())
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// quiet looks once. What cannot be seen now may be the next time.
func (k *Keeper) quiet(ctx context.Context, task string) (bool, error) {
	now := time.Now()
	used, served := k.usage.of(task)
	if used || !served {
		return !served, nil
	}
	busy, err := k.count.of(ctx, k.socket, task, now)
	return err == nil && busy == 0, nil
}

// usage is which tasks get requests through a process, by Run's word.
type usage struct {
	mu    sync.Mutex
	sight sight
	ready map[string]int  // in how many backends
	was   map[string]bool // those that did, and that may have some on their way
}

// sight is what is known of the process.
type sight int

const (
	unknown sight = iota // there may be one, which does anything
	none
	known
)

// of tells of a task whether it gets requests, and whether it gets any or may have
// got some.
func (u *usage) of(task string) (used, served bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	switch used = u.ready[task] > 0; u.sight {
	case none:
		return false, false
	case unknown:
		return true, true
	}
	return used, used || u.was[task]
}

// change counts the backends of a task.
func (u *usage) change(task string, by int) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.ready[task] += by; u.ready[task] <= 0 {
		delete(u.ready, task)
		u.was[task] = true
	}
}

// begin is called when a process begins that serves nothing yet.
func (u *usage) begin() {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.was == nil {
		u.was = map[string]bool{}
	}
	for task := range u.ready {
		u.was[task] = true
	}
	u.sight, u.ready = known, map[string]int{}
}

// lose is called when what is known of the process is not so any more.
func (u *usage) lose(to sight) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.sight = to
}

// forget drops tasks that have ended. services are in order.
func (u *usage) forget(services []*endpoints.Service) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for task := range u.was {
		if !exists(services, task) {
			delete(u.was, task)
		}
	}
}

func exists(services []*endpoints.Service, task string) bool {
	id, err := placement.AppOf(task)
	if err != nil {
		return false
	}
	at, found := slices.BinarySearchFunc(services, id, func(s *endpoints.Service, id app.Path) int {
		return strings.Compare(string(s.App), string(id))
	})
	return found && slices.ContainsFunc(services[at].Endpoints, func(e endpoints.Endpoint) bool { return e.Task == task })
}

// connections counts what is on its way to tasks, for many who ask at once.
type connections struct {
	mu    sync.Mutex
	since time.Time // when counting began
	busy  map[string]int
}

// of is what was on its way to a task at some time after since.
func (c *connections) of(ctx context.Context, s socket, task string, since time.Time) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.since.After(since) {
		return c.busy[task], nil
	}
	began := time.Now()
	busy, err := s.allBusy(ctx)
	if err != nil {
		return 0, err
	}
	c.since, c.busy = began, busy
	return busy[task], nil
}

// errReloading is that workers came or went while they were asked.
var errReloading = errors.New("haproxy: it is being reloaded")

// allBusy counts in all workers.
func (s socket) allBusy(ctx context.Context) (map[string]int, error) {
	p, err := s.processes(ctx)
	if err != nil {
		return nil, err
	}
	busy := map[string]int{}
	if err := s.busy(ctx, "1", busy); err != nil {
		return nil, err
	}
	for _, pid := range p.old {
		if err := s.busy(ctx, fmt.Sprintf("!%d", pid), busy); err != nil {
			return nil, err
		}
	}
	switch now, err := s.processes(ctx); {
	case err != nil:
		return nil, err
	case !p.current || now.reloads != p.reloads || !slices.Equal(now.old, p.old):
		return nil, errReloading
	}
	return busy, nil
}
