package nested

import (
	"bytes"
	"context"
	"errors"
	"os"
	"slices"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sys/unix"
	"google.golang.org/protobuf/proto"

	"troupe/actors"
	"troupe/messages/cluster"
	"troupe/messages/mesos/agent"
)

const (
	pieceSize = 16 << 10 // bytes of output that travel at once
	// window is how many pieces may be on their way to one reader.
	window     = 16
	stallLimit = 30 * time.Second
	drainLimit = 5 * time.Second
)

// console carries the input and output of one container. The output waits in
// the container, by way of full pipes, while a reader is behind.
type console struct {
	nest    *Nest
	key     string // of the container
	streams *streams
	readers []*reader
	parked  []piece // at most one of each pump
	pumps   int     // that have not seen the end of their output
	writer  *writer // who has the input; nil while nobody has
	closed  bool    // the standard input
}

// piece is output on its way to all readers.
type piece struct {
	io *agent.ProcessIO
	// taken is closed when the next piece may come.
	taken chan struct{}
}

// reader is somebody who reads the output.
type reader struct {
	pid    actors.PID
	credit int // pieces that may be sent before others are taken
	// Set while the reader has no credit and a piece waits for it.
	stalled *actors.Timer
	patient bool // may be cut off for that
}

func (n *Nest) newConsole(key string, s *streams) *console {
	return &console{nest: n, key: key, streams: s}
}

// start begins to read what the program writes.
func (x *console) start() {
	kinds := []agent.ProcessIO_Data_Type{agent.ProcessIO_Data_STDOUT, agent.ProcessIO_Data_STDERR}
	x.pumps = len(x.streams.outputs)
	for i, from := range x.streams.outputs {
		x.nest.context.Go(func(ctx context.Context) func() {
			defer interrupt(ctx, from.SetReadDeadline)()
			buffer := make([]byte, pieceSize)
			for {
				n, err := from.Read(buffer)
				if n > 0 && !x.pump(ctx, kinds[i], buffer[:n]) {
					return nil
				}
				if errors.Is(err, os.ErrDeadlineExceeded) {
					x.drain(ctx, from, kinds[i], buffer)
				}
				if err != nil { // also EIO: a terminal that nobody has any more
					return x.pumped
				}
			}
		})
	}
}

// fullest is more than there can be in a pipe that nobody writes to any more.
const fullest = 1 << 20

// drain passes on what was there when the time for output was over: a reader that was
// behind until then is to have it.
func (x *console) drain(ctx context.Context, from *os.File, kind agent.ProcessIO_Data_Type, buffer []byte) {
	raw, err := from.SyscallConn()
	for left := fullest; err == nil && left > 0; {
		n := 0
		if cerr := raw.Control(func(fd uintptr) { n, err = unix.Read(int(fd), buffer) }); cerr != nil {
			return
		}
		if errors.Is(err, unix.EINTR) {
			err = nil
			continue
		}
		if n <= 0 || !x.pump(ctx, kind, buffer[:n]) {
			return
		}
		left -= n
	}
}

// interrupt ends what blocks on a file when the host ends.
func interrupt(ctx context.Context, deadline func(time.Time) error) (stop func()) {
	over := context.AfterFunc(ctx, func() {
		_ = deadline(time.Now()) // of a file that is closed nothing blocks
	})
	return func() { over() }
}

func outputOf(kind agent.ProcessIO_Data_Type, data []byte) *agent.ProcessIO {
	return &agent.ProcessIO{
		Type: agent.ProcessIO_DATA.Enum(),
		Data: &agent.ProcessIO_Data{Type: kind.Enum(), Data: bytes.Clone(data)},
	}
}

// pump offers a piece and waits until the next may come; false when the host
// has ended.
func (x *console) pump(ctx context.Context, kind agent.ProcessIO_Data_Type, data []byte) bool {
	if x.streams.log != nil {
		if _, err := x.streams.log.Write(data); err != nil {
			x.nest.log.Warn("output of a container was not kept", zap.String("container", x.key), zap.Error(err))
		}
	}
	p := piece{taken: make(chan struct{}), io: outputOf(kind, data)}
	if !x.nest.options.System.Do(x.nest.context.Self(), func(*actors.Context) {
		x.parked = append(x.parked, p)
		x.flow()
	}) {
		return false
	}
	select {
	case <-p.taken:
		return true
	case <-ctx.Done():
		return false
	}
}

// flow sends what all readers have room for.
func (x *console) flow() {
	for len(x.parked) > 0 {
		if behind := x.behind(); len(behind) > 0 {
			for _, r := range behind {
				x.hurry(r)
			}
			return
		}
		p := x.parked[0]
		x.parked = x.parked[1:]
		for _, r := range x.readers {
			r.credit--
			x.nest.context.Send(r.pid, &cluster.ContainerOutput{Io: p.io})
		}
		close(p.taken)
	}
	if x.pumps == 0 {
		x.end()
	}
}

func (x *console) behind() []*reader {
	return slices.DeleteFunc(slices.Clone(x.readers), func(r *reader) bool { return r.credit > 0 })
}

// hurry cuts a reader off that goes on taking nothing.
func (x *console) hurry(r *reader) {
	if r.stalled == nil && r.patient {
		r.stalled = x.nest.context.After(x.nest.options.StallLimit, func() {
			x.dismiss(r, "the output was not read as fast as it came: attach again")
		})
	}
}

// dismiss lets go of a reader, which may have left already.
func (x *console) dismiss(r *reader, message string) {
	r.stalled.Stop()
	i := slices.Index(x.readers, r)
	if i < 0 {
		return
	}
	x.readers = slices.Delete(x.readers, i, i+1)
	if message != "" {
		x.nest.context.Send(r.pid, &cluster.ContainerOutputEnd{Message: &message})
	}
	x.flow()
}

func (x *console) pumped() {
	x.pumps--
	x.flow()
}

// end follows the last piece of output.
func (x *console) end() {
	readers := x.readers
	x.readers = nil
	for _, r := range readers {
		r.stalled.Stop()
		x.nest.context.Send(r.pid, &cluster.ContainerOutputEnd{})
	}
	if x.streams == nil {
		return
	}
	x.dropWriter(&cluster.ContainerInputTaken{Over: proto.Bool(true)})
	if err := x.streams.close(); err != nil {
		x.nest.log.Warn("the streams of a container were not closed", zap.String("container", x.key), zap.Error(err))
	}
	x.streams = nil
}

// expire is called when the container has ended: whoever still has an end of its
// output is none of it.
func (x *console) expire() {
	if x.streams == nil {
		return
	}
	for _, f := range x.streams.outputs {
		if err := f.SetReadDeadline(time.Now().Add(x.nest.options.DrainLimit)); err != nil {
			x.nest.log.Debug("no limit for output", zap.String("container", x.key), zap.Error(err))
		}
	}
}

// addReader makes a visitor a reader of what comes from now on.
func (x *console) addReader(visitor actors.PID, patient bool) {
	r := &reader{pid: visitor, credit: window, patient: patient}
	x.readers = append(x.readers, r)
	v := x.nest.visitedBy(visitor, func() { x.dismiss(r, "") })
	v.taken = func() { x.taken(r) }
	if x.streams == nil {
		x.end() // there was an end of it already
	}
}

// taken: the reader has a piece.
func (x *console) taken(r *reader) {
	if r.credit < window && slices.Contains(x.readers, r) {
		r.credit++
		r.stalled.Stop()
		r.stalled = nil
		x.flow()
	}
}
