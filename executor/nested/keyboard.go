package nested

import (
	"context"
	"time"

	"go.uber.org/zap"
	"google.golang.org/protobuf/proto"

	"troupe/actors"
	"troupe/messages/cluster"
	"troupe/messages/mesos/agent"
)

// writer is who has a container's input.
type writer struct {
	pid   actors.PID
	queue chan *agent.ProcessIO
	gone  bool
	// leaving: it is to be told when another may have the input.
	leaving bool
}

const inputWindow = 4 // pieces

// attachInput makes a visitor the one who has a container's input.
func (n *Nest) attachInput(visitor actors.PID, key string) {
	o, found := n.outletOf(key)
	switch {
	case !found:
		n.answer(visitor, cluster.ContainerAnswer_UNKNOWN, "container "+key+" cannot be found")
	case o == nil || o.console == nil || o.console.streams == nil:
		n.answer(visitor, cluster.ContainerAnswer_INVALID, "container "+key+" takes no input: it has no terminal and is no session, or has ended")
	case o.console.writer != nil:
		n.answer(visitor, cluster.ContainerAnswer_TAKEN, "somebody else has the input of container "+key)
	case o.console.closed:
		n.answer(visitor, cluster.ContainerAnswer_INVALID, "the input of container "+key+" has ended")
	default:
		n.answer(visitor, cluster.ContainerAnswer_DONE, "")
		o.console.addWriter(visitor)
	}
}

func (x *console) addWriter(visitor actors.PID) {
	w := &writer{pid: visitor, queue: make(chan *agent.ProcessIO, inputWindow)}
	x.writer = w
	v := x.nest.visitedBy(visitor, func() {
		if x.writer == w {
			x.dropWriter(nil)
		}
	})
	v.input = func(io *agent.ProcessIO) { x.input(w, io) }
	v.yield = func() { x.yield(w) }
	s := x.streams
	x.nest.context.Go(func(ctx context.Context) func() {
		defer interrupt(ctx, s.stdin.SetWriteDeadline)()
		for {
			select {
			case io, more := <-w.queue:
				if !more {
					return x.freed
				}
				failed := s.take(io)
				x.nest.options.System.Do(x.nest.context.Self(), func(*actors.Context) { x.written(w, io, failed) })
			case <-ctx.Done():
				return nil
			}
		}
	})
}

// freed: nobody writes any more, and another may.
func (x *console) freed() {
	if w := x.writer; w.leaving {
		x.nest.left(w.pid)
	}
	x.writer = nil
	if x.streams == nil || x.closed {
		return
	}
	if err := x.streams.stdin.SetWriteDeadline(time.Time{}); err != nil {
		x.nest.log.Debug("input stays interrupted", zap.String("container", x.key), zap.Error(err))
	}
}

// written tells the writer that a piece has arrived, or why none will.
func (x *console) written(w *writer, io *agent.ProcessIO, failed error) {
	if w.gone {
		return
	}
	taken := &cluster.ContainerInputTaken{}
	if failed != nil {
		taken.Error = proto.String(failed.Error())
	}
	if endsInput(io) && x.streams != nil && x.streams.terminal == nil {
		x.closed = true
	}
	x.nest.context.Send(w.pid, taken)
}

// endsInput tells that a piece is the end of the standard input.
func endsInput(io *agent.ProcessIO) bool {
	return io.GetType() == agent.ProcessIO_DATA && len(io.GetData().GetData()) == 0
}

// dropWriter lets go of who has the input; the goroutine that writes for it
// ends, and then another may have it. last, if not nil, is for the one who had it.
func (x *console) dropWriter(last *cluster.ContainerInputTaken) {
	w := x.writer
	if w == nil || w.gone {
		return
	}
	w.gone = true
	close(w.queue)
	if err := x.streams.stdin.SetWriteDeadline(time.Now()); err != nil && !x.closed {
		x.nest.log.Debug("the input cannot be interrupted", zap.String("container", x.key), zap.Error(err))
	}
	if last != nil {
		x.nest.context.Send(w.pid, last)
	}
}

// yield lets go of who has the input, or had it, and tells it when that is done.
func (x *console) yield(w *writer) {
	if x.writer != w {
		x.nest.left(w.pid)
		return
	}
	w.leaving = true
	x.dropWriter(nil)
}

// left tells a visitor that another may have the input that it had.
func (n *Nest) left(visitor actors.PID) { n.context.Send(visitor, &cluster.ContainerInputLeft{}) }

// input takes a piece from who has the input.
func (x *console) input(w *writer, io *agent.ProcessIO) {
	if x.writer != w || w.gone {
		return
	}
	select {
	case w.queue <- io:
	default:
		x.dropWriter(&cluster.ContainerInputTaken{Error: proto.String("more input came than was taken")})
	}
}
