package actors

import (
	"context"
	"io"
	"log/slog"
	"runtime"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/emptypb"
)

// What is measured here is measured of bare protoactor in the same run, as the
// sub-benchmark "bare".

const (
	// sendWindow is how many messages a producer is ahead of its receiver, at
	// most twice: neither side measures a queue that grows without end.
	sendWindow = 4096
	// askWindow is how many questions an asker has open.
	askWindow = 64
)

func benchSystem(b *testing.B) *System {
	b.Helper()
	return newSystem(b, Options{})
}

func bareSystem(b *testing.B) *actor.ActorSystem {
	b.Helper()
	sys := actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger {
		return slog.New(slog.NewTextHandler(io.Discard, nil))
	}))
	b.Cleanup(sys.Shutdown)
	return sys
}

// produce sends b.N messages, at most two windows ahead of handled, and waits
// for the rest of them.
func produce(b *testing.B, handled <-chan struct{}, send, last func()) {
	b.ReportAllocs()
	ahead := 0
	for b.Loop() {
		if ahead == 2*sendWindow {
			<-handled
			ahead -= sendWindow
		}
		send()
		ahead++
	}
	last()
	for range ahead / sendWindow {
		<-handled
	}
	<-handled
}

// BenchmarkSend is one producer and one actor.
func BenchmarkSend(b *testing.B) {
	m := number(1)
	b.Run("actors", func(b *testing.B) {
		s := benchSystem(b)
		handled := make(chan struct{}, 4)
		count := 0
		sink := spawn(b, s, "sink", func(c *Context) {
			Handle(c, func(*Context, *durationpb.Duration) {
				if count++; count%sendWindow == 0 {
					handled <- struct{}{}
				}
			})
			Handle(c, func(*Context, *emptypb.Empty) { handled <- struct{}{} })
		})
		produce(b, handled, func() { s.Send(sink, m) }, func() { s.Send(sink, &emptypb.Empty{}) })
	})
	b.Run("bare", func(b *testing.B) {
		sys := bareSystem(b)
		handled := make(chan struct{}, 4)
		count := 0
		sink := sys.Root.Spawn(actor.PropsFromFunc(func(c actor.Context) {
			switch c.Message().(type) {
			case *durationpb.Duration:
				if count++; count%sendWindow == 0 {
					handled <- struct{}{}
				}
			case *emptypb.Empty:
				handled <- struct{}{}
			}
		}))
		produce(b, handled, func() { sys.Root.Send(sink, m) }, func() { sys.Root.Send(sink, &emptypb.Empty{}) })
	})
}

// BenchmarkAsk is one actor that asks another and goes on in a continuation,
// with askWindow questions open.
func BenchmarkAsk(b *testing.B) {
	b.Run("actors", func(b *testing.B) {
		s := benchSystem(b)
		answerer := spawn(b, s, "answerer", echo)
		asker := spawn(b, s, "asker", func(*Context) {})
		done := make(chan struct{})
		b.ReportAllocs()
		s.Do(asker, func(c *Context) { askAll(b, c, answerer, done) })
		<-done
	})
	b.Run("bare", func(b *testing.B) {
		sys := bareSystem(b)
		answerer := sys.Root.Spawn(actor.PropsFromFunc(func(c actor.Context) {
			if c.Sender() != nil {
				c.Respond(c.Message())
			}
		}))
		done := make(chan struct{})
		asker := sys.Root.Spawn(actor.PropsFromFunc(func(c actor.Context) {
			if _, ok := c.Message().(*emptypb.Empty); ok {
				askAllBare(b, c, answerer, done)
			}
		}))
		b.ReportAllocs()
		sys.Root.Send(asker, &emptypb.Empty{})
		<-done
	})
}

func askAll(b *testing.B, c *Context, to PID, done chan<- struct{}) {
	m, asked, answered := number(1), 0, 0
	var ask func()
	ask = func() {
		asked++
		c.Ask(to, m, time.Minute, func(_ proto.Message, err error) {
			if err != nil {
				b.Error(err)
			}
			if answered++; answered == b.N {
				close(done)
			} else if asked < b.N {
				ask()
			}
		})
	}
	b.ResetTimer()
	for range min(askWindow, b.N) {
		ask()
	}
}

func askAllBare(b *testing.B, c actor.Context, to *actor.PID, done chan<- struct{}) {
	m, asked, answered := number(1), 0, 0
	var ask func()
	ask = func() {
		asked++
		c.ReenterAfter(c.RequestFuture(to, m, time.Minute), func(_ any, err error) {
			if err != nil {
				b.Error(err)
			}
			if answered++; answered == b.N {
				close(done)
			} else if asked < b.N {
				ask()
			}
		})
	}
	b.ResetTimer()
	for range min(askWindow, b.N) {
		ask()
	}
}

// BenchmarkAskOutside is a goroutine that asks an actor and waits, one question
// at a time.
func BenchmarkAskOutside(b *testing.B) {
	b.Run("actors", func(b *testing.B) {
		s := benchSystem(b)
		answerer := spawn(b, s, "answerer", echo)
		m, ctx := number(1), context.Background()
		b.ReportAllocs()
		for b.Loop() {
			if _, err := s.Ask(ctx, answerer, m); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("bare", func(b *testing.B) {
		sys := bareSystem(b)
		answerer := sys.Root.Spawn(actor.PropsFromFunc(func(c actor.Context) {
			if c.Sender() != nil {
				c.Respond(c.Message())
			}
		}))
		m := number(1)
		b.ReportAllocs()
		for b.Loop() {
			if _, err := sys.Root.RequestFuture(answerer, m, time.Minute).Result(); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// idle is the least that an actor of a component has: a handler.
func idle(c *Context) { Handle(c, func(*Context, *durationpb.Duration) {}) }

// BenchmarkSpawn is a named actor with one handler; B/actor is what it keeps
// once it has handled a message and waits.
func BenchmarkSpawn(b *testing.B) {
	b.Run("actors", func(b *testing.B) {
		s := benchSystem(b)
		m := number(1)
		pids := make([]PID, 0, b.N)
		before := heap()
		b.ResetTimer()
		for range b.N {
			p, err := s.Spawn("", actorFunc(idle))
			if err != nil {
				b.Fatal(err)
			}
			s.Send(p, m)
			pids = append(pids, p)
		}
		for _, p := range pids {
			settle(b, s, p)
		}
		b.StopTimer()
		b.ReportMetric(float64(heap()-before)/float64(b.N), "B/actor")
		runtime.KeepAlive(s)
	})
	b.Run("bare", func(b *testing.B) {
		sys := bareSystem(b)
		handled := make(chan struct{}, 1)
		props := actor.PropsFromFunc(func(c actor.Context) {
			if _, ok := c.Message().(*emptypb.Empty); ok {
				handled <- struct{}{}
			}
		})
		m := number(1)
		pids := make([]*actor.PID, 0, b.N)
		before := heap()
		b.ResetTimer()
		for range b.N {
			p := sys.Root.Spawn(props)
			sys.Root.Send(p, m)
			pids = append(pids, p)
		}
		for _, p := range pids {
			sys.Root.Send(p, &emptypb.Empty{})
			<-handled
		}
		b.StopTimer()
		b.ReportMetric(float64(heap()-before)/float64(b.N), "B/actor")
		runtime.KeepAlive(sys)
	})
}

// heap is the memory that is reachable, in bytes.
func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
