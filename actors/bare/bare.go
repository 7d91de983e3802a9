// Package bare runs the loads of tools/bench on protoactor-go alone, its actors
// and its remote, so that what this module puts on top can be measured against
// them in one run. Only tools/bench imports it.
package bare

import (
	"io"
	"log/slog"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/emptypb"
)

func newSystem() *actor.ActorSystem {
	return actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger {
		return slog.New(slog.NewTextHandler(io.Discard, nil))
	}))
}

// Sends sends n messages from one producer to one actor of the same system,
// at most two windows of them waiting, and gives the time until all are
// handled.
func Sends(n, window int, m proto.Message) time.Duration {
	sys := newSystem()
	defer sys.Shutdown()
	handled := make(chan struct{}, 2)
	count := 0
	sink := sys.Root.Spawn(actor.PropsFromFunc(func(c actor.Context) {
		if _, ok := c.Message().(proto.Message); ok && !isSystem(c.Message()) {
			if count++; count%window == 0 {
				handled <- struct{}{}
			}
		}
	}))
	handled <- struct{}{}
	start := time.Now()
	for i := range n {
		if i%window == 0 {
			<-handled
		}
		sys.Root.Send(sink, m)
	}
	<-handled
	return time.Since(start)
}

// isSystem tells protoactor's own messages, which are protobuf too.
func isSystem(m any) bool {
	switch m.(type) {
	case actor.SystemMessage, actor.AutoReceiveMessage:
		return true
	}
	return false
}

// Asks makes n requests from one actor to another, a window of them under way,
// the answer continuing in the asking actor, and gives the time they took.
func Asks(n, window int, m proto.Message) time.Duration {
	sys := newSystem()
	defer sys.Shutdown()
	answerer := sys.Root.Spawn(actor.PropsFromFunc(func(c actor.Context) {
		if c.Sender() != nil {
			c.Respond(c.Message())
		}
	}))
	done := make(chan struct{})
	asked, answered := 0, 0
	var ask func(c actor.Context)
	ask = func(c actor.Context) {
		asked++
		c.ReenterAfter(c.RequestFuture(answerer, m, time.Minute), func(any, error) {
			if answered++; answered == n {
				close(done)
			} else if asked < n {
				ask(c)
			}
		})
	}
	asker := sys.Root.Spawn(actor.PropsFromFunc(func(c actor.Context) {
		if _, ok := c.Message().(*emptypb.Empty); ok {
			for range window {
				ask(c)
			}
		}
	}))
	start := time.Now()
	sys.Root.Send(asker, &emptypb.Empty{})
	<-done
	return time.Since(start)
}
