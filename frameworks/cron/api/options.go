package api

import (
	"context"
	"net/http"
	"time"

	"troupe/frameworks/cron/plan"
)

// Planner is the plan, as the shell of the framework runs it.
type Planner interface {
	// Do has the plan take in a request, and waits for its answer, which comes
	// when what was done is durable: nil or a *plan.Error. Any other error is that
	// there is no answer: ctx is done, or the framework is ending. The input is
	// made with the number that its answer will have.
	Do(ctx context.Context, request func(number uint64) plan.Input) error
}

// Board has all jobs as they were last published; board.Board is one.
type Board interface {
	// Job is nil where there is none of that name.
	Job(name string) *plan.View
	// Jobs are sorted by name, and not changed by anybody.
	Jobs() []*plan.View
	// Watch tells every change from now on, in order, until stop has returned:
	// before is nil for a new job, now for one that is removed.
	Watch(changed func(name string, before, now *plan.View)) (stop func())
}

// Cluster is what the framework knows of its tasks beside the plan.
type Cluster interface {
	// Waiting says in words why a launched task has no place yet, most important
	// first; none when it has one, or nothing is known.
	Waiting(task string) []string
	// Log is the URL of a stream, "stdout" or "stderr", of a task that an agent has
	// or had; empty when it is not known. The agent may be empty while the task runs.
	Log(task, agent, stream string) string
	// Tail is the end of such a stream, so many bytes at most. The error is for
	// people.
	Tail(ctx context.Context, task, agent, stream string, bytes int64) ([]byte, error)
}

// Info is what the framework tells of itself.
type Info struct {
	Name        string `json:"name"`
	Version     string `json:"version"`
	FrameworkID string `json:"frameworkId,omitempty"`
	Master      string `json:"master,omitempty"`
	Hostname    string `json:"hostname,omitempty"`
	Role        string `json:"role,omitempty"`
	User        string `json:"user,omitempty"`
	Store       string `json:"store,omitempty"` // where state is kept, without secrets
	HA          bool   `json:"ha"`
	Connected   bool   `json:"connected"` // to the master
}

// Options are what the API is made of.
type Options struct {
	Planner Planner
	Board   Board
	// Cluster may be nil: nothing is known of places and logs.
	Cluster Cluster
	// Info is asked for at each request; nil: the name is "troupe cron".
	Info func() Info
	// Leader is the URL of who leads, empty when nobody does, and whether it is
	// this process. Nil: this one always leads, and is reached where it is asked.
	Leader func() (url string, self bool)
	// Logging reads and sets the level of the log, as zap's AtomicLevel does; nil:
	// there is no such endpoint.
	Logging http.Handler
	// Now is the time; nil: the clock's.
	Now func() time.Time
	// Patience is how long a request waits for the plan; 30 s.
	Patience time.Duration
}
