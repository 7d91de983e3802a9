package loop_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"troupe/frameworks/loop"
)

// The machine of these tests adds numbers up, and answers once the sum is
// durable.
type (
	add struct {
		request uint64
		n       int
	}
	stored struct {
		number int
		err    error
	}
	rang  struct{}
	input any

	persist struct {
		number, sum int
	}
	answer struct {
		request uint64
		sum     int
	}
	setTimer struct{ at time.Time }
	fail     struct{ err error }
	effect   any
)

type adder struct {
	sum, number int
	held        map[int]answer
	rings       []time.Time
	steps       []string
}

func (m *adder) step(now time.Time, in input) []effect {
	m.steps = append(m.steps, fmt.Sprintf("%T", in))
	switch in := in.(type) {
	case add:
		m.sum += in.n
		m.number++
		m.held[m.number] = answer{in.request, m.sum}
		return []effect{persist{m.number, m.sum}}
	case stored:
		if in.err != nil {
			return []effect{fail{in.err}}
		}
		return []effect{m.held[in.number]}
	case time.Time:
		return []effect{setTimer{in}}
	case rang:
		m.rings = append(m.rings, now)
	}
	return nil
}

// shell performs what an adder wants.
func shell(m *adder, s loop.Store) *loop.Loop[input, effect, int] {
	var l *loop.Loop[input, effect, int]
	l = loop.New[input, effect, int](loop.Options[input, effect]{Step: m.step, Store: s, Waiting: 3, Perform: func(e effect) {
		switch e := e.(type) {
		case persist:
			changes := map[string][]byte{"sum": fmt.Append(nil, e.sum), fmt.Sprint(e.number): {}}
			l.Persist(changes, func(err error) input { return stored{e.number, err} })
		case answer:
			l.Answer(e.request, e.sum)
		case setTimer:
			l.SetTimer(e.at, rang{})
		case fail:
			l.Fail(e.err)
		}
	}})
	return l
}

// slow is a store that takes a second for a batch.
type slow struct {
	mu      sync.Mutex
	batches []map[string][]byte
	err     error
}

func (s *slow) Apply(ctx context.Context, changes map[string][]byte) error {
	select {
	case <-time.After(time.Second):
	case <-ctx.Done():
		return ctx.Err()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.batches = append(s.batches, maps.Clone(changes))
	return s.err
}

// running starts a loop in a bubble, and returns what ends it.
func running(t *testing.T, l *loop.Loop[input, effect, int]) (end func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- l.Run(ctx) }()
	return func() error {
		cancel()
		return <-ended
	}
}

func request(n int) func(uint64) input {
	return func(number uint64) input { return add{number, n} }
}

func TestAnAnswerComesAfterTheWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := new(slow)
		l := shell(&adder{held: map[int]answer{}}, s)
		end := running(t, l)
		begin := time.Now()
		sum, err := l.Ask(t.Context(), request(7))
		if sum != 7 || err != nil || time.Since(begin) != time.Second || len(s.batches) != 1 {
			t.Errorf("%d, %v after %s, %d writes", sum, err, time.Since(begin), len(s.batches))
		}
		if err := end(); err != nil {
			t.Error(err)
		}
	})
}

func TestWritesAreGatheredInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := new(slow)
		m := &adder{held: map[int]answer{}}
		l := shell(m, s)
		end := running(t, l)
		l.Put(add{n: 1})
		synctest.Wait()
		for range 99 {
			l.Put(add{n: 1})
		}
		<-time.After(3 * time.Second) // virtual: two writes and some
		if err := end(); err != nil {
			t.Error(err)
		}
		f := l.Figures()
		if len(s.batches) != 2 || len(m.steps) != 200 || f.Writes != 2 || f.Batches != 100 || f.Steps != 200 || f.Queued != 0 {
			t.Errorf("%d writes, figures %+v", len(s.batches), f)
			return
		}
		if got := string(s.batches[1]["sum"]); got != "100" {
			t.Errorf("the last write has %q", got)
		}
		for i, what := range m.steps[100:] {
			if what != "loop_test.stored" {
				t.Errorf("step %d is a %s", 100+i, what)
			}
		}
	})
}

func TestRequestsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := shell(&adder{held: map[int]answer{}}, new(slow))
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Minute, errors.New("enough"))
		defer cancel()
		errs := make(chan error, 3)
		for range 3 {
			go func() {
				_, err := l.Ask(ctx, request(1))
				errs <- err
			}()
		}
		synctest.Wait()
		if _, err := l.Ask(t.Context(), request(1)); !errors.Is(err, loop.ErrBusy) {
			t.Errorf("the fourth: %v", err)
		}
		for range 3 {
			if err := <-errs; err == nil || err.Error() != "enough" {
				t.Errorf("without an answer: %v", err)
			}
		}
		end := running(t, l) // what was asked is done, though nobody waits
		if sum, err := l.Ask(t.Context(), request(1)); sum != 4 || err != nil {
			t.Errorf("%d, %v", sum, err)
		}
		if err := end(); err != nil {
			t.Error(err)
		}
	})
}

