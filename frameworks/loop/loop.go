package loop

import (
	"context"
	"errors"
	"sync"
	"time"
)

// The errors of Ask that are not the machine's.
var (
	// ErrBusy: too many requests wait for their answers.
	ErrBusy = errors.New("too many requests wait for their answers")
	// ErrEnded: the loop has ended. Whether the request was carried out is not
	// known.
	ErrEnded = errors.New("the framework's loop has ended")
)

// Store is the part of a framework's store that a loop writes to; see
// frameworks/store.
type Store interface {
	// Apply makes changes durable, all or none, before it returns.
	Apply(ctx context.Context, changes map[string][]byte) error
}

// Options say what a loop drives. Step and Perform are needed.
type Options[I, E any] struct {
	// Step moves the machine. It is called by one goroutine at a time.
	Step func(now time.Time, in I) []E
	// Perform carries out an effect. It must not block; it is called in the order
	// of the effects, by the goroutine that calls Step.
	Perform func(e E)
	// Store takes what Persist is given; it may be nil if nothing is.
	Store Store
	// Waiting bounds how many requests may wait for their answers; 1000.
	Waiting int
}

// Loop drives one machine of inputs I and effects E, which answers requests with
// an A. All methods may be called from any goroutine, and none but Run and Ask
// blocks.
type Loop[I, E, A any] struct {
	options Options[I, E]
	wake    chan struct{} // has something when there are inputs
	writer  *writer[I]
	alarm   alarm[I]
	ended   chan struct{} // closed when Run returns

	mu       sync.Mutex
	inputs   []I
	requests map[uint64]chan<- A
	last     uint64 // request
	err      error
	over     bool
	figures  Figures
}

// New makes a loop, which begins with Run. Inputs that are put in before wait
// for it, so that the first of them is the machine's first.
func New[I, E, A any](o Options[I, E]) *Loop[I, E, A] {
	if o.Waiting == 0 {
		o.Waiting = 1000
	}
	l := &Loop[I, E, A]{
		options: o, wake: make(chan struct{}, 1), ended: make(chan struct{}), requests: map[uint64]chan<- A{},
	}
	l.writer = newWriter(o.Store, l.Put)
	return l
}

// Put gives the machine an input, after those that it was given before.
func (l *Loop[I, E, A]) Put(in I) {
	l.mu.Lock()
	if !l.over {
		l.inputs = append(l.inputs, in)
	}
	l.mu.Unlock()
	l.rouse()
}

func (l *Loop[I, E, A]) rouse() {
	select {
	case l.wake <- struct{}{}:
	default: // it will look anyway
	}
}

// Ask gives the machine a request, with the number that it gets, and waits for
// the Answer. An error is the context's, ErrBusy or ErrEnded; after the first
// and the last the request may have been carried out nevertheless.
func (l *Loop[I, E, A]) Ask(ctx context.Context, request func(number uint64) I) (A, error) {
	var none A
	answer := make(chan A, 1)
	number, err := l.enlist(answer, request)
	if err != nil {
		return none, err
	}
	defer l.forget(number)
	select {
	case a := <-answer:
		return a, nil
	case <-ctx.Done():
		return none, context.Cause(ctx)
	case <-l.ended:
	}
	select {
	case a := <-answer: // it was the last thing done
		return a, nil
	default:
		return none, ErrEnded
	}
}

func (l *Loop[I, E, A]) enlist(answer chan<- A, request func(number uint64) I) (uint64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.over:
		return 0, ErrEnded
	case len(l.requests) >= l.options.Waiting:
		return 0, ErrBusy
	}
	l.last++
	l.requests[l.last] = answer
	l.inputs = append(l.inputs, request(l.last))
	l.rouse()
	return l.last, nil
}

func (l *Loop[I, E, A]) forget(number uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.requests, number)
}

// Answer answers a request. One that nobody waits for any more is dropped.
func (l *Loop[I, E, A]) Answer(number uint64, a A) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if answer, waits := l.requests[number]; waits {
		delete(l.requests, number)
		answer <- a
	}
}

// Persist writes changes to the store; a nil value removes its key. What then
// makes of the outcome becomes an input. Writes are done in order, several of
// them in one Apply while the store is slow: each is durable when its input
// comes.
func (l *Loop[I, E, A]) Persist(changes map[string][]byte, then func(err error) I) {
	l.writer.write(changes, then)
}

// SetTimer has in become an input once the clock shows at, or soon if it does
// already. It replaces the timer before. When the clock is set, what is due is
// noticed within half a minute, and nothing fires early.
func (l *Loop[I, E, A]) SetTimer(at time.Time, in I) { l.alarm.set(at, in) }

// Fail ends Run with an error, when the effects of this step are performed.
func (l *Loop[I, E, A]) Fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err == nil {
		l.err = err
	}
	l.rouse()
}

// patience bounds how long a write may take that is under way at the end.
const patience = 5 * time.Second

// Run drives the machine until ctx is done, which is nil, or Fail. A write that
// is under way is waited for, five seconds at most. Run is called once.
func (l *Loop[I, E, A]) Run(ctx context.Context) error {
	defer close(l.ended)
	writing, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	written := make(chan struct{})
	go func() {
		defer close(written)
		l.writer.run(writing)
	}()
	timer := l.alarm.start()
	defer l.alarm.stop()
	for {
		select {
		case <-ctx.Done():
		case <-l.wake:
		case <-timer:
			if in, due := l.alarm.due(); due {
				l.Put(in)
			}
		}
		err := l.work(ctx)
		if err != nil || ctx.Err() != nil {
			l.end()
			l.writer.end()
			defer time.AfterFunc(patience, stop).Stop()
			<-written
			return err
		}
	}
}

// work takes in the inputs that there are by now; those that come meanwhile are
// for the next time, so that no crowd of them delays the timer.
func (l *Loop[I, E, A]) work(ctx context.Context) error {
	inputs, err := l.take()
	if err != nil {
		return err
	}
	for _, in := range inputs {
		begin := time.Now()
		for _, e := range l.options.Step(begin, in) {
			l.options.Perform(e)
		}
		l.count(time.Since(begin))
		if err := l.failure(); err != nil || ctx.Err() != nil {
			return err
		}
	}
	return nil
}

func (l *Loop[I, E, A]) take() ([]I, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	inputs := l.inputs
	l.inputs = nil
	return inputs, l.err
}

func (l *Loop[I, E, A]) failure() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

// end takes no more inputs, so that nothing grows for nobody.
func (l *Loop[I, E, A]) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.over, l.inputs = true, nil
}

// Figures are what a loop has done so far.
type Figures struct {
	// Steps taken, how long all of them lasted together with their effects, and
	// the longest.
	Steps         uint64
	Busy, Longest time.Duration
	// Queued inputs and Waiting requests are as they are now.
	Queued, Waiting int
	// Writes to the store, and batches that were written with them.
	Writes, Batches uint64
}

// Figures are safe to ask for at any time.
func (l *Loop[I, E, A]) Figures() Figures {
	l.mu.Lock()
	f := l.figures
	f.Queued, f.Waiting = len(l.inputs), len(l.requests)
	l.mu.Unlock()
	f.Writes, f.Batches = l.writer.counts()
	return f
}

func (l *Loop[I, E, A]) count(took time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.figures.Steps++
	l.figures.Busy += took
	l.figures.Longest = max(l.figures.Longest, took)
}
