package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"troupe/actors"
	"troupe/actors/bare"
)

// rounds is how often a comparison alternates between the two; the best of
// each counts, since what disturbs only makes slower.
const rounds = 5

// closeTime bounds the end of a system.
const closeTime = 10 * time.Second

// actorFunc is an actor that is nothing but its Init.
type actorFunc func(c *actors.Context)

func (f actorFunc) Init(c *actors.Context) { f(c) }

func hundredBytes() *wrapperspb.BytesValue { return wrapperspb.Bytes(make([]byte, 98)) }

func end(s *actors.System) error {
	ctx, cancel := context.WithTimeout(context.Background(), closeTime)
	defer cancel()
	return s.Close(ctx)
}

// compare runs two loads in turn and gives the best rate of each, per second.
func compare(ctx context.Context, n int, ours, theirs func() (time.Duration, error)) (float64, float64, error) {
	var best [2]float64
	for range rounds {
		for i, f := range []func() (time.Duration, error){ours, theirs} {
			if err := ctx.Err(); err != nil {
				return 0, 0, err
			}
			runtime.GC()
			took, err := f()
			if err != nil {
				return 0, 0, err
			}
			best[i] = max(best[i], float64(n)/took.Seconds())
		}
	}
	return best[0], best[1], nil
}

// beside makes the three lines of a comparison, in thousands per second.
func beside(what string, ours, theirs float64, t target) []figure {
	return []figure{
		{what: what, value: ours / 1e3, unit: "k/s"},
		{what: what + ", protoactor", value: theirs / 1e3, unit: "k/s"},
		{what: what + ", ratio", value: ours / theirs, unit: "", target: t},
	}
}

// send is the work of that name: with a producer that is at most a little
// ahead of the actor, and with one that floods it.
func send(ctx context.Context, l load) ([]figure, error) {
	near, err := sendAhead(ctx, l, 4096, target{atLeast: 0.85})
	if err != nil {
		return nil, err
	}
	far, err := sendAhead(ctx, l, 100_000, target{})
	return append(near, far...), err
}

// sendAhead lets the producer be at most two windows ahead.
func sendAhead(ctx context.Context, l load, window int, t target) ([]figure, error) {
	n := max(1, l.of(4_000_000)/window) * window
	m := hundredBytes()
	ours, theirs, err := compare(ctx, n,
		func() (time.Duration, error) { return sends(n, window, m) },
		func() (time.Duration, error) { return bare.Sends(n, window, m), nil })
	if err != nil {
		return nil, err
	}
	return beside(fmt.Sprintf("sends, %d ahead", 2*window), ours, theirs, t), nil
}

// sends is what bare.Sends does, with this module's actors.
func sends(n, window int, m proto.Message) (took time.Duration, err error) {
	s, err := actors.New(actors.Options{})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, end(s)) }()
	handled := make(chan struct{}, 2)
	count := 0
	sink, err := s.Spawn("sink", actorFunc(func(c *actors.Context) {
		actors.Handle(c, func(*actors.Context, *wrapperspb.BytesValue) {
			if count++; count%window == 0 {
				handled <- struct{}{}
			}
		})
	}))
	if err != nil {
		return 0, err
	}
	handled <- struct{}{}
	start := time.Now()
	for i := range n {
		if i%window == 0 {
			<-handled
		}
		s.Send(sink, m)
	}
	<-handled
	return time.Since(start), nil
}

// ask is the work of that name.
func ask(ctx context.Context, l load) ([]figure, error) {
	const window = 64
	n := l.of(400_000)
	m := hundredBytes()
	ours, theirs, err := compare(ctx, n,
		func() (time.Duration, error) { return asks(n, window, m) },
		func() (time.Duration, error) { return bare.Asks(n, window, m), nil })
	if err != nil {
		return nil, err
	}
	return beside("asks", ours, theirs, target{atLeast: 0.85}), nil
}

// asks is what bare.Asks does, with this module's actors.
func asks(n, window int, m proto.Message) (took time.Duration, err error) {
	s, err := actors.New(actors.Options{})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, end(s)) }()
	answerer, err := s.Spawn("answerer", actorFunc(func(c *actors.Context) {
		actors.Handle(c, func(c *actors.Context, m *wrapperspb.BytesValue) { c.Reply(m) })
	}))
	if err != nil {
		return 0, err
	}
	asker, err := s.Spawn("asker", actorFunc(func(*actors.Context) {}))
	if err != nil {
		return 0, err
	}
	done := make(chan struct{})
	asked, answered := 0, 0
	var failed error
	var next func(c *actors.Context)
	next = func(c *actors.Context) {
		asked++
		c.Ask(answerer, m, time.Minute, func(_ proto.Message, err error) {
			failed = errors.Join(failed, err)
			if answered++; answered == n {
				close(done)
			} else if asked < n {
				next(c)
			}
		})
	}
	start := time.Now()
	s.Do(asker, func(c *actors.Context) {
		for range window {
			next(c)
		}
	})
	<-done
	return time.Since(start), failed
}

// idleActor is the work idle-actor.
func idleActor(_ context.Context, l load) (figures []figure, err error) {
	n := l.of(100_000)
	s, err := actors.New(actors.Options{})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, end(s)) }()
	handle := func(*actors.Context, *wrapperspb.BytesValue) {}
	before := readMemory()
	start := time.Now()
	for i := range n {
		if _, err := s.Spawn(fmt.Sprintf("idle/%d", i), actorFunc(func(c *actors.Context) { actors.Handle(c, handle) })); err != nil {
			return nil, err
		}
	}
	took := time.Since(start)
	after := readMemory()
	return []figure{
		{what: "heap", value: after.heapOver(before) / float64(n), unit: "B", target: target{atMost: 1024}},
		{what: "goroutines", value: float64(after.goroutines-before.goroutines) / float64(n), unit: ""},
		{what: "spawn", value: float64(took.Nanoseconds()) / 1e3 / float64(n), unit: "µs"},
	}, nil
}

// memory is what a process holds at a moment.
type memory struct {
	heap, stacks uint64
	goroutines   int
}

func readMemory() memory {
	runtime.GC()
	runtime.GC() // pools give up on the second
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return memory{heap: m.HeapAlloc, stacks: m.StackInuse, goroutines: runtime.NumGoroutine()}
}

func (m memory) heapOver(before memory) float64 { return float64(m.heap) - float64(before.heap) }