func TestTimer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &adder{held: map[int]answer{}}
		l := shell(m, nil)
		begin := time.Now()
		l.SetTimer(begin.Add(-time.Hour), rang{}) // before it runs, and overdue
		end := running(t, l)
		synctest.Wait()
		l.Put(begin.Add(time.Hour))
		l.Put(begin.Add(2 * time.Hour)) // replaces the one before
		<-time.After(3 * time.Hour)
		if err := end(); err != nil {
			t.Error(err)
		}
		if len(m.rings) != 2 || !m.rings[0].Equal(begin) || !m.rings[1].Equal(begin.Add(2*time.Hour)) {
			t.Errorf("it rang at %v, of %v", m.rings, begin)
		}
	})
}

func TestFailureEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		full := errors.New("disk full")
		l := shell(&adder{held: map[int]answer{}}, &slow{err: full})
		asked := make(chan error, 1)
		go func() {
			_, err := l.Ask(t.Context(), request(1))
			asked <- err
		}()
		if err := l.Run(t.Context()); !errors.Is(err, full) {
			t.Errorf("run: %v", err)
		}
		if err := <-asked; !errors.Is(err, loop.ErrEnded) {
			t.Errorf("who waits: %v", err)
		}
		if _, err := l.Ask(t.Context(), request(1)); !errors.Is(err, loop.ErrEnded) {
			t.Errorf("who comes later: %v", err)
		}
		l.Put(add{})
		if f := l.Figures(); f.Queued != 0 || f.Waiting != 0 {
			t.Errorf("left: %+v", f)
		}
	})
}

func TestWithoutAStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := shell(&adder{held: map[int]answer{}}, nil)
		l.Put(add{})
		if err := l.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "no store") {
			t.Error(err)
		}
	})
}

func TestTheWriteUnderWayIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := new(slow)
		l := shell(&adder{held: map[int]answer{}}, s)
		end := running(t, l)
		l.Put(add{n: 1})
		synctest.Wait()
		l.Put(add{n: 1})
		synctest.Wait()
		if err := end(); err != nil {
			t.Error(err)
		}
		if len(s.batches) != 1 {
			t.Errorf("%d writes, of which one was under way", len(s.batches))
		}
	})
}

// hanging never comes back by itself.
type hanging struct{}

func (hanging) Apply(ctx context.Context, _ map[string][]byte) error {
	<-ctx.Done()
	return ctx.Err()
}

func TestAWriteThatHangsIsNotWaitedForLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := shell(&adder{held: map[int]answer{}}, hanging{})
		end := running(t, l)
		l.Put(add{n: 1})
		synctest.Wait()
		begin := time.Now()
		if err := end(); err != nil || time.Since(begin) != 5*time.Second {
			t.Errorf("%v after %s", err, time.Since(begin))
		}
	})
}

func TestManyAskers(t *testing.T) {
	var answers sync.Map
	var l *loop.Loop[uint64, uint64, uint64]
	l = loop.New[uint64, uint64, uint64](loop.Options[uint64, uint64]{
		Step:    func(_ time.Time, n uint64) []uint64 { return []uint64{n} },
		Perform: func(n uint64) { l.Answer(n, n*n) },
	})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- l.Run(ctx) }()
	var askers sync.WaitGroup
	for range 8 {
		askers.Go(func() {
			for range 500 {
				var mine uint64
				a, err := l.Ask(ctx, func(number uint64) uint64 {
					mine = number
					return number
				})
				if err != nil || a != mine*mine {
					t.Errorf("%d: %d, %v", mine, a, err)
				}
				answers.Store(mine, a)
			}
		})
	}
	askers.Wait()
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	n := 0
	answers.Range(func(any, any) bool { n++; return true })
	if n != 4000 {
		t.Errorf("%d different requests", n)
	}
}

// BenchmarkAsk is a request through a loop and back, without a store.
func BenchmarkAsk(b *testing.B) {
	var l *loop.Loop[uint64, uint64, uint64]
	l = loop.New[uint64, uint64, uint64](loop.Options[uint64, uint64]{
		Step:    func(_ time.Time, n uint64) []uint64 { return []uint64{n} },
		Perform: func(n uint64) { l.Answer(n, n) },
	})
	ctx, cancel := context.WithCancel(b.Context())
	ended := make(chan error, 1)
	go func() { ended <- l.Run(ctx) }()
	for b.Loop() {
		if _, err := l.Ask(ctx, func(n uint64) uint64 { return n }); err != nil {
			b.Fatal(err)
		}
	}
	cancel()
	if err := <-ended; err != nil {
		b.Fatal(err)
	}
}
