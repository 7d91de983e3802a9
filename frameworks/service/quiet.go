package service

import (
	"context"
	"sync"
)

// quieter has tasks waited for that are to be ended, each once at a time.
type quieter struct {
	ctx  context.Context // of the Service's run
	done sync.WaitGroup

	mu    sync.Mutex
	tasks map[string]bool
}

// begin is called before the first task is awaited; end waits for all.
func (q *quieter) begin(ctx context.Context) (end func()) {
	ctx, cancel := context.WithCancel(ctx)
	q.ctx, q.tasks = ctx, map[string]bool{}
	return func() {
		cancel()
		q.done.Wait()
	}
}

// await does something for a task beside the loop, unless that is being done, or the
// run is over.
func (q *quieter) await(task string, do func(ctx context.Context)) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.tasks[task] || q.ctx.Err() != nil {
		return
	}
	q.tasks[task] = true
	q.done.Go(func() {
		do(q.ctx)
		q.mu.Lock()
		defer q.mu.Unlock()
		delete(q.tasks, task)
	})
}
