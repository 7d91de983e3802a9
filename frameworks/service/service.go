package service

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"

	"troupe/actors"
	"troupe/frameworks"
	"troupe/frameworks/loop"
	"troupe/frameworks/service/app"
	"troupe/frameworks/service/board"
	"troupe/frameworks/service/state"
	"troupe/messages/mesos"
)

// Prober performs checks; probe.Instances is one. It reports with Service.Put.
type Prober interface {
	Start(e state.StartProbes)
	Stop(e state.StopProbes)
}

// Machine decides; state.Machine is it.
type Machine interface {
	Step(now time.Time, in state.Input) []state.Effect
}

// Options are what a Service works with. All but Events, Quiet and Metrics are
// needed.
type Options struct {
	// Framework is who subscribes; its Store is not used.
	Framework frameworks.Options
	// Store keeps the state, and the framework's id.
	Store   loop.Content
	Machine Machine
	Board   *board.Board
	// Prober is made for a Service that is not there yet.
	Prober func(report func(state.Input)) Prober
	// Events gets what people are told of; it must not block.
	Events func(state.Event)
	// Quiet, if not nil, waits until nobody sends a task that is ending anything any
	// more, or ctx is done: tasks are killed then.
	Quiet func(ctx context.Context, task string) error
	// QuietFor bounds how long that may take; 10 s.
	QuietFor time.Duration
	Metrics  *Metrics
}

// Service runs a machine on a cluster. Its exported methods may be called from any
// goroutine.
type Service struct {
	options Options
	log     *zap.Logger
	metrics *Metrics
	loop    *loop.Loop[state.Input, state.Effect, state.Answer]
	id      *loop.Identity
	prober  Prober
	driver  *frameworks.Driver // set before the loop runs
	beside  []byte             // what was kept beside the machine's state
	quieter quieter
	roles   roles

	mu     sync.Mutex
	status Status
}

// Status is what a service knows of its framework.
type Status struct {
	// Framework is its id; "" before it has one.
	Framework string
	// Master is nil while it is not connected, or does not say who it is.
	Master    *mesos.MasterInfo
	Connected bool
}

// New reads the state, which nobody else may write any more. Run goes on from
// there.
func New(ctx context.Context, o Options) (*Service, error) {
	if o.Framework.Logger == nil {
		o.Framework.Logger = zap.NewNop()
	}
	if o.Events == nil {
		o.Events = func(state.Event) {}
	}
	if o.Metrics == nil {
		o.Metrics = NewMetrics()
	}
	if o.QuietFor == 0 {
		o.QuietFor = 10 * time.Second
	}
	records, id, err := loop.Load(ctx, o.Store)
	if err != nil {
		return nil, err
	}
	s := &Service{options: o, log: o.Framework.Logger, metrics: o.Metrics, id: id, beside: records[besideKey]}
	delete(records, besideKey)
	s.loop = loop.New[state.Input, state.Effect, state.Answer](loop.Options[state.Input, state.Effect]{
		Step: o.Machine.Step, Perform: s.perform, Store: o.Store,
	})
	loaded := state.Loaded{Records: make([]state.Change, 0, len(records))}
	for _, key := range slices.Sorted(maps.Keys(records)) {
		loaded.Records = append(loaded.Records, state.Change{Key: key, Value: records[key]})
	}
	s.loop.Put(loaded)
	s.roles.add(o.Framework.Roles...)
	s.prober = o.Prober(s.loop.Put)
	o.Metrics.watch(s)
	return s, nil
}

// besideKey is where Keep writes to.
const besideKey = "beside"

// Kept is what Keep last wrote in an earlier life; nil without.
func (s *Service) Kept() []byte { return s.beside }

// Keep makes something durable in the store that is none of the machine's business.
// It returns when that is done.
func (s *Service) Keep(ctx context.Context, value []byte) error {
	if err := s.options.Store.Apply(ctx, map[string][]byte{besideKey: value}); err != nil {
		return fmt.Errorf("keep %d bytes: %w", len(value), err)
	}
	return nil
}

// leavePatience bounds how long the goodbye to the master may take.
const leavePatience = 2 * time.Second

// Run subscribes in sys, at the master that Options.Framework's Detector finds, and
// works until ctx is done, which is nil, or it cannot go on: an error is the
// master's last word, or that the state cannot be read or written. The tasks stay
// as they are. It is called once.
func (s *Service) Run(ctx context.Context, sys *actors.System) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	o := s.options.Framework
	o.Store = s.id
	ended := make(chan struct{})
	over := &overError{}
	var err error
	s.driver, err = frameworks.Start(sys, actors.PID{}, o, (*scheduler)(s), func(err error) {
		over.why = err
		close(ended)
		cancel(over)
	})
	if err != nil {
		return err
	}
	defer s.quieter.begin(ctx)()
	err = s.loop.Run(ctx)
	if errors.Is(context.Cause(ctx), over) {
		err = errors.Join(err, fmt.Errorf("framework %q: %w", o.Name, over))
	}
	if errors.Is(err, frameworks.ErrRemoved) {
		// The apps are kept; they need a new framework, which the next start makes.
		return errors.Join(err, s.id.Save(""))
	}
	s.driver.Leave()
	patience := time.NewTimer(leavePatience)
	defer patience.Stop()
	select {
	case <-ended:
	case <-patience.C: // the system's end is close anyway
	}
	return err
}

// overError is that the framework's run has ended, other than by its own will.
type overError struct{ why error }

// Error says why.
func (e *overError) Error() string {
	if e.why == nil {
		return "it was torn down"
	}
	return e.why.Error()
}

// Unwrap is why.
func (e *overError) Unwrap() error { return e.why }

// Do has the core take in a request and waits for its answer, which comes when what
// was done is durable. The input is made with the number that its answer will have.
// An error is that there is no answer: ctx is done, or see package loop.
func (s *Service) Do(ctx context.Context, input func(request uint64) state.Input) (state.Answer, error) {
	return s.loop.Ask(ctx, input)
}

// Settled waits until all that was loaded has been published. Before, the board is
// empty, and nobody should take it for the truth.
func (s *Service) Settled(ctx context.Context) error {
	_, err := s.Do(ctx, func(request uint64) state.Input {
		same := func(root *app.Group, _ app.Version) (*app.Group, error) { return root, nil }
		return state.Update{Request: request, DryRun: true, Edit: same}
	})
	return err
}

// Status is what is known now.
func (s *Service) Status() Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.status
}

func (s *Service) set(change func(*Status)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.status)
}
