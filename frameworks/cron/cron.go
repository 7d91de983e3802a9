package cron

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.uber.org/zap"

	"troupe/actors"
	"troupe/frameworks"
	"troupe/frameworks/cron/launch"
	"troupe/frameworks/cron/plan"
	"troupe/frameworks/loop"
)

// Store keeps the plan and the framework's id; frameworks/store has some.
type Store interface {
	// Load returns everything, by key.
	Load(ctx context.Context) (map[string][]byte, error)
	// Apply gives keys new values, and removes those whose value is nil: all of
	// them durable when it returns, or none.
	Apply(ctx context.Context, changes map[string][]byte) error
}

// Options say what a Cron works with. Framework.Name and Store are needed.
type Options struct {
	// Framework is who subscribes; its Store is not used.
	Framework frameworks.Options
	Store     Store
	Plan      plan.Options
	// Publish gets every job as it now is, in order; it must not block.
	Publish func(plan.Publish)
	// Notify gets what people are to be told; it must not block.
	Notify func(plan.Notify)
	// Unreachable is how long a task may be out of the cluster's sight before it
	// counts as lost; 10 min.
	Unreachable time.Duration
	// Tail reads the end of what a task has written, so many bytes at most; nil:
	// that cannot be read.
	Tail func(ctx context.Context, s Stream, bytes int64) ([]byte, error)
	// HTTPS is that agents are asked over TLS.
	HTTPS   bool
	Metrics *Metrics
}

// Stream is what a task has written: Name is "stdout" or "stderr", the others are
// ids.
type Stream struct{ Framework, Agent, Task, Name string }

// defaultUnreachable is long enough for an agent's machine to start again.
const defaultUnreachable = 10 * time.Minute

func (o Options) withDefaults() Options {
	if o.Publish == nil {
		o.Publish = func(plan.Publish) {}
	}
	if o.Notify == nil {
		o.Notify = func(plan.Notify) {}
	}
	if o.Unreachable <= 0 {
		o.Unreachable = defaultUnreachable
	}
	if o.Metrics == nil {
		o.Metrics = NewMetrics()
	}
	if o.Framework.Logger == nil {
		o.Framework.Logger = zap.NewNop()
	}
	return o
}

// event is an input of the shell: it moves the plan, or the queue of what waits
// for offers, or both.
type event func(now time.Time) []plan.Effect

// Cron runs a plan on a cluster. Its exported methods may be called from any
// goroutine.
type Cron struct {
	options Options
	log     *zap.Logger
	metrics *Metrics
	loop    *loop.Loop[event, []plan.Effect, error]
	id      *identity

	// What follows is touched by the loop's goroutine alone.
	machine *plan.Machine
	driver  *frameworks.Driver
	tasks   map[string]*task
	demand  demand

	mu        sync.Mutex // of what readers see, too
	queue     *launch.Queue
	addresses map[string]string // of agents: host:port
	places    map[string]string // of tasks that run: agents
	framework string            // its id, once known
	master    string            // host:port, while it is connected
	connected bool
}

// New reads the state, which nobody else may write any more. Run goes on from
// there.
func New(ctx context.Context, o Options) (*Cron, error) {
	o = o.withDefaults()
	c := &Cron{
		options: o, log: o.Framework.Logger, metrics: o.Metrics, machine: plan.New(o.Plan),
		tasks: map[string]*task{}, queue: launch.New(), addresses: map[string]string{}, places: map[string]string{},
	}
	records, err := o.Store.Load(ctx)
	if err != nil {
		return nil, err
	}
	c.id = &identity{store: o.Store, id: string(records[identityKey])}
	c.loop = loop.New[event, []plan.Effect, error](loop.Options[event, []plan.Effect]{
		Step:    func(now time.Time, in event) [][]plan.Effect { return [][]plan.Effect{in(now)} },
		Perform: c.perform, Store: o.Store,
	})
	loaded := plan.Loaded{Records: make([]plan.Change, 0, len(records))}
	for key, value := range records {
		if key != identityKey {
			loaded.Records = append(loaded.Records, plan.Change{Key: key, Value: value})
		}
	}
	c.tell(loaded)
	o.Metrics.watch(c)
	return c, nil
}

// Run subscribes in sys, at the master that Options.Framework's Detector finds,
// and works until ctx is done, which is nil, or it cannot go on: an error is the
// master's last word, or that the state cannot be read or written. The tasks stay
// as they are. It is called once.
func (c *Cron) Run(ctx context.Context, sys *actors.System) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	o := c.options.Framework
	o.Store = c.id
	o.Suppressed, c.demand.suppressed = true, true // until something is due
	ended := make(chan struct{})
	var err error
	c.driver, err = frameworks.Start(sys, actors.PID{}, o, (*scheduler)(c), func(err error) {
		if err == nil {
			err = errors.New("the framework was torn down")
		}
		close(ended)
		cancel(err)
	})
	if err != nil {
		return err
	}
	err = c.loop.Run(ctx)
	if cause := context.Cause(ctx); err == nil && cause != nil && !errors.Is(cause, context.Canceled) && !errors.Is(cause, context.DeadlineExceeded) {
		err = fmt.Errorf("framework %q: %w", o.Name, cause)
	}
	if errors.Is(err, frameworks.ErrRemoved) {
		// The jobs are kept; they need a new framework, which the next start makes.
		return errors.Join(err, c.id.Save(""))
	}
	c.driver.Leave()
	patience := time.NewTimer(leavePatience)
	defer patience.Stop()
	select {
	case <-ended:
	case <-patience.C: // the system's end is close anyway
	}
	return err
}

// leavePatience bounds how long the goodbye to the master may take.
const leavePatience = 2 * time.Second

// tell gives the plan an input.
func (c *Cron) tell(in plan.Input) {
	c.loop.Put(func(now time.Time) []plan.Effect { return c.machine.Step(now, in) })
}

// Do has the plan take in a request, and waits for its answer, which comes when
// what was done is durable and published: nil or a *plan.Error. Any other error
// is that there is no answer: ctx is done, or see package loop.
func (c *Cron) Do(ctx context.Context, request func(number uint64) plan.Input) error {
	answer, err := c.loop.Ask(ctx, func(number uint64) event {
		in := request(number)
		return func(now time.Time) []plan.Effect { return c.machine.Step(now, in) }
	})
	if err != nil {
		return err
	}
	return answer
}
