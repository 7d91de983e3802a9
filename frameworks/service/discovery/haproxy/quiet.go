package haproxy

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"troupe/frameworks/service/discovery/endpoints"
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
	k.mu.Lock()
	known, used, served := k.used != nil, k.used[task], k.served[task]
	k.mu.Unlock()
	if known && !served {
		return true, nil
	}
	if used {
		return false, nil
	}
	busy, err := k.count.of(ctx, k.socket, task, now)
	if errors.Is(err, errNoMaster) && ctx.Err() == nil {
		return true, nil // nothing goes through what is not there
	}
	return known && err == nil && busy == 0, nil
}

// remember keeps for Quiet which tasks are served now.
func (k *Keeper) remember(services []*endpoints.Service) {
	used := map[string]bool{}
	if k.running != nil {
		for _, servers := range k.running.servers {
			for _, s := range servers {
				if s.state == ready {
					used[s.Name] = true
				}
			}
		}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	served := map[string]bool{}
	for _, s := range services {
		for _, e := range s.Endpoints {
			if used[e.Task] || k.served[e.Task] {
				served[e.Task] = true
			}
		}
	}
	if k.served = served; k.running == nil {
		used = nil
	}
	k.used = used
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
	return busy, nil
}
