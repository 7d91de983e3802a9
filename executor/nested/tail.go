package nested

import (
	"cmp"
	"context"
	"errors"
	"path/filepath"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/actors"
	"troupe/executor/program"
	"troupe/messages/cluster"
	"troupe/messages/mesos/agent"
)

// lookEvery is how often files are looked at again that had nothing new.
const lookEvery = 50 * time.Millisecond

// tail passes on what is appended to the files of a program's output. The
// program never waits for it: what the visitor has not taken is on the disk.
type tail struct {
	nest    *Nest
	visitor actors.PID
	process program.Process
	files   []*tailed
	room    chan struct{} // an entry for each piece that may be sent
	left    chan struct{} // closed when the visitor is gone
}

// follow makes a visitor a reader of the files that a program writes.
func (n *Nest) follow(visitor actors.PID, o *outlet) {
	t := &tail{
		nest: n, visitor: visitor, process: o.process,
		room: make(chan struct{}, window), left: make(chan struct{}),
	}
	for range window {
		t.room <- struct{}{}
	}
	o.tails++
	v := n.visitedBy(visitor, func() {
		o.tails--
		close(t.left)
	})
	v.taken = func() {
		select {
		case t.room <- struct{}{}:
		default: // it says more than it was sent
		}
	}
	n.context.Go(func(ctx context.Context) func() {
		if err := t.open(o.spec); err != nil {
			return func() { n.answer(visitor, cluster.ContainerAnswer_INVALID, "read the output: "+err.Error()) }
		}
		n.options.System.Do(n.context.Self(), func(*actors.Context) { n.answer(visitor, cluster.ContainerAnswer_DONE, "") })
		end := t.run(ctx)
		return func() { n.context.Send(visitor, end) }
	})
}

// open begins where the files end now.
func (t *tail) open(s program.Spec) error {
	for _, f := range []struct {
		kind       agent.ProcessIO_Data_Type
		path, name string
	}{
		{agent.ProcessIO_Data_STDOUT, s.Stdout, "stdout"},
		{agent.ProcessIO_Data_STDERR, s.Stderr, "stderr"},
	} {
		file, err := newTailed(f.kind, s, cmp.Or(f.path, filepath.Join(s.Dir, f.name)))
		if err != nil {
			return errors.Join(err, t.close())
		}
		t.files = append(t.files, file)
	}
	return nil
}

func (t *tail) close() error {
	var failed error
	for _, f := range t.files {
		failed = errors.Join(failed, f.file.Close())
	}
	return failed
}

// run passes on what comes, until the program has ended or the visitor has left.
func (t *tail) run(ctx context.Context) *cluster.ContainerOutputEnd {
	err := t.passAll(ctx)
	if err = errors.Join(err, t.close()); err != nil {
		return &cluster.ContainerOutputEnd{Message: proto.String("read the output: " + err.Error())}
	}
	return &cluster.ContainerOutputEnd{}
}

func (t *tail) passAll(ctx context.Context) error {
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	for buffer := make([]byte, pieceSize); ; {
		over := t.over() // before the files are read for the last time
		more := false
		for _, f := range t.files {
			n, err := f.read(buffer)
			if err != nil {
				return err
			}
			if n > 0 && !t.pass(ctx, f.kind, buffer[:n]) {
				return nil
			}
			more = more || n > 0
		}
		switch {
		case more:
			continue
		case over:
			return nil
		}
		select {
		case <-look.C:
		case <-t.process.Done():
		case <-t.left:
			return nil
		case <-ctx.Done():
			return nil
		}
	}
}

func (t *tail) over() bool {
	select {
	case <-t.process.Done():
		return true
	default:
		return false
	}
}

// pass sends a piece when there is room for it; false when nobody wants it any
// more.
func (t *tail) pass(ctx context.Context, kind agent.ProcessIO_Data_Type, data []byte) bool {
	select {
	case <-t.room:
	case <-t.left:
		return false
	case <-ctx.Done():
		return false
	}
	m := &cluster.ContainerOutput{Io: outputOf(kind, data)}
	return t.nest.options.System.Do(t.nest.context.Self(), func(c *actors.Context) { c.Send(t.visitor, m) })
}
