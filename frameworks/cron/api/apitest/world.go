// Package apitest runs a plan in memory, with a clock and a cluster under a test's
// hand, for tests of what reads the plan and asks it to change: the REST API, its
// client and the page. Only tests import it.
package apitest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"troupe/frameworks/cron/board"
	"troupe/frameworks/cron/plan"
)

// World is a plan with its board and its cluster. It may be used from any
// goroutine.
type World struct {
	Board board.Board

	clock atomic.Pointer[time.Time] // which the board's watchers read, too

	mu       sync.Mutex
	machine  *plan.Machine
	timer    time.Time
	answered map[uint64]error
	requests uint64
	live     map[string]plan.Run // by task
	waiting  map[string][]string // by job
	down     error
}

// New begins a world without jobs at a time.
func New(now time.Time, o plan.Options) *World {
	w := &World{machine: plan.New(o), answered: map[uint64]error{}, live: map[string]plan.Run{}, waiting: map[string][]string{}}
	w.clock.Store(&now)
	w.step(plan.Loaded{})
	return w
}

// Now is the world's time.
func (w *World) Now() time.Time { return *w.clock.Load() }

// Do is as the API's Planner has it.
func (w *World) Do(ctx context.Context, request func(uint64) plan.Input) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := errors.Join(ctx.Err(), w.down); err != nil {
		return err
	}
	w.requests++
	w.step(request(w.requests))
	err, answered := w.answered[w.requests]
	if !answered {
		return errors.New("the plan has not answered")
	}
	delete(w.answered, w.requests)
	return err
}

// Down has the plan answer nothing but this error; nil lets it answer again.
func (w *World) Down(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.down = err
}

// Pass lets time pass. Nothing that is due is missed.
func (w *World) Pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	until := w.Now().Add(d)
	for !w.timer.IsZero() && !w.timer.After(until) {
		at := w.timer
		w.timer = time.Time{}
		w.clock.Store(&at)
		w.step(plan.TimerFired{})
	}
	w.clock.Store(&until)
}

// Start has all tasks of a job that have not started do so, and returns them.
func (w *World) Start(job string) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	tasks := w.tasks(job)
	for _, task := range tasks {
		w.step(plan.TaskStarted{Task: task})
	}
	return tasks
}

// End ends all tasks of a job, on agent S1, and returns them.
func (w *World) End(job string, o plan.Outcome, exit int, message string) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	tasks := w.tasks(job)
	for _, task := range tasks {
		w.end(plan.TaskEnded{Task: task, Outcome: o, Exit: exit, Agent: "S1", Message: message})
	}
	return tasks
}

// Tasks are those of a job that the cluster has, sorted.
func (w *World) Tasks(job string) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.tasks(job)
}

func (w *World) tasks(job string) []string {
	var all []string
	for task, run := range w.live {
		if run.Job == job {
			all = append(all, task)
		}
	}
	slices.Sort(all)
	return all
}

func (w *World) end(e plan.TaskEnded) {
	delete(w.live, e.Task)
	w.step(e)
}

// Hold says why tasks of a job have no place.
func (w *World) Hold(job string, why ...string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.waiting[job] = why
}

// Waiting is as the API's Cluster has it.
func (w *World) Waiting(task string) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.waiting[w.live[task].Job]
}

// Log is as the API's Cluster has it: it knows the agent S1.
func (w *World) Log(task, agent, stream string) string {
	if agent != "S1" {
		return ""
	}
	return "http://s1.example:5051/" + stream + "?task=" + strings.ReplaceAll(task, ":", "%3A")
}

// Tail is as the API's Cluster has it: it knows the agent S1.
func (w *World) Tail(_ context.Context, task, agent, stream string, bytes int64) ([]byte, error) {
	if agent != "S1" {
		return nil, errors.New("the agent is not known")
	}
	text := "one line\n" + stream + " of " + task + "\n<b>& the last line</b>\n"
	return []byte(text[max(0, len(text)-int(bytes)):]), nil
}

// step takes in one input and performs what follows of it.
func (w *World) step(in plan.Input) {
	queue := w.machine.Step(w.Now(), in)
	for len(queue) > 0 {
		e := queue[0]
		queue = queue[1:]
		switch e := e.(type) {
		case plan.Persist:
			queue = append(queue, w.machine.Step(w.Now(), plan.Persisted{Number: e.Number})...)
		case plan.Launch:
			w.live[e.Run.Task()] = e.Run
		case plan.Kill:
			delete(w.live, e.Task)
			queue = append(queue, w.machine.Step(w.Now(), plan.TaskEnded{Task: e.Task, Outcome: plan.Killed, Exit: 143, Agent: "S1", Message: "killed"})...)
		case plan.Answer:
			w.answered[e.Request] = e.Err
		case plan.SetTimer:
			w.timer = e.At
		case plan.Publish:
			w.Board.Publish(e)
		}
	}
}
